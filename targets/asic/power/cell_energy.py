# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Loads, slews and likelihoods in a netlist, and with these the energy of all cells of one kind, by their tables."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from targets.liberty.expression import HIGH, LOW, Expression, parse_expression
from targets.liberty.power import Arc, CellPower, Energy
from targets.netlist.flat import Cells, Flat
from targets.netlist.netlist import NOTHING

# Slews have settled when none changes by more than this, ns; a slew hardly depends on what is many cells ahead.
TOLERANCE = 1e-6
PASSES    = 200

# Slew of the clock and of inputs, ns, as OpenSTA takes them unless told.
IDEAL_SLEW = 0.0

RISE, FALL = 0, 1

# Capacitance fF of the wire at each net, from the number of pins at it.
Wires = Callable[[np.ndarray], np.ndarray]


def extended(values: np.ndarray, nothing: float = 0.0, one: float = 0.0, zero: float = 0.0) -> np.ndarray:
    """Values of nets, with those of the constants behind them, where NOTHING, ONE and ZERO find them as indices."""
    return np.concatenate([values, np.array([nothing, one, zero], values.dtype)])


def loads_and_slews(flat: Flat, cells: Mapping[str, CellPower], wires: Wires, clocks: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
    """Loads and slews of a netlist, as Signals have them.

    Parameters
    ----------
    cells : of all kinds in the netlist.
    wires : of the nets, estimated or routed.
    clocks : nets of the clock, whose slew is ideal.
    """
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
    load = pins + wires(fanout)
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
    return load, slew


def _propagate(cells: Cells, arc: Arc, load: np.ndarray, slew: np.ndarray, fresh: np.ndarray) -> None:
    """Raise the fresh slews of outputs to what comes through an arc."""
    if arc.output not in cells.pins or arc.input not in cells.pins:
        return
    for bit in range(cells.pins[arc.output].shape[1]):
        inputs, outputs = cells.bit(arc.input), cells.pins[arc.output][:, bit]
        for edge, table in enumerate(arc.slews):
            if table is not None:
                # Edges of the input that make this one of the output.
                sources = {"positive_unate": (edge,), "negative_unate": (1 - edge,)}.get(arc.sense, (RISE, FALL))
                for source in sources:
                    np.maximum.at(fresh[edge], outputs, table(slew[source][inputs], load[edge][outputs]))


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

# Energies -----------------------------------------------------------------------------------------

# Level of what nobody knows: a state without an output, an output at no net.
UNKNOWN = 0.5


@dataclass(frozen=True, eq=False)
class Signals:
    """What all nets do. Each array has three more entries, for ZERO, ONE and NOTHING as indices.

    Attributes
    ----------
    load, slew : capacitance at a net, fF, and ns, for a rise and for a fall, [2, nets].
    toggles : changes in the whole time.
    high : part of the time at 1.
    charge : energy that drives the net in the whole time, fJ.
    """
    load:    np.ndarray
    slew:    np.ndarray
    toggles: np.ndarray
    high:    np.ndarray
    charge:  np.ndarray


class CellEnergy:
    """Energy of all cells of one kind; each result is an array with one value a cell, [cells].

    Parameters
    ----------
    cells, power : the cells, and what their Liberty says.
    signals : of all nets.
    """
    def __init__(self, cells: Cells, power: CellPower, signals: Signals) -> None:
        self.cells   = cells
        self.power   = power
        self.signals = signals
        # Outputs that are the inverse of another one, as Q and QN are.
        outputs      = {function.name: pin for pin, function in power.functions.items() if function.kind == "pin"}
        self.inverse = {outputs[inverse]: outputs[state] for inverse, state in power.inverse.items()
            if inverse in outputs and state in outputs}
        self.twins   = self.inverse | {state: inverse for inverse, state in self.inverse.items()}

    def level(self, pin: str) -> np.ndarray:
        """How likely a pin is 1, [cells]."""
        nets   = self.cells.bit(pin)
        result = self.signals.high[nets]
        if pin in self.twins:
            # An output at no net is known by its twin.
            others = self.cells.bit(self.twins[pin])
            result = np.where((nets == NOTHING) & (others != NOTHING), 1 - self.signals.high[others], result)
        return result

    def toggles(self, pin: str) -> np.ndarray:
        """Changes of all bits of a pin, in the whole time, [cells]."""
        if pin in self.cells.pins and self.cells.pins[pin].shape[1] > 1:
            return self.signals.toggles[self.cells.pins[pin]].sum(axis=1)
        nets   = self.cells.bit(pin)
        result = self.signals.toggles[nets]
        if pin in self.twins:
            result = np.where(nets == NOTHING, self.signals.toggles[self.cells.bit(self.twins[pin])], result)
        function = self.power.functions.get(pin)
        if function is not None and len(function.pins()) == 1:
            # Clock trees are balanced by buffers whose output is at no net.
            result = np.where(nets == NOTHING, self.signals.toggles[self.cells.bit(*function.pins())], result)
        return result

    def _likely(self, when: Expression | None) -> np.ndarray:
        if when is None:
            return np.ones(1)
        inverse = {pin: parse_expression(f"!{twin}") for pin, twin in self.inverse.items()}
        return likelihood(when.replaced(inverse), self.level)

    # Kinds of energy ------------------------------------------------------------------------------

    def leakage_nw(self) -> np.ndarray:
        """Mean leakage over the states; where these are not independent, their likelihoods are scaled to a sum of 1."""
        weights = [(self._likely(when), value) for when, value in self.power.leakage]
        total   = sum(weight for weight, _ in weights)
        return np.broadcast_to(sum(weight*value for weight, value in weights)/total, len(self.cells.owner))

    def switching_fj(self) -> np.ndarray:
        """Energy in the whole time that charges and discharges the nets at the outputs."""
        outputs = [nets for pin, nets in self.cells.pins.items() if pin not in self.power.capacitance_ff]
        return sum((self.signals.charge[nets].sum(axis=1) for nets in outputs), np.zeros(len(self.cells.owner)))

    def internal_fj(self, without: str = "") -> np.ndarray:
        """Energy in the whole time that changes of pins cost within the cells; `without` is a pin that is left out."""
        total = np.zeros(len(self.cells.owner))
        for pin in dict.fromkeys(each.pin for each in self.power.energies if each.pin != without):
            group  = [each for each in self.power.energies if each.pin == pin]
            count  = self.toggles(pin)
            shares = self._shares(pin, group)
            total += sum(share*count*self._mean(each) for each, share in zip(group, shares, strict=True))
        return total

    def _shares(self, pin: str, group: list[Energy]) -> list[np.ndarray]:
        """Part of a pin's changes that each of its energies is of."""
        if pin in self.power.capacitance_ff:
            return [self._likely(each.when) for each in group]
        weights = [self._cause(pin, each) for each in group]
        total   = sum(weights)
        # No input has changed, but the output has: not in a netlist that is as its Liberty says.
        return [np.where(total > 0, weight/np.where(total > 0, total, 1), 1/len(group)) for weight in weights]

    def _cause(self, pin: str, energy: Energy) -> np.ndarray:
        """How often an input changes in a state in which the output follows."""
        function = self.power.functions.get(pin)
        if energy.when is not None:
            passes = self._likely(energy.when)
        elif function is not None and energy.related in function.pins():
            passes = sensitivity(function, energy.related, lambda name: self.level(name) if name in self.cells.pins
                else np.full(len(self.cells.owner), UNKNOWN))
        else:
            passes = np.ones(1)
        return self.toggles(energy.related)*passes if energy.related else np.ones(len(self.cells.owner))*passes

    def _mean(self, energy: Energy) -> np.ndarray:
        """Mean energy of a rise and a fall, which come in turns."""
        pin     = self.cells.bit(energy.pin)
        related = self.cells.bit(energy.related or energy.pin)
        load    = self.signals.load.max(axis=0)[pin] if energy.related else np.zeros(len(pin))
        senses  = {arc.sense for arc in self.power.arcs if (arc.output, arc.input) == (energy.pin, energy.related)}
        total   = np.zeros(len(pin))
        for edge, table in zip((RISE, FALL), energy.tables, strict=True):
            if table is not None:
                # Edge of the related pin that makes this one.
                source = 1 - edge if senses == {"negative_unate"} else edge
                total += table(self.signals.slew[source][related], load)
        return total/2
