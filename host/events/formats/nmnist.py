# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of N-MNIST and N-Caltech101 (.bin).

Decoded here: faery does not read them; tonic's reader (1.7.0) takes seconds to be imported, and minutes for a small
file of overflow events.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.found import Found, check_whole, decoded, joined, words
from host.events.reading import Reading
from host.events.sample import UNKNOWN

# N-MNIST's; files tell no size.
SENSOR_SIZE = (34, 34)

# x, y, and 24 bits: polarity, then time. An event in this row is none: it adds so many us to all times from there on.
WORDS        = np.dtype((np.uint8, 5))
OVERFLOW_ROW = 240
OVERFLOW_US  = 2**13


def read_bin(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of such a file; its label is the name of its folder where that is a digit."""
    check_whole(path, path.stat().st_size, WORDS.itemsize)
    parts, late = [], 0
    with open(path, "rb") as file:
        for part in words(file, WORDS):
            x, y, high, middle, low = part.T.astype(np.int32)
            overflow = late + OVERFLOW_US*np.cumsum(y == OVERFLOW_ROW, dtype=np.int64)
            late     = int(overflow[-1])
            events   = decoded(x, y, high >> 7, ((high & 127) << 16 | middle << 8 | low) + overflow)
            parts.append(events[y != OVERFLOW_ROW])
    events = joined(parts)
    size   = reading.sensor_size or SENSOR_SIZE
    for axis, limit in zip("xy", size, strict=True):
        if reading.sensor_size is None and len(events) and events[axis].max() >= limit:
            raise QCLIFError(f"{path}: {axis} up to {events[axis].max()}, N-MNIST has {size[0]}x{size[1]} pixels: give "
                f"--sensor-size W H (N-Caltech101: 240 180)")
    folder = path.resolve().parent.name
    yield Found(events, size, label=int(folder) if len(folder) == 1 and folder.isdecimal() else UNKNOWN)
