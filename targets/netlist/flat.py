# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A netlist without its hierarchy, as arrays: nets across modules, and the cells of each kind at them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from targets.netlist.netlist import NOTHING, ONE, ZERO, Module, Netlist

# What ZERO, ONE and NOTHING find as indices from the end of an array.
CONSTANTS = np.array([NOTHING, ONE, ZERO])


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of one kind.

    Attributes
    ----------
    pins : net of each bit of a pin, lowest first, int64 [cells, bits]; ZERO, ONE or NOTHING where there is none.
    owner : index of the module instance that each is in, in Flat.paths.
    """
    pins:  dict[str, np.ndarray]
    owner: np.ndarray

    def bit(self, pin: str) -> np.ndarray:
        """Net of the lowest bit of a pin, [cells]."""
        return self.pins[pin][:, 0] if pin in self.pins else np.full(len(self.owner), NOTHING)


@dataclass(frozen=True, eq=False)
class Flat:
    """Cells and nets of a netlist.

    Attributes
    ----------
    paths, modules : of each instance of a module, names of the instances on the way to it, and its module's name.
    nets : number of nets.
    ids : net of each of a module's nets, int64, for each instance of it.
    inputs, outputs : nets that come from outside, and that leave.
    cells : by kind.
    """
    paths:   list[tuple[str, ...]]
    modules: list[str]
    nets:    int
    ids:     list[np.ndarray]
    inputs:  np.ndarray
    outputs: np.ndarray
    cells:   dict[str, Cells]

    def gathered(self, values: dict[tuple[str, ...], np.ndarray]) -> np.ndarray:
        """One array [nets] of values that are given for each instance of a module, in the order of its nets."""
        result = np.zeros(self.nets)
        for path, ids in zip(self.paths, self.ids, strict=True):
            known = ids >= 0
            result[ids[known]] = values[path][known]
        return result


def flatten(netlist: Netlist) -> Flat:
    """Take the hierarchy out of a netlist."""
    paths     = list(netlist.paths())
    ids, nets = _numbered(netlist, paths)
    kinds     = {name: _by_cell(netlist, module) for name, module in netlist.modules.items()}
    parts: dict[str, list[Cells]] = {}
    for owner, (_, module) in enumerate(paths):
        own = np.concatenate([ids[owner], CONSTANTS])
        for cell, (count, pins) in kinds[module.name].items():
            parts.setdefault(cell, []).append(Cells({pin: own[each] for pin, each in pins.items()},
                np.full(count, owner)))
    top     = paths[0][1]
    outside = [np.unique(ids[0][[net for kind, nets in top.ports.values() if kind == direction for net in nets]])
        for direction in ("input", "output")]
    return Flat([path for path, _ in paths], [module.name for _, module in paths], nets, ids,
        *(each[each >= 0] for each in outside),
        {cell: _joined(each) for cell, each in parts.items()})


def _numbered(netlist: Netlist, paths: list[tuple[tuple[str, ...], Module]]) -> tuple[list[np.ndarray], int]:
    """One number for each net, however many modules it goes through, for each instance; and how many nets there are."""
    places    = {path: index for index, (path, _) in enumerate(paths)}
    instances = {name: {each.name: each for each in module.instances} for name, module in netlist.modules.items()}
    roots     = {name: np.array([module.resolve(net) for net in range(len(module.nets))], np.int64)
        for name, module in netlist.modules.items()}
    ids, pairs, total = [], [], 0
    for path, module in paths:
        own    = np.concatenate([total + np.arange(len(module.nets)), CONSTANTS])[roots[module.name]]
        total += len(module.nets)
        ids.append(own)
        if path:
            # What is at the ports of an instance is the same net in its parent.
            parent = places[path[:-1]]
            above  = np.concatenate([ids[parent], CONSTANTS])
            for port, nets in instances[paths[parent][1].name][path[-1]].pins.items():
                direction, inside = module.ports[port]
                for outer, net in zip(above[list(nets)].tolist(), inside, strict=False):
                    inner = int(own[net])
                    if inner >= 0 and outer >= 0:
                        pairs.append((inner, outer))
                    elif inner >= 0 and direction == "input" and outer != NOTHING:
                        own[own == inner] = outer
    edges  = np.array(pairs, np.int64).reshape(-1, 2).T
    labels = connected_components(coo_array((np.ones(edges.shape[1], bool), edges), (total, total)), directed=False)[1]
    # Numbered by their first appearance; those that have become constants are none.
    used   = np.unique(labels[np.concatenate([own[own >= 0] for own in ids])])
    number = np.zeros(total, np.int64)
    number[used] = np.arange(len(used))
    number = np.concatenate([number[labels], CONSTANTS])
    return [number[own] for own in ids], len(used)


def _by_cell(netlist: Netlist, module: Module) -> dict[str, tuple[int, dict[str, np.ndarray]]]:
    """For each kind of cell in a module their number and the nets at their pins, [cells, bits]."""
    found: dict[str, list] = {}
    for each in module.instances:
        if each.cell not in netlist.modules:
            found.setdefault(each.cell, []).append(each)
    return {cell: (len(each), dict(_pins(module, each))) for cell, each in found.items()}


def _pins(module: Module, instances: list) -> Iterator[tuple[str, np.ndarray]]:
    for pin in dict.fromkeys(pin for each in instances for pin in each.pins):
        width = max(len(each.pins.get(pin, ())) for each in instances)
        if width:
            yield pin, np.array([([module.resolve(net) for net in each.pins.get(pin, ())] + [NOTHING]*width)[:width]
                for each in instances])


def _joined(parts: list[Cells]) -> Cells:
    pins = {}
    for pin in dict.fromkeys(pin for part in parts for pin in part.pins):
        width     = max(part.pins[pin].shape[1] for part in parts if pin in part.pins)
        none      = [np.full((len(part.owner), width), NOTHING) for part in parts]
        pins[pin] = np.concatenate([part.pins.get(pin, other) for part, other in zip(parts, none, strict=True)])
    return Cells(pins, np.concatenate([part.owner for part in parts]))
