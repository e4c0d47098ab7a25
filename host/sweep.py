#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Train and score many networks side by side: tables and plots of what precision, size, neuron and context bring.

examples:
  python -m host.sweep folds --dataset nmnist --data DIR         5-fold cross-validation
  python -m host.sweep nested --dataset nmnist --data DIR        with step size and more chosen inside each fold
  python -m host.sweep precision --dataset nmnist --data DIR     weight bits x state bits
  python -m host.sweep folds --dataset files --data DIR          of your own recordings
  python -m host.sweep context --samples 440 --epochs 30         the context task on synthetic gestures

Each run is a row of DIR/NAME-DATASET.jsonl; a sweep that was interrupted goes on from there. Options of
python -m host.train set what a sweep leaves open.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from joblib import cpu_count
from rich.console import Console

from accel.errors import guarded
from host.cli.options import check_outputs, make_output_dir, positive
from host.cli.reading_options import add_reading_args, reading_from_args
from host.common.console import progress_bars, table_console, write_json
from host.common.tables import TextTable
from host.data.datasets import SYNTHETIC, available_splits, load
from host.plots.curves import lines
from host.plots.style import save
from host.training.experiment import Data
from host.training.settings import add_settings_args, settings_from_args
from host.training.sweeps import SWEEPS, Row, Run, Sweep, choose, run_all, runs
from host.training.tasks import RELEVANCE

# Shares of a row that tables show beside the accuracy, where the rows have them, in percent.
SHARES = {"rate": "spikes", "majority": "majority", "precision": "precision", "recall": "recall"} | {
    f"accuracy_{name}": f"at {relevance:g}" for name, relevance in RELEVANCE.items()}

# All columns hold numbers, or what is as short.
TABLE = {"texts": (), "boxed": False}


def mean(values: list[float]) -> str:
    """Mean of shares, in percent."""
    return f"{100*sum(values)/len(values):.1f}"


def spread(values: list[float]) -> str:
    """Mean and range of shares, in percent."""
    return f"{mean(values)} ({100*min(values):.1f} to {100*max(values):.1f})"


def variations(sweep: Sweep, rows: list[Row]) -> dict[tuple[object, ...], list[Row]]:
    """Rows by the values of the settings that vary."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in sweep.columns), []).append(row)
    return groups


def print_choices(sweep: Sweep, rows: list[Row], console: Console) -> None:
    """A line a variation: what its runs chose, and how many of them did."""
    cells = []
    for names, group in variations(sweep, rows).items():
        counts = [sorted(Counter(row[name] for row in group).items()) for name in sweep.chosen]
        cells.append((*map(str, names), *(", ".join(f"{value:g} x{count}" for value, count in each)
            for each in counts)))
    console.print(TextTable((*sweep.columns, *sweep.chosen), cells, "chosen in trials: value x runs", **TABLE))


def print_scores(sweep: Sweep, rows: list[Row], title: str, console: Console) -> None:
    """A line a variation: mean over its runs, of the accuracy also the range."""
    cued  = any(f"accuracy_{name}" in rows[0] for name in RELEVANCE)
    shown = [key for key in SHARES if key in rows[0]]
    cells = []
    for names, group in variations(sweep, rows).items():
        shares = [mean([row[key] for row in group]) if key in group[0] else "" for key in shown]
        cells.append((*map(str, names), str(len(group)), spread([row["accuracy"] for row in group]), *shares))
    console.print(TextTable((*sweep.columns, "runs", "accuracy %", *(SHARES[key] for key in shown)), cells, title,
        **TABLE))
    if cued:
        console.print("at R: accuracy % of the same networks, tested with cues of relevance R", highlight=False)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Arguments of the command."""
    parser = argparse.ArgumentParser(prog="python -m host.sweep", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", choices=list(SWEEPS),
        help="; ".join(f"{name}: {each.text}" for name, each in SWEEPS.items()))
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR",
        help="folder that holds the data set, as python -m host.train takes it (default: %(default)s)")
    add_reading_args(parser)
    parser.add_argument("--seeds", type=positive, default=3, metavar="N", help="seeds of each variation (default: "
        "%(default)s)")
    parser.add_argument("--jobs", type=positive, default=cpu_count(), metavar="N",
        help="runs side by side (default: one a core, %(default)s)")
    parser.add_argument("--output-dir", type=Path, default=Path("build/sweeps"), metavar="DIR",
        help="folder of rows and plots (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows; - for standard output")
    add_settings_args(parser)
    return parser.parse_args(argv)


def work(args: argparse.Namespace) -> int:
    """Run what is missing, print and plot. Returns the exit code."""
    check_outputs(args)
    sweep, data = SWEEPS[args.sweep], Data(args.data, reading=reading_from_args(args))
    base = settings_from_args(args, **sweep.base)
    make_output_dir(args)
    splits = available_splits(base.dataset, args.data)
    name   = f"{args.sweep}-{base.dataset}"
    with progress_bars() as progress:
        # Read once, before many processes want it.
        read = [load(base.dataset, args.data, split, samples=(base.samples if split == "train" else base.test_samples)
            or None, progress=progress, reading=data.reading) for split in splits]
        # Others under the same name shall not be taken for done; synthetic ones are what the settings make them.
        recordings = "" if base.dataset == SYNTHETIC else " ".join(each.identity for each in read)
        todo = list(runs(sweep, base, args.seeds, "test" in splits, recordings))

        def run_them(what: str, them: Sequence[Run]) -> list[Row]:
            return run_all(them, data, args.output_dir/f"{name}.jsonl", args.jobs, partial(progress, what))

        if sweep.choices:
            todo = choose(sweep, todo, partial(run_them, "trials"))
        rows = run_them("runs", todo)
    title = f"{sweep.text}: {base.dataset}, {len(rows)} runs"
    print_scores(sweep, rows, title, table_console(args.json))
    if sweep.choices:
        print_choices(sweep, rows, table_console(args.json))
    if sweep.x is not None:
        # What a run of the context task is called.
        named = [{**row, "kind": f"{row['neuron']}{'' if row['cued'] else ' without cue'}"} for row in rows]
        save(lines(named, sweep.x, "accuracy", sweep.group, log2=sweep.log2, title=title,
            group_name=sweep.group_name), args.output_dir/f"{name}.png")
    if args.json:
        write_json({"sweep": args.sweep, "dataset": base.dataset, "rows": rows}, args.json)
    return 0


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    return guarded(lambda: work(args))


if __name__ == "__main__":
    sys.exit(main())
