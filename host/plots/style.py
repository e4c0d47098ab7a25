# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The one style of all plots: size, fonts, colours, time axis, and how they are saved."""

import os
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# Inches and pixels an inch: 900 pixels wide, as wide as a README shows.
WIDTH = 7.5
DPI   = 120

# Points an inch, matplotlib's unit of lines and marks.
POINTS = 72

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
GREY    = "#707070"

STYLE = {
    "font.size":          9,
    "axes.titlesize":     10,
    "axes.titlelocation": "left",
    "axes.labelcolor":    "#303030",
    "axes.edgecolor":     "#a0a0a0",
    "axes.linewidth":     0.8,
    "axes.spines.top":    False,
    "axes.spines.right":  False,
    "axes.grid":          True,
    "axes.axisbelow":     True,
    "axes.xmargin":       0.02,
    "grid.color":         "#e4e4e4",
    "grid.linewidth":     0.6,
    "xtick.color":        "#a0a0a0",
    "ytick.color":        "#a0a0a0",
    "xtick.labelcolor":   "#303030",
    "ytick.labelcolor":   "#303030",
    "xtick.labelsize":    8,
    "ytick.labelsize":    8,
    "legend.fontsize":    8,
    "legend.frameon":     False,
    "lines.linewidth":    1.3,
    "figure.constrained_layout.h_pad": 0.06,
    # Names of files and classes may hold a dollar sign.
    "text.parse_math":    False,
    # Equal figures give equal bytes, and text stays text in a PDF.
    "svg.hashsalt":       "qclif",
    "pdf.fonttype":       42,
}

# Suffix: metadata that would otherwise hold the time of writing.
FORMATS = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}

# Decorator of functions that make figures: matplotlib's own settings are as before afterwards.
styled = matplotlib.rc_context(STYLE)


def new_figure(height: float, title: str = "") -> Figure:
    """An empty figure of the common width, `height` inches high, with a title over all its axes."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    if title:
        figure.suptitle(title, fontsize=STYLE["axes.titlesize"], x=0.01, ha="left")
    return figure


def time_unit(bin_us: int | None) -> tuple[float, str]:
    """What one step is on a time axis, and the axis's name: milliseconds where the step's length is known."""
    return (1.0, "time step") if bin_us is None else (bin_us/1000, "time (ms)")


def step_points(length: int) -> float:
    """Points that each of so many steps has on a time axis as wide as the figure, at most."""
    return POINTS*WIDTH/max(1, length)


def percent_axis(axes: Axes) -> None:
    """Show the shares, 0 to 1, of the y axis in percent."""
    axes.yaxis.set_major_formatter(lambda value, _: f"{100*value:g} %")


@styled
def save(figure: Figure, path: str | os.PathLike) -> None:
    """Write a figure as its suffix says, whole or not at all; equal figures give equal bytes. Raises QCLIFError for a
    suffix other than .png, .svg and .pdf, or a file that cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise QCLIFError(f"{path}: type {suffix or 'without suffix'} is not known: plots are written as "
            f"{', '.join(FORMATS)}")
    with whole_file(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=DPI, metadata=FORMATS[suffix])
