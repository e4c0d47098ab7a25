# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From leaky integrate-and-fire neurons in real numbers to a network of the contract.

The apical compartment only opens the gate: bias_apical at its maximum and leak_apical 0 hold V_a at V_max, so that a
current i_s moves V_s by (i_s*V_max) >> product_shift. What is left of the contract is a neuron with a linear leak that
is clamped at rest (0) and at V_max, and lowered by its threshold when it fires.

A neuron's weights, threshold and leak may share any factor. It is chosen so that its threshold lies at one level that
all neurons share, and with this all thresholds are exact: the weights carry the rounding.

- Reset to v_reset: the level is V_max. V_s is clamped there, so that the threshold's subtraction leaves 0, as in NIR.
- Reset by subtraction: the level is at most HEADROOM*V_max, which leaves room for what lies above the threshold, and at
  least half of that; within it, it is what makes the largest weight fill weight_bits.

product_shift is the one with which the largest weight needs all of weight_bits, or all but one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accel.config import SHIFT_MAX
from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.exchange.leak import linear_leak
from host.exchange.lif import V_RESET, LIFNetwork
from host.network.network import Network

# Largest threshold over V_max where a neuron that fires keeps what lies above it.
HEADROOM = 0.75

# Largest weight of the readout: logits of 1024 neurons that fire in each of 1000 steps stay within 32 bits.
READOUT_MAX = 2047


@dataclass(frozen=True)
class Rounding:
    """What became of a matrix of real weights, or of a vector of biases.

    Parameters
    ----------
    name : what the network calls the array; with the layer where there are several.
    scale : integers for 1 in the graph's units, the least and the most of the neurons.
    rms_error, max_error : of the rounded values, in integers (a step of the weights is 1).
    rms_relative : rms_error over the root mean square of what was rounded.
    saturated, zeroed : share of the values that are clipped; share of those that are not 0 and became 0.
    """
    name:         str
    scale:        tuple[float, float]
    rms_error:    float
    max_error:    float
    rms_relative: float
    saturated:    float
    zeroed:       float

    @classmethod
    def of(cls, name: str, exact: np.ndarray, rounded: np.ndarray, limits: tuple[int, int], scale: np.ndarray
            ) -> "Rounding":
        """The rounding of values, given before and after, with the integers' limits and the scale of each neuron."""
        error = rounded - exact
        rms   = float(np.sqrt(np.mean(error**2)))
        size  = float(np.sqrt(np.mean(exact**2)))
        return cls(name, (float(scale.min()), float(scale.max())), rms, float(np.abs(error).max()),
            rms/size if size else 0.0,
            float(np.mean((np.rint(exact) < limits[0]) | (np.rint(exact) > limits[1]))),
            float(np.mean((exact != 0) & (rounded == 0))))


@dataclass(frozen=True, eq=False)
class Quantized:
    """A network of the contract and what it lost.

    Parameters
    ----------
    network : valid.
    roundings : one for each matrix and vector.
    exact_leak : [N], the linear leak before rounding, in integers of V_s.
    rise_steps : steps until V_a is at V_max; before, currents count for less.
    """
    network:    Network
    roundings:  list[Rounding]
    exact_leak: np.ndarray
    rise_steps: int


def quantize(lif: LIFNetwork, encoder: Encoder, weight_bits: int, state_bits: int, current_bits: int,
        reset: str = V_RESET, clip: float = 0.0, classes: Sequence[str] = ()) -> Quantized:
    """Round a network to the contract.

    Parameters
    ----------
    lif : its layers become one pool of N neurons, a layer's spikes reach the next one a step later.
    encoder : the one that makes the I inputs.
    weight_bits, state_bits, current_bits : widths of the contract.
    reset : what happens to a neuron of lif when it fires, one of host.exchange.lif.RESETS.
    clip : share of the weights and biases that may be clipped, 0 up to but not 1.
    classes : names of the outputs, or empty.

    Raises
    ------
    QCLIFError : a network without weights, or a width out of its limits.

    Examples
    --------
    >>> lif = lif_network(read_graph("graph.nir"))
    >>> quantize(lif, Encoder(), weight_bits=8, state_bits=8, current_bits=12).network.save("net.npz")
    """
    v_max   = 2**state_bits - 1
    w_max   = 2**(weight_bits - 1) - 1
    limits  = (-w_max - 1, w_max)
    # Largest weight in thresholds, without the share that may be clipped.
    relative = np.concatenate([np.abs(values/layer.threshold).ravel() for layer in lif.layers
        for values in (layer.weights, layer.recurrent, layer.bias)])
    relative = relative[relative > 0]
    if not len(relative):
        raise QCLIFError("all weights are 0: there is no network to import")
    largest = float(np.quantile(relative, 1 - clip, method="higher"))
    if not np.isfinite(largest):
        raise QCLIFError("weights and thresholds differ by more than real numbers can: rescale the network")

    level, shift = _level_and_shift(largest, w_max, v_max, reset)
    roundings = []

    def integers(name: str, values: np.ndarray, unit: np.ndarray, factor: float = level*2.0**shift/v_max,
            limits: tuple[int, int] = limits) -> np.ndarray:
        exact   = values/unit*factor
        rounded = np.clip(np.rint(exact), *limits).astype(np.int32)
        roundings.append(Rounding.of(name, exact, rounded, limits, factor/unit))
        return rounded

    n         = lif.neurons
    sensory   = np.zeros((lif.inputs, n), np.int32)
    recurrent = np.zeros((n, n), np.int32)
    own       = slice(0)
    for index, layer in enumerate(lif.layers):
        before, own = own, slice(own.stop, own.stop + layer.neurons)
        label       = f" of {layer.name}" if len(lif.layers) > 1 else ""
        if index == 0:
            sensory[:, own] = integers(f"w_sensory{label}", layer.weights, layer.threshold)
        else:
            recurrent[before, own] = integers(f"w_recurrent_soma into {layer.name}", layer.weights, layer.threshold)
        if layer.recurrent.any():
            recurrent[own, own] = integers(f"w_recurrent_soma{label}", layer.recurrent, layer.threshold)
    bias = integers("bias_soma", lif.gather("bias"), lif.gather("threshold"))

    readout = None
    if lif.readout is not None:
        readout  = np.zeros((n, lif.readout.shape[1]), np.int32)
        peak     = np.abs(lif.readout).max()
        # One factor for all outputs: they are compared with each other. Spikes themselves are counted as they are.
        identity = np.array_equal(lif.readout, np.eye(len(lif.readout)))
        readout[own] = integers("readout", lif.readout, np.ones(1), 1.0 if identity or not peak else READOUT_MAX/peak,
            (-READOUT_MAX, READOUT_MAX))

    exact_leak = linear_leak(lif.gather("decay"), level)
    i_a        = min(w_max, 2**(current_bits - 1) - 1)
    network    = Network(
        w_sensory          = sensory,
        w_context          = np.zeros((0, n), np.int32),
        w_recurrent_soma   = recurrent,
        w_recurrent_apical = np.zeros((n, n), np.int32),
        bias_soma          = bias,
        bias_apical        = np.full(n, w_max, np.int32),
        leak_apical        = np.zeros(n, np.int32),
        leak_soma          = np.rint(exact_leak).astype(np.int32),
        threshold          = np.full(n, level, np.int32),
        readout            = readout,
        weight_bits        = weight_bits,
        state_bits         = state_bits,
        current_bits       = current_bits,
        product_shift      = shift,
        encoder            = encoder,
        classes            = list(classes))
    network.validate()
    return Quantized(network, roundings, exact_leak, -(-v_max//i_a))


def _level_and_shift(largest: float, w_max: int, v_max: int, reset: str) -> tuple[int, int]:
    """The threshold of all neurons and product_shift, for the largest weight in thresholds.

    That weight becomes w_max where largest*level*2**shift == w_max*v_max.
    """
    product = np.log2(w_max*v_max) - np.log2(largest)
    if reset == V_RESET:
        return v_max, int(np.clip(np.floor(product - np.log2(v_max)), 0, SHIFT_MAX))
    shift = int(np.clip(np.ceil(product - np.log2(HEADROOM*v_max)), 0, SHIFT_MAX))
    return int(np.clip(2**(product - shift), 1, HEADROOM*v_max)), shift
