# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of jAER and of simulators: AEDAT 2 (.aedat, .aedat2).

Decoded here: faery does not read it, and tonic's reader (1.7.0) stops at its own header and takes frames and IMU
samples for events.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.chips import CHIPS, DAVIS, DVS, SECOND, Chip, Layout, chip_named
from host.events.formats.found import Found, check_whole, continued, decoded, joined, words
from host.events.reading import Reading

# Lines of text: an event may begin with a "#", too. jAER's end-of-header line is the last where it is.
LINE = re.compile(rb"#[\t\x20-\x7e\x80-\xff]*\r?\n")
END  = re.compile(rb"#\s*End Of (ASCII )?Header", re.IGNORECASE)

HEADER_BYTES = 2**20

# Address and time.
WORDS = np.dtype((">u4", 2))

# Pixels that external inputs of a DVS128 come from at most, one an input; a second camera has more.
INPUTS_MAX = 4


def read_aedat2(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an AEDAT 2 file: x, y and polarity as its address words have them.

    What is up and left in the scene, the words do not tell: jAER shows x from the right and y from below.
    """
    with open(path, "rb") as file:
        head  = file.read(HEADER_BYTES)
        size  = file.seek(0, 2)
        start = header_end(head, size)
        check_whole(path, size - start, WORDS.itemsize)
        # Twice over the file: which camera it is of is known at the end.
        file.seek(start)
        seen = Addresses()
        for part in words(file, WORDS):
            seen.add(part[:, 0].astype(np.uint32))
        named = re.search(rb"AEChip:\s*(\S+)", head[:start])
        chip  = choose_chip(path, named[1].decode("latin-1") if named else None, seen, reading)
        mask, wanted = which_camera(path, named[1].decode("latin-1") if named else "", chip.layout, seen, reading)
        file.seek(start)
        events, times = [], []
        for part in words(file, WORDS):
            address, time = part.astype(np.uint32).T
            pixel = address & (chip.layout.other | mask) == wanted
            events.append(pixels(address[pixel], chip.layout))
            times.append(time[pixel].astype(np.int64))
    events = joined(events)
    events["t"] = continued(np.concatenate(times)) if times else 0
    yield Found(events, chip.size)


def header_end(head: bytes, size: int) -> int:
    """Where the events begin, in a file of `size` bytes that begins with `head`.

    Lines of text are the header up to jAER's end-of-header line. Where that is missing, a first event may look like one
    more line: the last line is where a whole number of events is left.
    """
    ends, place = [], 0
    while (line := LINE.match(head, place)) is not None:
        place = line.end()
        ends.append(place)
        if END.match(line[0]):
            return place
    whole = [end for end in ends if (size - end) % WORDS.itemsize == 0]
    return (whole or ends or [0])[-1]


class Addresses:
    """What the address words of a file have in common, part by part: which layouts and sizes they fit."""
    def __init__(self) -> None:
        self.largest  = {DVS: (-1, -1), DAVIS: (-1, -1)}
        self.bits     = {DVS: 0, DAVIS: 0}
        self.first    = {DVS: 0, DAVIS: 0}
        self.pixels   = 0
        self._seconds = np.zeros(SECOND, bool)

    def add(self, address: np.ndarray) -> None:
        """Take in address words uint32 [n]."""
        for layout in self.bits:
            pixel = address[address & layout.other == 0]
            found = [(pixel >> shift) & mask for shift, mask in (layout.x, layout.y)]
            self.largest[layout] = tuple(max(int(column.max(initial=0)), before) if len(pixel) else before
                for column, before in zip(found, self.largest[layout], strict=True))
            bad = pixel[pixel & layout.forbidden != 0]
            if len(bad) and not self.first[layout]:
                self.first[layout] = int(bad[0])
            self.bits[layout] |= int(np.bitwise_or.reduce(pixel, initial=0)) & layout.forbidden
        self.pixels += len(address)
        self._seconds[address[(address & SECOND != 0) & (address & DVS.other == 0)] & (SECOND - 1)] = True

    @property
    def seconds(self) -> int:
        """Pixels of a second camera of the DVS layout."""
        return int(self._seconds.sum())

    def fit(self, chip: Chip) -> bool:
        """Whether all words may be a chip's."""
        inside = all(value < size for value, size in zip(self.largest[chip.layout], chip.size, strict=True))
        return not self.bits[chip.layout] and inside


def choose_chip(path: Path, named: str | None, seen: Addresses, reading: Reading) -> Chip:
    """The camera of a file: the one that its header names, else the one that was asked for.

    Raises
    ------
    QCLIFError : none, or the words do not fit it.
    """
    key    = chip_named(named) if named else None
    fits   = [name for name, each in CHIPS.items() if seen.fit(each)]
    choice = f"give --chip ({', '.join(fits)} would fit) or --sensor-size W H" if fits else \
        "none that is known would fit: it is damaged, or of another camera"
    if key and reading.chip not in (None, key):
        raise QCLIFError(f"{path}: recorded by {named}, --chip {reading.chip} is another: leave the option out")
    key = key or reading.chip
    if named and not key and reading.sensor_size is None:
        raise QCLIFError(f"{path}: recorded by {named}, known chips are {', '.join(CHIPS)}: {choice}")
    if not key and reading.sensor_size is not None:
        # Words that fit the shorter layout are of no other: in the longer one, all would be of the first pixels.
        layout = DAVIS if seen.bits[DVS] else DVS
        size   = CHIPS["DVS128"].size if layout == DVS and max(reading.sensor_size) > 128 else reading.sensor_size
        chip, name = Chip(size, layout), "--sensor-size"
    else:
        # jAER's first recordings name none: they are of the DVS128, whose words are shorter than all others'.
        chip, name = CHIPS[key or "DVS128"], key or "DVS128, which files without AEChip are taken for"
    if not seen.fit(chip):
        bits  = seen.bits[chip.layout]
        which = f"address 0x{seen.first[chip.layout]:08x}" if bits else \
            "addresses up to x {}, y {}".format(*seen.largest[chip.layout])
        raise QCLIFError(f"{path}: {which}, beyond {name} ({chip.size[0]}x{chip.size[1]}): {choice}")
    return chip


def which_camera(path: Path, named: str, layout: Layout, seen: Addresses, reading: Reading) -> tuple[int, int]:
    """(mask, value) of the address bits that tell the camera to read; a pair of cameras is never read as one.

    Raises
    ------
    QCLIFError : there are two, and none was chosen, or there is no such camera.
    """
    second = layout == DVS and seen.seconds > INPUTS_MAX
    if layout != DVS and "stereo" in named.lower():
        raise QCLIFError(f"{path}: recorded by {named}, a pair of cameras whose addresses are not known: export one of "
            f"them")
    if not second and "stereo" not in named.lower():
        if reading.camera:
            raise QCLIFError(f"{path}: of one camera, --camera {reading.camera} is not there: leave the option out")
        return (SECOND, 0) if layout == DVS else (0, 0)
    if reading.camera is None:
        how = named or f"{seen.seconds} pixels have bit 15 set"
        raise QCLIFError(f"{path}: of two cameras, {how}: choose one with --camera 0 (left) or --camera 1 (right)")
    if reading.camera > 1:
        raise QCLIFError(f"{path}: --camera {reading.camera}, there are 0 (left) and 1 (right): choose one of them")
    return SECOND, SECOND*reading.camera


def pixels(address: np.ndarray, layout: Layout) -> np.ndarray:
    """Events of address words uint32 [n], without times."""
    x, y, p = ((address >> shift).astype(np.int32) & mask for shift, mask in (layout.x, layout.y, layout.polarity))
    return decoded(x, y, p, np.zeros(len(address), np.int64))
