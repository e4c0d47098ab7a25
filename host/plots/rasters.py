# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What happened step by step: rasters of inputs and spikes, in orders that show something; traces of V_a and V_s."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.plots.style import BLUE, GREY, ORANGE, POINTS, RED, SKY, new_figure, step_points, styled, time_unit

# Inches of the axes: a raster of neurons or sensory sources, of context sources, and the rate.
RASTER_HEIGHT  = 3.2
CONTEXT_HEIGHT = 0.7
RATE_HEIGHT    = 0.9

# Smallest share of the raster's height that a group needs for its name beside it.
NAME_SHARE = 0.035

# Orders -------------------------------------------------------------------------------------------

class Order(NamedTuple):
    """Which row each neuron has, row 0 on top.

    Parameters
    ----------
    rows : int [N], row of each neuron.
    groups : (name, first row, row after the last) of each group of neurons, or none.
    """
    rows:   np.ndarray
    name:   str
    groups: Sequence[tuple[str, int, int]] = ()


# Each order is made from the spike counts [samples, N] of a run, the labels [samples] and the names of the classes.

def by_number(counts: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()) -> Order:
    """Neuron n in row n."""
    return Order(np.arange(counts.shape[1]), "neuron")


def by_rate(counts: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()) -> Order:
    """Most active on top; equal ones by number."""
    return Order(np.argsort(np.argsort(-counts.sum(axis=0), kind="stable")), "neurons by rate")


def by_class(counts: np.ndarray, labels: np.ndarray, names: Sequence[str] = ()) -> Order:
    """By preferred class, that in whose samples a neuron fires most on average; inside a class by that average.

    Samples of the label -1 take no part; a class without a name is called by its number. Raises QCLIFError where no
    sample has a label.
    """
    classes = np.unique(labels[labels >= 0])
    if not len(classes):
        raise QCLIFError("no sample has a label: neurons cannot be ordered by class, order them by rate")
    means     = np.array([counts[labels == each].mean(axis=0) for each in classes])
    preferred = means.argmax(axis=0)
    best      = means.max(axis=0)
    # Neurons that are silent in all of these samples prefer none: a group of their own.
    preferred[best == 0] = len(classes)
    order  = np.lexsort((-best, preferred))
    titles = [names[each] if each < len(names) else str(each) for each in classes] + ["silent"]
    bounds = np.searchsorted(preferred[order], np.arange(len(titles) + 1)).tolist()
    groups = [(title, first, stop) for title, first, stop in zip(titles, bounds, bounds[1:], strict=False)
        if first < stop]
    return Order(np.argsort(order), "neurons by preferred class", groups)


# Name of an order, as --sort takes it.
ORDERS = {"number": by_number, "rate": by_rate, "class": by_class}

# Rasters ------------------------------------------------------------------------------------------

@styled
def input_raster(inputs: SpikeTrain, sensory: int | None = None, contexts: int = 0, bin_us: int | None = None,
        title: str = "") -> Figure:
    """Raster of a sample's inputs, and under it how many came in each step.

    Parameters
    ----------
    inputs : sensory source j is j, context k is sensory + k.
    sensory, contexts : I and C of the network; without I all sources are drawn alike.
    bin_us : microseconds of a step; without it time is in steps.
    """
    what = "source" if sensory is None else "sensory source"
    if sensory is None:
        sensory, contexts = int(inputs.sources.max(initial=0)) + 1, 0
    heights = [RASTER_HEIGHT, CONTEXT_HEIGHT, RATE_HEIGHT] if contexts else [RASTER_HEIGHT, RATE_HEIGHT]
    figure  = new_figure(sum(heights) + 0.6)
    axes    = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    steps, is_context = inputs.indices(), inputs.sources >= sensory
    _marks(axes[0], steps[~is_context], inputs.sources[~is_context], sensory, RASTER_HEIGHT, len(inputs), bin_us, BLUE)
    axes[0].set(title=title, ylabel=what)
    _rate(axes[-1], steps[~is_context], len(inputs), bin_us, BLUE, "sensory")
    if contexts:
        _marks(axes[1], steps[is_context], inputs.sources[is_context] - sensory, contexts, CONTEXT_HEIGHT, len(inputs),
            bin_us, ORANGE)
        axes[1].set(ylabel="context")
        _rate(axes[-1], steps[is_context], len(inputs), bin_us, ORANGE, "context")
        axes[-1].legend(ncols=2, loc="upper right", bbox_to_anchor=(1, 1.3), borderaxespad=0)
    axes[-1].set(ylabel="inputs\na step")
    figure.align_ylabels()
    return figure


@styled
def spike_raster(spikes: SpikeTrain, order: Order, bin_us: int | None = None, title: str = "") -> Figure:
    """Raster of the spikes of a sample, and under it how many neurons fired in each step.

    Parameters
    ----------
    order : which row each neuron has, as the functions of ORDERS make it.
    bin_us : microseconds of a step; without it time is in steps.
    """
    heights = [RASTER_HEIGHT, RATE_HEIGHT]
    figure  = new_figure(sum(heights) + 0.6)
    raster, rate = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": heights})
    size = len(order.rows)
    _marks(raster, spikes.indices(), order.rows[spikes.sources], size, RASTER_HEIGHT, len(spikes), bin_us, BLUE)
    raster.set(title=title, ylabel=order.name)
    if order.groups:
        _name_groups(raster, order, size)
    _rate(rate, spikes.indices(), len(spikes), bin_us, BLUE, "spikes")
    rate.set(ylabel="spikes\na step")
    figure.align_ylabels()
    return figure


def _marks(axes: Axes, steps: np.ndarray, rows: np.ndarray, size: int, height: float, length: int,
        bin_us: int | None, colour: str) -> None:
    """A mark a spike; marks are as large as rows and steps leave room for, and never too small to see."""
    scale, _ = time_unit(bin_us)
    # Many thousand marks as vectors make files that open slowly.
    axes.plot(steps*scale, rows, linestyle="none", marker="|", color=colour, rasterized=True,
        markersize      = np.clip(0.9*POINTS*height/size, 1.6, 9),
        markeredgewidth = np.clip(0.7*step_points(length), 0.6, 1.6))
    # Row 0 is on top: source 0 is the upper left corner of the sensor.
    axes.set(xlim=(-0.5*scale, (length - 0.5)*scale), ylim=(size - 0.5, -0.5))
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4 if height < 1 else "auto")


def _rate(axes: Axes, steps: np.ndarray, length: int, bin_us: int | None, colour: str, label: str) -> None:
    scale, name = time_unit(bin_us)
    axes.stairs(np.bincount(steps, minlength=length), (np.arange(length + 1) - 0.5)*scale, fill=True, color=colour,
        label=label)
    axes.set(xlabel=name)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    axes.set_ylim(bottom=0)


def _name_groups(axes: Axes, order: Order, size: int) -> None:
    """Names of the groups on the right, where they are high enough, and bands that tell them apart."""
    for index, (_, first, stop) in enumerate(order.groups):
        if index % 2:
            axes.axhspan(first - 0.5, stop - 0.5, color=SKY, alpha=0.12, linewidth=0)
    named = [(name, (first + stop - 1)/2) for name, first, stop in order.groups if stop - first >= NAME_SHARE*size]
    right = axes.secondary_yaxis("right")
    right.set_yticks([row for _, row in named], [name for name, _ in named], fontsize=7, color=GREY)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)

# Traces of single neurons -------------------------------------------------------------------------

# Most neurons in one figure: more would be metres of it.
NEURONS_MAX = 16

# Inches of the two axes of a neuron.
APICAL_HEIGHT = 0.6
SOMA_HEIGHT   = 0.9


@styled
def state_traces(v_a: np.ndarray, v_s: np.ndarray, spikes: SpikeTrain, threshold: np.ndarray, state_max: int,
        neurons: Sequence[int], bin_us: int | None = None, title: str = "") -> Figure:
    """V_a and V_s of chosen neurons over time, a pair of axes each, as GoldenModel.run(..., states=True) gives them.

    Where a neuron fires, V_s is already less by the threshold: the mark above the line tells of the spike.

    Parameters
    ----------
    v_a, v_s : [T, N] after each step.
    threshold : [N].
    state_max : V_max.
    neurons : those to draw, 1 to NEURONS_MAX of 0 to N - 1.
    bin_us : microseconds of a step; without it time is in steps.

    Raises
    ------
    QCLIFError : a neuron that the network does not have, or too many of them.
    """
    outside = [neuron for neuron in neurons if not 0 <= neuron < len(threshold)]
    if outside:
        raise QCLIFError(f"neuron {outside[0]}, the network has 0 to {len(threshold) - 1}: choose others")
    if not 1 <= len(neurons) <= NEURONS_MAX:
        raise QCLIFError(f"{len(neurons)} neurons in one figure, the limits are 1 to {NEURONS_MAX}: choose "
            f"{'at least one' if not neurons else 'fewer'}")
    scale, name = time_unit(bin_us)
    heights = [APICAL_HEIGHT, SOMA_HEIGHT]*len(neurons)
    figure  = new_figure(sum(heights) + 0.25*len(neurons) + 0.9, title)
    axes    = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    times   = np.arange(len(v_s))*scale
    fired   = spikes.indices()
    # Lines of long samples are finer, else they would fill the axes.
    line    = {"drawstyle": "steps-mid", "linewidth": np.clip(step_points(len(v_s)), 0.6, 1.3)}
    for apical, soma, neuron in zip(axes[::2], axes[1::2], neurons, strict=True):
        apical.fill_between(times, v_a[:, neuron], step="mid", color=ORANGE, alpha=0.3, linewidth=0)
        apical.plot(times, v_a[:, neuron], color=ORANGE, **line)
        apical.set(ylabel="V_a", ylim=(0, 1.05*state_max), yticks=(0, state_max), title=f"neuron {neuron}")
        top   = 1.15*max(int(threshold[neuron]), int(v_s[:, neuron].max(initial=0)))
        marks = fired[spikes.sources == neuron]*scale
        soma.plot(times, v_s[:, neuron], color=BLUE, **line)
        soma.axhline(int(threshold[neuron]), color=GREY, linestyle="--", linewidth=1)
        soma.plot(marks, np.full(len(marks), 1.08*top), color=RED, linestyle="none", marker="v", markersize=4)
        soma.set(ylabel="V_s", ylim=(0, 1.2*top))
    axes[0].set_xlim(-0.5*scale, (len(v_s) - 0.5)*scale)
    axes[-1].set_xlabel(name)
    figure.align_ylabels()
    figure.legend(handles=[axes[0].lines[0], *axes[1].lines], labels=["apical gate", "soma", "threshold", "spike"],
        loc="outside lower center", ncols=4)
    return figure
