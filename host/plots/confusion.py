# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The confusion matrix: what samples of each class were taken for."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.plots.style import GREY, WIDTH, new_figure, styled

CLASSES_MAX = LIMITS["outputs"][1]

# Most classes whose cells have room for numbers.
NUMBERS_MAX = 16

# Inches of a cell at most: few classes do not fill the page.
CELL = 0.8


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Samples int64 [C, C] of each label (row) that were taken for each class (column).

    Parameters
    ----------
    labels, predictions : [samples], 0 to C - 1; samples with a -1 in either take no part.
    classes : C, 1 to CLASSES_MAX.

    Raises
    ------
    QCLIFError : too many classes.
    """
    if classes > CLASSES_MAX:
        raise QCLIFError(f"{classes} classes, the limit is {CLASSES_MAX}: check the labels")
    known = (labels >= 0) & (predictions >= 0)
    return np.bincount(labels[known]*classes + predictions[known], minlength=classes**2).reshape(classes, classes)


@styled
def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, names: Sequence[str] = (), title: str = "") -> Figure:
    """Counts, and their share of each row in percent; the accuracy is in the title.

    Parameters
    ----------
    labels, predictions : see confusion_counts().
    names : what the classes are called; a class without a name is called by its number.

    Raises
    ------
    QCLIFError : too many classes, or no sample that is known.
    """
    classes = max(len(names), int(labels.max(initial=-1)) + 1, int(predictions.max(initial=-1)) + 1)
    counts  = confusion_counts(labels, predictions, classes)
    if not counts.sum():
        raise QCLIFError("no sample has both a label and a class: there is nothing to compare")
    rows    = counts.sum(axis=1, keepdims=True)
    percent = 100*counts/np.maximum(rows, 1)
    titles  = [names[each] if each < len(names) else str(each) for each in range(classes)]

    side   = min(WIDTH - 2, CELL*classes)
    figure = new_figure(side + 1.6)
    axes   = figure.subplots()
    axes.imshow(np.where(counts, percent, np.nan), cmap="Blues", vmin=0, vmax=100)
    axes.grid(False)
    # The right answers are framed, every cell has an edge.
    axes.set_xticks(np.arange(classes) + 0.5, minor=True)
    axes.set_yticks(np.arange(classes) + 0.5, minor=True)
    axes.grid(which="minor")
    axes.tick_params(which="minor", length=0)
    axes.add_collection(PatchCollection([Rectangle((each - 0.5, each - 0.5), 1, 1) for each in range(classes)],
        facecolor="none", edgecolor=GREY, linewidth=1))
    if classes <= NUMBERS_MAX:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                axes.text(column, row, f"{count}\n{percent[row, column]:.0f} %", ha="center", va="center",
                    fontsize=7, color="white" if percent[row, column] > 55 else "#303030")
    # Names are longer than cells are wide.
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len(names) else {}
    axes.set_xticks(range(classes), titles, **slanted)
    axes.set_yticks(range(classes), titles)
    axes.set(xlabel="classified as", ylabel="label")
    accuracy = 100*counts.trace()/counts.sum()
    axes.set_title(f"{title}{', ' if title else ''}accuracy {accuracy:.1f} % of {counts.sum()} samples")
    return figure
