# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A picture of a layout, by KLayout's Python package."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from accel.errors import QCLIFError
from targets.asic.layout.lef import NM

PACKAGE = "klayout==0.30.12"

# Of the longer side.
PIXELS = 1000

# Colours that a picture has: few, so that the file is small.
COLOURS = 48

GROUND = "#0c1016"

# What stands for macros, whose insides GDS does not have: a layer of our own, below all others.
MACROS = (1000, 0x3a4350)

# GDS numbers of FreePDK45's layers, from below, with what they are drawn in; fill and labels are left out, and so are
# the straps of the power grid on metal7, which hide what is below.
LAYERS = {
    MACROS[0]: MACROS[1],
    1:  0x5c4a30, # active
    9:  0x9a3c2c, # poly
    11: 0x3f6fd0, # metal1
    13: 0xc04fa0, # metal2
    15: 0x3fa55b, # metal3
    17: 0xd0a030, # metal4
    19: 0x30a8b8, # metal5
    21: 0xd0663a, # metal6
}


def draw(gds: Path, path: Path, macros: Iterable[tuple[int, int, int, int]] = (), pixels: int = PIXELS) -> Path:
    """Draw a layout as PNG.

    Parameters
    ----------
    macros : (left, bottom, right, top) of each, nm.
    pixels : of the longer side.

    Raises
    ------
    QCLIFError : the package is missing, or a file cannot be read or written.
    """
    try:
        from klayout import db, lay
    except ImportError as error:
        raise QCLIFError(f"no picture of the layout: pip install {PACKAGE}") from error
    view  = lay.LayoutView()
    try:
        index = view.load_layout(str(gds), False)
    except RuntimeError as error:
        raise QCLIFError(f"no picture of the layout: {gds} cannot be read: run the stage layout again") from error
    seen  = view.cellview(index)
    own   = seen.layout().layer(MACROS[0], 0)
    for box in macros:
        seen.cell.shapes(own).insert(db.DBox(*(length/NM for length in box)))
    view.clear_layers()
    for number, colour in LAYERS.items():
        layer = lay.LayerProperties()
        layer.source, layer.fill_color, layer.frame_color = f"{number}/0@{index + 1}", colour, colour
        layer.dither_pattern = 0
        layer.visible        = True
        view.insert_layer(view.end_layers(), layer)
    view.max_hier()
    for option in ("cell-box-visible", "text-visible", "grid-visible"):
        view.set_config(option, "false")
    view.set_config("background-color", GROUND)
    box: db.DBox = seen.cell.dbbox()
    view.zoom_box(box)
    scale = pixels/max(box.width(), box.height())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        view.save_image(str(path), max(1, round(box.width()*scale)), max(1, round(box.height()*scale)))
        with Image.open(path) as image:
            few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    except (OSError, RuntimeError) as error:
        raise QCLIFError(f"{path}: cannot be written ({error}): choose another --output-dir") from error
    return path
