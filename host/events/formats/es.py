# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings in the Event Stream format (.es), decoded by faery.

It reads 7 million events a second, turns the origin from below to the top, and refuses what is damaged, but for an end
inside of an event. Times cannot go back in this format; in others it moves those up to the latest one without a word.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.found import Found, decode, decoded
from host.events.reading import Reading

SIGNATURE = b"Event Stream"

# Signature, version, type and size; an event after that, without its overflow bytes. A DVS event holds up to 126 us in
# itself, the rest in bytes of 127 us each, which have the value 0xFF; those of 0xFE stand for nothing.
HEADER_BYTES, EVENT_BYTES, OVERFLOW_US = len(SIGNATURE) + 8, 5, 127
OVERFLOWS, NOTHING = b"\xff\xfe", 0xFE

DVS = 1


def read_es(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an ES file of type DVS, or the change events of one of type ATIS."""
    yield decode(f"{__name__}:decode_es", path)


def decode_es(path: Path, name: str) -> Iterator[dict | np.ndarray]:
    """A Decoder of host.common.decoding_process."""
    from faery import events_stream_from_file

    # Color and generic streams raise here.
    stream = events_stream_from_file(path, file_type="es")
    yield {"sensor_size": stream.dimensions()}
    used, last = HEADER_BYTES, 0
    for events in stream:
        t = events["t"].astype(np.int64)
        yield decoded(events["x"], events["y"], events["on"], t)
        used += EVENT_BYTES*len(t) + int((np.diff(t, prepend=last)//OVERFLOW_US).sum())
        last  = int(t[-1]) if len(t) else last
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
        file.seek(used)
        left = file.read().lstrip(OVERFLOWS)
    # Another byte begins an event. Of those that stand for nothing, how many there are is not known.
    if head[len(SIGNATURE) + 3] == DVS and left and NOTHING not in path.read_bytes():
        raise QCLIFError(f"{name}: it ends inside an event: it is damaged or cut")
