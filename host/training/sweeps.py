# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The sweeps: which settings vary, over which seeds and folds; and their runs, each a row of a file to go on with."""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from typing import BinaryIO

from joblib import delayed

from accel.errors import QCLIFError
from host.common.parallel import side_by_side
from host.training.experiment import Data, test_score, train
from host.training.results import score_measures
from host.training.settings import Settings
from host.training.tasks import RELEVANCE

FOLDS = 5

Changes = Row = dict[str, object]


@dataclass(frozen=True)
class Sweep:
    """Trainings whose settings differ in a few fields.

    Parameters
    ----------
    changes : settings of each variation, beside the base.
    x, group : settings that the plot has on its axis and its lines; x None makes no plot.
    log2, group_name : its axis in powers of two, and how it names a line.
    every_fold : True scores each variation on all folds of the training split; else a seed is scored on the data set's
        test split, or, where there is none, on the fold of its number.
    choices : settings among which each run chooses by trials on a part of its own training recordings; none: it takes
        those of the base.
    """
    text:       str
    changes:    Sequence[Changes]
    x:          str | None
    group:      str | None
    log2:       bool = False
    group_name: str = "{}"
    base:       Changes = field(default_factory=dict)
    every_fold: bool = False
    choices:    Sequence[Changes] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Settings that vary."""
        return tuple(dict.fromkeys(chain.from_iterable(self.changes)))

    @property
    def chosen(self) -> tuple[str, ...]:
        """Settings that each run chooses."""
        return tuple(dict.fromkeys(chain.from_iterable(self.choices)))


def _grid(**values: Sequence[object]) -> list[Changes]:
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


# Validation would take recordings away, and nothing is chosen by it: all epochs are run.
_WHOLE = {"validation": 0.0}

# The contract at 8 and 4 bits, beside the real-valued neurons.
_CONTRACT_AND_REAL = [{"neuron": "qclif", "weight_bits": w, "state_bits": s} for w, s in ((8, 8), (4, 8), (4, 4))] + [
    {"neuron": neuron, "weight_bits": 8, "state_bits": 8} for neuron in ("clif", "lif")]

# What decides most about a training: step size, scale of the logits, and whether recordings turn and grow.
_CHOICES = [geometry | each for geometry in ({"rotate": 0.0, "zoom": 0.0}, {"rotate": 10.0, "zoom": 0.1})
    for each in _grid(learning_rate=(0.003, 0.01), logit_gain=(1.0, 3.0))]

SWEEPS: Mapping[str, Sweep] = {
    "folds": Sweep("cross-validation of the contract at 8 and 4 bits, beside the real-valued neurons",
        _CONTRACT_AND_REAL, None, None, base=_WHOLE, every_fold=True),
    "nested": Sweep("the same, with settings that each fold chooses among its own training recordings",
        _CONTRACT_AND_REAL, None, None, base=_WHOLE, every_fold=True, choices=_CHOICES),
    "precision": Sweep("lowest usable precision",
        _grid(state_bits=(8, 6, 4), weight_bits=(8, 6, 5, 4, 3, 2)), "weight_bits", "state_bits",
        group_name="{}-bit states", base=_WHOLE),
    "neurons": Sweep("size of the network, qCLIF against the contract's LIF",
        _grid(neuron=("qclif", "qlif"), neurons=(10, 25, 50, 100, 200)), "neurons", "neuron", True,
        base=_WHOLE),
    "neuron": Sweep("what the neuron brings: apical gate, integers, linear leak",
        _grid(neuron=("qclif", "qclif-exponential", "qlif", "clif", "clif-linear", "lif")), None, None, base=_WHOLE),
    "context": Sweep("what the cue brings, by its relevance",
        _grid(neuron=("qclif", "lif"), relevance=(*RELEVANCE.values(), 0.55)) + [{"neuron": "qclif", "relevance": 1.0,
            "cued": False}], "relevance", "kind", base=_WHOLE | {"task": "context"}),
}


@dataclass(frozen=True)
class Run:
    """One training of a sweep.

    Parameters
    ----------
    fold, folds : what it is scored on; 0 folds: the test split.
    recordings : identity of the recordings; "" for synthetic ones, which the settings tell.
    inner : scored on a part of what it would train with, so that what it is scored on later stays unseen.
    """
    settings:   Settings
    fold:       int
    folds:      int
    recordings: str = ""
    inner:      bool = False

    @property
    def key(self) -> str:
        """Text that differs between runs that differ in anything, and stays as it is when settings gain fields."""
        return json.dumps([self.fold, self.folds, self.settings.changed, self.recordings, *["inner"]*self.inner],
            sort_keys=True)


def runs(sweep: Sweep, base: Settings, seeds: int, has_test: bool, recordings: str = "") -> Iterator[Run]:
    """The runs of a sweep, seed by seed, so that an interrupted sweep has something of everything.

    Parameters
    ----------
    seeds : 0 to seeds - 1 are run; every fold is where the sweep wants them all.
    """
    base = dataclasses.replace(base, **sweep.base)
    for seed, changes in product(range(FOLDS if sweep.every_fold else seeds), sweep.changes):
        in_folds = sweep.every_fold or not has_test
        settings = dataclasses.replace(base, seed=0 if sweep.every_fold else seed, **changes)
        yield Run(settings, seed % FOLDS if in_folds else 0, FOLDS if in_folds else 0, recordings)


def trials(sweep: Sweep, run: Run) -> list[Run]:
    """A run with each of the sweep's choices and half the epochs, scored within its own training recordings."""
    return [dataclasses.replace(run, inner=True, settings=dataclasses.replace(run.settings,
        epochs=max(1, run.settings.epochs//2), **choice)) for choice in sweep.choices]

# Side by side -------------------------------------------------------------------------------------

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
    """Rows of the file of results; none where it is not there. A last line that was cut is left out. Raises QCLIFError
    where it cannot be read, or another line is no row.
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
    """Run what the file of results lacks; returns the rows of all, in the order of the runs. Raises QCLIFError where
    the file cannot be read or written, or a run failed.
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
