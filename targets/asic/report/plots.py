# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Plots of the flow: where area and power go, what the critical path is made of, and a quantity against an option."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from accel.errors import QCLIFError
from host.plots.curves import MARKERS
from host.plots.style import BLUE, COLOURS, GREY, ORANGE, RED, new_figure, styled
from targets.asic.report.record import QUANTITIES, Record

# Values that differ by more than this factor are told apart on a logarithmic axis only.
WIDE = 30

# Most points of an axis that have their own ticks.
TICKS = 8

# Modules that have bars of their own; the rest share one.
MODULES = 10

# Powers of ten are written out: text in these plots is no mathematics.
POWERS = StrMethodFormatter("{x:g}")

# (stretch, ns) of a critical path.
Stages = Sequence[tuple[str, float]]


@styled
def modules(record: Record, title: str) -> Figure:
    """Area, and power where it is known, of each module of a record."""
    named  = sorted(record["modules"], key=lambda module: -module["area_um2"])
    kinds  = [(key, text, colour) for key, text, colour in (("area_um2", "area, um2", BLUE),
        ("power_mw", "power, mW", ORANGE)) if any(key in module for module in named)]
    rest   = named[MODULES:]
    labels = [module["text"] for module in named[:MODULES]] + ["all others"]*bool(rest)
    figure = new_figure(0.9 + 0.28*len(labels), title)
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, (key, text, colour) in zip(panels, kinds, strict=True):
        values = [module.get(key, 0) for module in named[:MODULES]]
        values += [sum(module.get(key, 0) for module in rest)]*bool(rest)
        axes.barh(labels, values, color=colour, height=0.7)
        axes.set(xlabel=text)
        axes.grid(False, axis="y")
    panels[0].invert_yaxis()
    return figure


@styled
def paths(named: Mapping[str, Stages], title: str, period_ns: float | None = None) -> Figure:
    """Critical paths as bars of stages, one a name; with the clock's period where it is told.

    Raises
    ------
    QCLIFError : none has a path.
    """
    if not any(named.values()):
        raise QCLIFError("no critical path to draw: run the flow --until sta")
    stages = list(dict.fromkeys(stage for each in named.values() for stage, delay in each if delay))
    figure = new_figure(1.3 + 0.35*len(named), title)
    axes   = figure.subplots()
    shown  = set()
    for name, each in named.items():
        left = 0.0
        for stage, delay in (one for one in each if one[1]):
            colour = COLOURS[stages.index(stage) % len(COLOURS)]
            axes.barh(name, delay, left=left, color=colour, height=0.65, edgecolor="white", linewidth=0.6,
                label=None if stage in shown else stage)
            shown.add(stage)
            left += delay
    if period_ns is not None:
        axes.axvline(period_ns, color=GREY, linestyle="--", linewidth=1)
    axes.set(xlabel="ns")
    axes.grid(False, axis="y")
    axes.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=4)
    return figure


@styled
def against(rows: Sequence[Mapping[str, object]], x: str, group: str | None, panels: Sequence[str], title: str, *,
        log: bool = False, marks: Mapping[str, tuple[float, float]] = {}, marked: str = "") -> Figure:
    """Quantities against an option or a quantity, a panel each, a line a group.

    Parameters
    ----------
    rows : of values by name: options, and QUANTITIES; a point needs both x and y.
    x, group : names in the rows; group None makes one line.
    panels : names of QUANTITIES.
    log : x is logarithmic. The other axis is where its values differ much.
    marks, marked : (x, y) of a point of others' in some panels, and its name.
    """
    columns = 2 if len(panels) > 1 else 1
    lines   = -(-len(panels)//columns)
    figure  = new_figure(0.6 + 2.2*lines, title)
    axes    = figure.subplots(lines, columns, squeeze=False).ravel()
    groups  = list(dict.fromkeys(row.get(group) for row in rows)) if group else [None]
    # Where each value is on the axis: numbers where they are, words side by side.
    values  = dict.fromkeys(row[x] for row in rows if row.get(x) is not None)
    places  = {value: place if isinstance(value, str) else value for place, value in enumerate(values)}
    for panel, name in zip(axes, panels, strict=False):
        for number, each in enumerate(groups):
            points = sorted((places[row[x]], row[name]) for row in rows if (not group or row.get(group) == each)
                and row.get(x) is not None and row.get(name) is not None)
            if points:
                label = each if group is None or isinstance(each, str) else f"{group} {each}"
                panel.plot(*zip(*points, strict=True), marker=MARKERS[number % len(MARKERS)], markersize=4,
                    color=COLOURS[number % len(COLOURS)], label=label)
        if name in marks:
            panel.plot(*marks[name], "*", color=RED, markersize=10, label=marked)
        panel.set(xlabel=QUANTITIES[x].text if x in QUANTITIES else x, ylabel=QUANTITIES[name].text)
        _scale_y(panel, [row[name] for row in rows if row.get(name) is not None])
        _scale_x(panel, places, log)
    for panel in axes[len(panels):]:
        panel.remove()
    named = {label: handle for panel in axes[:len(panels)]
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=4)
    return figure


def _scale_y(axes: Axes, values: Sequence[float]) -> None:
    if min(values) > 0 and max(values) > WIDE*min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(POWERS)
    else:
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))


def _scale_x(axes: Axes, places: Mapping[object, float], log: bool) -> None:
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(POWERS)
    if len(places) <= TICKS and all(float(place).is_integer() for place in places.values()):
        axes.set_xticks(list(places.values()), [value if isinstance(value, str) else f"{value:g}" for value in places])
        axes.minorticks_off()
