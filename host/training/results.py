#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What is left of a training: the network, its curves, its figures."""

import csv
import io
from pathlib import Path

from host.common.atomic import whole_file
from host.plots.curves import training_curves
from host.plots.style import save
from host.training.convert import to_network
from host.training.experiment import Outcome
from host.training.objective import Score
from host.training.scores import majority, precision_recall, wilson_interval
from host.training.settings import Settings


def score_figures(score: Score, classes: int) -> dict[str, object]:
    """Figures of a score, as JSON takes them: shares are 0 to 1."""
    values = {
        "answers":           len(score.labels),
        "accuracy":          score.accuracy,
        "accuracy_interval": list(wilson_interval(int((score.labels == score.predictions).sum()), len(score.labels))),
        "majority":          majority(score.labels),
        "rate":              score.rate,
        "loss":              score.loss,
    }
    if classes == 2:
        values |= precision_recall(score.labels, score.predictions)
    return values


def figures(outcome: Outcome, settings: Settings) -> dict[str, object]:
    """Settings and scores of a training, as JSON takes them; what was not measured is absent."""
    trainer = outcome.trainer
    values  = {
        "settings": settings.to_dict(),
        "encoder":  trainer.task.encoder.to_dict(),
        "samples":  len(trainer.task),
        "epochs":   len(trainer.history),
        "seconds":  sum(row["seconds"] for row in trainer.history),
        "best":     trainer.best,
    }
    if outcome.test is not None:
        values["test"] = score_figures(outcome.test, len(trainer.task.classes))
    return values


def write_results(outcome: Outcome, settings: Settings, out: Path) -> list[Path]:
    """Write the network to `out`, and the history beside it as .csv and .png; returns the files."""
    trainer = outcome.trainer
    network = to_network(trainer.model, trainer.task.encoder, list(trainer.task.classes))
    network.save(out)
    table = io.StringIO()
    rows  = csv.DictWriter(table, list(trainer.history[0]))
    rows.writeheader()
    rows.writerows(trainer.history)
    with whole_file(out.with_suffix(".csv")) as file:
        file.write(table.getvalue().encode())
    save(training_curves(trainer.history, f"{settings.dataset}, {settings.neuron}, {settings.weight_bits} bits",
        int(trainer.best["epoch"])), out.with_suffix(".png"))
    return [out, out.with_suffix(".csv"), out.with_suffix(".png")]
