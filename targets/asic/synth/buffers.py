# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Buffers for nets with more load than their driver can take, across the modules of a netlist.

abc sees the logic of one module: neither how many macros hang on a net nor what is behind a port. Loads are those
of pins, and of wires as the library estimates them by the number of pins.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from targets.asic.platform.cells import buffer_pins
from targets.asic.platform.pdk import Pdk
from targets.liberty.library import Cell
from targets.liberty.power import WireLoad

# Part of the largest load in the library that is used, so that edges stay steep.
FRACTION = 0.5


class Load(NamedTuple):
    """What a bit of an input is for its net: load, fF, of the pins that it is or leads to; and whether a clock."""
    load:  float
    pins:  int
    clock: bool = False


@dataclass(frozen=True, eq=False)
class _Sink:
    """A pin on a net: bit `index` of port `port` of a cell; `cell` is None for a port of the module. Two cells are two,
    however alike."""
    cell:  dict | None
    port:  str
    index: int
    load:  Load


def bits_of(cell: dict, direction: str) -> Iterator[tuple[str, int, int]]:
    """Port, index and net of the bits of a cell's inputs or outputs."""
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == direction:
            for index, bit in enumerate(bits):
                yield port, index, bit


class BufferTrees:
    """Adds buffers to a netlist.

    Parameters
    ----------
    netlist : as Yosys' write_json has it; it is changed.
    cells : of the library and of the macros, by name.
    wires : estimate of the nets' wires.
    pdk : its buffers.

    Attributes
    ----------
    counts : buffers that were added, by module.
    ports : loads of the modules' inputs, bit by bit, by module and port.
    """
    def __init__(self, netlist: dict, cells: dict[str, Cell], wires: WireLoad, pdk: Pdk) -> None:
        self.modules = netlist["modules"]
        self.cells   = cells
        self.wires   = wires
        self.counts: Counter[str] = Counter()
        self.fresh   = 0
        self.ports: dict[str, dict[str, list[Load]]] = {}
        self.load_ff = pdk.load_ff
        self.buffers = {cell.name: buffer_pins(cell) for cell in pdk.buffers}
        self.limits  = [FRACTION*cells[name].pins[out].max_capacitance_ff for name, (_, out) in self.buffers.items()]
        for name in self.modules:
            self._module(name)

    def _module(self, name: str) -> None:
        """Modules below first: their ports are loads."""
        if name in self.ports:
            return
        module = self.modules[name]
        for cell in module["cells"].values():
            if cell["type"] in self.modules:
                self._module(cell["type"])
        sinks, limits, clocks = self._nets(module)
        self.fresh = 1 + max((bit for each in module["netnames"].values() for bit in each["bits"]
            if isinstance(bit, int)), default=1)
        first = self.fresh
        for net, pins in sinks.items():
            if net not in clocks:
                self._relieve(module, net, pins, limits.get(net, self.limits[0]))
        self.counts[name] = self.fresh - first
        self.ports[name] = self._loads(module, sinks, clocks)

    def _nets(self, module: dict) -> tuple[dict[int, list[_Sink]], dict[int, float], set[int]]:
        """Of each net: pins that it drives, and the load that its driver takes; and those that are clocks."""
        sinks, limits, clocks = defaultdict(list), {}, set()
        for cell in module["cells"].values():
            for port, _, bit in bits_of(cell, "output"):
                # A module's is driven by what may be in it, and loaded in it, too.
                pin  = None if cell["type"] in self.modules else self.cells[cell["type"]].pins[port]
                most = pin and pin.max_capacitance_ff
                limits[bit] = self.limits[0] if most is None else FRACTION*most
            for port, index, bit in bits_of(cell, "input"):
                if isinstance(bit, int):
                    load = self._pin(cell["type"], port, index)
                    sinks[bit].append(_Sink(cell, port, index, load))
                    if load.clock:
                        clocks.add(bit)
        for port, each in module["ports"].items():
            if each["direction"] == "output":
                for index, bit in enumerate(each["bits"]):
                    if isinstance(bit, int):
                        sinks[bit].append(_Sink(None, port, index, Load(self.load_ff, 1)))
        return sinks, limits, clocks

    def _pin(self, kind: str, port: str, index: int) -> Load:
        """An input of a cell or a module."""
        if kind in self.modules:
            return self.ports[kind][port][index]
        pin = self.cells[kind].pins[port]
        return Load(pin.capacitance_ff or 0.0, 1, pin.clock or pin.gate == "clock")

    def _load(self, pins: list[_Sink]) -> float:
        """Of pins, and the wire to them."""
        return sum(pin.load.load for pin in pins) + float(self.wires(np.array(sum(pin.load.pins for pin in pins))))

    def _relieve(self, module: dict, net: int, pins: list[_Sink], limit: float) -> None:
        """Put pins behind buffers, the largest loads first, until the driver can take what is left."""
        pins.sort(key=lambda pin: pin.load.load)
        while self._load(pins) > limit:
            # A port keeps its net, and so its name.
            movable = [pin for pin in pins if pin.cell is not None]
            group   = []
            while movable and (not group or self._load([*group, movable[-1]]) <= self.limits[-1]):
                group.append(movable.pop())
            if len(group) < 2:
                return
            for pin in group:
                pins.remove(pin)
            pins.insert(0, self._buffer(module, net, group))

    def _buffer(self, module: dict, net: int, group: list[_Sink]) -> _Sink:
        """The input of a new buffer that drives a group."""
        load  = self._load(group)
        fits  = (name for name, limit in zip(self.buffers, self.limits, strict=True) if load <= limit)
        kind  = next(fits, list(self.buffers)[-1])
        into, out = self.buffers[kind]
        cell  = {"hide_name": 0, "type": kind, "parameters": {}, "attributes": {},
            "port_directions": {into: "input", out: "output"}, "connections": {into: [net], out: [self.fresh]}}
        for pin in group:
            pin.cell["connections"][pin.port][pin.index] = self.fresh
        module["cells"][f"buffer_{self.fresh}"] = cell
        self.fresh += 1
        return _Sink(cell, into, 0, self._pin(kind, into, 0))

    @staticmethod
    def _loads(module: dict, sinks: dict[int, list[_Sink]], clocks: set[int]) -> dict[str, list[Load]]:
        def load(bit: int) -> Load:
            pins = [pin.load for pin in sinks.get(bit, ())]
            return Load(sum(pin.load for pin in pins), sum(pin.pins for pin in pins), bit in clocks)

        return {name: [load(bit) for bit in each["bits"]] for name, each in module["ports"].items()
            if each["direction"] == "input"}
