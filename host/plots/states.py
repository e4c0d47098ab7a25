# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Traces of single neurons: the apical gate V_a, the soma V_s with its threshold, and the spikes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.plots.style import BLUE, GREY, ORANGE, RED, new_figure, step_points, styled, time_unit

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
