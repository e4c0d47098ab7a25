# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a network is before it has weights: its neuron, sizes and widths."""

from dataclasses import dataclass
from typing import NamedTuple

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.network.network import SIZES


class Neuron(NamedTuple):
    """A kind of neuron.

    Attributes
    ----------
    integer : the contract's integers; False: real numbers.
    contract : its step: linear or exponential leak of V_a and V_s, both clamped at 0; else the equations of CLIF.
    exponential : leaks are a share of the state, not an amount.
    gated : V_a multiplies the somatic current; False: a LIF neuron, whose context comes in at the soma.
    """
    text:        str
    integer:     bool
    contract:    bool
    exponential: bool
    gated:       bool

    @property
    def on_accelerator(self) -> bool:
        """Whether the accelerator runs it: the contract has a linear leak."""
        return self.integer and self.contract and not self.exponential


NEURONS = {
    "qclif":             Neuron("the contract: integers, linear leak",              True,  True,  False, True),
    "qlif":              Neuron("the contract's LIF: V_a held at V_max",            True,  True,  False, False),
    "qclif-exponential": Neuron("integers, exponential leak (not on the hardware)", True,  True,  True,  True),
    "clif":              Neuron("real numbers, exponential leak: CLIF's equations", False, False, True,  True),
    "clif-linear":       Neuron("real numbers, linear leak",                        False, True,  False, True),
    "lif":               Neuron("real numbers, recurrent LIF",                      False, False, True,  False),
}

# How leaks begin and whether they learn.
LEAKS = ("learned", "distributed", "fixed")


@dataclass(frozen=True)
class Architecture:
    """Sizes of a network and the neuron it is made of.

    Parameters
    ----------
    weight_bits, state_bits, current_bits : widths of the contract; without effect in real numbers.
    leak : "learned" from distributed ones, "distributed" (drawn a neuron, then constant), "fixed" (all the same).

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    neuron:       str = "qclif"
    neurons:      int = 200
    inputs:       int = 512
    contexts:     int = 0
    outputs:      int = 11
    weight_bits:  int = 8
    state_bits:   int = 8
    current_bits: int = 12
    leak:         str = "learned"

    def __post_init__(self) -> None:
        for name, choices in (("neuron", NEURONS), ("leak", LEAKS)):
            if getattr(self, name) not in choices:
                raise QCLIFError(f"{name} is {getattr(self, name)!r}: known are {', '.join(choices)}")
        for name in (*SIZES.values(), "weight_bits", "state_bits", "current_bits"):
            value, (low, high, text) = getattr(self, name), LIMITS[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise QCLIFError(f"{name} is {value!r}, the limits of a build are {low} to {high} ({text}): choose "
                    f"another --{name.replace('_', '-')}")

    @property
    def kind(self) -> Neuron:
        """The neuron's properties."""
        return NEURONS[self.neuron]

    @property
    def soma_sources(self) -> int:
        """Sources below this one excite the soma, the others the apical compartment."""
        return self.inputs if self.kind.gated else self.inputs + self.contexts
