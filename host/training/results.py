# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a training shows while it runs, and what is left of it: the network, its curves, what was measured."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from host.common.atomic import whole_file
from host.common.console import stage_bars
from host.common.tables import facts
from host.plots.curves import training_curves
from host.plots.style import save
from host.training.convert import to_network
from host.training.objective import Score, answer_measures
from host.training.settings import Settings
from host.training.trainer import TRAINING, Row, Trainer

# Without a terminal, a line for each of this many epochs.
LINES = 10


class TrainingDisplay:
    """Context manager that is called with the progress of a training, and with the row of each epoch.

    Parameters
    ----------
    speaks : False shows nothing: another of several processes does.
    """
    def __init__(self, settings: Settings, speaks: bool = True) -> None:
        self.epochs  = settings.epochs
        self.speaks  = speaks
        self.console = Console(stderr=True)
        self._live   = speaks and self.console.is_terminal
        self._bars   = stage_bars(self.console, self._live)
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

# Results ------------------------------------------------------------------------------------------

def score_measures(score: Score, classes: int) -> dict[str, object]:
    """A score as JSON takes it: shares are 0 to 1; precision and recall where there are 2 classes, no and yes."""
    return {"answers": len(score.labels), **answer_measures(score.labels, score.predictions, yes_no=classes == 2),
        "rate": score.rate, "loss": score.loss}


def training_measures(trainer: Trainer, test: Score | None) -> dict[str, object]:
    """Settings and scores of a training, as JSON takes them; what was not measured is absent."""
    measures = {
        "settings": trainer.settings.to_dict(),
        "encoder":  trainer.task.encoder.to_dict(),
        "samples":  len(trainer.task),
        "epochs":   len(trainer.history),
        "seconds":  sum(row["seconds"] for row in trainer.history),
        "best":     trainer.best,
    }
    if test is not None:
        measures["test"] = score_measures(test, len(trainer.task.classes))
    return measures


def write_results(trainer: Trainer, out: Path) -> list[Path]:
    """Write the network to `out`, and the history beside it as .csv and .png; returns the files."""
    settings = trainer.settings
    network  = to_network(trainer.model, trainer.task.encoder, list(trainer.task.classes))
    network.save(out)
    table    = io.StringIO()
    rows     = csv.DictWriter(table, list(trainer.history[0]))
    rows.writeheader()
    rows.writerows(trainer.history)
    with whole_file(out.with_suffix(".csv")) as file:
        file.write(table.getvalue().encode())
    save(training_curves(trainer.history, f"{settings.dataset}, {settings.neuron}, {settings.weight_bits} bits",
        int(trainer.best["epoch"])), out.with_suffix(".png"))
    return [out, out.with_suffix(".csv"), out.with_suffix(".png")]


def print_training(measures: dict[str, object], console: Console) -> None:
    """Print training_measures()."""
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
    console.print(facts(rows))


def print_written(files: Sequence[Path], console: Console) -> None:
    """Print which files were written."""
    console.print(facts([("written", escape(str(path))) for path in files]))
