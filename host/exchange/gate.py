# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How an imported network holds V_a open, and at which level its thresholds lie.

V_a is open at one value from the first step on where leak_apical takes away all that bias_apical gave: V_a =
max(V_a - leak_apical, 0) + bias_apical is bias_apical then, 127 at most with 8-bit weights. Or it rises to V_max, where
leak_apical is 0, by so much in a step; with wide states this takes hundreds of steps in which currents count for less.
So it only rises where weights are too narrow for the other, and it takes no more than RISE_MAX steps.

The level of the thresholds, as a neuron that fires asks for:

- Reset to v_reset: V_max. V_s is clamped there, so that the threshold's subtraction leaves 0, as in NIR.
- Reset by subtraction: at most HEADROOM*V_max, which leaves room for what lies above the threshold; within it, it is
  what makes the largest weight fill weight_bits.

A current moves V_s by its product with V_a: where a state is so wide that even the largest weight of the network should
move it by more, no level fits, and fewer state bits do better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accel.config import LIMITS, SHIFT_MAX
from accel.errors import QCLIFError
from host.exchange.lif import V_RESET

# Most steps that V_a may take to open.
RISE_MAX = 16

# Largest threshold over V_max where a neuron that fires keeps what lies above it.
HEADROOM = 0.75

# Thresholds below are too coarse, where the states would hold finer ones.
LEVEL_MIN = 32


@dataclass(frozen=True)
class Gate:
    """V_a and thresholds of all neurons.

    Parameters
    ----------
    open : V_a in the end.
    rise_steps : steps until it is there; 1 where it is from the first step on.
    bias, leak : bias_apical and leak_apical.
    level : threshold.
    product_shift : right shift of the product of current and V_a.
    """
    open:          int
    rise_steps:    int
    bias:          int
    leak:          int
    level:         int
    product_shift: int


def choose_gate(largest: float, clipped: Sequence[float], weight_bits: int, state_bits: int, current_bits: int,
        reset: str) -> Gate:
    """The gate for a network whose largest weight is so many thresholds.

    Parameters
    ----------
    clipped : the largest weights where some are cut, which are tried one after another if the largest does not fit.

    Raises
    ------
    QCLIFError : the weights cannot be held in these widths; says what to give.
    """
    for each in (largest, *clipped):
        gate = _gate(each, weight_bits, state_bits, current_bits, reset)
        if gate is not None:
            return gate
    low, high, _ = LIMITS["state_bits"]
    fitting = [bits for bits in range(low, high + 1) if _gate(largest, weight_bits, bits, current_bits, reset)]
    remedy  = (f"give --state-bits {max((b for b in fitting if b < state_bits), default=fitting[0])}" if fitting else
        "give more --weight-bits and --current-bits")
    clip = ", or --clip a share of the weights, if only few are as large" if largest > 1 else ""
    raise QCLIFError(f"the largest weight is {largest:.3g} thresholds, and a weight of {weight_bits} bits with V_a "
        f"open cannot move V_s of {state_bits} bits by so much: {remedy}{clip}")


def _gate(largest: float, weight_bits: int, state_bits: int, current_bits: int, reset: str) -> Gate | None:
    v_max = 2**state_bits - 1
    w_max = 2**(weight_bits - 1) - 1
    bias  = min(w_max, 2**(current_bits - 1) - 1, v_max)
    ways  = [(bias, 1, bias)]
    if -(-v_max//bias) <= RISE_MAX:
        ways.append((v_max, -(-v_max//bias), 0))
    for value, rise, leak in ways:
        found = _level_and_shift(largest, w_max*value, v_max, reset)
        if found is not None:
            return Gate(value, rise, bias, leak, *found)
    return None


def _level_and_shift(largest: float, reach: int, v_max: int, reset: str) -> tuple[int, int] | None:
    """The threshold and product_shift, for the largest weight in thresholds; reach is how far it moves V_s unshifted.

    That weight fills its width where largest*level*2**shift is reach.
    """
    if reset == V_RESET:
        if largest*v_max > reach:
            return None
        return v_max, int(min(np.floor(np.log2(reach/largest/v_max)), SHIFT_MAX))
    high = HEADROOM*v_max
    if reach/largest < min(LEVEL_MIN, int(high)):
        return None
    shift = int(np.clip(np.ceil(np.log2(reach/largest/high)), 0, SHIFT_MAX))
    return max(int(min(reach/largest/2**shift, high)), 1), shift
