# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Columns of numbers from arrays and text as events: by their names or their order, polarity, and unit of time.

What is recognised here is sure; where two readings are possible, the user is asked.
"""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import ALIASES, COORDINATE_MAX
from host.events.formats.found import decoded
from host.events.reading import TIME_UNITS

# A unit behind a name, as t_us, timestamp_ns, "t [us]" or "time (s)".
UNIT  = re.compile(r"^(.+?)(?:_|\s*[\[(]|\s+)(s|sec|ms|us|usec|µs|μs|ns|nsec)[\])]?$")
UNITS = {"sec": "s", "usec": "us", "µs": "us", "μs": "us", "nsec": "ns"}

# Orders that programs write columns without names in.
ORDERS = ("txyp", "xypt", "xytp")

# Fewer events do not tell what their times count in.
ENOUGH = 16

# Times since 1970 in ns: as us, they would lie in the 52nd century or later.
NS_SINCE_1970 = range(10**17, 2**63)

# What integers in us would hardly be: all of whole ms, of which most hold one event; or longer than a minute with less
# than 1000 events a second, where ns would make it shorter.
DISTINCT_SHARE, LONG_US, SPARSE_HZ = 0.5, 60*10**6, 1000


def column_names(names: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """For each of x, y, p, t that is there: the name it has in `names`, and the unit in that name.

    Raises
    ------
    QCLIFError : two names stand for the same.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for name in names:
        plain = str(name).strip().strip("\"'#").strip().lower()
        match = UNIT.match(plain)
        for key, known in ALIASES.items():
            unit = UNITS.get(match[2], match[2]) if match and key == "t" and match[1] in known else None
            if plain in known or unit:
                if key in found:
                    raise QCLIFError(f"{found[key][0]} and {name} may both be {key}: rename or remove one of them")
                found[key] = (name, unit)
    return found


def events_of_names(columns: Mapping[str, np.ndarray], names: dict[str, tuple[str, str | None]], what: str,
        time_unit: str | None) -> np.ndarray:
    """Events (DECODED) of the columns that column_names() found.

    Raises
    ------
    QCLIFError : one is missing, has no such values, or its unit is not sure.
    """
    missing = [key for key in ALIASES if key not in names]
    if missing:
        raise QCLIFError(f"{what}: {missing[0]} is missing, there are {', '.join(map(str, columns)) or 'none'}: events "
            f"need x, y, p and t")
    x, y, p, t = (columns[names[key][0]] for key in "xypt")
    lengths = {key: np.shape(column) for key, column in zip("xypt", (x, y, p, t), strict=True)}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        shapes = ", ".join(f"{key} {list(shape)}" for key, shape in lengths.items())
        raise QCLIFError(f"{what}: arrays of {shapes} values: one value an event is needed of each")
    return decoded(coordinate(x, "x", what), coordinate(y, "y", what), polarity(p, what),
        microseconds(t, names["t"][1], what, time_unit))


def events_of_order(columns: list[np.ndarray], what: str, time_unit: str | None) -> np.ndarray:
    """Events (DECODED) of four columns without names, in the one known order that their values allow.

    Raises
    ------
    QCLIFError : there are others than four, none or several orders are possible, or the unit of time is not sure.
    """
    if len(columns) != 4:
        raise QCLIFError(f"{what}: {len(columns)} columns without names, four are needed: name them x, y, p and t")
    possible = [order for order in ORDERS if _fits(columns, order)]
    if len(possible) != 1:
        which = " or ".join(", ".join(order) for order in possible) or "no order of x, y, p and t"
        raise QCLIFError(f"{what}: columns without names may be {which}: name them")
    x, y, p, t = (columns[possible[0].index(key)] for key in "xypt")
    # Others keep milliseconds in such arrays: of integers, nothing tells.
    if time_unit is None and _whole(t) and int(t[0]) not in NS_SINCE_1970:
        raise _ask(what, t, "us, ms or ns")
    return decoded(coordinate(x, "x", what), coordinate(y, "y", what), polarity(p, what),
        microseconds(t, None, what, time_unit))


def _fits(columns: list[np.ndarray], order: str) -> bool:
    x, y, p, t = (columns[order.index(key)] for key in "xypt")
    try:
        polarity(p, "")
        for each in (x, y):
            coordinate(each, "", "")
    except QCLIFError:
        return False
    return _number(t) and bool(np.isfinite(t).all()) and bool((np.diff(t) >= 0).all())


def _number(column: np.ndarray) -> bool:
    return column.dtype.kind in "iuf"


def _whole(column: np.ndarray) -> bool:
    """Whether all values are integers, whatever their type."""
    return column.dtype.kind in "iu" or (column.dtype.kind == "f" and bool((np.floor(column) == column).all()))


def coordinate(column: np.ndarray, name: str, what: str) -> np.ndarray:
    """x or y as integers; raises QCLIFError for fractions and for what no sensor has."""
    if not _number(column):
        raise QCLIFError(f"{what}: {name} is of type {column.dtype}: integers are needed")
    bad = np.flatnonzero(~((column >= 0) & (column <= COORDINATE_MAX)))
    if len(bad):
        raise QCLIFError(f"{what}: {name} of event {bad[0]} is {column[bad[0]]}, the limits are 0 to {COORDINATE_MAX}: "
            f"check the decoding of the file")
    if not _whole(column):
        raise QCLIFError(f"{what}: {name} has fractions, as undistorted coordinates have: round them to pixels")
    return column.astype(np.int32)


def polarity(column: np.ndarray, what: str) -> np.ndarray:
    """p as 0 (OFF) and 1 (ON) of 0 and 1, booleans, or -1 and 1; raises QCLIFError for anything else."""
    if column.dtype.kind == "b":
        return column.astype(np.int8)
    allowed = _number(column) and ((column == 0) | (column == 1) | (column == -1))
    if allowed is False or not allowed.all():
        value = "of type " + str(column.dtype) if allowed is False else f"{column[np.flatnonzero(~allowed)[0]]}"
        raise QCLIFError(f"{what}: p is {value}: 0 and 1, or -1 and 1, are needed for OFF and ON")
    if (column == -1).any() and (column == 0).any():
        raise QCLIFError(f"{what}: p is -1, 0 and 1: map OFF to 0 and ON to 1")
    return (column == 1).astype(np.int8)


def microseconds(t: np.ndarray, named: str | None, what: str, given: str | None) -> np.ndarray:
    """Times in us as integers, the nearest ones.

    Parameters
    ----------
    named : unit in the name of the column.
    given : unit that the user gave, which counts first.

    Raises
    ------
    QCLIFError : no numbers, or too large ones; or no unit is given, named or sure.
    """
    if t.dtype.kind in "mM":
        # These know their unit.
        t, named, given = t.astype(f"{t.dtype.kind}8[ns]").astype(np.int64), "ns", None
    if not _number(t):
        raise QCLIFError(f"{what}: t is of type {t.dtype}: numbers are needed")
    if not np.isfinite(t).all():
        raise QCLIFError(f"{what}: t of event {np.flatnonzero(~np.isfinite(t))[0]} is no number: correct it")
    scale = TIME_UNITS[given or named or recognised_unit(t, what)]
    # Neither before nor after the conversion beyond 64 bits.
    if len(t) and max(abs(float(t.max())), abs(float(t.min())))*max(scale, 1) >= 2**62:
        raise QCLIFError(f"{what}: times from {t.min()} to {t.max()} are too large for --time-unit "
            f"{given or named or 'us'}: give another")
    if t.dtype.kind == "f":
        return np.rint(t*scale).astype(np.int64)
    t = t.astype(np.int64)
    return t*int(scale) if scale >= 1 else (t + 500)//1000


def recognised_unit(t: np.ndarray, what: str) -> str:
    """The unit of times that are named nowhere; raises QCLIFError where it is not sure."""
    if not len(t):
        return "us"
    if not _whole(t):
        # Cameras count microseconds: fractions of 1/1000 are us of s, or ms of us; finer ones are of seconds.
        thousandths = t*1e3
        if (np.abs(thousandths - np.rint(thousandths)) > 1e-3).any():
            return "s"
        raise _ask(what, t, "s or ms")
    if int(t.min()) in NS_SINCE_1970:
        return "ns"
    if len(t) >= ENOUGH:
        span    = float(t.max()) - float(t.min())
        rounded = bool((t % 1000 == 0).all())
        if rounded and len(np.unique(t)) > DISTINCT_SHARE*len(t):
            raise _ask(what, t, "us or ns")
        if span > LONG_US and len(t) < SPARSE_HZ*span/1e6:
            raise _ask(what, t, "us or ns")
    return "us"


def _ask(what: str, t: np.ndarray, units: str) -> QCLIFError:
    return QCLIFError(f"{what}: times from {t[0]} to {t[-1]} may be in {units}: say which with --time-unit")
