# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a floorplan has to know of LEF: sizes of macros, the site of the cells, names of pins."""

import re
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError

# Lengths are whole nanometres, so that grids are exact.
NM = 1000

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
        uses   = {pin: _POWER.search(inner) for pin, inner in _PIN.findall(body)}
        supply = {use: tuple(pin for pin, found in uses.items() if found and found[1] == use)
            for use in ("POWER", "GROUND")}
        macros[name] = LefMacro(name, width, height, kind[1] if kind else "",
            tuple(pin for pin, found in uses.items() if not found), supply["POWER"], supply["GROUND"])
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
