# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A readout of the integers' spikes that gives the logits of the real numbers.

What the contract's neurons do otherwise changes how often they fire; how often all of them fire still tells what the
last population would have. The readout of an imported network is moved as far as recordings bear out: by ridge
regression towards the graph's own, as strong as predicts best what it has not seen.
"""

from collections.abc import Sequence

import numpy as np

from host.events.spike_train import SpikeTrain
from host.exchange.lif import LIFNetwork
from host.exchange.quantize import READOUT_MAX
from host.network.network import Network

# Strengths that are tried, in squared spikes of a sample; and parts of the samples, each predicted from the others.
RIDGES = (30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 1e5)
FOLDS  = 5

# Fewer samples tell nothing.
SAMPLES_MIN = 100


def fit_readout(lif: LIFNetwork, network: Network, samples: Sequence[SpikeTrain], reset: str) -> float | None:
    """Move the readout of a network of the contract so that its logits are those of lif.

    Parameters
    ----------
    network : made of lif by quantize(), its leaks chosen; its readout is replaced.
    samples : inputs.
    reset : what happens to a neuron of lif when it fires, one of host.exchange.lif.RESETS.

    Returns
    -------
    The strength of the regression; None where the readout stays: none is there, it leaks, samples are few, or the
    graph's own predicts better.
    """
    from host.network.golden import GoldenModel

    if lif.readout is None or (lif.readout_decay < 1).any() or len(samples) < SAMPLES_MIN:
        return None
    counts = np.array([np.bincount(each.spikes.sources, minlength=network.neurons)
        for each in GoldenModel(network).run(samples)], float)
    # Biases are left out of the contract's logits, too.
    wanted = np.array([lif.run(each.dense(network.inputs), reset)[2] - len(each)*lif.readout_bias for each in samples])
    wanted = wanted - counts @ lif.readout
    parts  = np.arange(len(samples)) % FOLDS
    errors = {None: float((wanted**2).sum())}
    for ridge in RIDGES:
        errors[ridge] = float(sum(((wanted[parts == part] - counts[parts == part] @ _change(counts[parts != part],
            wanted[parts != part], ridge))**2).sum() for part in range(FOLDS)))
    best = min(errors, key=errors.get)
    if best is None:
        return None
    fitted = lif.readout + _change(counts, wanted, best)
    network.readout = np.rint(fitted*(READOUT_MAX/np.abs(fitted).max())).astype(np.int32)
    return best


def _change(counts: np.ndarray, wanted: np.ndarray, ridge: float) -> np.ndarray:
    """What is added to a readout [N, O] so that counts [S, N] give what is wanted [S, O] more."""
    return np.linalg.solve(counts.T @ counts + ridge*np.eye(counts.shape[1]), counts.T @ wanted)
