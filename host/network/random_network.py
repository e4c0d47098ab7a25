# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Random networks that fire at a wanted rate on given inputs, with every path of the model at work."""

from collections.abc import Sequence

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.spike_train import SpikeTrain
from host.network.network import Network

RATE = 0.03

# Rounds of calibration, and the steps that each of them runs.
ROUNDS            = 24
CALIBRATION_STEPS = 1200

# Spread of the summed currents relative to the largest weight: sensory and recurrent currents weigh alike and
# stay within the grip of the bias.
CURRENT_SPREAD = 0.3

# Smallest spread of a weight: below it nearly all are rounded to 0.
WEIGHT_SPREAD = 0.6


def random_network(config: QCLIFConfig, encoder: Encoder, samples: Sequence[SpikeTrain], rate: float = RATE,
        classes: Sequence[str] = (), seed: int = 0) -> Network:
    """A random network of a build's sizes whose neurons fire at `rate` on average.

    Context and recurrent spikes move V_a over its whole range, so that it gates the stimulus. Excitability
    (bias and threshold) is calibrated neuron by neuron: the golden model runs the samples and it is corrected.

    Parameters
    ----------
    config : N, C and the widths; I is the encoder's.
    encoder : mapping of events that gave the samples.
    samples : encoded inputs, context spikes included, of at least one step.
    rate : spikes a neuron and step, above 0 and below 1; the mean over neurons, which differ.
    classes : their names; the readout has a column for each.
    seed : equal arguments give equal networks.

    Raises
    ------
    QCLIFError : a rate out of its limits or samples without steps.
    """
    if not 0 < rate < 1:
        raise QCLIFError(f"rate is {rate} spikes a neuron and step, it must lie between 0 and 1: choose another")
    if not sum(map(len, samples)):
        raise QCLIFError("no steps to calibrate the network on: give at least one recording")
    # Beginnings, CALIBRATION_STEPS in all, each as long as the others where it can be.
    samples = [each.slice(0, max(1, CALIBRATION_STEPS//len(samples))) for each in samples if len(each)]
    rng     = np.random.default_rng(seed)
    n, i, c = config.neurons, encoder.inputs, config.contexts
    top     = config.weight_max
    outputs = len(classes)
    # Spread of a weight that keeps the sum of what is usually active at CURRENT_SPREAD, where its steps allow.
    active    = max(1, sum(int((each.sources < i).sum()) for each in samples)/sum(map(len, samples)))
    sensory   = max(CURRENT_SPREAD*top/np.sqrt(active), WEIGHT_SPREAD)
    recurrent = max(CURRENT_SPREAD*top/np.sqrt(max(1, rate*n)), WEIGHT_SPREAD)

    def weights(std: float, *shape: int) -> np.ndarray:
        return np.clip(np.rint(rng.normal(0, std, shape)), config.weight_min, top).astype(np.int32)

    bias_apical = rng.integers(top//2, top + 1, n, dtype=np.int32)
    network = Network(
        w_sensory          = weights(sensory, i, n),
        w_context          = weights(max(top/2, WEIGHT_SPREAD), c, n),
        w_recurrent_soma   = weights(recurrent, n, n),
        w_recurrent_apical = weights(2*recurrent, n, n),
        bias_soma          = np.zeros(n, np.int32),
        bias_apical        = bias_apical,
        # V_a drifts upwards, quickly in some neurons and hardly in others; spikes pull it down.
        leak_apical        = np.minimum(bias_apical*rng.integers(30, 101, n)//100, config.state_max),
        leak_soma          = rng.integers(0, config.state_max//16 + 2, n, dtype=np.int32),
        threshold          = np.ones(n, np.int32),
        readout            = rng.integers(-128, 128, (n, outputs), dtype=np.int32) if outputs else None,
        weight_bits        = config.weight_bits,
        state_bits         = config.state_bits,
        current_bits       = config.current_bits,
        product_shift      = max(0, round(np.log2(2*sensory*np.sqrt(active)))),
        encoder            = encoder,
        classes            = list(classes))
    _calibrate(network, samples, rate*rng.lognormal(0, 0.5, n)/np.exp(0.125))
    network.validate()
    return network


def _calibrate(network: Network, samples: Sequence[SpikeTrain], targets: np.ndarray) -> None:
    """Set bias_soma and threshold so that each neuron fires at its target [N]."""
    # Brings torch, which takes longer to import than all else: not before the options are known to be right.
    from host.network.golden import GoldenModel
    low, high = network.limits("bias_soma")
    steps = sum(map(len, samples))
    drive = np.zeros(network.neurons)
    gain  = 0.15
    best  = None
    for _ in range(ROUNDS):
        # One knob a neuron, -1 to 1: more bias and a lower threshold.
        network.bias_soma = np.clip(np.rint(drive*high), low, high).astype(np.int32)
        network.threshold = np.clip(np.rint(network.state_max*(0.6 - 0.4*drive)), 1,
            network.state_max).astype(np.int32)
        results = GoldenModel(network).run(samples)
        fired   = sum(np.bincount(each.spikes.sources, minlength=network.neurons) for each in results)
        error   = abs(np.log((fired.sum() + 0.5)/(targets.sum()*steps)))
        if best is None or error < best[0]:
            best = (error, network.bias_soma, network.threshold)
        drive   = np.clip(drive + gain*np.log((targets*steps + 0.5)/(fired + 0.5)), -1, 1)
        gain   *= 0.9
    _, network.bias_soma, network.threshold = best
