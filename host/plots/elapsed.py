#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Accuracy against elapsed time: what stopping early costs."""

import numpy as np
from matplotlib.figure import Figure

from host.plots.style import BLUE, GREY, ORANGE, new_figure, percent_axis, styled, time_unit


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
    title : written above the figure.
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
