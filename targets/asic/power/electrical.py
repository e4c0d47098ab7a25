# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Loads, slews and likelihoods in a netlist: what its cells' tables are looked up with."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from targets.netlist.flat import Cells, Flat
from targets.liberty.expression import HIGH, LOW, Expression
from targets.liberty.power import Arc, CellPower

# Slews have settled when none changes by more than this, ns; a slew hardly depends on what is many cells ahead.
TOLERANCE = 1e-6
PASSES    = 200

# Slew of the clock and of inputs, ns, as OpenSTA takes them unless told.
IDEAL_SLEW = 0.0

RISE, FALL = 0, 1

# Capacitance fF of the wire at each net, from the number of pins at it.
Wires = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Nets:
    """Electrical values of nets. Each array has three more entries, for ZERO, ONE and NOTHING as indices.

    Attributes
    ----------
    load : capacitance at a net, fF, for a rise and for a fall, [2, nets].
    slew : ns, likewise.
    """
    load: np.ndarray
    slew: np.ndarray


def extended(values: np.ndarray, nothing: float = 0.0, one: float = 0.0, zero: float = 0.0) -> np.ndarray:
    """Values of nets, with those of the constants behind them, where NOTHING, ONE and ZERO find them as indices."""
    return np.concatenate([values, np.array([nothing, one, zero], values.dtype)])


def nets_of(flat: Flat, cells: Mapping[str, CellPower], wires: Wires, clocks: np.ndarray) -> Nets:
    """Loads and slews of a netlist.

    Parameters
    ----------
    cells : of all kinds in the netlist.
    wires : of the nets, estimated or routed.
    clocks : nets of the clock, whose slew is ideal.
    """
    load = _loads(flat, cells, wires)
    slew = np.full((2, flat.nets + 3), IDEAL_SLEW)
    arcs = [(flat.cells[name], arc) for name in flat.cells for arc in cells[name].arcs]
    for _ in range(PASSES):
        fresh = np.full_like(slew, IDEAL_SLEW)
        for each, arc in arcs:
            _propagate(each, arc, load, slew, fresh)
        fresh[:, clocks] = IDEAL_SLEW
        fresh[:, -3:]    = IDEAL_SLEW
        change, slew     = np.abs(fresh - slew).max(), fresh
        if change < TOLERANCE:
            break
    return Nets(load, slew)


def _loads(flat: Flat, cells: Mapping[str, CellPower], wires: Wires) -> np.ndarray:
    pins, fanout = np.zeros((2, flat.nets + 3)), np.zeros(flat.nets + 3, np.int64)
    for name, each in flat.cells.items():
        for pin, capacitance in cells[name].capacitance_ff.items():
            if pin in each.pins:
                count   = np.bincount(each.pins[pin].ravel() % (flat.nets + 3), minlength=flat.nets + 3)
                fanout += count
                pins   += np.outer(capacitance, count)
    # Where an output leads to is not known; a wire leads there.
    fanout[flat.outputs] += 1
    fanout[-3:]  = 0
    pins[:, -3:] = 0
    return pins + wires(fanout)


def _propagate(cells: Cells, arc: Arc, load: np.ndarray, slew: np.ndarray, fresh: np.ndarray) -> None:
    """Raise the fresh slews of outputs to what comes through an arc."""
    if arc.output not in cells.pins or arc.input not in cells.pins:
        return
    for bit in range(cells.pins[arc.output].shape[1]):
        inputs, outputs = cells.bit(arc.input), cells.pins[arc.output][:, bit]
        for edge, table in enumerate(arc.slews):
            if table is not None:
                for source in _sources(arc.sense, edge):
                    np.maximum.at(fresh[edge], outputs, table(slew[source][inputs], load[edge][outputs]))


def _sources(sense: str, edge: int) -> tuple[int, ...]:
    """Edges of the input that make this edge of the output."""
    return {"positive_unate": (edge,), "negative_unate": (1 - edge,)}.get(sense, (RISE, FALL))

# Likelihoods ---------------------------------------------------------------------------------------

def likelihood(expression: Expression, level: Callable[[str], np.ndarray]) -> np.ndarray:
    """How likely an expression holds, [n] or [1]; level() tells how likely a pin is 1, [n], independent of others."""
    names = sorted(expression.pins())
    rows  = itertools.product((False, True), repeat=len(names))
    terms = [np.prod([level(name) if high else 1 - level(name) for name, high in zip(names, row, strict=True)], axis=0)
        for row, holds in zip(rows, expression.table(names), strict=True) if holds]
    return np.sum(terms, axis=0) if terms else np.zeros(1)


def sensitivity(function: Expression, pin: str, level: Callable[[str], np.ndarray]) -> np.ndarray:
    """How likely a change of the pin changes the function, [n] or [1]."""
    return likelihood(Expression("xor", parts=(function.replaced({pin: LOW}), function.replaced({pin: HIGH}))), level)
