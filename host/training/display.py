#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""A training on the screen: bars while it runs, a table when it has ended."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from host.training.settings import Settings
from host.training.trainer import Row

# Without a terminal, a line for each of this many epochs.
LINES = 10


class TrainingDisplay:
    """Context manager that is called as Trainer.fit() calls its progress.

    Parameters
    ----------
    settings : of the training.
    speaks : False shows nothing: another of several processes does.
    """
    def __init__(self, settings: Settings, speaks: bool = True) -> None:
        self.settings = settings
        self.speaks   = speaks
        self.console  = Console(stderr=True)
        self._live    = speaks and self.console.is_terminal
        self._bars    = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=self.console, transient=True, disable=not self._live)
        self._tasks   = {}

    def __enter__(self) -> "TrainingDisplay":
        self._bars.start()
        return self

    def __exit__(self, *_) -> None:
        self._bars.stop()

    def data(self, stage: str, done: int, total: int | None) -> None:
        """Progress of reading the recordings."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def __call__(self, epoch: int, step: int, steps: int, row: Row | None) -> None:
        if "train" not in self._tasks:
            for task in self._tasks.values():
                self._bars.update(task, visible=False)
            self._tasks["train"] = self._bars.add_task("training")
        self._bars.update(self._tasks["train"], completed=epoch*steps + step, total=self.settings.epochs*steps)
        if row is None:
            return
        self._bars.update(self._tasks["train"], description=describe(row, self.settings.epochs))
        every = max(1, self.settings.epochs//LINES)
        if self.speaks and not self._live and ((epoch + 1) % every == 0 or epoch + 1 == self.settings.epochs):
            self.console.print(describe(row, self.settings.epochs))


def describe(row: Row, epochs: int) -> str:
    """An epoch in one line."""
    held = f", validation {100*row['val_accuracy']:.1f} %" if "val_accuracy" in row else ""
    return (f"epoch {row['epoch']}/{epochs}: loss {row['train_loss']:.3f}, training {100*row['train_accuracy']:.1f} %"
        f"{held}, rate {100*row['rate']:.1f} %")


def print_outcome(values: dict[str, object], written: list[Path], console: Console) -> None:
    """Print figures() of a training."""
    best     = values["best"]
    settings = values["settings"]
    table    = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("network", f"{settings['neurons']} {settings['neuron']} neurons, {settings['weight_bits']}-bit "
        f"weights, {settings['state_bits']}-bit states, {settings['dataset']}, seed {settings['seed']}")
    table.add_row("training", f"{values['samples']} samples, {values['epochs']} epochs, {values['seconds']:.0f} s; "
        f"epoch {best['epoch']} kept: {100*best['train_accuracy']:.1f} % of the augmented samples")
    if "val_accuracy" in best:
        table.add_row("validation", f"{100*best['val_accuracy']:.1f} %")
    if "test" in values:
        test      = values["test"]
        low, high = test["accuracy_interval"]
        table.add_row("test", f"{100*test['accuracy']:.1f} % of {test['answers']} (95 %: {100*low:.1f} to "
            f"{100*high:.1f}), majority {100*test['majority']:.1f} %, {100*test['rate']:.2f} % spikes a neuron and "
            f"step")
        if "precision" in test:
            table.add_row("yes", f"precision {100*test['precision']:.1f} %, recall {100*test['recall']:.1f} %")
    for path in written:
        table.add_row("written", str(path))
    console.print(table)
