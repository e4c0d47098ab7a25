# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A training on the screen: bars while it runs, a table when it has ended."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from host.common.console import facts
from host.training.settings import Settings
from host.training.trainer import TRAINING, Row

# Without a terminal, a line for each of this many epochs.
LINES = 10


class TrainingDisplay:
    """Context manager that is called with the progress of a training, and with the row of each epoch.

    Parameters
    ----------
    settings : those of the training that is shown.
    speaks : False shows nothing: another of several processes does.
    """
    def __init__(self, settings: Settings, speaks: bool = True) -> None:
        self.epochs  = settings.epochs
        self.speaks  = speaks
        self.console = Console(stderr=True)
        self._live   = speaks and self.console.is_terminal
        self._bars   = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=self.console, transient=True, disable=not self._live)
        self._tasks  = {}

    def __enter__(self) -> "TrainingDisplay":
        self._bars.start()
        return self

    def __exit__(self, *_) -> None:
        self._bars.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Progress of reading the recordings, then of the steps."""
        if stage not in self._tasks:
            # What was read before is no news any more.
            for task in self._tasks.values():
                self._bars.update(task, visible=stage != TRAINING)
            self._tasks[stage] = self._bars.add_task(stage, total=None)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def epoch_done(self, row: Row) -> None:
        """Name the bar after the epoch; without a terminal, print a line now and then."""
        self._bars.update(self._tasks[TRAINING], description=describe(row, self.epochs))
        every = max(1, self.epochs//LINES)
        if self.speaks and not self._live and (row["epoch"] % every == 0 or row["epoch"] == self.epochs):
            self.console.print(describe(row, self.epochs))


def describe(row: Row, epochs: int) -> str:
    """An epoch in one line."""
    held = f", validation {100*row['val_accuracy']:.1f} %" if "val_accuracy" in row else ""
    return (f"epoch {row['epoch']}/{epochs}: loss {row['train_loss']:.3f}, training {100*row['train_accuracy']:.1f} %"
        f"{held}, rate {100*row['rate']:.1f} %")


def print_training(measures: dict[str, object], written: list[Path], console: Console) -> None:
    """Print training_measures(), and which files were written."""
    best, settings = measures["best"], measures["settings"]
    rows = [("network", f"{settings['neurons']} {settings['neuron']} neurons, {settings['weight_bits']}-bit weights, "
            f"{settings['state_bits']}-bit states, {settings['dataset']}, seed {settings['seed']}"),
        ("training", f"{measures['samples']} samples, {measures['epochs']} epochs, {measures['seconds']:.0f} s; epoch "
            f"{best['epoch']} kept: {100*best['train_accuracy']:.1f} % of the augmented samples")]
    if "val_accuracy" in best:
        rows.append(("validation", f"{100*best['val_accuracy']:.1f} %"))
    if "test" in measures:
        test      = measures["test"]
        low, high = test["accuracy_interval"]
        rows.append(("test", f"{100*test['accuracy']:.1f} % of {test['answers']} (95 %: {100*low:.1f} to "
            f"{100*high:.1f}), majority {100*test['majority']:.1f} %, {100*test['rate']:.2f} % spikes a neuron and "
            f"step"))
        if "precision" in test:
            rows.append(("yes", f"precision {100*test['precision']:.1f} %, recall {100*test['recall']:.1f} %"))
    console.print(facts([*rows, *(("written", str(path)) for path in written)]))
