# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings as text (.csv, .txt): a line an event, columns by the names in the first line or in a known order.

Decoded here: faery (0.7.1) has to be told columns, unit of time and size, and moves times that go back up to the latest
one without a word.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.columns import column_names, events_of_names, events_of_order
from host.events.formats.found import CHUNK, Found
from host.events.reading import Reading

COMMENT = "#"

# Words for polarities.
WORDS = {"true": 1, "on": 1, "false": 0, "off": 0}

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

SIZED = re.compile(r"[xy]@\d{1,6}")

# Lines in which the first event is looked for, and characters of one.
LINES_MAX, LINE_MAX = 1000, 10_000


class Table(NamedTuple):
    """How a text is laid out.

    Parameters
    ----------
    separator : between columns; None for blanks.
    names : of the columns, None where they have none.
    skip : lines before the first event.
    first : the words of that line; none where there are no events.
    sensor_size : (W, H), from a line of its own.
    """
    separator:   str | None
    names:       list[str] | None
    skip:        int
    first:       list[str]
    sensor_size: tuple[int, int] | None


def layout(lines: Iterator[str]) -> Table | None:
    """The layout of a text that begins with these lines; None where it holds no events."""
    names = size = comment = None
    for number, line in enumerate(islice(lines, LINES_MAX)):
        if len(line) > LINE_MAX:
            return None
        text      = line.strip()
        separator = next((each for each in (",", ";", "\t") if each in text), None)
        found     = [word.strip().strip("\"'") for word in text.split(separator)]
        if not text:
            continue
        if text.startswith(COMMENT):
            words   = [word.strip() for word in text.lstrip(COMMENT).strip().split(separator)]
            comment = words if len(_known(words)) == 4 else comment
            continue
        if all(NUMBER.fullmatch(word) or word.lower() in WORDS for word in found):
            if len(found) == 2 and size is None and names is None and all(word.isdecimal() for word in found):
                # As E2VID's recordings begin.
                size = tuple(map(int, found))
                continue
            # A comment may name the columns.
            names = names or comment
            if len(found) < 4 or (names and len(names) != len(found)) or (names and len(_known(names)) < 4):
                return None
            return Table(separator, names, number, found, size)
        # faery writes the sensor's size behind the names: x@640, y@480.
        sizes = {name[0]: int(name[2:]) for name in found if SIZED.fullmatch(name)}
        found = [name[0] if SIZED.fullmatch(name) else name for name in found]
        # An index of pandas' has no name.
        if names is not None or len(_known(found)) < 4:
            return None
        names = found
        size  = (sizes["x"], sizes["y"]) if len(sizes) == 2 else size
    return None if names is None else Table(None, names, LINES_MAX, [], size)


def _known(names: list[str]) -> dict:
    try:
        return column_names(names)
    except QCLIFError:
        # Named twice: events all the same, and the reader says what is wrong.
        return dict.fromkeys(range(4))


def is_text(head: bytes) -> bool:
    """Whether a file that begins with `head` is a text of events."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        if error.start < len(head) - 3:
            return False
        text = head[:error.start].decode("utf-8-sig")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return False
    return layout(iter(text.splitlines())) is not None


def read_text(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of a text: with names of columns, or four columns in one of the known orders."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            table = layout(file)
        if table is None:
            raise QCLIFError(f"{path}: it holds no lines of four numbers: check the file")
        if not table.first:
            raise QCLIFError(f"{path}: the recording is empty: at least 1 event is needed")
        if table.names is None and len(table.first) != 4:
            raise QCLIFError(f"{path}: {len(table.first)} columns without names, four are needed: put a line of names "
                f"before them, as t,x,y,p")
        events = _events(path, table, reading)
    except (ValueError, OverflowError) as error:
        raise QCLIFError(f"{path}: not a readable text ({' '.join(str(error).split())[:200]}): it is damaged") \
            from error
    yield Found(events, table.sensor_size)


def _events(path: Path, table: Table, reading: Reading) -> np.ndarray:
    names = table.names or [str(number) for number in range(4)]
    try:
        known = column_names(table.names) if table.names else {}
    except QCLIFError as error:
        raise QCLIFError(f"{path}: {error}") from error
    used  = [names.index(known[key][0]) for key in "xypt"] if known else list(range(4))
    # Integers of 64 bits do not fit floating-point numbers; a file that has both is read a second time.
    tries = [{number: np.int64 for number in used}, {number: np.float64 for number in used}]
    for number in used:
        for types in tries:
            if table.first[number].lower() in WORDS:
                types[number] = np.dtype("U8")
    if any(not table.first[number].lstrip("+-").isdecimal() for number in used if tries[0][number] is np.int64):
        del tries[0]
    for types in tries:
        try:
            columns = _columns(path, table, used, types)
            break
        except ValueError:
            if types is tries[-1]:
                raise
    if known:
        return events_of_names({names[number]: column for number, column in columns.items()}, known, str(path),
            reading.time_unit)
    return events_of_order([columns[number] for number in range(4)], str(path), reading.time_unit)


def _columns(path: Path, table: Table, used: list[int], types: dict[int, np.dtype]) -> dict[int, np.ndarray]:
    """Columns by their numbers, read some lines at a time."""
    dtype = np.dtype([(str(number), types[number]) for number in used])
    parts = []
    with open(path, encoding="utf-8-sig") as file:
        for _ in islice(file, table.skip):
            pass
        while True:
            lines = list(islice(file, CHUNK))
            if not lines:
                break
            # Lines of blanks alone make it warn.
            if any(line.strip() and not line.lstrip().startswith(COMMENT) for line in lines):
                parts.append(np.loadtxt(lines, dtype, delimiter=table.separator, usecols=used, ndmin=1,
                    quotechar='"', comments=COMMENT))
    whole = np.concatenate(parts)
    return {number: _numbers(whole[str(number)]) for number in used}


def _numbers(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind != "U":
        return column
    words, places = np.unique(column, return_inverse=True)
    values = [WORDS.get(word.strip("\"'").lower(), -1) for word in words.tolist()]
    if -1 in values:
        raise ValueError(f"polarity {words[values.index(-1)]}")
    return np.array(values)[places]
