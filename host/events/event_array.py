# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""DVS events in one form: a structured array (x, y, p, t), t in microseconds and not decreasing."""

import numpy as np

from accel.errors import QCLIFError

EVENT = np.dtype([("x", np.uint16), ("y", np.uint16), ("p", np.uint8), ("t", np.int64)])

# Names that programs give to the same field.
ALIASES = {
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "on", "pol", "polarity", "polarities"),
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
}

COORDINATE_MAX = 2**15 - 1

# Differences of times stay within 64 bits.
TIME_MAX = 2**62


def event_array(x: np.ndarray, y: np.ndarray, p: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Structured array of columns [n] as a decoder has them, in integers wide enough for what normalise() refuses."""
    columns = dict(zip(EVENT.names, np.broadcast_arrays(x, y, p, t), strict=True))
    events  = np.empty(len(columns["t"]), [(name, np.int64) for name in columns])
    for name, column in columns.items():
        events[name] = column
    return events


def _field(events: np.ndarray, name: str, what: str) -> np.ndarray:
    found = next((alias for alias in ALIASES[name] if alias in events.dtype.names), None)
    if found is None:
        raise QCLIFError(f"{what}: field {name} is missing, there are {', '.join(events.dtype.names)}: "
            f"events need x, y, p and t")
    column = events[found]
    if column.dtype.kind not in "iub":
        raise QCLIFError(f"{what}: field {name} is of type {column.dtype}: integers are needed "
            f"(t in microseconds)")
    return column


def _check_range(column: np.ndarray, name: str, high: int, what: str, remedy: str) -> None:
    # Compared before any cast, which would wrap what is out of range.
    bad = np.flatnonzero((column < 0) | (column > high))
    if len(bad):
        raise QCLIFError(f"{what}: {name} of event {bad[0]} is {int(column[bad[0]])}, the limits are 0 to "
            f"{high}: {remedy}")


def check_coordinates(events: np.ndarray, sensor_size: tuple[int, int], what: str = "events") -> None:
    """Raise QCLIFError where an event lies outside of the sensor (W, H)."""
    for name, size in zip("xy", sensor_size, strict=True):
        _check_range(events[name], name, size - 1, what,
            f"the sensor is {sensor_size[0]}x{sensor_size[1]}; take a network for the recording's sensor")


def normalise(events: np.ndarray, what: str = "events") -> np.ndarray:
    """Events as an array of dtype EVENT, checked.

    Parameters
    ----------
    events : structured array [n] with integer fields x, y (0 to 32767), p (0, 1 or booleans) and t (us).
    what : how an error names the recording.

    Raises
    ------
    QCLIFError : no events, a field missing or out of its range, times that go back.
    """
    events = np.asarray(events)
    if events.dtype.names is None or events.ndim != 1:
        raise QCLIFError(f"{what}: array {list(events.shape)} of {events.dtype}: a one-dimensional "
            f"structured array with the fields x, y, p and t is needed")
    columns = {name: _field(events, name, what) for name in EVENT.names}
    if not len(events):
        raise QCLIFError(f"{what}: the recording is empty: at least 1 event is needed")
    _check_range(columns["x"], "x", COORDINATE_MAX, what, "check the decoding of the file")
    _check_range(columns["y"], "y", COORDINATE_MAX, what, "check the decoding of the file")
    _check_range(columns["p"], "p", 1, what, "map OFF to 0 and ON to 1")
    far = np.flatnonzero((columns["t"] > TIME_MAX) | (columns["t"] < -TIME_MAX))
    if len(far):
        raise QCLIFError(f"{what}: t of event {far[0]} is {columns['t'][far[0]]} us, the limits are +-{TIME_MAX}: "
            f"check the decoding of the file")
    result = np.empty(len(events), EVENT)
    for name, column in columns.items():
        result[name] = column
    back = np.flatnonzero(result["t"][1:] < result["t"][:-1])
    if len(back):
        before, after = result["t"][back[0]:back[0] + 2]
        raise QCLIFError(f"{what}: times go back at event {back[0] + 1}, from {before} to {after} us: "
            f"sort the events by t; --repair does it where they are only slightly out of order")
    return result


def check_division(offsets: np.ndarray, labels: np.ndarray, events: np.ndarray, what: str) -> None:
    """Raise QCLIFError where offsets [S+1] do not divide events [n] into recordings, or labels are not one each."""
    if offsets[0] != 0 or offsets[-1] != len(events) or (np.diff(offsets) < 0).any():
        raise QCLIFError(f"{what}: offsets must ascend from 0 to the number of events, {len(events)}: write one "
            f"offset more than there are recordings")
    if len(labels) != len(offsets) - 1:
        raise QCLIFError(f"{what}: {len(labels)} labels for {len(offsets) - 1} recordings: give one each")
