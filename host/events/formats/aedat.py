# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of jAER and cAER: AEDAT 2 and 3.1 (.aedat)."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import event_array, normalise
from host.events.sample import Sample

HEADER = re.compile(rb"#!AER-DAT(?P<version>\d\.\d)\s*?\r?\n(#[^\n]*\n)*")


class Layout(NamedTuple):
    """Address word of a camera in AEDAT 2, as jAER's chip classes have it: (shift, mask) of each field."""
    size:     tuple[int, int]
    x:        tuple[int, int]
    y:        tuple[int, int]
    polarity: tuple[int, int]
    # Polarity bit of an ON event, and bits that are set in anything but a pixel's event.
    on:       int
    other:    int


# Chip, as the header's AEChip line names it; a file without that line is a DVS128's. jAER counts x from the
# right (seen by the camera) and y from the bottom.
LAYOUTS = {
    "DVS128":   Layout((128, 128), (1,  0x07F), (8,  0x07F), (0,  1), 0, 0xFFFF8000),
    "Davis240": Layout((240, 180), (12, 0x3FF), (22, 0x1FF), (11, 1), 1, 0x80000400),
    "Davis346": Layout((346, 260), (12, 0x3FF), (22, 0x1FF), (11, 1), 1, 0x80000400),
}

# AEDAT 3.1: a packet's header (type, source, event size, offsets of time and overflow, capacity, number,
# valid), and what marks its polarity events.
PACKET        = struct.Struct("<hhiiiiii")
POLARITY_TYPE = 1
POLARITY_SIZE = 8


def read_aedat(path: Path) -> Iterator[Sample]:
    """The recording of an AEDAT 2 or 3.1 file, with the origin at the top left.

    Decoded here: tonic's readers of these files (1.7.0) stop at their own header, skip no frames or IMU samples
    of AEDAT 2, and take every packet of AEDAT 3.1 for polarity events.
    """
    data   = path.read_bytes()
    header = HEADER.match(data)
    if header is None:
        raise QCLIFError(f"{path}: no AEDAT header (#!AER-DAT2.0 or #!AER-DAT3.1): check the file")
    version = header["version"].decode()
    if version == "2.0":
        events, size = _read_aedat2(path, data, header)
    elif version == "3.1":
        events, size = _read_aedat3(path, data, header.end()), None
    else:
        raise QCLIFError(f"{path}: AEDAT {version}: 2.0 and 3.1 can be read; convert the file")
    yield Sample(path.stem, normalise(events, str(path)), sensor_size=size)


def _read_aedat2(path: Path, data: bytes, header: re.Match[bytes]) -> tuple[np.ndarray, tuple[int, int]]:
    chip   = re.search(rb"AEChip:\s*(\S+)", header[0])
    name   = chip[1].decode("latin-1").rsplit(".", 1)[-1] if chip else "DVS128"
    layout = next((each for key, each in LAYOUTS.items() if key.lower() in name.lower()), None)
    if layout is None:
        raise QCLIFError(f"{path}: recorded by {name}, known chips are {', '.join(LAYOUTS)}: convert the file")
    if (len(data) - header.end()) % 8:
        raise QCLIFError(f"{path}: {len(data) - header.end()} bytes of events, not a multiple of 8: it is damaged "
            f"or cut")
    address, time = np.frombuffer(data, ">u4", offset=header.end()).reshape(-1, 2).astype(np.int64).T
    x, y, p = ((address >> shift) & mask for shift, mask in (layout.x, layout.y, layout.polarity))
    width, height = layout.size
    events = event_array(width - 1 - x, height - 1 - y, p == layout.on, time)
    return events[address & layout.other == 0], layout.size


def _read_aedat3(path: Path, data: bytes, start: int) -> np.ndarray:
    words = [np.zeros((0, 3), np.int64)]
    while start < len(data):
        if len(data) - start < PACKET.size:
            raise QCLIFError(f"{path}: it ends inside a packet's header: it is damaged or cut")
        kind, _, size, _, overflow, capacity, number, _ = PACKET.unpack_from(data, start)
        start += PACKET.size
        if size < 1 or not 0 <= number <= capacity or (kind == POLARITY_TYPE and size != POLARITY_SIZE):
            raise QCLIFError(f"{path}: a packet of {number} of {capacity} events of {size} bytes: it is damaged")
        if len(data) - start < size*capacity:
            raise QCLIFError(f"{path}: it ends inside a packet of {capacity} events: it is damaged or cut")
        if kind == POLARITY_TYPE:
            pairs = np.frombuffer(data, "<u4", 2*number, start).reshape(number, 2).astype(np.int64)
            words.append(np.column_stack([pairs, np.full(number, overflow)]))
        start += size*capacity
    address, time, overflow = np.concatenate(words).T
    events = event_array(address >> 17 & 0x7FFF, address >> 2 & 0x7FFF, address >> 1 & 1, time | overflow << 31)
    # Bit 0 marks the events that a filter left valid.
    return events[address & 1 == 1]
