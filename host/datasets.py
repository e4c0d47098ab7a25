# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Data sets to train with, and what an encoder's settings make of them.

examples:
  python -m host.datasets --dataset synthetic --samples 110        synthetic gestures, made here
  python -m host.datasets --dataset nmnist --data train1000.npz --bin-us 5000 --grid 34 34
  python -m host.datasets --dataset files --data DIR               your own, in folders named by their classes
  python -m host.datasets --dataset dvsgesture --data DIR --download --split test --json -
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
from rich.markup import escape

from accel.errors import guarded
from host.cli.options import add_dataset_args, check_outputs, positive
from host.cli.reading_options import reading_from_args
from host.common.console import Progress, no_progress, progress_bars, table_console, write_json
from host.common.tables import TextTable, facts
from host.data.batch import Batch, encode
from host.data.datasets import load
from host.data.event_set import EventSet
from host.events.encoder import Encoder, default_encoder_for


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


def tables(measures: dict[str, object], title: str) -> tuple[TextTable, TextTable]:
    """The measures of statistics() for people: of the steps, and of the set with its classes."""
    spread  = TextTable(("a step", "mean", "median", "95 %", "most"), ((name, *(f"{value:g}" for value in
        measures[key].values())) for name, key in (("raw events", "events_per_step"),
        ("active inputs", "inputs_per_step"), ("steps a recording", "steps"))), escape(title))
    summary = facts((
        ("recordings", f"{measures['recordings']}, {measures['unlabelled']} without a label"),
        ("events", f"{measures['events']} in {measures['seconds']} s, {measures['events_per_second']} a second"),
        ("inputs", f"{measures['inputs_used']} of {measures['inputs']} fire, {measures['silent_steps']:.1%} of the "
            "steps are silent"),
        ("classes", ", ".join(f"{escape(name)} {count}" for name, count in measures["classes"].items()))))
    return spread, summary


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.datasets", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_dataset_args(parser, "train")
    encoder = parser.add_argument_group("encoder (default: the data set's)")
    encoder.add_argument("--bin-us", type=positive, metavar="B", help="time step in us")
    encoder.add_argument("--count-threshold", type=positive, metavar="K",
        help="events that make a source fire in a step")
    encoder.add_argument("--grid", type=positive, nargs=2, metavar=("GW", "GH"), help="pixels after downsampling")
    encoder.add_argument("--polarities", type=int, choices=[1, 2], help="2 keeps ON and OFF apart, 1 merges them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures; - for standard output")
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        changes = {name: value for name in ("bin_us", "count_threshold", "grid", "polarities")
            if (value := getattr(args, name)) is not None}
        # Refused now, not when the recordings have been read.
        Encoder(**changes)
        with progress_bars() as progress:
            eventset = load(args.dataset, args.data, args.split, download=args.download, samples=args.samples,
                seed=args.seed, progress=progress, reading=reading_from_args(args))
            chosen   = dataclasses.replace(default_encoder_for(eventset.sensor_size), **changes)
            progress("encode", 0, None)
            batch    = encode(eventset, np.arange(len(eventset)), chosen, max_steps=args.max_steps)
            measures = statistics(eventset, chosen, batch, progress)
        console = table_console(args.json)
        title   = "{}, {} x {} x {} inputs, {} us, {} events".format(eventset.name, *chosen.grid, chosen.polarities,
            chosen.bin_us, chosen.count_threshold)
        for each in tables(measures, title):
            console.print(each)
        if args.json:
            write_json({"name": eventset.name, "encoder": chosen.to_dict()} | measures, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
