#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What computes the spikes of an evaluation: the golden model, or a SoC at the other end of a link."""

from host.common.console import Progress, no_progress
from host.evaluation.trials import Trials
from host.events.spike_train import SpikeTrain
from host.link.link import Link
from host.network.golden import GoldenModel
from host.network.network import Network
from host.runs.run import Run, execute

# Samples that the golden model takes between two words of progress.
BATCH = 128


def golden_spikes(network: Network, trials: Trials, progress: Progress = no_progress) -> list[SpikeTrain]:
    """Spikes of each sample, by the golden model."""
    model, spikes = GoldenModel(network), []
    while len(spikes) < len(trials.inputs):
        spikes += [result.spikes for result in model.run(trials.inputs[len(spikes):len(spikes) + BATCH])]
        progress("golden model", len(spikes), len(trials.inputs))
    return spikes


def device_spikes(link: Link, network: Network, trials: Trials, progress: Progress = no_progress
        ) -> tuple[list[SpikeTrain], Run]:
    """Spikes of each sample, by the device, and the run in which all was compared with the golden model's.

    Raises
    ------
    QCLIFError : as host.runs.run.execute().
    """
    run = execute(link, network, trials.samples(), progress=progress)
    return [confined(each.run.spikes, len(each.sample.steps), network.neurons) for each in run.compared], run


def confined(spikes: SpikeTrain, length: int, neurons: int) -> SpikeTrain:
    """The spikes in `length` steps of the neurons 0 to neurons - 1: a device that differs may give others."""
    steps = spikes.indices()
    kept  = (steps < length) & (spikes.sources >= 0) & (spikes.sources < neurons)
    return SpikeTrain.from_pairs(steps[kept], spikes.sources[kept], length)
