# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where the cells and macros of a layout stand: its DEF and its LEF, read by KLayout's Python package."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from accel.errors import QCLIFError
from targets.asic.layout.floorplan import read_lef
from targets.asic.layout.results import PACKAGE

# (left, bottom, right, top), um.
Box = tuple[float, float, float, float]

# What comes after the components, wires above all, is most of the file.
_HEAD = re.compile(r"\A.*?\bUNITS DISTANCE MICRONS (\d+) ;.*?\bEND COMPONENTS\b", re.DOTALL)

_OUTLINES = (1, 0)


class Placed(NamedTuple):
    """A cell or macro that has signals: path of its instance, names parted by /, place, and whether it is a macro."""
    name:  str
    box:   Box
    macro: bool


@dataclass(frozen=True)
class Placement:
    """What stands where; without fill and tap cells.

    Attributes
    ----------
    top : name of the design.
    """
    top:   str
    die:   Box
    cells: tuple[Placed, ...]


def read_placement(layout_def: Path, lefs: Sequence[Path]) -> Placement:
    """Read a layout's DEF.

    Parameters
    ----------
    lefs : of the technology, the cells and the macros.

    Raises
    ------
    QCLIFError : the package is missing, a file cannot be read or holds no placement, or a cell is in no LEF.
    """
    try:
        from klayout import db
    except ImportError as error:
        raise QCLIFError(f"no picture of the modules: pip install {PACKAGE}") from error
    outlines = {name: outline for lef in lefs for name, outline in read_lef(lef).items()}
    try:
        head = _HEAD.match(layout_def.read_text())
    except OSError as error:
        raise QCLIFError(f"{layout_def}: cannot be read ({error.strerror}): run the stage layout again") from error
    if head is None:
        raise QCLIFError(f"{layout_def}: no COMPONENTS of a DEF in it: run the stage layout again")
    options = db.LoadLayoutOptions()
    config  = options.lefdef_config
    for kind in ("blockages", "fills", "labels", "lef_labels", "lef_pins", "obstructions", "pins",
            "placement_blockages", "regions", "routing", "special_routing", "via_geometry"):
        setattr(config, f"produce_{kind}", False)
    config.dbu                    = 1/int(head[1])
    config.read_lef_with_def      = False
    config.lef_files              = [str(path) for path in lefs]
    # LEF alone, also of cells that have a layout elsewhere.
    config.macro_resolution_mode  = 1
    config.cell_outline_layer     = "{}/{}".format(*_OUTLINES)
    config.instance_property_name = "name"
    layout = db.Layout()
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder)/layout_def.name
        short.write_text(f"{head[0]}\nEND DESIGN\n")
        layout.read(str(short), options)
    top, layer = layout.top_cell(), layout.layer(*_OUTLINES)
    found      = [(each, outlines.get(each.cell.name)) for each in top.each_inst()]
    if unknown := [each.cell.name for each, outline in found if outline is None]:
        raise QCLIFError(f"{layout_def}: cell {unknown[0]} is in no LEF: take the PDK that the layout was made with")
    return Placement(top.name, _box(top.dbbox(layer)), tuple(
        Placed(each.property("name"), _box(each.dbbox(layer)), outline.kind == "BLOCK") for each, outline in found
        if outline.pins))


def _box(box: object) -> Box:
    return box.left, box.bottom, box.right, box.top
