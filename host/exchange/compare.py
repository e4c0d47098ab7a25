# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Spikes of leaky integrate-and-fire neurons in real numbers against those of the integers that came of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host.common.console import Progress, no_progress
from host.events.spike_train import SpikeTrain
from host.exchange.leak import saturated, soma_currents
from host.exchange.lif import LIFNetwork
from host.network.network import Network, predicted

# Random inputs where there are no recordings.
RANDOM_SAMPLES = 4
RANDOM_STEPS   = 250


@dataclass(frozen=True)
class Agreement:
    """How far two networks agree on some samples.

    Parameters
    ----------
    samples, steps : numbers of those that both ran.
    float_spikes, integer_spikes : spikes of all neurons in real numbers and in integers.
    equal : (step, neuron) at which both fire; populations of lif count later than those before them, as in the pool,
        which cuts spikes after the last step.
    equal_share : equal over the (step, neuron) at which either fires; None where none does.
    count_ratio : integer_spikes/float_spikes, None without the latter.
    below_rest : share of the real potentials below rest, which the integers clamp.
    saturated_currents : share of the integers' currents that current_bits clip.
    class_agreement : share of the samples for which both give the same class; None without a readout, and where
        neither's outputs ever hear a spike.
    float_accuracy, integer_accuracy : share of the labelled samples that are right; None without labels.
    """
    samples:            int
    steps:              int
    float_spikes:       int
    integer_spikes:     int
    equal:              int
    equal_share:        float | None
    count_ratio:        float | None
    below_rest:         float
    saturated_currents: float
    class_agreement:    float | None
    float_accuracy:     float | None
    integer_accuracy:   float | None

    @property
    def silence(self) -> str | None:
        """Who fires no spike at all, so that there is nothing to compare; None where both fire."""
        if self.float_spikes and self.integer_spikes:
            return None
        return ("neither network fires" if not self.float_spikes and not self.integer_spikes else
            "the integers never fire" if self.float_spikes else "the network in real numbers never fires")


def random_inputs(inputs: int, rate: float, seed: int) -> list[SpikeTrain]:
    """Seeded random inputs: each of the I sources fires with the probability rate in each step."""
    rng = np.random.default_rng(seed)
    return [SpikeTrain.from_dense(rng.random((RANDOM_STEPS, inputs)) < rate) for _ in range(RANDOM_SAMPLES)]


def compare(lif: LIFNetwork, network: Network, samples: Sequence[SpikeTrain], labels: Sequence[int], reset: str,
        progress: Progress = no_progress) -> Agreement:
    """Run both networks.

    Parameters
    ----------
    lif, network : the latter made of the former by quantize().
    samples, labels : inputs, at least one sample; label -1 where unknown.
    reset : what happens to a neuron of lif when it fires, one of host.exchange.lif.RESETS.
    progress : called after each sample.
    """
    from host.network.golden import GoldenModel

    model   = GoldenModel(network)
    fired   = np.zeros(3, np.int64)
    clipped, below, cells, heard = 0, 0, 0, False
    classes = []
    for done, inputs in enumerate(samples, 1):
        counts = inputs.dense(network.inputs + network.contexts)[:, :network.inputs]
        real, potentials, logits = lif.run(counts, reset)
        heard    = heard or _heard(network, real)
        real     = lif.delayed(real)
        result,  = model.run([inputs])
        integer  = result.spikes.dense(network.neurons).astype(bool)
        heard    = heard or _heard(network, integer)
        currents = soma_currents(network, counts, integer)
        fired   += real.sum(), integer.sum(), (real & integer).sum()
        clipped += int((currents != saturated(network, currents)).sum())
        below   += int((potentials < 0).sum())
        cells   += potentials.size
        classes.append((predicted(logits), result.predicted))
        progress("comparison", done, len(samples))
    real, integer, equal = map(int, fired)
    either   = real + integer - equal
    classes  = np.array(classes)
    known    = np.asarray(labels) >= 0
    accuracy = [float(np.mean(column[known] == np.asarray(labels)[known])) if known.any() and network.outputs else None
        for column in classes.T]
    return Agreement(len(samples), sum(map(len, samples)), real, integer, equal, equal/either if either else None,
        integer/real if real else None, below/cells if cells else 0.0, clipped/cells if cells else 0.0,
        float(np.mean(classes[:, 0] == classes[:, 1])) if heard else None, *accuracy)


def _heard(network: Network, spikes: np.ndarray) -> bool:
    """Whether a neuron that the readout hears fires, of spikes [T, N]."""
    return network.readout is not None and bool(network.readout[spikes.any(axis=0)].any())
