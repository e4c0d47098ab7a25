# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a reader finds in a file, before it is checked; and what readers of several formats share."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.common import decoding_process
from host.events.sample import UNKNOWN

# Events as decoders give them: wide enough for all that their words can hold.
DECODED = np.dtype([("x", np.int32), ("y", np.int32), ("p", np.int8), ("t", np.int64)])

# Words that are decoded at once: more would leave the processor's caches.
CHUNK = 2**18

# Seconds of computing for a file that has a process of its own, and bytes more for which there is one more.
CPU_S, BYTES_PER_S = 20, 2**20

# Time stamps of 32 bits begin again after 72 minutes; one that is less than 4 minutes from there has done so.
WRAP, NEAR_WRAP = 2**32, 2**28


class Found(NamedTuple):
    """A recording as a reader found it.

    Parameters
    ----------
    events : structured array [n] of integers x, y, p and t (us), as normalise() takes it.
    sensor_size : (W, H) that the file tells, None where it does not.
    name : after the file's own; context and label as in Sample.
    notes : lines that a user should know.
    """
    events:      np.ndarray
    sensor_size: tuple[int, int] | None = None
    name:        str = ""
    label:       int = UNKNOWN
    context:     np.ndarray | None = None
    notes:       tuple[str, ...] = ()


def decoded(x: np.ndarray, y: np.ndarray, p: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Events of columns [n], or numbers for all."""
    events = np.empty(len(t), DECODED)
    for name, column in zip(DECODED.names, (x, y, p, t), strict=True):
        events[name] = column
    return events


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Parts one after another; of none, no events."""
    return np.concatenate(parts) if parts else np.zeros(0, DECODED)


def words(file: BinaryIO, dtype: np.dtype) -> Iterator[np.ndarray]:
    """Words from here to the file's end, some at a time."""
    while len(part := np.fromfile(file, dtype, CHUNK)):
        yield part


def check_whole(path: Path, size: int, unit: int) -> None:
    """Raise QCLIFError where `size` bytes of events are no whole number of units."""
    if size % unit:
        raise QCLIFError(f"{path}: {size} bytes of events, not a multiple of {unit}: it is damaged or cut")


def continued(t: np.ndarray) -> np.ndarray:
    """Times int64 [n] of 32 bits, continued where they begin again."""
    steps = np.diff(t, prepend=t[:1])
    # Events around such a place may be out of order.
    wraps = (steps < NEAR_WRAP - WRAP).astype(np.int64) - (steps > WRAP - NEAR_WRAP)
    return t + (np.cumsum(wraps) << 32)


def unpacked_max(size: int) -> int:
    """Most bytes that a compressed file of `size` bytes may hold: recordings are no smaller, crafted files are."""
    return 2**28 + 100*size


def decode(decoder: str, path: Path, *arguments: object) -> Found:
    """What a library finds in a file, in a process of its own.

    Parameters
    ----------
    decoder : "module:function" of a Decoder of host.common.decoding_process: its facts are sensor_size and notes, its
        arrays events of dtype DECODED in parts.

    Raises
    ------
    QCLIFError : the decoder raised one, or it failed, ended its process, or took too much.
    """
    size = path.stat().st_size
    try:
        parts = decoding_process.decode(decoder, path, *arguments, unpacked=unpacked_max(size),
            cpu_s=CPU_S + size//BYTES_PER_S)
    except decoding_process.DamagedError as error:
        raise QCLIFError(f"{path}: it cannot be decoded ({error}): it is damaged or cut") from error
    facts = dict(fact for part in parts if isinstance(part, dict) for fact in part.items())
    shape = facts.get("sensor_size")
    return Found(joined([part for part in parts if not isinstance(part, dict)]),
        None if shape is None else (int(shape[0]), int(shape[1])), notes=tuple(facts.get("notes", ())))
