# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Tables and the plot of an exploration."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from host.plots.style import BLUE, GREY, ORANGE, RED, new_figure, styled
from targets.asic.report.plots import POWERS
from targets.asic.report.sheet import Sheet, number
from targets.explore.search import FIGURES, Design, front


def best_sheet(designs: Sequence[Design], goal: str, title: str, notes: Sequence[str]) -> Sheet:
    """The best designs, best first."""
    shown = [name for name in FIGURES if name in designs[0].figures]
    kinds = ["memories for"] if designs[0].memory else []
    rows  = [(str(place), str(each.sizes.lanes), str(each.sizes.updates), f"{each.clock_mhz:g}",
        *([each.memory] if kinds else []), *(number(each.figures[name]) for name in shown))
        for place, each in enumerate(designs, 1)]
    return Sheet(title, ("", "P", "Q", "MHz", *kinds, *(FIGURES[name].title for name in shown)), rows, tuple(notes),
        texts=(4,) if kinds else ())


def check_sheet(design: Design, found: Mapping[str, float]) -> Sheet:
    """The model's figures of a design beside those that its flow found."""
    rows = [(FIGURES[name].title, number(design.figures.get(name)), number(value),
        f"{100*(design.figures[name]/value - 1):+.1f} %" if value and name in design.figures else "")
        for name, value in found.items()]
    notes = (f"The clock of {design.clock_mhz:g} MHz is not reached: take --frequency {int(found['fmax'])}.",) \
        if late(design, found) else ()
    return Sheet(f"P = {design.sizes.lanes}, Q = {design.sizes.updates}, {design.clock_mhz:g} MHz: model and flow",
        ("", "model", "flow", "model's error"), rows, notes)


def late(design: Design, found: Mapping[str, float]) -> bool:
    """Whether the flow found that the clock is not reached."""
    return found["fmax"] < design.clock_mhz


@styled
def front_plot(designs: Sequence[Design], best: Design, goal: str, found: Mapping[str, float], title: str) -> Figure:
    """All designs by the length of a step and what else the goal is about, with those on the Pareto front joined."""
    y       = goal if goal != "latency" else next(name for name in ("area", "luts") if name in best.figures)
    figure  = new_figure(4.2, title)
    axes    = figure.subplots()
    points  = [[each.figures[name] for each in designs] for name in ("latency", y)]
    axes.scatter(*points, s=8, color=GREY, alpha=0.5, linewidths=0, label=f"{len(designs)} designs")
    joined  = front(designs, "latency", y)
    axes.plot(*[[each.figures[name] for each in joined] for name in ("latency", y)], color=BLUE, marker=".",
        label="Pareto front")
    axes.plot(best.figures["latency"], best.figures[y], "*", color=ORANGE, markersize=14,
        label=f"chosen: P = {best.sizes.lanes}, Q = {best.sizes.updates}, {best.clock_mhz:g} MHz")
    if found:
        axes.plot(found["latency"], found[y], "x", color=RED, markersize=9, label="the same by the flow")
    axes.set(xscale="log", yscale="log", xlabel=FIGURES["latency"].title, ylabel=FIGURES[y].title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter=POWERS, minor_formatter=NullFormatter())
    axes.legend()
    return figure
