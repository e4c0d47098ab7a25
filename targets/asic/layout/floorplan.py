# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where macros stand, and how large the core and the die are; and what there is to know of LEF for it.

Macros stand in shelves, each with a halo around it, tallest first; where there are more than two shelves, every second
one is at the bottom of the core, the others at its top. Cells have what is between, so that no macro is far from them.
The number of shelves is the one that gives the smallest core within the limit of its aspect. All lengths are whole
nanometres on the grid of the cells' site.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isqrt
from pathlib import Path

from accel.errors import QCLIFError

# Nanometres of a micrometre.
NM = 1000

# So many shelves are all at the top.
BANK = 2

# Room for the wires between macros and cells, as part of what the macros take.
WIRES = 0.04

# A core is at most this much wider than high, or higher than wide.
ASPECT = 2.0

# Straps of the power grid need this much to get a pair of each.
SMALLEST = 16_800

# Room between die and core, where the pins are.
MARGIN = 5_000


@dataclass(frozen=True)
class Floorplan:
    """A floorplan; lengths in nm.

    Attributes
    ----------
    die, core : (left, bottom, right, top).
    macros : (left, bottom) of each macro's instance, which stands upright.
    """
    die:    tuple[int, int, int, int]
    core:   tuple[int, int, int, int]
    macros: dict[str, tuple[int, int]]

    @property
    def width(self) -> int:
        """Of the core."""
        return self.core[2] - self.core[0]

    @property
    def height(self) -> int:
        """Of the core."""
        return self.core[3] - self.core[1]


@dataclass(frozen=True)
class Shelf:
    """Macros beside each other, each with its halo: the tallest one's height, and how far from the left each begins."""
    height: int
    lefts:  dict[str, int]


@dataclass(frozen=True)
class Shelves:
    """Shelves from the tallest to the lowest; `width` of the widest, `height` of all."""
    width:   int
    height:  int
    shelves: tuple[Shelf, ...]


def plan(logic_um2: float, macros: Mapping[str, tuple[int, int]], site: tuple[int, int], *, utilisation: float = 0.6,
    halo: tuple[int, int] = (5_000, 5_000), pins: int = 0, pin_pitch: int = 560) -> Floorplan:
    """A floorplan for cells and macros.

    Parameters
    ----------
    logic_um2 : area of all cells.
    macros : width and height of each macro's instance, nm.
    site : width and height of the cells' site, nm.
    utilisation : part of the room for cells that these fill, at most.
    halo : room on each side of a macro, and above and below, nm; cells keep out.
    pins, pin_pitch : pins on the die's edge, and room that each needs there, nm.
    """
    boxes = {name: (width + 2*halo[0], height + 2*halo[1]) for name, (width, height) in macros.items()}
    cells = ceil(logic_um2*1e6/utilisation + WIRES*sum(width*height for width, height in boxes.values()))
    edge  = ceil(pins*pin_pitch/2)
    cores = [_core(shelves, width, cells, edge, site) for shelves in _choices(boxes) for width in (shelves.width,
        isqrt(cells + shelves.width*shelves.height), ceil(edge/(1 + ASPECT)))]
    width, height, shelves = min(cores, key=lambda core: (core[0]*core[1], max(core[:2])))
    left, bottom = (_up(MARGIN, step) for step in site)
    places, floor, ceiling = {}, bottom, bottom + height
    for number, shelf in enumerate(shelves.shelves):
        low = number % 2 and len(shelves.shelves) > BANK
        for name, x in shelf.lefts.items():
            y = _up(floor + halo[1], site[1]) if low else (ceiling - boxes[name][1] + halo[1])//site[1]*site[1]
            places[name] = (left + _up(x + halo[0], site[0]), y)
        if low:
            floor += shelf.height
        else:
            ceiling -= shelf.height
    core = (left, bottom, left + width, bottom + height)
    return Floorplan((0, 0, core[2] + left, core[3] + bottom), core, places)


def shelve(boxes: Mapping[str, tuple[int, int]], width: int) -> Shelves:
    """Boxes in shelves of at most `width`, tallest first; a box that is wider has a shelf of its own."""
    shelves: list[Shelf] = []
    x = used = 0
    for name, (box, height) in sorted(boxes.items(), key=lambda each: (-each[1][1], -each[1][0], each[0])):
        if not shelves or x + box > width:
            x = 0
            shelves.append(Shelf(height, {}))
        shelves[-1].lefts[name] = x
        x   += box
        used = max(used, x)
    return Shelves(used, sum(shelf.height for shelf in shelves), tuple(shelves))


def _choices(boxes: Mapping[str, tuple[int, int]]) -> list[Shelves]:
    """Shelves for every number of boxes beside each other."""
    if not boxes:
        return [Shelves(0, 0, ())]
    widths = sorted((width for width, _ in boxes.values()), reverse=True)
    return [shelve(boxes, sum(widths[:count])) for count in range(1, len(widths) + 1)]


def _core(shelves: Shelves, width: int, cells: int, edge: int, site: tuple[int, int]) -> tuple[int, int, Shelves]:
    """Width and height of the smallest core of about this width, with its shelves. Cells have all of its width: what is
    free between macros of one shelf is too narrow to count."""
    # Rounding a macro's place to the grid may move it by a site.
    least  = (max(shelves.width + site[0], SMALLEST), max(shelves.height + 2*site[1], SMALLEST))
    width  = max(width, least[0])
    height = max(least[1], shelves.height + ceil(cells/width), ceil(width/ASPECT), edge - width)
    return _up(max(width, ceil(height/ASPECT)), site[0]), _up(height, site[1]), shelves


def _up(length: int, step: int) -> int:
    return -(-length//step)*step

# LEF ----------------------------------------------------------------------------------------------

_MACRO = re.compile(r"^\s*MACRO\s+(\S+)(.*?)^\s*END\s+\1\s*$", re.MULTILINE | re.DOTALL)
_SITE  = re.compile(r"^\s*SITE\s+(\S+)(.*?)^\s*END\s+\1\s*$", re.MULTILINE | re.DOTALL)
_SIZE  = re.compile(r"^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)\s*;", re.MULTILINE)
_CLASS = re.compile(r"^\s*CLASS\s+(\w+)", re.MULTILINE)
_PIN   = re.compile(r"^\s*PIN\s+(\S+)(.*?)^\s*END\s+\1\s*$", re.MULTILINE | re.DOTALL)
_POWER = re.compile(r"^\s*USE\s+(POWER|GROUND)\s*;", re.MULTILINE)


@dataclass(frozen=True)
class LefMacro:
    """A cell's or macro's outline.

    Attributes
    ----------
    width, height : nm.
    kind : LEF's CLASS, "" where there is none.
    pins : names of signal pins, buses bit by bit.
    power, ground : names of supply pins.
    """
    name:   str
    width:  int
    height: int
    kind:   str
    pins:   tuple[str, ...]
    power:  tuple[str, ...]
    ground: tuple[str, ...]


def read_lef(path: Path) -> dict[str, LefMacro]:
    """Cells and macros of a file, by name.

    Raises
    ------
    QCLIFError : it cannot be read, or a macro has no size.
    """
    macros = {}
    for name, body in _MACRO.findall(_text(path)):
        width, height = _size(path, f"MACRO {name}", body)
        kind   = _CLASS.search(body)
        uses   = {pin: use[1] if (use := _POWER.search(inner)) else "" for pin, inner in _PIN.findall(body)}
        macros[name] = LefMacro(name, width, height, kind[1] if kind else "",
            *(tuple(pin for pin in uses if uses[pin] == use) for use in ("", "POWER", "GROUND")))
    return macros


def read_site(path: Path, wanted: str | None = None) -> tuple[int, int]:
    """Width and height of a site of a technology LEF, nm.

    Parameters
    ----------
    wanted : its name; None for the first one.

    Raises
    ------
    QCLIFError : it cannot be read, or has no such site.
    """
    for name, body in _SITE.findall(_text(path)):
        if wanted in (None, name):
            return _size(path, f"SITE {name}", body)
    raise QCLIFError(f"{path}: no {' '.join(filter(None, ('SITE', wanted)))} in it: name the technology LEF of a PDK "
        f"folder, or fetch it with --download-pdk")


def _text(path: Path) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be read ({error.strerror}): name a PDK folder that has it, or fetch one with "
            f"--download-pdk") from error


def _size(path: Path, what: str, body: str) -> tuple[int, int]:
    size = _SIZE.search(body)
    if size is None:
        raise QCLIFError(f"{path}: {what} has no SIZE: fetch the file again")
    return round(float(size[1])*NM), round(float(size[2])*NM)
