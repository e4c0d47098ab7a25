# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Energy of all cells of one kind, from the activity of the nets at them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from targets.asic.power.electrical import FALL, RISE, Nets, likelihood, sensitivity
from targets.netlist.flat import Cells
from targets.liberty.expression import Expression, parse_expression
from targets.liberty.power import CellPower, Energy
from targets.netlist.netlist import NOTHING

# Level of what nobody knows: a state without an output, an output at no net.
UNKNOWN = 0.5


@dataclass(frozen=True, eq=False)
class Signals:
    """What all nets do. Each array has three more entries for constants, as in targets.asic.power.electrical.Nets.

    Attributes
    ----------
    toggles : changes in the whole time.
    high : part of the time at 1.
    charge : energy that drives the net in the whole time, fJ.
    """
    nets:    Nets
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
        self.twins   = {outputs[inverse]: outputs[state] for inverse, state in power.inverse.items()
            if inverse in outputs and state in outputs}

    def level(self, pin: str) -> np.ndarray:
        """How likely a pin is 1, [cells]."""
        nets   = self.cells.bit(pin)
        result = self.signals.high[nets]
        for twin in self._others(pin):
            # An output at no net is known by its twin.
            others = self.cells.bit(twin)
            result = np.where((nets == NOTHING) & (others != NOTHING), 1 - self.signals.high[others], result)
        return result

    def toggles(self, pin: str) -> np.ndarray:
        """Changes of all bits of a pin, in the whole time, [cells]."""
        if pin in self.cells.pins and self.cells.pins[pin].shape[1] > 1:
            return self.signals.toggles[self.cells.pins[pin]].sum(axis=1)
        nets   = self.cells.bit(pin)
        result = self.signals.toggles[nets]
        for twin in self._others(pin):
            result = np.where(nets == NOTHING, self.signals.toggles[self.cells.bit(twin)], result)
        function = self.power.functions.get(pin)
        if function is not None and len(function.pins()) == 1:
            # Clock trees are balanced by buffers whose output is at no net.
            result = np.where(nets == NOTHING, self.signals.toggles[self.cells.bit(*function.pins())], result)
        return result

    def _others(self, pin: str) -> Iterator[str]:
        for inverse, other in self.twins.items():
            if pin in (inverse, other):
                yield other if pin == inverse else inverse

    def _likely(self, when: Expression | None) -> np.ndarray:
        if when is None:
            return np.ones(1)
        inverse = {pin: parse_expression(f"!{twin}") for pin, twin in self.twins.items()}
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
        nets    = self.signals.nets
        pin     = self.cells.bit(energy.pin)
        related = self.cells.bit(energy.related or energy.pin)
        load    = nets.load.max(axis=0)[pin] if energy.related else np.zeros(len(pin))
        total   = np.zeros(len(pin))
        for edge, table in zip((RISE, FALL), energy.tables, strict=True):
            if table is not None:
                total += table(nets.slew[self._source(energy, edge)][related], load)
        return total/2

    def _source(self, energy: Energy, edge: int) -> int:
        """Edge of the related pin that makes this edge of the pin."""
        senses = {arc.sense for arc in self.power.arcs if (arc.output, arc.input) == (energy.pin, energy.related)}
        return 1 - edge if senses == {"negative_unate"} else edge
