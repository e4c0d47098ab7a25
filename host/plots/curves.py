# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Curves: what a training measured over its epochs, and what stopping early costs: accuracy against elapsed time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from accel.errors import QCLIFError
from host.plots.style import BLUE, GREY, ORANGE, new_figure, percent_axis, styled, time_unit

Row = Mapping[str, float | None]


class Panel(NamedTuple):
    """Axes of the figure: (key of a row, name, colour) of each curve, and what the axis is."""
    name:    str
    curves:  Sequence[tuple[str, str, str]]
    percent: bool = False


# Most values of a curve that are marked one by one.
MARKED_MAX = 20

PANELS = (
    Panel("loss", (("train_loss", "training", BLUE), ("val_loss", "validation", ORANGE))),
    Panel("accuracy", (("train_accuracy", "training", BLUE), ("val_accuracy", "validation", ORANGE)), percent=True),
    Panel("spikes a neuron and step", (("rate", "rate", BLUE),), percent=True),
    Panel("learning rate", (("learning_rate", "learning rate", BLUE),)),
)


@styled
def training_curves(rows: Sequence[Row], title: str = "", kept: int | None = None) -> Figure:
    """A panel a quantity that the rows have, with the epoch marked whose weights were kept.

    Parameters
    ----------
    rows : one an epoch, with `epoch` and any of train_loss, val_loss, train_accuracy, val_accuracy, rate (shares, 0
        to 1) and learning_rate; None or NaN where a value is not known.
    kept : number of that epoch; None marks none.

    Raises
    ------
    QCLIFError : no rows, or rows without epoch or without any of the quantities.
    """
    if not rows or any("epoch" not in row for row in rows):
        raise QCLIFError("no rows of epochs: training curves need one row an epoch, with its number as epoch")
    # What is not known becomes NaN.
    data   = {key: np.array([row.get(key) for row in rows], float) for panel in PANELS for key, _, _ in panel.curves}
    known  = {key: values for key, values in data.items() if np.isfinite(values).any()}
    panels = [panel for panel in PANELS if any(key in known for key, _, _ in panel.curves)]
    if not panels:
        raise QCLIFError(f"rows have none of {', '.join(data)}: there is nothing to draw")
    columns = 2 if len(panels) % 2 == 0 else len(panels)
    lines   = len(panels)//columns
    epochs  = np.array([row["epoch"] for row in rows])
    marked  = f"epoch {kept} kept (dotted)" if kept else ""
    figure  = new_figure(2.1*lines + 0.5, ", ".join(part for part in (title, marked) if part))
    for axes, panel in zip(figure.subplots(lines, columns, squeeze=False).flat, panels, strict=True):
        curves = [curve for curve in panel.curves if curve[0] in known]
        for key, name, colour in curves:
            # Epochs without a value are bridged; of few epochs each is a point, which a line alone would not show.
            there = np.isfinite(known[key])
            axes.plot(epochs[there], known[key][there], color=colour, label=name,
                marker="." if there.sum() <= MARKED_MAX else None)
        if kept:
            axes.axvline(kept, color=GREY, linestyle=":", linewidth=1)
        if panel.percent:
            percent_axis(axes)
        else:
            axes.yaxis.set_major_formatter("{x:g}")
        if len(panel.curves) > 1:
            axes.legend()
        axes.set(title=panel.name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    return figure


@styled
def accuracy_over_time(accuracy: np.ndarray, majority: float, latency: float, bin_us: int | None = None,
        title: str = "") -> Figure:
    """A line of the accuracy, with the guess that it has to beat and the median latency.

    Parameters
    ----------
    accuracy : [T], 0 to 1, if one had stopped after 1, 2 ... T steps.
    majority : accuracy of always answering the most frequent class.
    latency : steps in which half of the decisions were stable.
    bin_us : microseconds of a step; None: time is in steps.
    """
    unit, name = time_unit(bin_us)
    figure = new_figure(3.2)
    axes   = figure.subplots()
    # Steps and not slopes: between two steps the answer is that of the first.
    axes.plot(unit*np.arange(1, len(accuracy) + 1), accuracy, color=BLUE, drawstyle="steps-post",
        marker="." if len(accuracy) == 1 else None, label="accuracy if stopped there")
    axes.axhline(majority, color=GREY, linestyle="--", linewidth=1, label="most frequent class")
    axes.axvline(unit*latency, color=ORANGE, linestyle=":", linewidth=1, label="half of the decisions are stable")
    percent_axis(axes)
    axes.set(title=title, xlabel=name, ylabel="accuracy", ylim=(0, 1.02))
    axes.legend()
    return figure
