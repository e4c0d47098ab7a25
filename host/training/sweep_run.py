# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The runs of a sweep side by side, each of them a row of a file that the next call goes on with."""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from joblib import delayed

from accel.errors import QCLIFError
from host.common.parallel import side_by_side
from host.training.experiment import Data, test_score, train
from host.training.results import score_measures
from host.training.sweeps import Run, Sweep, trials
from host.training.tasks import RELEVANCE

Row = dict[str, object]


def run_id(run: Run) -> str:
    """Identifies a run in the file of results."""
    return hashlib.sha256(run.key.encode()).hexdigest()[:16]


def train_and_score(run: Run, data: Data) -> Row:
    """Row of one run: its settings, and the measures of its test."""
    data    = dataclasses.replace(data, fold=run.fold, folds=run.folds, inner=run.inner)
    trainer, test = train(run.settings, data)
    row     = {"id": run_id(run), **run.settings.to_dict(), "fold": run.fold, "folds": run.folds,
        "inner": run.inner, "recordings": run.recordings, "train_samples": len(trainer.task),
        "train_accuracy": trainer.best["train_accuracy"],
        "seconds": sum(each["seconds"] for each in trainer.history),
        **score_measures(test, len(trainer.task.classes))}
    if run.settings.task == "context" and run.settings.cued:
        # The same network, when the cue means something else than in its training.
        tested = data.divide(run.settings)[2]
        for name, relevance in RELEVANCE.items():
            changed = dataclasses.replace(run.settings, relevance=relevance)
            row[f"accuracy_{name}"] = test_score(trainer, changed, tested).accuracy
    return row


def _parsed(line: bytes) -> Row | None:
    """The row of a line, None where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "id" in row else None


def read_rows(path: Path) -> list[Row]:
    """Rows of the file of results; none where it is not there. A last line that was cut is left out.

    Raises
    ------
    QCLIFError : the file cannot be read, or another line is no row.
    """
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    except OSError as error:
        raise QCLIFError(f"{path}: {error.strerror}: choose another --output-dir") from error
    rows = [_parsed(line) for line in lines]
    if None in rows[:-1]:
        raise QCLIFError(f"{path}: line {rows.index(None) + 1} is no row of a sweep: correct or remove it, or choose "
            "another --output-dir")
    return [row for row in rows if row]


def _end_with_a_line(file: BinaryIO) -> None:
    """Make room for the next row: a last one that was cut, as the power went, is taken out, which the user is told."""
    file.seek(0)
    last = file.read().rpartition(b"\n")[2]
    if last and _parsed(last):
        file.write(b"\n")
    elif last:
        file.truncate(file.tell() - len(last))
        print(f"{file.name}: its last row was cut: it is taken out, and its run is done again", file=sys.stderr)


def run_all(todo: Sequence[Run], data: Data, path: Path, jobs: int, progress: Callable[[int, int], None]) -> list[Row]:
    """Run what the file of results lacks; returns the rows of all, in the order of the runs.

    Raises
    ------
    QCLIFError : the file cannot be read or written, or a run failed.
    """
    done    = {row["id"]: row for row in read_rows(path)}
    missing = [run for run in todo if run_id(run) not in done]
    progress(len(todo) - len(missing), len(todo))
    rows = side_by_side((delayed(train_and_score)(run, data) for run in missing), jobs, ordered=False)
    for number, row in enumerate(rows, len(todo) - len(missing) + 1):
        done[row["id"]] = row
        try:
            with open(path, "ab+") as file:
                _end_with_a_line(file)
                file.write(json.dumps(row).encode() + b"\n")
        except OSError as error:
            raise QCLIFError(f"{path}: {error.strerror}: make room, or choose another --output-dir") from error
        progress(number, len(todo))
    return [done[run_id(run)] for run in todo]


def choose(sweep: Sweep, todo: Sequence[Run], run_trials: Callable[[Sequence[Run]], list[Row]]) -> list[Run]:
    """Each run with that of the sweep's choices that did best within its own training recordings."""
    tried  = [trials(sweep, run) for run in todo]
    rows   = iter(run_trials([trial for each in tried for trial in each]))
    chosen = []
    for run, each in zip(todo, tried, strict=True):
        scores = [next(rows) for _ in each]
        best   = max(range(len(each)), key=lambda number: (scores[number]["accuracy"], -scores[number]["loss"]))
        chosen.append(dataclasses.replace(run, settings=dataclasses.replace(run.settings, **sweep.choices[best])))
    return chosen
