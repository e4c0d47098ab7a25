# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Curves: what a training measured over its epochs, what stopping early costs, and what sweeps of settings bring."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from accel.errors import QCLIFError
from host.plots.style import BLUE, COLOURS, GREY, ORANGE, new_figure, percent_axis, styled, time_unit

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
    stacked = len(panels)//columns
    epochs  = np.array([row["epoch"] for row in rows])
    marked  = f"epoch {kept} kept (dotted)" if kept else ""
    figure  = new_figure(2.1*stacked + 0.5, ", ".join(part for part in (title, marked) if part))
    for axes, panel in zip(figure.subplots(stacked, columns, squeeze=False).flat, panels, strict=True):
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

# Sweeps -------------------------------------------------------------------------------------------

MARKERS = "osD^vP"

LEGEND_COLUMNS, TICKS_MAX = 4, 12


class Series(NamedTuple):
    """The rows of one group: [points] each, x ascending.

    Parameters
    ----------
    group : value of the group key.
    x, mean : where each point is.
    low, high : ends of its bar: the least and the greatest value.
    runs : int, rows that it is the mean of.
    """
    group: object
    x:     np.ndarray
    mean:  np.ndarray
    low:   np.ndarray
    high:  np.ndarray
    runs:  np.ndarray


def summarise(rows: Sequence[Mapping[str, object]], x: str, y: str, group: str) -> list[Series]:
    """Mean and bar of y at each x, group by group in the order in which the groups come.

    Parameters
    ----------
    rows : one a run, with numbers under the keys x and y.
    group : key whose values tell the series apart.

    Raises
    ------
    QCLIFError : no rows, or one without a key or with something other than a finite number.
    """
    if not rows:
        raise QCLIFError("no rows: a plot needs one a run")
    points: dict[object, dict[float, list[float]]] = {}
    for number, row in enumerate(rows):
        missing = [key for key in (x, y, group) if key not in row]
        if missing:
            raise QCLIFError(f"row {number} has no {missing[0]}, it has {', '.join(map(str, row)) or 'nothing'}: "
                f"choose another key")
        at = points.setdefault(row[group], {})
        at.setdefault(_number(row, x, number), []).append(_number(row, y, number))
    series = []
    for name, at in points.items():
        values = [np.array(at[place]) for place in sorted(at)]
        mean, low, high = (np.array([of(each) for each in values]) for of in (np.mean, np.min, np.max))
        series.append(Series(name, np.array(sorted(at)), mean, low, high, np.array(list(map(len, values)))))
    return series


@styled
def lines(rows: Sequence[Mapping[str, object]], x: str, y: str, group: str, *, log2: bool = False, title: str = "",
        group_name: str = "{}") -> Figure:
    """Plot summarise(rows, x, y, group): a line a group, whose legend tells how many runs are behind a point.

    Parameters
    ----------
    y : key of a share, 0 to 1, shown in percent.
    log2 : x in powers of two.
    group_name : format of a group's value, as "{} state bits".
    """
    series = summarise(rows, x, y, group)
    figure = new_figure(3.9)
    axes   = figure.subplots()
    for index, each in enumerate(series):
        low, high = each.runs.min(), each.runs.max()
        label = f"{group_name.format(each.group)} (n = {low}{'' if low == high else f' to {high}'})"
        axes.errorbar(each.x, each.mean, [each.mean - each.low, each.high - each.mean], label=label, capsize=3,
            color=COLOURS[index % len(COLOURS)], marker=MARKERS[index//len(COLOURS) % len(MARKERS)], markersize=4)
    if log2:
        axes.set_xscale("log", base=2)
    places = np.unique(np.concatenate([each.x for each in series]))
    # Ticks where the points are, unless there are too many of them.
    if len(places) <= TICKS_MAX:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
    percent_axis(axes)
    axes.set(title=title, xlabel=x.replace("_", " "), ylabel=y)
    bars = "bars: least and greatest" if any((each.runs > 1).any() for each in series) else None
    figure.legend(loc="outside lower center", ncols=min(LEGEND_COLUMNS, len(series)), title=bars, title_fontsize=7)
    return figure


def _number(row: Mapping[str, object], key: str, number: int) -> float:
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise QCLIFError(f"row {number} has {value!r} as {key}: a finite number is needed; leave out runs without one")
    return value
