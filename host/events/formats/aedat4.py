# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of DV: AEDAT 4 (.aedat4), decoded by the package aedat.

It reads 5 million events a second. So does its successor faery (0.7.1), which moves times that go back up to the latest
one without a word; here they are refused. Damaged files make either panic, take 3 GB or 10 seconds: it has a process of
its own.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.found import Found, decode, decoded
from host.events.reading import Reading


def read_aedat4(path: Path, reading: Reading) -> Iterator[Found]:
    """The stream of events of an AEDAT 4 file, or the one that was chosen of several."""
    yield decode(f"{__name__}:decode_aedat4", path, reading.camera)


def decode_aedat4(path: Path, name: str, camera: int | None) -> Iterator[dict | np.ndarray]:
    """A Decoder of host.common.decoding_process."""
    import aedat

    decoder = aedat.Decoder(path)
    streams = {number: stream for number, stream in sorted(decoder.id_to_stream().items())
        if stream["type"] == "events"}
    if not streams:
        others = ", ".join(sorted({stream["type"] for stream in decoder.id_to_stream().values()})) or "nothing"
        raise QCLIFError(f"{name}: it has no stream of events, only {others}: record events, too")
    if len(streams) > 1 and camera is None:
        sizes = ", ".join(f"{each['width']}x{each['height']}" for each in streams.values())
        raise QCLIFError(f"{name}: {len(streams)} streams of events ({sizes}), as of two cameras or of a filter: "
            f"choose one with --camera 0 to {len(streams) - 1}")
    if (camera or 0) >= len(streams):
        raise QCLIFError(f"{name}: {len(streams)} streams of events, --camera {camera} is not there: give 0 to "
            f"{len(streams) - 1}")
    number, stream = list(streams.items())[camera or 0]
    yield {"sensor_size": (stream["width"], stream["height"])}
    for packet in decoder:
        if packet["stream_id"] == number:
            events = packet["events"]
            yield decoded(events["x"], events["y"], events["on"], events["t"].astype(np.int64))
