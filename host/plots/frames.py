# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event frames of a recording, ON red and OFF blue on white: a sheet of some of them, or an animation."""

import math
import os

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.events.encoder import BIN_MAX
from host.plots.style import WIDTH, new_figure, styled

# Each event of a pixel covers half of the paper that is still white there, up to this many events.
LEVELS = 7

# Largest image: no event camera has half as many pixels.
PIXELS_MAX = 2**22

# Colours at full cover.
ON_COLOUR  = (213, 30, 20)
OFF_COLOUR = (0, 80, 200)

# Frames of a sheet: most of them, how many stand side by side, and inches of one at most.
SHEET_MAX     = 48
SHEET_COLUMNS = 4
SHEET_SIDE    = 2.5

# GIF counts time in 10 ms, 16 bits of them; viewers slow down what is faster than 20 ms.
GIF_UNIT_MS     = 10
GIF_FRAME_MS    = 20
GIF_DURATION_MS = (2**16 - 1)*GIF_UNIT_MS
GIF_FRAMES_MAX  = 2000

# Pixels that the longer side of an animation has at least, unless the sensor has more.
GIF_SIZE = 384


# How much of the paper each number of events leaves white, and the colour uint8 [(LEVELS + 1)**2, 3] of each pair of
# numbers: both inks printed on white paper.
_COVER   = 1 - 0.5**np.arange(LEVELS + 1)
_ON, _OFF = (1 - _COVER[:, None]*(1 - np.array(ink)/255) for ink in (ON_COLOUR, OFF_COLOUR))
PALETTE  = np.rint(255*_ON[:, None]*_OFF[None]).astype(np.uint8).reshape(-1, 3)


def frame_count(events: np.ndarray, sensor_size: tuple[int, int], window_us: int) -> int:
    """Windows that a recording covers, the last one not whole. Raises QCLIFError for a window or a sensor out of its
    limits.
    """
    if not 1 <= window_us <= BIN_MAX:
        raise QCLIFError(f"a window of {window_us} us, the limits are 1 to {BIN_MAX}: choose another")
    if sensor_size[0]*sensor_size[1] > PIXELS_MAX:
        raise QCLIFError(f"a sensor of {sensor_size[0]}x{sensor_size[1]} pixels, the limit is {PIXELS_MAX}: check the "
            f"recording's sensor_size")
    return (int(events["t"][-1]) - int(events["t"][0]))//window_us + 1


def frame(events: np.ndarray, index: int, sensor_size: tuple[int, int], window_us: int) -> np.ndarray:
    """Events of one window, accumulated.

    Parameters
    ----------
    events : structured array (x, y, p, t), as events.normalise() gives it.
    index : window, 0 to frame_count() - 1; it begins index*window_us after the first event.
    sensor_size : (W, H).

    Returns
    -------
    uint8 [H, W] : entries of PALETTE.
    """
    width, height = sensor_size
    times  = events["t"]
    start  = int(times[0]) + index*window_us
    # The last window ends with the recording: times beyond it may not fit the array's type.
    last   = min(start + window_us - 1, int(times[-1]))
    window = events[np.searchsorted(times, start):np.searchsorted(times, last, side="right")]
    keys   = (window["p"].astype(np.int64)*height + window["y"])*width + window["x"]
    off, on = np.bincount(keys, minlength=2*height*width).clip(max=LEVELS).reshape(2, height, width)
    return (on*(LEVELS + 1) + off).astype(np.uint8)


@styled
def contact_sheet(events: np.ndarray, sensor_size: tuple[int, int], window_us: int, count: int = 12,
        title: str = "") -> Figure:
    """Frames spread evenly over a recording, with their times.

    Parameters
    ----------
    events, sensor_size, window_us : see frame().
    count : frames, 1 to SHEET_MAX; all of a shorter recording.

    Raises
    ------
    QCLIFError : count, window or sensor out of their limits.
    """
    if not 1 <= count <= SHEET_MAX:
        raise QCLIFError(f"{count} frames in a sheet, the limits are 1 to {SHEET_MAX}: choose another number")
    total   = frame_count(events, sensor_size, window_us)
    indices = np.unique(np.linspace(0, total - 1, min(count, total)).astype(int))
    rows    = math.ceil(len(indices)/SHEET_COLUMNS)
    columns = math.ceil(len(indices)/rows)
    width, height = sensor_size
    side    = min(WIDTH/columns, SHEET_SIDE)
    figure  = new_figure(rows*(side*min(height/width, 1) + 0.2) + 0.4, title)
    axes    = figure.subplots(rows, columns, squeeze=False).ravel()
    for each, index in zip(axes, indices.tolist(), strict=False):
        each.imshow(PALETTE[frame(events, index, sensor_size, window_us)])
        each.set_title(f"{index*window_us/1000:g} ms", fontsize=8)
        each.set(xticks=[], yticks=[])
        each.spines[:].set_visible(True)
    for unused in axes[len(indices):]:
        unused.set_axis_off()
    return figure


def save_gif(path: str | os.PathLike, events: np.ndarray, sensor_size: tuple[int, int], window_us: int,
        slow: float = 1.0) -> None:
    """Write a recording as an animated GIF that repeats, whole or not at all.

    Parameters
    ----------
    events, sensor_size, window_us : see frame().
    slow : how many times longer than the recording it takes; 1 is real time, exact to 10 ms at every frame.

    Raises
    ------
    QCLIFError : window or sensor out of their limits, frames too short or too many for a GIF, or a file that cannot
        be written.
    """
    total = frame_count(events, sensor_size, window_us)
    shown = window_us*slow/1000
    if not shown >= GIF_FRAME_MS:
        raise QCLIFError(f"{shown:g} ms a frame, viewers need {GIF_FRAME_MS} at least: choose a longer window, or "
            f"more slow motion")
    if total > GIF_FRAMES_MAX or total*shown > GIF_DURATION_MS:
        raise QCLIFError(f"{total} frames of {shown:g} ms, the limits are {GIF_FRAMES_MAX} frames and "
            f"{GIF_DURATION_MS//1000} s: choose another window, or less slow motion")
    # Rounded ends, not rounded lengths: the animation stays in time.
    ends  = np.rint(np.arange(total + 1)*shown/GIF_UNIT_MS).astype(int)
    scale = max(1, GIF_SIZE//max(sensor_size))

    def image(index: int) -> Image.Image:
        pixels = frame(events, index, sensor_size, window_us).repeat(scale, axis=0).repeat(scale, axis=1)
        result = Image.fromarray(pixels)
        result.putpalette(PALETTE.tobytes())
        return result

    with whole_file(path) as file:
        image(0).save(file, format="GIF", save_all=True, append_images=map(image, range(1, total)), loop=0,
            duration=(np.diff(ends)*GIF_UNIT_MS).tolist())
