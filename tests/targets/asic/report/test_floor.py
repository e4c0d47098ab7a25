# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The picture of a layout's modules: what is read of a DEF as OpenROAD writes it, and which colour it gets."""

import pytest
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from accel.errors import QCLIFError
from targets.asic.layout.placement import Placed, Placement, read_placement
from targets.asic.report.floor import ADDED, ADDED_TEXT, MODULES, OTHERS, draw_modules, floor, owners_of
from targets.asic_freepdk45 import layout_images
from targets.netlist.reader import parse_netlist
from tests.helpers.asic_records import complete

TECH = """VERSION 5.8 ;
UNITS
  DATABASE MICRONS 2000 ;
END UNITS
SITE core
  CLASS CORE ;
  SIZE 0.5 BY 2 ;
END core
END LIBRARY
"""

SUPPLIES = """  PIN VDD
    DIRECTION INOUT ;
    USE POWER ;
  END VDD
"""


def cell(name, width, height, kind="CORE", pins=("A", "Z")):
    signals = "".join(f"  PIN {pin}\n    DIRECTION INPUT ;\n  END {pin}\n" for pin in pins)
    return f"MACRO {name}\n  CLASS {kind} ;\n  SIZE {width} BY {height} ;\n{signals}{SUPPLIES}END {name}\n"


CELLS = f"VERSION 5.8 ;\n{cell('BUF', 5, 2)}{cell('FLOP', 10, 2)}{cell('FILL', 5, 2, pins=())}END LIBRARY\n"
RAM   = f"VERSION 5.8 ;\n{cell('ram', 20, 40, 'BLOCK')}END LIBRARY\n"

DEF = r"""VERSION 5.8 ;
DIVIDERCHAR "/" ;
BUSBITCHARS "[]" ;
DESIGN top ;
UNITS DISTANCE MICRONS 2000 ;
DIEAREA ( 0 0 ) ( 200000 100000 ) ;
ROW ROW_0 core 2000 4000 N DO 100 BY 1 STEP 1000 0 ;
COMPONENTS 7 ;
    - FILLER_0_1 FILL + SOURCE DIST + PLACED ( 60000 4000 ) N ;
    - _7_ BUF + PLACED ( 2000 4000 ) N ;
    - clkbuf_0_clock BUF + SOURCE TIMING + PLACED ( 80000 4000 ) FS ;
    - left/_12_ FLOP + PLACED ( 20000 4000 ) FS ;
    - left/store ram + FIXED ( 20000 12000 ) N ;
    - right/reg\[3\] FLOP + PLACED ( 120000 4000 ) N ;
    - right/store ram
      + FIXED ( 120000 12000 ) W ;
END COMPONENTS
PINS 1 ;
    - clock + NET clock + DIRECTION INPUT + USE SIGNAL + PORT + LAYER metal5 ( -140 -140 ) ( 140 140 )
      + PLACED ( 140 3000 ) N ;
END PINS
NETS 1 ;
    - clock ( PIN clock ) ( right/reg\[3\] A ) + USE CLOCK + ROUTED metal5 ( 140 3000 ) ( 3000 * ) via_5_6_1 ;
END NETS
END DESIGN
"""

NETLIST = r"""module top (clock); input clock;
  BUF _7_ (.A(clock));
  part left (.clock(clock));
  other right (.clock(clock));
endmodule
module part (clock); input clock;
  FLOP _12_ (.A(clock));
  ram store (.A(clock));
endmodule
module other (clock); input clock;
  FLOP \reg[3] (.A(clock));
  ram store (.A(clock));
endmodule
"""


@pytest.fixture
def files(tmp_path):
    """A layout's files; the record of a run names them."""
    for name, text in (("top.def", DEF), ("tech.lef", TECH), ("cells.lef", CELLS), ("ram.lef", RAM),
            ("netlist.v", NETLIST)):
        (tmp_path/name).write_text(text)
    return {"layout_def": str(tmp_path/"top.def"), "hierarchy": str(tmp_path/"netlist.v"),
        "lefs": [str(tmp_path/f"{name}.lef") for name in ("tech", "cells", "ram")]}


@pytest.fixture
def placed(files, tmp_path):
    pytest.importorskip("klayout.db", reason="needs KLayout's package: pip install klayout")
    return lambda: read_placement(tmp_path/"top.def", files["lefs"])

# Reading ---------------------------------------------------------------------------------------------

def test_what_stands_where(placed, capfd):
    found = placed()
    assert found.top == "top" and found.die == (0, 0, 100, 50)
    assert {each.name: (each.box, each.macro) for each in found.cells} == {
        "_7_":            ((1, 2, 6, 4), False),
        "clkbuf_0_clock": ((40, 2, 45, 4), False),
        "left/_12_":      ((10, 2, 20, 4), False),
        "left/store":     ((10, 6, 30, 46), True),
        "right/reg[3]":   ((60, 2, 70, 4), False),
        # It lies on its side.
        "right/store":    ((60, 6, 100, 26), True),
    }
    # The package writes its warnings past Python.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name, text, words", [
    ("top.def", "nonsense",                   "top.def: no COMPONENTS"),
    ("top.def", DEF.replace(" BUF ", " INV "), "top.def: cell INV is in no LEF"),
    ("top.def", None,                         "top.def: cannot be read"),
    ("ram.lef", None,                         "ram.lef: cannot be read"),
])
def test_what_cannot_be_read(placed, tmp_path, name, text, words):
    (tmp_path/name).unlink()
    if text is not None:
        (tmp_path/name).write_text(text)
    with pytest.raises(QCLIFError, match=words) as error:
        placed()
    assert "\n" not in str(error.value)

# Colours ---------------------------------------------------------------------------------------------

def test_modules_of_a_flat_layout():
    assert owners_of(parse_netlist(NETLIST, "top")) == {"_7_": "top", "left/_12_": "part", "left/store": "part",
        "right/reg[3]": "other", "right/store": "other"}


def faces(figure):
    """Colours of the cells and of the macros, in the placement's order, and the legend's by their texts."""
    cells, macros = ([to_hex(colour) for colour in each.get_facecolors()] for each in figure.axes[0].collections)
    legend, = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    return cells, macros, dict(zip(texts, (to_hex(patch.get_facecolor()) for patch in legend.get_patches()),
        strict=True))


def test_colours():
    cells = (Placed("_7_", (0, 0, 1, 2), False), Placed("new", (1, 0, 2, 2), False), Placed("a/x", (2, 0, 3, 2), False),
        Placed("b/x", (3, 0, 9, 2), False), Placed("a/store", (0, 2, 9, 9), True))
    owner = {"_7_": "top", "a/x": "weights", "a/store": "weights", "b/x": "core"}
    found = faces(floor(Placement("top", (0, 0, 10, 10), cells), owner, {"weights": "the weights"}, "title"))
    # The largest module is first; what has no text has its name.
    weights, core, top = MODULES[:3]
    assert found == ([top, ADDED, weights, core], [weights],
        {"the weights": weights, "core": core, "top": top, ADDED_TEXT: ADDED})


def test_small_modules_share_a_colour():
    cells = tuple(Placed(f"{n}", (n, 0, n + 1, 20 - n), False) for n in range(len(MODULES) + 2))
    shown, macros, legend = faces(floor(Placement("top", (0, 0, 20, 20), cells), {each.name: f"m{each.name}"
        for each in cells}, {}, "title"))
    assert shown == [*MODULES, OTHERS, OTHERS] and macros == []
    assert legend == {**{f"m{n}": colour for n, colour in enumerate(MODULES)}, "all others": OTHERS}

# Picture ---------------------------------------------------------------------------------------------

def test_a_picture_of_a_record(placed, files, tmp_path):
    record = {"layout": files, "modules": [{"name": "part", "text": "left half"}]}
    with Image.open(draw_modules(record, "title", tmp_path/"modules.png")) as image:
        pixels = image.convert("RGB").getcolors(1 << 24)
    found = {colour: count for count, colour in pixels}
    assert image.width == 900
    # The two halves have as much of it as each other, and their macros most.
    first, second, top = (found[tuple(round(255*part) for part in to_rgb(colour))] for colour in MODULES[:3])
    assert 0.9 < first/second < 1.1 and first > 20*top


def test_a_run_draws_it_with_the_layout(placed, files, tmp_path):
    record = complete() | {"layout": files, "notes": []}
    assert layout_images(record, tmp_path/"layout.png") == [tmp_path/"layout-modules.png"] and not record["notes"]
    assert (tmp_path/"layout-modules.png").is_file()
    (tmp_path/"netlist.v").unlink()
    assert layout_images(record, tmp_path/"layout.png") == [] and "netlist.v" in record["notes"][0]
    assert layout_images(complete(), tmp_path/"layout.png") == []
