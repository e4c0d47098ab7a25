# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is read from a finished layout: its figures, and its picture."""

import json

import pytest

from accel.errors import QCLIFError
from targets.asic.layout.results import GROUND, LAYERS, MACROS, Layout, draw, read_layout

# Figures -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", (None, "{"))
def test_figures_that_are_not_there(tmp_path, text):
    logs = tmp_path/"work"/"logs"/"nangate45"/"top"/"base"
    logs.mkdir(parents=True)
    if text is not None:
        (logs/"6_report.json").write_text(text)
        (logs/"5_2_route.json").write_text(text)
    with pytest.raises(QCLIFError, match="no figures of the layout"):
        read_layout(tmp_path, "nangate45", "top")


def test_figures_in_our_units(tmp_path):
    logs = tmp_path/"work"/"logs"/"nangate45"/"top"/"base"
    logs.mkdir(parents=True)
    (logs/"5_2_route.json").write_text('{"detailedroute__antenna__violating__nets": 1}')
    (logs/"6_report.json").write_text(json.dumps({"finish__power__leakage__total": 2e-6, "finish__timing__fmax": 1.5e9,
        "finish__design__instance__count__stdcell": 12, "finish__design__instance__utilization": 0.5,
        "finish__timing__drv__max_cap": 3, "finish__timing__drv__max_slew": 0,
        "finish__design_powergrid__drop__worst__net:VDD__corner:default": 0.0075}))
    assert read_layout(tmp_path, "nangate45", "top") == Layout(default_power_mw={"leakage": 2e-3}, fmax_mhz=1500.0,
        cells=12, utilisation=0.5, antennas=1, overloads=3, slow_edges=0, vdd_drop_mv=7.5)

# Picture -------------------------------------------------------------------------------------------

def test_picture(tmp_path):
    db = pytest.importorskip("klayout.db", reason="needs KLayout's package: pip install klayout")
    from PIL import Image
    layout = db.Layout()
    top    = layout.create_cell("top")
    top.shapes(layout.layer(11, 0)).insert(db.DBox(0, 0, 10, 20))
    top.shapes(layout.layer(17, 0)).insert(db.DBox(10, 0, 40, 20))
    layout.write(str(tmp_path/"a.gds"))
    top.shapes(layout.layer(17, 0)).clear()
    top.shapes(layout.layer(11, 0)).insert(db.DBox(39, 0, 40, 20))
    layout.write(str(tmp_path/"b.gds"))
    path = draw(tmp_path/"a.gds", tmp_path/"new"/"a.png", [(20_000, 0, 40_000, 10_000)], 400)
    with Image.open(path) as image:
        assert image.size == (400, 200)
        left, right, macro = (image.convert("RGB").getpixel(at) for at in ((50, 100), (250, 50), (250, 150)))
    # Each metal has its own colour, wires are above macros, and the ground is seen where there is nothing.
    ground = tuple(bytes.fromhex(GROUND[1:]))
    assert left == tuple(LAYERS[11].to_bytes(3, "big")) and right == tuple(LAYERS[17].to_bytes(3, "big")) == macro
    with Image.open(draw(tmp_path/"b.gds", tmp_path/"b.png", [(20_000, 0, 40_000, 10_000)], 400)) as image:
        macro, nothing = (image.convert("RGB").getpixel(at) for at in ((250, 150), (250, 50)))
    assert macro == tuple(MACROS[1].to_bytes(3, "big")) and nothing == ground


def test_no_picture_of_what_is_not_there(tmp_path):
    pytest.importorskip("klayout.db", reason="needs KLayout's package: pip install klayout")
    with pytest.raises(QCLIFError, match=r"no.gds cannot be read: run the stage layout again"):
        draw(tmp_path/"no.gds", tmp_path/"a.png")
