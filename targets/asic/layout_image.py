#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""A picture of a layout, by KLayout's Python package."""

from pathlib import Path

from host.errors import QCLIFError

PACKAGE = "klayout==0.30.12"

PIXELS = 2000

# GDS numbers of FreePDK45's layers, from below, with what they are drawn in; fill and labels are left out.
LAYERS = {
    1:  0x5c4a30, # active
    9:  0x9a3c2c, # poly
    11: 0x3f6fd0, # metal1
    13: 0xc04fa0, # metal2
    15: 0x3fa55b, # metal3
    17: 0xd0a030, # metal4
    19: 0x30a8b8, # metal5
    21: 0xd0663a, # metal6
    23: 0x8a5fd0, # metal7
    25: 0x9fb040, # metal8
}


def draw(gds: Path, path: Path, pixels: int = PIXELS) -> Path:
    """Draw a layout as PNG.

    Parameters
    ----------
    pixels : of the longer side.

    Raises
    ------
    QCLIFError : the package is missing, or the file cannot be written.
    """
    try:
        from klayout import db, lay
    except ImportError as error:
        raise QCLIFError(f"no picture of the layout: pip install {PACKAGE}") from error
    view  = lay.LayoutView()
    index = view.load_layout(str(gds), False)
    view.clear_layers()
    for number, colour in LAYERS.items():
        layer = lay.LayerProperties()
        layer.source, layer.fill_color, layer.frame_color = f"{number}/0@{index + 1}", colour, colour
        layer.dither_pattern = 0
        layer.transparent    = True
        layer.visible        = True
        view.insert_layer(view.end_layers(), layer)
    view.max_hier()
    for option in ("cell-box-visible", "text-visible", "grid-visible"):
        view.set_config(option, "false")
    view.set_config("background-color", "#ffffff")
    box: db.DBox = view.cellview(index).cell.dbbox()
    view.zoom_box(box)
    scale = pixels/max(box.width(), box.height())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        view.save_image(str(path), max(1, round(box.width()*scale)), max(1, round(box.height()*scale)))
    except (OSError, RuntimeError) as error:
        raise QCLIFError(f"{path}: cannot be written ({error}): choose another --output-dir") from error
    return path
