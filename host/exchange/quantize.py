# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From leaky integrate-and-fire neurons in real numbers to a network of the contract.

The apical compartment only holds the gate open, as host.exchange.gate chooses: a current i_s moves V_s by
(i_s*V_a) >> product_shift. What is left of the contract is a neuron with a linear leak that is clamped at rest (0) and
at V_max, and lowered by its threshold when it fires.

A neuron's weights, threshold and leak may share any factor. It is chosen so that its threshold lies at one level that
all neurons share, and with this all thresholds are exact: the weights carry the rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.exchange.gate import Gate, choose_gate
from host.exchange.leak import linear_leak
from host.exchange.lif import V_RESET, LIFNetwork
from host.network.network import Network

# Shares of the weights that may be cut without being asked where the widths hold no more; the first that is enough.
CLIPPED = (0.001, 0.002, 0.005, 0.01)

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
    gate : how V_a is held open.
    """
    network:    Network
    roundings:  list[Rounding]
    exact_leak: np.ndarray
    gate:       Gate


def quantize(lif: LIFNetwork, encoder: Encoder, weight_bits: int, state_bits: int, current_bits: int,
        reset: str = V_RESET, clip: float = 0.0, classes: Sequence[str] = ()) -> Quantized:
    """Round a network to the contract.

    Parameters
    ----------
    lif : its populations become one pool of N neurons, in which spikes reach the next one a step later.
    encoder : the one that makes the I inputs.
    weight_bits, state_bits, current_bits : widths of the contract.
    reset : what happens to a neuron of lif when it fires, one of host.exchange.lif.RESETS.
    clip : share of the weights and biases that may be clipped, 0 up to but not 1; 0 clips up to 1 % where the widths
        hold no more.
    classes : names of the outputs, or empty.

    Raises
    ------
    QCLIFError : a network without weights, a width out of its limits, or widths that cannot hold the weights.

    Examples
    --------
    >>> lif = lif_network(read_graph("graph.nir"))
    >>> quantize(lif, Encoder(), weight_bits=8, state_bits=8, current_bits=12).network.save("net.npz")
    """
    w_max   = 2**(weight_bits - 1) - 1
    limits  = (-w_max - 1, w_max)
    # Largest weight in thresholds, without the share that may be clipped.
    relative = np.abs(np.vstack([lif.sensory, lif.recurrent, lif.bias])/lif.threshold).ravel()
    relative = relative[relative > 0]
    if not len(relative):
        raise QCLIFError("all weights are 0: there is no network to import")
    # A few weights that widths cannot hold are cut to what they can; more of them are refused.
    shares = (clip,) if clip else (0.0, *CLIPPED)
    largest, *others = (float(np.quantile(relative, 1 - each, method="higher")) for each in shares)
    gate  = choose_gate(largest, others, weight_bits, state_bits, current_bits, reset)
    scale     = gate.level*2.0**gate.product_shift/gate.open
    roundings = []

    def integers(name: str, values: np.ndarray, unit: np.ndarray, factor: float = scale,
            limits: tuple[int, int] = limits) -> np.ndarray:
        exact   = values/unit*factor
        if not (np.isfinite(exact).all() and np.isfinite(factor/unit).all()):
            raise QCLIFError(f"{name}: its values are {np.abs(values).max():.3g} at most, too small or too large to be "
                "scaled to integers: rescale the network")
        rounded = np.clip(np.rint(exact), *limits).astype(np.int32)
        roundings.append(Rounding.of(name, exact, rounded, limits, factor/unit))
        return rounded

    n         = lif.neurons
    sensory   = np.zeros((lif.inputs, n), np.int32)
    recurrent = np.zeros((n, n), np.int32)
    several   = len(lif.populations) > 1
    for to in lif.populations:
        unit = lif.threshold[to.own]
        if lif.sensory[:, to.own].any():
            sensory[:, to.own] = integers("w_sensory" + (f" of {to.name}" if several else ""), lif.sensory[:, to.own],
                unit)
        for origin in lif.populations:
            block = lif.recurrent[origin.own, to.own]
            if block.any():
                label = f" {origin.name} to {to.name}" if several else ""
                recurrent[origin.own, to.own] = integers(f"w_recurrent_soma{label}", block, unit)
    bias = integers("bias_soma", lif.bias, lif.threshold)

    readout = None
    if lif.readout is not None:
        peak    = np.abs(lif.readout).max()
        # One factor for all outputs: they are compared with each other. Spikes themselves are counted as they are.
        whole   = peak <= READOUT_MAX and (lif.readout == np.rint(lif.readout)).all()
        readout = integers("readout", lif.readout, np.ones(1), 1.0 if whole else READOUT_MAX/peak,
            (-READOUT_MAX, READOUT_MAX))

    exact_leak = linear_leak(lif.decay, gate.level)
    network    = Network(
        w_sensory          = sensory,
        w_context          = np.zeros((0, n), np.int32),
        w_recurrent_soma   = recurrent,
        w_recurrent_apical = np.zeros((n, n), np.int32),
        bias_soma          = bias,
        bias_apical        = np.full(n, gate.bias, np.int32),
        leak_apical        = np.full(n, gate.leak, np.int32),
        leak_soma          = np.rint(exact_leak).astype(np.int32),
        threshold          = np.full(n, gate.level, np.int32),
        readout            = readout,
        weight_bits        = weight_bits,
        state_bits         = state_bits,
        current_bits       = current_bits,
        product_shift      = gate.product_shift,
        encoder            = encoder,
        classes            = list(classes))
    network.validate()
    return Quantized(network, roundings, exact_leak, gate)
