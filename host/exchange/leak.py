# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The linear leak of the contract in the place of an exponential one.

An exponential leak takes (1 - decay)*u of a potential u in a step, a linear one min(leak, u): too little of high
potentials and too much of low ones. Two choices of that one number:

- without recordings, the one that takes away as much altogether where all levels from rest to threshold are as likely;
- with recordings, neuron by neuron the one with which its spikes coincide best with those of the real numbers. This one
  also makes up for what the clamp at rest does: potentials that would be negative forget their inhibition.
"""

from collections.abc import Sequence

import numpy as np

from host.common.console import Progress, no_progress
from host.events.spike_train import SpikeTrain
from host.exchange.lif import LIFNetwork
from host.network.network import Network

# Leaks that are tried for a neuron have so many significant bits: what a narrow state can take, a wide one can, too.
SIGNIFICANT_BITS = 4


def soma_currents(network: Network, counts: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """I_s, before saturation.

    Parameters
    ----------
    counts : event counts of the sensory sources, [T, I].
    spikes : of the neurons in the same steps, bool [T, N]; those of the step before count.

    Returns
    -------
    int64 [T, N].
    """
    before = np.vstack([np.zeros_like(spikes[:1]), spikes[:-1]])
    # Sums of this size are exact in float64, which is much faster here than integers.
    return (counts.astype(np.float64) @ network.w_sensory + before.astype(np.float64) @ network.w_recurrent_soma
        + network.bias_soma).astype(np.int64)


def saturated(network: Network, currents: np.ndarray) -> np.ndarray:
    """sat(currents, current_bits), of any shape."""
    high = 2**(network.current_bits - 1) - 1
    return np.clip(currents, -high - 1, high)


def open_gates(network: Network) -> np.ndarray:
    """V_a of each neuron after many steps without contexts and spikes: int64 [N]."""
    drive = saturated(network, network.bias_apical.astype(np.int64) >> network.apical_shift)
    held  = np.where(network.leak_apical >= drive, drive, network.state_max)
    return np.clip(held, 0, network.state_max)


def candidates(threshold: int) -> np.ndarray:
    """Leaks int64 from 1 to the threshold that have at most SIGNIFICANT_BITS significant bits."""
    exponents = np.arange(max(threshold.bit_length() - SIGNIFICANT_BITS, 0) + 1)
    values    = np.unique(np.arange(1, 2**SIGNIFICANT_BITS)[:, None] << exponents)
    return values[values <= threshold].astype(np.int64)


def linear_leak(decay: np.ndarray, level: int) -> np.ndarray:
    """Leak [N], 0 to level and not rounded, that takes as much as the decay [N] from all levels up to `level`.

    The mean of min(leak, u) over u from 0 to 1 is leak - leak**2/2, that of (1 - decay)*u is (1 - decay)/2.
    """
    return level*(1 - np.sqrt(decay))


def coincident_leak(lif: LIFNetwork, network: Network, samples: Sequence[SpikeTrain], reset: str,
        progress: Progress = no_progress) -> np.ndarray:
    """Leak int32 [N] with which the neurons of a network of the contract fire most often when those of lif do.

    Each neuron gets the spikes of lif as recurrent input, so that no choice depends on another. Best is the largest
    share of the (step, neuron) at which either fires where both do; the network's own leak where others are no better,
    and where decay is 1.

    Parameters
    ----------
    network : made of lif by quantize().
    samples : inputs.
    reset : what happens to a neuron of lif when it fires, one of host.exchange.lif.RESETS.
    progress : called after each sample.
    """
    tried  = candidates(int(network.threshold.max()))
    leaks  = np.vstack([network.leak_soma, np.repeat(tried[:, None], network.neurons, axis=1)]).astype(np.int64)
    both, own = np.zeros((2, *leaks.shape), np.int64)
    real   = np.zeros(network.neurons, np.int64)
    gates  = open_gates(network)
    for done, inputs in enumerate(samples, 1):
        counts = inputs.dense(network.inputs)
        target = lif.delayed(lif.run(counts, reset)[0])
        rises  = saturated(network, soma_currents(network, counts, target))*gates >> network.product_shift
        v      = np.zeros_like(leaks)
        for rise, wanted in zip(rises, target, strict=True):
            v     = np.clip(np.maximum(v - leaks, 0) + rise, 0, network.state_max)
            fired = v >= network.threshold
            v    -= fired*network.threshold
            own  += fired
            both += fired & wanted
        real += target.sum(axis=0)
        progress("leak", done, len(samples))
    share = both/np.maximum(own + real - both, 1)
    best  = np.where(lif.decay == 1, 0, share.argmax(axis=0))
    return leaks[best, np.arange(network.neurons)].astype(np.int32)
