# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What an encoder makes of recordings: events and active inputs a step, to judge its settings by."""

import numpy as np
from rich.markup import escape
from rich.table import Table

from host.common.console import Progress, facts, no_progress, table
from host.data.batch import Batch
from host.data.event_set import EventSet
from host.events.encoder import Encoder


def statistics(eventset: EventSet, encoder: Encoder, batch: Batch,
        progress: Progress = no_progress) -> dict[str, object]:
    """Measures of a set of recordings and of its inputs, as JSON takes them.

    Parameters
    ----------
    batch : the inputs of all its recordings, in order. Steps that it has cut do not count.

    Returns
    -------
    dict : recordings, classes (recordings by name), unlabelled, seconds, events, events_per_second, inputs,
        inputs_used (sources that fire at all), silent_steps (share of the steps without an active input); and
        mean, median, p95 and most of steps (a recording), events_per_step, inputs_per_step.
    """
    counts  = np.diff(batch.offsets).reshape(batch.size, batch.length)
    real    = np.arange(batch.length) < batch.lengths[:, None]
    active  = counts[real]
    seconds = sum(int(sample.events["t"][-1] - sample.events["t"][0]) for sample in eventset.samples())*1e-6
    names   = [int((eventset.labels == label).sum()) for label in range(len(eventset.classes))]
    return {
        "recordings":        len(eventset),
        "classes":           dict(zip(eventset.classes, names, strict=True)),
        "unlabelled":        len(eventset) - sum(names),
        "seconds":           round(seconds, 3),
        "events":            int(eventset.offsets[-1]),
        "events_per_second": round(int(eventset.offsets[-1])/seconds) if seconds else None,
        "inputs":            encoder.inputs,
        "inputs_used":       len(np.unique(batch.sources)),
        "silent_steps":      round(float((active == 0).mean()), 4),
        "steps":             _spread(batch.lengths),
        "events_per_step":   _spread(_events_per_step(eventset, encoder, batch.lengths, progress)),
        "inputs_per_step":   _spread(active),
    }


def _events_per_step(eventset: EventSet, encoder: Encoder, lengths: np.ndarray, progress: Progress) -> np.ndarray:
    """Raw events in each of the first steps of each recording, one recording after another."""
    parts = []
    for sample, length in zip(eventset.samples(), lengths.tolist(), strict=True):
        steps = (sample.events["t"] - sample.events["t"][0])//encoder.bin_us
        parts.append(np.bincount(steps[steps < length], minlength=length))
        progress("count events", len(parts), len(eventset))
    return np.concatenate(parts)


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"mean": round(float(values.mean()), 2), "median": float(np.median(values)),
        "p95": float(np.percentile(values, 95, method="higher")), "most": int(values.max())}


def tables(measures: dict[str, object], title: str) -> tuple[Table, Table]:
    """The measures of statistics() for people: of the steps, and of the set with its classes."""
    spread  = table(("a step", "mean", "median", "95 %", "most"), ((name, *(f"{value:g}" for value in
        measures[key].values())) for name, key in (("raw events", "events_per_step"),
        ("active inputs", "inputs_per_step"), ("steps a recording", "steps"))), escape(title))
    summary = facts((
        ("recordings", f"{measures['recordings']}, {measures['unlabelled']} without a label"),
        ("events", f"{measures['events']} in {measures['seconds']} s, {measures['events_per_second']} a second"),
        ("inputs", f"{measures['inputs_used']} of {measures['inputs']} fire, {measures['silent_steps']:.1%} of the "
            "steps are silent"),
        ("classes", ", ".join(f"{escape(name)} {count}" for name, count in measures["classes"].items()))))
    return spread, summary
