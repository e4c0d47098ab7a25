# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of Prophesee cameras: EVT2, EVT2.1 and EVT3 (.raw), and DAT (.dat).

DAT is decoded here: faery (0.7.1) refuses the events of the ATIS, with which N-Cars is published, and moves times that
go back up to the latest one without a word.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import SIZE_MAX
from host.events.formats.chips import SYSTEMS, sensor_named
from host.events.formats.evt import EVT2, EVT3, EVT21, EVT21Legacy
from host.events.formats.found import CHUNK, Found, check_whole, continued, decoded, joined, words
from host.events.reading import Reading

# Lines of text; the first word of the events may begin with a "%" too.
HEADER = re.compile(rb"(?:% (?!end\r?\n)[\t\x20-\x7e]*\r?\n)*(?:% end\r?\n)?")
FIELD  = re.compile(r"^% (\S+)[ \t]+([^\r\n]*?)[ \t]*\r?$", re.MULTILINE)

HEADER_BYTES = 2**20

# Fields that name the maker of a camera.
MAKERS = ("integrator_name", "plugin_integrator_name", "camera_integrator_name")

# First system_ID of a camera that sends EVT2.1 words with the lower half first.
FIRST_LITTLE = 0x37

DECODERS = {"2": EVT2, "2.1": EVT21, "3": EVT3}

# Type and size of an event in a DAT file: of pixels, as the ATIS and later sensors give them.
DAT_PIXELS, DAT_BYTES = (0x00, 0x0C), 8


def header_fields(head: bytes) -> tuple[int, dict[str, str]]:
    """Where the events begin, and the header's fields by their names in small letters."""
    text = HEADER.match(head)[0]
    return len(text), {name.lower(): value for name, value in FIELD.findall(text.decode("ascii"))}


def is_dat(head: bytes) -> bool:
    """Whether a file with a header of Prophesee's is a DAT file: its events have one type and size."""
    start, fields = header_fields(head)
    return "evt" not in fields and "format" not in fields and (
        "version" in fields or head[start:start + 2] in [bytes((kind, DAT_BYTES)) for kind in (*DAT_PIXELS, 0x0E)])


def sensor_size(path: Path, fields: dict[str, str]) -> tuple[int, int] | None:
    """Pixels (W, H) that a header tells: in words, or by the camera that it names; None where it does not."""
    told = dict(re.findall(r"(width|height)=(\d+)", fields.get("format", ""))) or fields
    if {"width", "height"} <= told.keys():
        pair = told["width"], told["height"]
    elif "geometry" in fields:
        pair = tuple(fields["geometry"].split("x"))
    else:
        return _known_sensor(fields)
    try:
        width, height = map(int, pair)
    except ValueError:
        width = height = 0
    if not (0 < width <= SIZE_MAX and 0 < height <= SIZE_MAX):
        raise QCLIFError(f"{path}: its header tells a sensor of {' x '.join(pair)} pixels: it is damaged")
    return width, height


def _known_system(fields: dict[str, str]) -> int | None:
    """The system_ID of a camera of Prophesee's; others number theirs as they like."""
    makers = {fields[name] for name in MAKERS if name in fields}
    system = fields.get("system_id", "")
    return int(system) if makers <= {"Prophesee"} and system.isdecimal() and int(system) in SYSTEMS else None


def _known_sensor(fields: dict[str, str]) -> tuple[int, int] | None:
    if (system := _known_system(fields)) is not None:
        return SYSTEMS[system]
    sizes = {size for name in ("plugin_name", "sensor_name") if (size := sensor_named(fields.get(name, "")))}
    return sizes.pop() if len(sizes) == 1 else None


def read_raw(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an EVT2, EVT2.1 or EVT3 file."""
    with open(path, "rb") as file:
        start, fields = header_fields(file.read(HEADER_BYTES))
        named   = fields.get("evt") or fields.get("format", "").split(";")[0].removeprefix("EVT")
        version = {"21": "2.1"}.get(named, named.removesuffix(".0"))
        if version not in DECODERS:
            raise QCLIFError(f"{path}: encoding {'EVT' + named if named else 'not named in the header'}: EVT2, EVT2.1 "
                f"and EVT3 can be read ('% evt 2.0', '% evt 2.1' or '% evt 3.0'); convert the file")
        decoder = DECODERS[version]
        size    = file.seek(0, 2) - start
        check_whole(path, size, decoder.dtype.itemsize)
        if decoder is EVT21:
            file.seek(start)
            decoder = _evt21(path, fields, np.fromfile(file, decoder.dtype, CHUNK))
        file.seek(start)
        decoder, parts, padding = decoder(), [], 0
        for part in words(file, decoder.dtype):
            events, filled, unknown = decoder.decode(part)
            if unknown >= 0:
                raise QCLIFError(f"{path}: word 0x{int(part[unknown]):0{2*decoder.dtype.itemsize}x} is of no type of "
                    f"EVT{version}: it is damaged")
            parts.append(events)
            padding += filled
    notes = (f"{path}: {padding} padding words (0x9999) passed over",) if padding else ()
    yield Found(joined(parts), sensor_size(path, fields), notes=notes)


def _evt21(path: Path, fields: dict[str, str], words: np.ndarray) -> type[EVT21]:
    """The decoder for the order in which a file has the halves of its words."""
    order = re.search(r"endianness=(\w+)", fields.get("format", ""))
    named = (order[1] if order else fields.get("endianness", "")).lower()
    if named in ("legacy", "little"):
        return EVT21Legacy if named == "legacy" else EVT21
    system = _known_system(fields)
    if not named and system is not None:
        # OpenEB's rule.
        return EVT21Legacy if system < FIRST_LITTLE else EVT21
    if not named:
        # A high time comes before all events, and nothing stands in its other half.
        possible = [each for each in (EVT21, EVT21Legacy) if each.begins(words) and each().decode(words).unknown < 0]
        if len(possible) == 1 or not len(words):
            return (*possible, EVT21)[0]
    raise QCLIFError(f"{path}: EVT2.1 words in the order {named or 'that its header does not tell'}: write "
        f"'% endianness little' or '% endianness legacy' (IMX636) into it")


def read_dat(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of a DAT file."""
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
        start, fields = header_fields(head)
        kind = head[start:start + 2]
        if len(kind) < 2:
            raise QCLIFError(f"{path}: it ends inside its header: it is damaged or cut")
        if kind[0] not in DAT_PIXELS or kind[1] != DAT_BYTES:
            raise QCLIFError(f"{path}: events of type 0x{kind[0]:02x} and {kind[1]} bytes, those of pixels are 0x00 or "
                f"0x0c and {DAT_BYTES}: it is damaged, or of triggers")
        version = fields.get("version", "1")
        if version not in ("1", "2"):
            raise QCLIFError(f"{path}: DAT version {version}: 1 and 2 can be read; convert the file")
        size = file.seek(0, 2) - start - 2
        check_whole(path, size, DAT_BYTES)
        file.seek(start + 2)
        parts = []
        for part in words(file, np.dtype(("<u4", 2))):
            time, address = part.T.astype(np.int64)
            if version == "2":
                parts.append(decoded(address & 0x3FFF, address >> 14 & 0x3FFF, address >> 28, time))
            else:
                parts.append(decoded(address & 0x1FF, address >> 9 & 0xFF, address >> 17 & 1, time))
    events = joined(parts)
    events["t"] = continued(events["t"])
    yield Found(events, sensor_size(path, fields))
