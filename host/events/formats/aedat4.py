# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of DV: AEDAT 4 (.aedat4), decoded in a process of their own, which some damaged files end."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.events.event_array import normalise
from host.events.sample import Sample


def read_aedat4(path: Path) -> Iterator[Sample]:
    """The first event stream of an AEDAT 4 file."""
    # A missing file is not the decoder's to report.
    with open(path, "rb"):
        pass
    program = f"import sys; from {__name__} import decode; decode(sys.argv[1])"
    child = subprocess.run([sys.executable, "-c", program, str(path.resolve())], capture_output=True, cwd=ROOT)
    if child.returncode:
        last = child.stderr.decode(errors="replace").strip().splitlines() or ["it ended the decoder"]
        raise QCLIFError(f"{path}: not a readable AEDAT 4 file ({last[-1]}): check the file")
    output = io.BytesIO(child.stdout)
    size, events = np.load(output), np.load(output)
    yield Sample(path.stem, normalise(events, str(path)), sensor_size=tuple(size.tolist()))


def decode(path: str) -> None:
    """Write sensor size [2] and events of the file's first event stream to stdout, as numpy files; for a process of its
    own."""
    import aedat

    decoder = aedat.Decoder(path)
    streams = {key: value for key, value in decoder.id_to_stream().items() if value["type"] == "events"}
    if not streams:
        sys.exit("it has no stream of events")
    first  = min(streams)
    empty  = np.empty(0, [("t", np.uint64), ("x", np.uint16), ("y", np.uint16), ("on", bool)])
    events = np.concatenate([empty, *(packet["events"].astype(empty.dtype) for packet in decoder
        if packet["stream_id"] == first)])
    output = io.BytesIO()
    np.save(output, np.array([streams[first]["width"], streams[first]["height"]], np.int64))
    np.save(output, events)
    sys.stdout.buffer.write(output.getvalue())
