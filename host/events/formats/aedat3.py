# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of cAER: AEDAT 3.1 (.aedat), as DVS128 Gesture is published.

Decoded here: faery does not read it, and tonic's reader (1.7.0) takes every packet for polarity events.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.chips import CHIPS, chip_named
from host.events.formats.found import Found, decoded, joined
from host.events.reading import Reading

HEADER = re.compile(rb"#!AER-DAT3\.\d[^\n]*\n(?:#(?!!END-HEADER)[^\n]*\n)*(?:#!END-HEADER\r?\n)?")
SOURCE = re.compile(rb"^#\s*Source (\d+):\s*([^\r\n]+)", re.MULTILINE)

HEADER_BYTES = 2**20

# A packet's header: type, source, event size, offsets of time and overflow, capacity, number, valid; and what marks
# its polarity events.
PACKET        = struct.Struct("<hhiiiiii")
POLARITY_TYPE = 1
POLARITY_SIZE = 8


class Packet(NamedTuple):
    """Header of a packet of polarity events, and where its events begin."""
    source:   int
    overflow: int
    number:   int
    place:    int


def read_aedat3(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an AEDAT 3.1 file: its valid polarity events."""
    with open(path, "rb") as file:
        head    = HEADER.match(file.read(HEADER_BYTES))
        if head is None:
            raise QCLIFError(f"{path}: it ends inside its header: it is damaged or cut")
        packets = list(polarity_packets(path, file, head.end()))
        sources = sorted({packet.source for packet in packets})
        source  = choose_source(path, sources, reading)
        events  = joined([polarity_events(file, packet) for packet in packets if packet.source == source])
    names = {int(number): name.decode("latin-1") for number, name in SOURCE.findall(head[0])}
    # Of one source, files give it a number of their own.
    name  = names.get(source) or (next(iter(names.values())) if len(names) == 1 else "")
    chip  = chip_named(name)
    yield Found(events, CHIPS[chip].size if chip else None)


def polarity_packets(path: Path, file: object, start: int) -> Iterator[Packet]:
    """Packets of polarity events from `start` on; others (frames, IMU samples, special events) are passed over."""
    end = file.seek(0, 2)
    while start < end:
        file.seek(start)
        header = file.read(PACKET.size)
        if len(header) < PACKET.size:
            raise QCLIFError(f"{path}: it ends inside a packet's header: it is damaged or cut")
        kind, source, size, _, overflow, capacity, number, _ = PACKET.unpack(header)
        start += PACKET.size
        if size < 1 or not 0 <= number <= capacity or overflow < 0 or (kind == POLARITY_TYPE and size != POLARITY_SIZE):
            raise QCLIFError(f"{path}: a packet of {number} of {capacity} events of {size} bytes: it is damaged")
        if end - start < size*capacity:
            raise QCLIFError(f"{path}: it ends inside a packet of {capacity} events: it is damaged or cut")
        if kind == POLARITY_TYPE and number:
            yield Packet(source, overflow, number, start)
        start += size*capacity


def polarity_events(file: object, packet: Packet) -> np.ndarray:
    """Events of a packet; bit 0 marks those that a filter left valid."""
    file.seek(packet.place)
    pairs = np.frombuffer(file.read(POLARITY_SIZE*packet.number), "<u4").reshape(-1, 2).astype(np.int64)
    address, time = pairs[pairs[:, 0] & 1 == 1].T
    return decoded(address >> 17 & 0x7FFF, address >> 2 & 0x7FFF, address >> 1 & 1, time | packet.overflow << 31)


def choose_source(path: Path, sources: list[int], reading: Reading) -> int | None:
    """The source to read; raises QCLIFError where there are several and none was chosen, or no such one."""
    if len(sources) > 1 and reading.camera is None:
        raise QCLIFError(f"{path}: of {len(sources)} cameras (sources {', '.join(map(str, sources))}): choose one with "
            f"--camera 0 to {len(sources) - 1}")
    camera = reading.camera or 0
    if sources and camera >= len(sources):
        raise QCLIFError(f"{path}: of {len(sources)} cameras, --camera {camera} is not there: give 0 to "
            f"{len(sources) - 1}")
    return sources[camera] if sources else None
