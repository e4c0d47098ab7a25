# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of Prophesee cameras: EVT2 and EVT3 (.raw)."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import normalise
from host.events.formats.evt import decode_evt2, decode_evt3
from host.events.sample import Sample

# Lines of text; the first word of the events may begin with a "%" too.
HEADER   = re.compile(rb"(?:% (?!end\r?\n)[\t\x20-\x7e]*\r?\n)*(?:% end\r?\n)?")
ENCODING = re.compile(rb"^% (?:evt |format EVT)([\d.]+)", re.MULTILINE)
WIDTH    = re.compile(rb"^% (?:geometry |format \S*width=)(\d+)", re.MULTILINE)
HEIGHT   = re.compile(rb"^% (?:geometry \d+x|format \S*height=)(\d+)", re.MULTILINE)

# Encoding, as the header's two styles name it: type of a word, decoder.
EVT2     = (np.dtype("<u4"), decode_evt2)
EVT3     = (np.dtype("<u2"), decode_evt3)
VERSIONS = {"2.0": EVT2, "2": EVT2, "3.0": EVT3, "3": EVT3}


def read_raw(path: Path) -> Iterator[Sample]:
    """The recording of an EVT2 or EVT3 file."""
    data     = path.read_bytes()
    header   = HEADER.match(data)[0]
    encoding = ENCODING.search(header)
    version  = encoding[1].decode() if encoding else None
    if version not in VERSIONS:
        raise QCLIFError(f"{path}: encoding {'EVT' + version if version else 'not named in the header'}: EVT2 "
            f"and EVT3 can be read ('% evt 2.0' or '% evt 3.0'); convert the file")
    dtype, decode = VERSIONS[version]
    body = len(data) - len(header)
    if body % dtype.itemsize:
        raise QCLIFError(f"{path}: {body} bytes of events, not a multiple of {dtype.itemsize}: it is damaged or "
            f"cut")
    events = decode(np.frombuffer(data, dtype, offset=len(header)))
    if events is None:
        raise QCLIFError(f"{path}: a word is of no type of EVT{version}: it is damaged")
    width, height = WIDTH.search(header), HEIGHT.search(header)
    size = (int(width[1]), int(height[1])) if width and height else None
    yield Sample(path.stem, normalise(events, str(path)), sensor_size=size)
