# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What an evaluation measures, as JSON and as tables: how often answers are right, when they are final, their cost."""

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.markup import escape

from host.common.tables import TextTable, facts
from host.evaluation.trials import Answers, Trials
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from host.plots.confusion import confusion_counts
from host.runs.report import run_measures
from host.runs.run import Run
from host.runs.synaptic_operations import cost_measures, spread
from host.training import objective
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
        **objective.answer_measures(answers.labels, answers.predictions, yes_no=classes == ANSWERS),
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
        **cost_measures(network, trials.inputs, spikes),
        **device_measures(run, len(trials.inputs)),
    }

# For people ---------------------------------------------------------------------------------------

SPREAD = ("mean", "median", "p90", "most")

# Key of the measures, and what a row of the table calls it.
COSTS = {
    "latency_steps":       "steps until the answer is stable",
    "latency_ms":          "ms until then",
    "steps_per_inference": "steps an inference",
    "events_per_step":     "events a step",
    "spikes_per_step":     "spikes a step",
    "rows_per_step":       "rows a step",
    "sops_per_inference":  "synaptic operations an inference",
}

PARTS = {"sensory": "sensory sources", "context": "context sources", "neurons": "neurons"}


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent, - for none."""
    return "-" if share is None else f"{100*share:.{digits}f} %"


def print_evaluation(measures: dict[str, object], console: Console) -> None:
    """Print evaluation_measures(), and `options` of host.evaluate among them."""
    for each in (facts(_answers(measures)), _costs(measures), facts(_sparsity(measures)), _worst(measures)):
        if each.row_count:
            console.print(each)
    if measures["first_difference"]:
        console.print(f"[red]{escape(measures['first_difference'])}[/]")


def _answers(measures: dict[str, object]) -> Iterator[tuple[str, str]]:
    yield "network", escape(f"{measures['options']['network']}, engine {measures['options']['engine']}")
    yield "samples", escape(f"{measures['samples']} of {measures['recordings']}: {measures['task']}")
    theirs, ours = measures["network_classes"], measures["classes"]
    if theirs and [*map(str.casefold, theirs)] != [*map(str.casefold, ours)]:
        yield "[yellow]classes[/]", escape(f"compared by their numbers: the network calls them {', '.join(theirs)}")
    low, high = measures["accuracy_interval"]
    yield "accuracy", (f"{percent(measures['accuracy'])} of {measures['clips']} (95 %: {percent(low)} to "
        f"{percent(high)}); always the most frequent class: {percent(measures['majority'])}")
    if "precision" in measures:
        yield "yes", f"precision {percent(measures['precision'])}, recall {percent(measures['recall'])}"
    # What only a device gives.
    if measures["device"] is not None:
        wrong = measures["mismatches"] + measures["state_mismatches"]
        yield "device", (f"[{'red' if wrong else 'green'}]{measures['mismatches']} spikes and logits and "
            f"{measures['state_mismatches']} states differ from the golden model[/]")
        yield "core clocks", (f"{measures['core_clocks_per_inference']:.0f} an inference, bound "
            f"{measures['bound_clocks_per_inference']:.0f} (x {measures['core_clocks_over_bound']})")


def _costs(measures: dict[str, object]) -> TextTable:
    return TextTable(("over all inferences", "mean", "median", "90 %", "most"), ((name,
        *(f"{measures[key][each]:.1f}".removesuffix(".0") for each in SPREAD)) for key, name in COSTS.items()))


def _sparsity(measures: dict[str, object]) -> Iterator[tuple[str, str]]:
    for key, name in PARTS.items():
        if measures["active"][key] is not None:
            silent = f", {percent(measures['silent_neurons'])} never" if key == "neurons" else ""
            yield name, f"{percent(measures['active'][key], 2)} active in a step{silent}"
    yield "zero weights", ", ".join(f"{percent(share)} of {name}" for name, share in measures["zero_weights"].items()
        if share is not None)


def _worst(measures: dict[str, object]) -> TextTable:
    rows = ((escape(pair["label"]), escape(pair["taken_for"]), str(pair["clips"]), percent(pair["share"]))
        for pair in measures["worst_pairs"])
    return TextTable(("label", "taken for", "clips", "of the label's"), rows, texts=(0, 1))
