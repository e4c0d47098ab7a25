# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Switching activity of a simulated netlist: how often each net changes, and how long it is 1.

The simulation has no delays. A net is looked at once a clock, when all is settled: glitches, which are changes back
and forth within one clock, are not seen, and what is told is a lower bound. Nets of the clock are the exception: they
are looked at while the clock is high and are known while it is low.
"""

import gzip
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from targets.liberty.expression import HIGH, LOW, parse_expression
from targets.liberty.library import Cell, Library
from targets.netlist.netlist import Instance, Module, Netlist, escaped

WORD_BITS = 64

# Clock of all designs.
CLOCK = "sys_clk"


@dataclass(eq=False)
class Activity:
    """How often all nets of a netlist changed in a run, and how long they were 1.

    Attributes
    ----------
    clocks : over which it was counted.
    toggles : int64 [nets] for each instance of a module, in the order of its nets; instances as Netlist.paths().
    ones : time at 1, in clocks; float64 [nets] likewise.
    """
    clocks:  int
    toggles: dict[tuple[str, ...], np.ndarray]
    ones:    dict[tuple[str, ...], np.ndarray]

    def __add__(self, other: "Activity") -> "Activity":
        """Activity of two runs, one after the other."""
        return Activity(self.clocks + other.clocks, *({path: mine[path] + theirs[path] for path in mine}
            for mine, theirs in ((self.toggles, other.toggles), (self.ones, other.ones))))

    def save(self, path: Path) -> None:
        """Write it to an .npz file, for load()."""
        places = list(self.toggles)
        with whole_file(path) as file:
            np.savez(file, clocks=self.clocks, places=np.frombuffer(json.dumps(places).encode(), np.uint8),
                nets=[len(self.toggles[place]) for place in places],
                toggles=np.concatenate([self.toggles[place] for place in places]),
                ones=np.concatenate([self.ones[place] for place in places]))

    @classmethod
    def load(cls, path: Path) -> "Activity":
        """What save() has written.

        Raises
        ------
        QCLIFError : the file is missing or damaged.
        """
        try:
            with np.load(path) as content:
                places = [tuple(place) for place in json.loads(content["places"].tobytes())]
                ends   = np.cumsum(content["nets"])[:-1]
                values = [dict(zip(places, np.split(content[name], ends), strict=True)) for name in ("toggles", "ones")]
                return cls(int(content["clocks"]), *values)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise QCLIFError(f"{path}: no activity ({error}): remove {path.parent} and run the stage gatesim again") \
                from error

    def write(self, path: Path, netlist: Netlist) -> None:
        """Write all nets to a .gz of text: the clocks, then name, changes and time at 1; named as OpenSTA does."""
        with whole_file(path) as file, gzip.open(file, "wt", compresslevel=1) as text:
            text.write(f"{self.clocks}\n")
            for place, module in netlist.paths():
                for net, (changes, high) in enumerate(zip(self.toggles[place], self.ones[place], strict=True)):
                    text.write(f"{'/'.join((*place, module.name_of(net)))} {changes} {high:g}\n")

# Instrumentation -----------------------------------------------------------------------------------

def sampled(module: Module) -> list[int]:
    """Nets of a module that are looked at: those at a cell or a port, under the name that is not another's."""
    used = module.fanout().keys() | {module.resolve(net) for _, nets in module.ports.values() for net in nets}
    return sorted(net for net in used if net >= 0)


def probes(netlist: Netlist, start: str = "") -> dict[tuple[int, int], str]:
    """Edits of the netlist's text that make it tell its nets to support.cpp at each rising edge of CLOCK.

    Parameters
    ----------
    start : input of the top: counting begins when it is 1 for the first time. "": at once.
    """
    above = f"{escaped(netlist.top)}."
    uses  = Counter(each.cell for module in netlist.modules.values() for each in module.instances)
    edits = {}
    for module in netlist.modules.values():
        lines = _probe(module, "" if module.name == netlist.top else above)
        if module.name == netlist.top:
            lines = [
                'import "DPI-C" function void qclif_clock();',
                "reg qclif_counted;",
                "initial qclif_counted = 1'b0;",
                f"wire qclif_counts = {f'qclif_counted | {start}' if start else 1};",
                f"always @(posedge {CLOCK}) begin",
                "    qclif_clock();",
                "    qclif_counted <= qclif_counts;",
                "end",
                *lines,
            ]
        if uses[module.name] > 1:
            # Its code is made once for all instances.
            lines.append("/* verilator no_inline_module */")
        edits[module.end, module.end] = "".join(f"    {line}\n" for line in lines)
    return edits


def _probe(module: Module, above: str) -> list[str]:
    nets  = sampled(module)
    calls = []
    for word, first in enumerate(range(0, len(nets), WORD_BITS)):
        bits = ", ".join(module.verilog_of(net) for net in reversed(nets[first:first + WORD_BITS]))
        calls.append(f"    qclif_sample(qclif_index, {word}, {{{bits}}});")
    return [
        'import "DPI-C" function int qclif_scope(input string name, input int nets);',
        'import "DPI-C" function void qclif_sample(input int index, input int word, input longint bits);',
        "int qclif_index;",
        f'initial qclif_index = qclif_scope($sformatf("%m"), {len(nets)});',
        f"always @(posedge {above}{CLOCK}) if ({above}qclif_counts) begin",
        *calls,
        "end",
    ]

# Reading -------------------------------------------------------------------------------------------

def read_activity(path: Path, netlist: Netlist, library: Library) -> Activity:
    """Activity that a simulation has written.

    Raises
    ------
    QCLIFError : the file is missing, or is of another netlist; or a clock passes through logic whose output is not
        known while the clock is low.
    """
    try:
        scopes = dict(_scopes(np.fromfile(path, "<u8")))
    except OSError as error:
        raise QCLIFError(f"{path}: no activity ({error.strerror}): run the stage gatesim again") from error
    lows    = clock_nets(netlist, library)
    toggles, ones, clocks = {}, {}, set()
    for place, module in netlist.paths():
        samples, counts = scopes.get(".".join(("TOP", netlist.top, *place)), (0, np.zeros((0, 2), np.int64)))
        nets = sampled(module)
        if len(counts) != len(nets):
            raise QCLIFError(f"{path}: the activity is not of this netlist ({'/'.join(place) or netlist.top} has "
                f"{len(nets)} nets, there {len(counts)}): run the stage gatesim again")
        clocks.add(samples)
        toggles[place], ones[place] = _of_all_nets(module, nets, counts, samples, lows[module.name])
    if len(clocks) != 1:
        raise QCLIFError(f"{path}: the activity breaks off: run the stage gatesim again")
    return Activity(clocks.pop(), toggles, ones)


def _scopes(words: np.ndarray) -> Iterator[tuple[str, tuple[int, np.ndarray]]]:
    """(name, (samples, [nets, 2])) of each instance, named as Verilator does."""
    at = 1
    for _ in range(int(words[0])):
        size = int(words[at])
        name = words[at + 1:at + 1 + (size + 7)//8].tobytes()[:size].decode()
        at  += 1 + (size + 7)//8
        samples, nets = int(words[at]), int(words[at + 1])
        yield name, (samples, words[at + 2:at + 2 + 2*nets].reshape(nets, 2).astype(np.int64))
        at  += 2 + 2*nets


def _of_all_nets(module: Module, nets: list[int], counts: np.ndarray, samples: int, lows: dict[int, bool]
        ) -> tuple[np.ndarray, np.ndarray]:
    """Toggles and time at 1 of each net, from the counts of those that were looked at."""
    toggles, ones = np.zeros(len(module.nets), np.int64), np.zeros(len(module.nets))
    toggles[nets], ones[nets] = counts[:, 0], counts[:, 1]
    for net, low in lows.items():
        high         = ones[net]
        toggles[net] = 2*(samples - high if low else high)
        ones[net]    = (high + low*samples)/2
    for net in range(len(module.nets)):
        same = module.resolve(net)
        toggles[net], ones[net] = (toggles[same], ones[same]) if same >= 0 else (0, samples*(same == -2))
    return toggles, ones

# Clocks --------------------------------------------------------------------------------------------

def clock_nets(netlist: Netlist, library: Library) -> dict[str, dict[int, bool]]:
    """Nets of each module that follow the clock within a clock, and their level while it is low.

    Raises
    ------
    QCLIFError : that level depends on more than the clock.
    """
    fanouts = {name: module.fanout() for name, module in netlist.modules.items()}
    parents = {name: [] for name in netlist.modules}
    for module in netlist.modules.values():
        for each in module.instances:
            if each.cell in parents:
                parents[each.cell].append((module, each))
    found = {name: {} for name in netlist.modules}
    todo  = [(netlist.top, netlist.modules[netlist.top].ports[CLOCK][1][0], False)]
    while todo:
        name, net, low = todo.pop()
        module = netlist.modules[name]
        net    = module.resolve(net)
        if net < 0 or net in found[name]:
            continue
        found[name][net] = low
        for each, pin, bit in fanouts[name].get(net, ()):
            if each.cell in netlist.modules:
                todo.append((each.cell, netlist.modules[each.cell].ports[pin][1][bit], low))
            else:
                todo += ((name, *after) for after in _through(name, each, library.cells.get(each.cell), pin, low))
        for port, (direction, nets) in module.ports.items():
            if direction == "output":
                todo += ((parent.name, each.pins[port][bit], low) for parent, each in parents[name]
                    for bit, same in enumerate(nets) if module.resolve(same) == net and each.pins.get(port))
    return found


def _through(module: str, instance: Instance, cell: Cell | None, pin: str, low: bool) -> Iterator[tuple[int, bool]]:
    """(net, level while the clock is low) of the outputs of a cell that a net of the clock gets through."""
    for output in () if cell is None else cell.outputs.values():
        function = parse_expression(output.function) if output.function else None
        if function is None or pin not in function.pins() or not instance.pins.get(output.name):
            continue
        levels = set(function.replaced({pin: HIGH if low else LOW}).table(sorted(function.pins() - {pin})))
        if len(levels) > 1:
            raise QCLIFError(f"the clock passes through {instance.name} ({cell.name}) in module {module}: its level "
                f"while the clock is low is not known, gate clocks with the library's clock gates")
        yield instance.pins[output.name][0], levels.pop()

