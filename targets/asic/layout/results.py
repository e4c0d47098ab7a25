# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What came out of the flow scripts: figures in our units, files, and a picture by KLayout's Python package."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from accel.errors import QCLIFError
from targets.asic.layout.floorplan import NM
from targets.asic.layout.flow_files import results_folder

# Figure: file, key and factor to our unit.
_REPORT = "6_report.json"
_KEYS = {
    "area_um2":       (_REPORT, "finish__design__instance__area", 1.0),
    "area_logic_um2": (_REPORT, "finish__design__instance__area__stdcell", 1.0),
    "area_sram_um2":  (_REPORT, "finish__design__instance__area__macros", 1.0),
    "die_um2":        (_REPORT, "finish__design__die__area", 1.0),
    "core_um2":       (_REPORT, "finish__design__core__area", 1.0),
    "utilisation":    (_REPORT, "finish__design__instance__utilization", 1.0),
    "cells":          (_REPORT, "finish__design__instance__count__stdcell", 1),
    "slack_ns":       (_REPORT, "finish__timing__setup__ws", 1.0),
    "hold_slack_ns":  (_REPORT, "finish__timing__hold__ws", 1.0),
    "fmax_mhz":       (_REPORT, "finish__timing__fmax", 1e-6),
    "wire_um":        ("5_2_route.json", "detailedroute__route__wirelength", 1.0),
    "drc_errors":     ("5_2_route.json", "detailedroute__route__drc_errors", 1),
    "antennas":       ("5_2_route.json", "detailedroute__antenna__violating__nets", 1),
    "overloads":      (_REPORT, "finish__timing__drv__max_cap", 1),
    "slow_edges":     (_REPORT, "finish__timing__drv__max_slew", 1),
    "vdd_drop_mv":    (_REPORT, "finish__design_powergrid__drop__worst__net:VDD__corner:default", 1e3),
    "vss_drop_mv":    (_REPORT, "finish__design_powergrid__drop__worst__net:VSS__corner:default", 1e3),
}
_POWER = {
    "leakage":   "finish__power__leakage__total",
    "internal":  "finish__power__internal__total",
    "switching": "finish__power__switching__total",
    "total":     "finish__power__total",
}
_FILES = {"gds": "6_final.gds", "layout_def": "6_final.def", "netlist": "6_final.v", "spef": "6_final.spef"}


@dataclass(frozen=True)
class Layout:
    """A finished layout; what the flow scripts do not tell is None.

    Attributes
    ----------
    area_um2, area_logic_um2, cells : with tap cells, without fill.
    die_um2, core_um2 : of the rectangles.
    utilisation : part of the core that cells and macros fill.
    slack_ns, hold_slack_ns : with the wires' resistance and capacitance, in the typical corner.
    default_power_mw : at the activity that OpenROAD assumes, not at a recording's.
    wire_um : length of all wires.
    drc_errors : of the router's own check.
    antennas : nets that charge a gate by more than it bears while they are made.
    overloads, slow_edges : pins that drive more than Liberty allows them, and pins whose edges are slower.
    vdd_drop_mv, vss_drop_mv : what the power grid drops where it is worst, at `default_power_mw`.
    macros : (left, bottom, right, top) of each macro's instance, nm.
    hierarchy : the netlist that was laid out, with its modules.
    lefs : of the technology, the cells and the macros.
    """
    area_um2:         float | None = None
    area_logic_um2:   float | None = None
    area_sram_um2:    float | None = None
    die_um2:          float | None = None
    core_um2:         float | None = None
    utilisation:      float | None = None
    cells:            int | None = None
    slack_ns:         float | None = None
    hold_slack_ns:    float | None = None
    fmax_mhz:         float | None = None
    default_power_mw: dict[str, float] = field(default_factory=dict)
    wire_um:          float | None = None
    drc_errors:       int | None = None
    antennas:         int | None = None
    overloads:        int | None = None
    slow_edges:       int | None = None
    vdd_drop_mv:      float | None = None
    vss_drop_mv:      float | None = None
    gds:              Path | None = None
    layout_def:       Path | None = None
    netlist:          Path | None = None
    spef:             Path | None = None
    macros:           dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    hierarchy:        Path | None = None
    lefs:             tuple[Path, ...] = ()

    @property
    def files(self) -> list[Path]:
        """Those that there are."""
        return [path for name in _FILES if (path := getattr(self, name)) is not None]


def read_layout(folder: Path, platform: str, top: str) -> Layout:
    """What is below a layout's folder.

    Raises
    ------
    QCLIFError : the layout did not get to its report.
    """
    logs    = folder/results_folder("logs", platform, top)
    results = folder/results_folder("results", platform, top)
    tables  = {name: _read(logs/name) for name in {file for file, _, _ in _KEYS.values()}}
    values  = {name: type(factor)(tables[file][key]*factor) for name, (file, key, factor) in _KEYS.items()
        if key in tables[file]}
    power   = {name: tables[_REPORT][key]*1e3 for name, key in _POWER.items() if key in tables[_REPORT]}
    files   = {name: results/file for name, file in _FILES.items() if (results/file).is_file()}
    return Layout(**values, default_power_mw=power, **files)


def _read(path: Path) -> dict[str, float]:
    """Figures of a step; where a key is there twice, the last one counts. Some are no numbers."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise QCLIFError(f"{path}: no figures of the layout ({error}): run the stage layout again") from error
    return {key: value for key, value in content.items() if isinstance(value, int | float)}

# Picture ------------------------------------------------------------------------------------------

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
