# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A quantity against another, with bars over repeated runs: sweeps of bits, neurons, cues ..."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from accel.errors import QCLIFError
from host.plots.style import COLOURS, new_figure, percent_axis, styled

MARKERS = "osD^vP"

LEGEND_COLUMNS, TICKS_MAX = 4, 12


class Series(NamedTuple):
    """The rows of one group: [points] each, x ascending.

    Parameters
    ----------
    group : value of the group key, None without one.
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


def summarise(rows: Sequence[Mapping[str, object]], x: str, y: str, group: str | None = None) -> list[Series]:
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
        missing = [key for key in (x, y, group) if key is not None and key not in row]
        if missing:
            raise QCLIFError(f"row {number} has no {missing[0]}, it has {', '.join(map(str, row)) or 'nothing'}: "
                f"choose another key")
        at = points.setdefault(row[group] if group else None, {})
        at.setdefault(_number(row, x, number), []).append(_number(row, y, number))
    series = []
    for name, at in points.items():
        values = [np.array(at[place]) for place in sorted(at)]
        mean, low, high = (np.array([of(each) for each in values]) for of in (np.mean, np.min, np.max))
        series.append(Series(name, np.array(sorted(at)), mean, low, high, np.array(list(map(len, values)))))
    return series


@styled
def lines(rows: Sequence[Mapping[str, object]], x: str, y: str, group: str | None = None, *, log2: bool = False,
        percent: bool = False, title: str = "", x_name: str | None = None, group_name: str = "{}") -> Figure:
    """Plot summarise(rows, x, y, group): a line a group, whose legend tells how many runs are behind a point.

    Parameters
    ----------
    log2 : x in powers of two.
    percent : y is a share, 0 to 1, shown in percent.
    group_name : format of a group's value, as "{} state bits".

    Examples
    --------
    >>> rows = [{"bits": bits, "accuracy": share} for bits, share in ((4, 0.91), (4, 0.93), (8, 0.94), (8, 0.95))]
    >>> save(lines(rows, "bits", "accuracy", percent=True), "accuracy.png")
    """
    series = summarise(rows, x, y, group)
    figure = new_figure(3.9)
    axes   = figure.subplots()
    for index, each in enumerate(series):
        label = f"{group_name.format(each.group)} ({_runs(each.runs)})" if group else _runs(each.runs)
        axes.errorbar(each.x, each.mean, [each.mean - each.low, each.high - each.mean], label=label, capsize=3,
            color=COLOURS[index % len(COLOURS)], marker=MARKERS[index//len(COLOURS) % len(MARKERS)], markersize=4)
    if log2:
        axes.set_xscale("log", base=2)
    places = np.unique(np.concatenate([each.x for each in series]))
    # Ticks where the points are, unless there are too many of them.
    if len(places) <= TICKS_MAX:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
    if percent:
        percent_axis(axes)
    axes.set(title=title, xlabel=x_name or x, ylabel=y)
    bars = "bars: least and greatest" if any((each.runs > 1).any() for each in series) else None
    figure.legend(loc="outside lower center", ncols=min(LEGEND_COLUMNS, len(series)), title=bars, title_fontsize=7)
    return figure


def _number(row: Mapping[str, object], key: str, number: int) -> float:
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise QCLIFError(f"row {number} has {value!r} as {key}: a finite number is needed; leave out runs without one")
    return value


def _runs(runs: np.ndarray) -> str:
    low, high = runs.min(), runs.max()
    return f"n = {low}" if low == high else f"n = {low} to {high}"
