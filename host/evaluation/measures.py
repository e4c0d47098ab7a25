#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What an evaluation measures: how often the answers are right, when they are final, what they cost."""

import numpy as np

from host.evaluation.answers import Answers
from host.evaluation.trials import Trials
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from host.plots.confusion import confusion_counts
from host.runs.report import run_measures
from host.runs.run import Run
from host.runs.synaptic_operations import spread, workload
from host.training import scores
from host.training.tasks import ANSWERS

# Pairs of classes that are named as the worst.
PAIRS = 5


def worst_pairs(counts: np.ndarray, classes: tuple[str, ...], most: int = PAIRS) -> list[dict[str, object]]:
    """The pairs (label, class that it was taken for) with the most clips, of counts [C, C] as confusion_counts()."""
    wrong = counts - np.diag(counts.diagonal())
    # A stable order: equal counts in order of the labels.
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [{"label": classes[row], "taken_for": classes[column], "clips": int(wrong[row, column]),
        "share": float(wrong[row, column]/counts[row].sum())}
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[row, column]]


def answer_measures(answers: Answers, classes: tuple[str, ...], bin_us: int) -> dict[str, object]:
    """Measures of the answers, as JSON takes them; shares are 0 to 1, latencies are spread() of steps and of ms."""
    counts = confusion_counts(answers.labels, answers.predictions, len(classes))
    return {
        "clips":         len(answers.labels),
        **scores.answer_measures(answers.labels, answers.predictions, yes_no=classes == ANSWERS),
        "classes":       list(classes),
        "confusion":     counts.tolist(),
        "worst_pairs":   worst_pairs(counts, classes),
        "latency_steps": spread(answers.latencies),
        "latency_ms":    spread(answers.latencies*bin_us/1000),
    }


def device_measures(run: Run | None, samples: int) -> dict[str, object]:
    """What a device says beyond its spikes, as JSON takes it; null without one."""
    if run is None:
        return dict.fromkeys(("mismatches", "state_mismatches", "first_difference", "core_clocks_per_inference",
            "bound_clocks_per_inference", "core_clocks_over_bound", "device"))
    device = run_measures(run)
    return {name: device[name] for name in ("mismatches", "state_mismatches", "first_difference")} | {
        "core_clocks_per_inference":  device["core_clocks"]/samples,
        "bound_clocks_per_inference": device["bound_clocks"]/samples,
        "core_clocks_over_bound":     device["core_clocks_over_bound"],
        # All that streaming tells: counters, link, speed.
        "device":                     device,
    }


def evaluation_measures(network: Network, trials: Trials, answers: Answers, spikes: list[SpikeTrain],
        run: Run | None = None) -> dict[str, object]:
    """All measures of an evaluation, as JSON takes them; an inference is a sample from reset to its end.

    Parameters
    ----------
    answers, spikes : what the network gave for the trials.
    run : that in which a device gave them; None where the golden model did.
    """
    return {
        "recordings":      trials.name,
        "task":            trials.task,
        "network_classes": list(network.classes),
        "samples":         len(trials.inputs),
        **answer_measures(answers, trials.classes, network.encoder.bin_us),
        **workload(network, trials.inputs, spikes),
        **device_measures(run, len(trials.inputs)),
    }
