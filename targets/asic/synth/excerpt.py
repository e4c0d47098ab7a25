# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A part of a netlist that has the timing of all: of many equal instances in the top, two stay whole.

Those are the ones with the most and with the fewest buffers before their inputs. Of the others, the registers stay
that drive their outputs; the loads of all their inputs stay as cells that have nothing but a capacitance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from targets.asic.platform.cells import buffer_pins
from targets.asic.platform.pdk import Pdk
from targets.asic.synth.buffers import Load, bits_of
from targets.liberty.library import Cell
from targets.liberty.power import WireLoad

# Equal instances that are timed all.
ALL = 8

LOAD_CELL = "excerpt_load"

# What a module of registers is called.
REGISTERS = "{}_registers"


def excerpt(netlist: dict, top: str, ports: dict[str, dict[str, list[Load]]], cells: dict[str, Cell], wires: WireLoad,
        pdk: Pdk) -> tuple[dict, dict[str, float]] | None:
    """The part of a netlist, and its cells that are loads, in fF; None where the whole is small.

    Parameters
    ----------
    netlist : as Yosys' write_json has it, with its buffers.
    ports : loads of the modules' ports (BufferTrees.ports).
    cells : of the library and of the macros, by name.
    wires : estimate of the nets' wires.
    pdk : its buffers.
    """
    modules = netlist["modules"]
    module  = modules[top]
    cones   = _Cones(modules, cells)
    reduced = {name for name in _reduced(module, modules, pdk) if cones.end_in_registers(module["cells"][name]["type"])}
    if not reduced:
        return None
    inside, loads, pins, gone = {}, Counter(), Counter(), Counter()
    for name, cell in module["cells"].items():
        inside[name] = cones.instance(cell) if name in reduced else cell
        for port, index, bit in bits_of(cell, "input"):
            each = ports[cell["type"]][port][index] if cell["type"] in modules else Load(0.0, 1)
            if name not in reduced:
                pins[bit] += each.pins
            elif not each.clock:
                loads[bit] += each.load
                gone[bit]  += each.pins
    for each in module["ports"].values():
        if each["direction"] == "output":
            pins.update(each["bits"])
    used  = {bit for cell in inside.values() for bits in cell["connections"].values() for bit in bits}
    kinds = {} # Names of loads.
    for bit, count in gone.items():
        if bit in used and count:
            # The wire was longer by what is gone, but for the load's own.
            wire = wires(np.array([pins[bit] + count, pins[bit] + 1]))
            kind = kinds.setdefault(round(loads[bit] + float(wire[0] - wire[1]), 3), f"{LOAD_CELL}_{len(kinds)}")
            inside[f"{LOAD_CELL}_of_{bit}"] = {"hide_name": 0, "type": kind, "parameters": {}, "attributes": {},
                "port_directions": {"A": "input"}, "connections": {"A": [bit]}}
    part = {**module, "cells": inside, **_names(module, used)}
    return {**netlist, "modules": {**modules, **cones.modules, top: part}}, {name: load for load, name in kinds.items()}


def _reduced(module: dict, modules: dict, pdk: Pdk) -> set[str]:
    """Instances that others stand for."""
    equal = defaultdict(list)
    for name, cell in module["cells"].items():
        if cell["type"] in modules:
            equal[cell["type"]].append(name)
    # Net before a buffer, by the net behind it.
    pins   = {cell.name: buffer_pins(cell) for cell in pdk.buffers}
    before = {}
    for cell in module["cells"].values():
        if cell["type"] in pins:
            into, out = (cell["connections"][pin][0] for pin in pins[cell["type"]])
            before[out] = into

    def buffers(name: str) -> int:
        count, todo = 0, [bit for _, _, bit in bits_of(module["cells"][name], "input")]
        while todo := [before[bit] for bit in todo if bit in before]:
            count += len(todo)
        return count

    reduced = set()
    for names in equal.values():
        if len(names) > ALL:
            reduced |= set(names) - {max(names, key=buffers), min(reversed(names), key=buffers)}
    return reduced


def _names(module: dict, used: set[int]) -> dict:
    """Ports and nets of a module, bit by bit, as far as they are used."""
    ports, names = {}, {}
    for port, each in module["ports"].items():
        for index, bit in enumerate(each["bits"]):
            if bit in used:
                name = port if len(each["bits"]) == 1 else f"{port}[{index}]"
                ports[name] = {"direction": each["direction"], "bits": [bit]}
                names[bit]  = name
    for net, each in module["netnames"].items():
        for index, bit in enumerate(each["bits"]):
            if bit in used and not each.get("hide_name"):
                names.setdefault(bit, net if len(each["bits"]) == 1 else f"{net}[{index}]")
    return {"ports": ports, "netnames": {name: {"hide_name": 0, "bits": [bit], "attributes": {}}
        for bit, name in names.items()}}


class _Cones:
    """Modules with what drives their outputs, back to registers, and the clocks of these.

    Attributes
    ----------
    modules : those that were made, by name.
    """
    def __init__(self, modules: dict, cells: dict[str, Cell]) -> None:
        self.sources = modules
        self.cells   = cells
        self.modules: dict[str, dict] = {}
        self.inputs: dict[str, set[tuple[str, int]]] = {} # Bits of ports that are reached, by module.
        self.clocks: dict[str, set[tuple[str, int]]] = {} # Of these, clocks.

    def end_in_registers(self, kind: str) -> bool:
        """Whether no input of a module reaches its outputs but through registers."""
        self._make(kind)
        return self.inputs[kind] == self.clocks[kind]

    def instance(self, cell: dict) -> dict:
        """The same instance, of the registers only."""
        kind  = cell["type"]
        ports = self.modules[REGISTERS.format(kind)]["ports"]
        return {**cell, "type": REGISTERS.format(kind),
            "connections": {port: bits for port, bits in cell["connections"].items() if port in ports},
            "port_directions": {port: way for port, way in cell["port_directions"].items() if port in ports}}

    def _make(self, kind: str) -> None:
        if kind in self.inputs or kind not in self.sources:
            return
        source  = self.sources[kind]
        drivers = {bit: name for name, cell in source["cells"].items() for _, _, bit in bits_of(cell, "output")}
        todo    = [(bit, False) for each in source["ports"].values() if each["direction"] == "output"
            for bit in each["bits"]]
        kept, seen, clocks = {}, set(), set()
        while todo:
            bit, clock = todo.pop()
            if clock:
                clocks.add(bit)
            fresh = bit not in seen
            seen.add(bit)
            if fresh and (name := drivers.get(bit)):
                cell       = source["cells"][name]
                self._make(cell["type"])
                kept[name] = self.instance(cell) if cell["type"] in self.sources else cell
                todo      += self._before(cell, clock)
        ports = {port: each for port, each in source["ports"].items()
            if each["direction"] == "output" or seen.intersection(each["bits"])}
        used  = {bit for cell in kept.values() for bits in cell["connections"].values() for bit in bits}
        names = {net: each for net, each in source["netnames"].items()
            if net in ports or used.intersection(each["bits"])}
        reached = {(port, index): bit for port, each in ports.items() if each["direction"] == "input"
            for index, bit in enumerate(each["bits"]) if bit in seen}
        self.modules[REGISTERS.format(kind)] = {**source, "ports": ports, "cells": kept, "netnames": names}
        self.inputs[kind] = set(reached)
        self.clocks[kind] = {place for place, bit in reached.items() if bit in clocks}

    def _before(self, cell: dict, clock: bool) -> Iterator[tuple[int, bool]]:
        """Nets that decide what a cell of a cone gives, and whether they are clocks: of a register, its clock."""
        kind = cell["type"]
        if kind in self.sources:
            for port, index in self.inputs[kind]:
                yield cell["connections"][port][index], (port, index) in self.clocks[kind]
            return
        register = self.cells[kind].is_sequential
        for port, _, bit in bits_of(cell, "input"):
            pin = self.cells[kind].pins[port]
            if register and (pin.clock or pin.gate == "clock"):
                yield bit, True
            elif not register:
                yield bit, clock
