# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is left of a training: the network, its curves, what was measured."""

import csv
import io
from pathlib import Path

from host.common.atomic import whole_file
from host.plots.curves import training_curves
from host.plots.style import save
from host.training.convert import to_network
from host.training.experiment import Trained
from host.training.objective import Score, answer_measures
from host.training.settings import Settings


def score_measures(score: Score, classes: int) -> dict[str, object]:
    """A score as JSON takes it: shares are 0 to 1; precision and recall where there are 2 classes, no and yes."""
    return {"answers": len(score.labels), **answer_measures(score.labels, score.predictions, yes_no=classes == 2),
        "rate": score.rate, "loss": score.loss}


def training_measures(trained: Trained, settings: Settings) -> dict[str, object]:
    """Settings and scores of a training, as JSON takes them; what was not measured is absent."""
    trainer  = trained.trainer
    measures = {
        "settings": settings.to_dict(),
        "encoder":  trainer.task.encoder.to_dict(),
        "samples":  len(trainer.task),
        "epochs":   len(trainer.history),
        "seconds":  sum(row["seconds"] for row in trainer.history),
        "best":     trainer.best,
    }
    if trained.test is not None:
        measures["test"] = score_measures(trained.test, len(trainer.task.classes))
    return measures


def write_results(trained: Trained, settings: Settings, out: Path) -> list[Path]:
    """Write the network to `out`, and the history beside it as .csv and .png; returns the files."""
    trainer = trained.trainer
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
