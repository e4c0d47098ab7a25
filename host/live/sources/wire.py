# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events as bytes, as they come over sockets and pipes; what is cut, broken or outside of the sensor is counted.

The binary formats are those of faery's UDP streams, by its names. Its receiver is not used: it passes over datagrams
that are out of order without a word, and its queue has no limit.
"""

from collections.abc import Callable, Iterable

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import ALIASES, EVENT, TIME_MAX, event_array
from host.events.formats.found import WRAP, continued
from host.live.sources.source import NO_EVENTS, check_sensor

BINARY, COMPACT, TEXT = "t64_x16_y16_on8", "t32_x16_y15_on1", "text"

# Records of the binary formats, little-endian; the second holds y in the bits 15 to 1 of its last field, ON in bit 0.
RECORDS = {
    BINARY:  np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")]),
    COMPACT: np.dtype([("t", "<u4"), ("x", "<u2"), ("yp", "<u2")]),
}

FORMATS = (*RECORDS, TEXT)

# A line that is longer is none.
LINE_MAX = 1024

# Where none of so many records is an event of the sensor, the sender means something else.
PATIENCE = 1000

# Separators of text become blanks.
_BLANKS = bytes.maketrans(b",;\t\r", b"    ")


class Inside:
    """Leaves out the events that lie outside of a sensor, and counts them.

    Parameters
    ----------
    sensor_size : (W, H) in pixels.
    name : of the source, in messages.
    counts : its `outside_events` is counted up.
    note : called with a line at the first one.
    """
    def __init__(self, sensor_size: tuple[int, int], name: str, counts: dict[str, int],
            note: Callable[[str], None]) -> None:
        self._size   = sensor_size
        self._name   = name
        self._counts = counts
        self._note   = note
        counts.update(outside_events=0)

    def of(self, events: np.ndarray) -> np.ndarray:
        """Those of events [n], with integer fields x, y, p and t, that lie in the sensor, as dtype EVENT."""
        x, y   = events["x"], events["y"]
        inside = (x >= 0) & (x < self._size[0]) & (y >= 0) & (y < self._size[1])
        if not inside.all():
            if not self._counts["outside_events"]:
                first = int(np.argmin(inside))
                self._note("{}: an event at ({}, {}) lies outside of the sensor, {}x{} pixels: it is left out, and "
                    "counted as all that follow; take a network for this sensor".format(self._name, x[first], y[first],
                    *self._size))
            self._counts["outside_events"] += int(np.count_nonzero(~inside))
            events = events[inside]
        return events.astype(EVENT, copy=False)


class Wire:
    """Decodes one stream.

    Parameters
    ----------
    format : one of FORMATS.
    sensor_size : (W, H) in pixels.
    name : of the stream, in messages.
    counts : its `broken` (records that are none, or cut) and `outside_events` are counted up.
    note : called with a line at the first of each kind.
    """
    def __init__(self, format: str, sensor_size: tuple[int, int], name: str, counts: dict[str, int],
            note: Callable[[str], None]) -> None:
        self._format = format
        self._size   = sensor_size
        self._name   = name
        self._counts = counts
        self._note   = note
        self._left   = b""
        # An overlong line goes on.
        self._skips  = False
        self._good   = 0
        # Latest time of 32 bits, continued.
        self._latest: int | None = None
        self._inside = Inside(sensor_size, name, counts, note)
        counts.update(broken=0)

    def stream(self, data: bytes) -> np.ndarray:
        """Events [n] of dtype EVENT that are whole with these bytes; t in us, in any order.

        Raises
        ------
        QCLIFError : nothing of what has come up to now is an event.
        """
        data = self._left + data
        if self._format == TEXT:
            data = self._shortened(data)
        whole, self._left = self._divided(data)
        return self._decoded(whole)

    def messages(self, data: Iterable[bytes]) -> np.ndarray:
        """Events of messages, each of which stands alone; the rest as stream()."""
        found = []
        for message in data:
            whole, left = self._divided(message)
            found.append(whole)
            if self._format == TEXT:
                found.append(left + b"\n")
            elif left:
                self._cut(left)
        return self.stream(b"".join(found))

    def end(self) -> np.ndarray:
        """Events of what is left where no more bytes come: a last line without its end; half a record is broken."""
        left, self._left, self._skips = self._left, b"", False
        if self._format == TEXT:
            return self._decoded(left)
        if left:
            self._cut(left)
        return NO_EVENTS

    def _divided(self, data: bytes) -> tuple[bytes, bytes]:
        """Whole records or lines, and the rest."""
        end = data.rfind(b"\n") + 1 if self._format == TEXT else \
            len(data) - len(data) % RECORDS[self._format].itemsize
        return data[:end], data[end:]

    def _cut(self, left: bytes) -> None:
        self._broken(1, f"{len(left)} bytes are left at the end, an event has {RECORDS[self._format].itemsize}")

    def _decoded(self, data: bytes) -> np.ndarray:
        t, x, y, p = self._lines(data) if self._format == TEXT else self._records(data)
        events = self._inside.of(event_array(x, y, p, t))
        self._good += len(events)
        refused = self._counts["broken"] + self._counts["outside_events"]
        if not self._good and refused >= PATIENCE:
            raise QCLIFError("{}: none of the first {} records is an event of {} in a sensor of {}x{} pixels: choose "
                "another --wire, or a network for the sender's sensor".format(self._name, refused, self._format,
                *self._size))
        return events

    def _records(self, data: bytes) -> tuple[np.ndarray, ...]:
        records = np.frombuffer(data, RECORDS[self._format])
        if self._format == COMPACT:
            t = records["t"].astype(np.int64)
            if len(t):
                before = int(t[0]) if self._latest is None else self._latest
                t = continued(np.concatenate([[before % WRAP], t]))[1:] + (before - before % WRAP)
                self._latest = int(t[-1])
            return t, records["x"], records["yp"] >> 1, records["yp"] & 1
        good = (records["p"] <= 1) & (records["t"] <= TIME_MAX)
        if not good.all():
            bad = records[np.argmin(good)]
            self._broken(int(len(records) - np.count_nonzero(good)), f"a record with t = {bad['t']} and on = "
                f"{bad['p']} is no event")
            records = records[good]
        return records["t"].astype(np.int64), records["x"], records["y"], records["p"]

    def _lines(self, data: bytes) -> tuple[np.ndarray, ...]:
        lines = data.translate(_BLANKS).decode("latin-1").split("\n")
        lines = [line for line in lines if line and not line.isspace() and not line.lstrip().startswith("#")]
        try:
            rows = np.loadtxt(lines, np.int64, ndmin=2) if lines else np.zeros((0, 4), np.int64)
            good = _good_rows(rows)
        except (ValueError, OverflowError):
            good = None
        if good is None or not good.all():
            rows = self._one_by_one(lines)
        t, x, y, p = rows.T
        return t, x, y, p > 0

    def _one_by_one(self, lines: list[str]) -> np.ndarray:
        """Rows of the lines that are good."""
        rows, bad = [], []
        for line in lines:
            try:
                row = np.array([[int(word) for word in line.split()]], np.int64)
                if _good_rows(row).all():
                    rows.append(row)
                    continue
            except (ValueError, OverflowError):
                pass
            bad.append(line)
        if bad and lines[0] is bad[0] and not self._good and self._is_head(bad[0].split()):
            bad.pop(0)
        if bad:
            self._broken(len(bad), f"the line {_shown(bad[0].encode('latin-1'))} is not t,x,y,p in integers, t in us")
        return np.concatenate(rows) if rows else np.zeros((0, 4), np.int64)

    def _is_head(self, words: list[str]) -> bool:
        """Whether a first line names the columns; faery's tells the sensor, too: t,x@128,y@128,on."""
        names, sizes = zip(*(word.partition("@")[::2] for word in words), strict=True)
        if len(names) != 4 or not all(name in ALIASES[field] for name, field in zip(names, "txyp", strict=True)):
            return False
        if sizes[1].isdecimal() and sizes[2].isdecimal():
            check_sensor(self._name, (int(sizes[1]), int(sizes[2])), self._size)
        return True

    def _shortened(self, data: bytes) -> bytes:
        """Without what a line has too much, which is counted once."""
        if self._skips:
            end = data.find(b"\n")
            if end < 0:
                return b""
            data, self._skips = data[end + 1:], False
        if len(data) - (data.rfind(b"\n") + 1) > LINE_MAX:
            self._broken(1, f"a line of more than {LINE_MAX} characters is none")
            data, self._skips = data[:data.rfind(b"\n") + 1], True
        return data

    def _broken(self, count: int, why: str) -> None:
        if not self._counts["broken"]:
            self._note(f"{self._name}: {why} ({self._format}): it is left out, and counted as broken as all that "
                "follow; check the sender, or choose another --wire")
        self._counts["broken"] += count


def _good_rows(rows: np.ndarray) -> np.ndarray:
    """Which rows [n, ...] are t, x, y, p, wherever the pixel is."""
    if rows.shape[1] != 4:
        return np.zeros(len(rows), bool)
    return (np.abs(rows[:, 0]) <= TIME_MAX) & (rows[:, 3] >= -1) & (rows[:, 3] <= 1)


def _shown(line: bytes) -> str:
    return repr(line[:40].decode("latin-1"))
