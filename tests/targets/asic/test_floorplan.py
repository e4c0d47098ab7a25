# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Floorplans: macros in the core, on the grid, apart from each other, and room for the cells; and LEF."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from targets.asic.layout.floorplan import ASPECT, MARGIN, SMALLEST, plan, read_lef, read_site, shelve

SITE = (190, 1_400)

LEF = """VERSION 5.7 ;
SITE core
  SIZE 0.19 BY 1.4 ;
  CLASS CORE ;
END core
MACRO INV_X1
  CLASS CORE ;
  SIZE 0.38 BY 1.4 ;
  PIN A
    DIRECTION INPUT ;
    USE SIGNAL ;
  END A
  PIN VDD
    USE POWER ;
  END VDD
END INV_X1
MACRO ram
   CLASS BLOCK ;
   SIZE 43.72 BY 52.84 ;
   PIN d[0]
      PORT
         LAYER metal4 ;
         RECT  17.9725 0.0 18.1125 0.14 ;
      END
   END d[0]
   PIN d[1]
   END d[1]
   PIN gnd
      USE GROUND ;
   END gnd
END    ram
END    LIBRARY
"""

# LEF -----------------------------------------------------------------------------------------------

def test_lef(tmp_path):
    path = tmp_path/"a.lef"
    path.write_text(LEF)
    cells = read_lef(path)
    assert read_site(path) == SITE
    assert {name: (each.width, each.height, each.kind) for name, each in cells.items()} == {
        "INV_X1": (380, 1_400, "CORE"), "ram": (43_720, 52_840, "BLOCK")}
    assert [(each.pins, each.power, each.ground) for each in cells.values()] == [
        (("A",), ("VDD",), ()), (("d[0]", "d[1]"), (), ("gnd",))]


@pytest.mark.parametrize("read, text, words", [
    (read_lef,  "MACRO a\n  CLASS BLOCK ;\nEND a\n", ("MACRO a", "SIZE")),
    (read_site, "MACRO a\nEND a\n",                  ("no SITE",)),
    (read_lef,  None,                                ("cannot be read",)),
])
def test_lef_that_cannot_be(tmp_path, read, text, words):
    path = tmp_path/"a.lef"
    if text is not None:
        path.write_text(text)
    with pytest.raises(QCLIFError) as error:
        read(path)
    assert all(word in str(error.value) for word in ("a.lef", *words))
    assert "\n" not in str(error.value)

# Floorplan -----------------------------------------------------------------------------------------

sizes  = st.tuples(st.integers(5_000, 200_000), st.integers(5_000, 200_000))
groups = st.dictionaries(st.integers(0, 40).map("ram_{}".format), sizes, max_size=12)


@given(groups, st.floats(100, 1e6), st.floats(0.05, 0.95), st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)),
    st.integers(0, 5_000))
def test_floorplan(macros, logic, utilisation, halo, pins):
    found = plan(logic, macros, SITE, utilisation=utilisation, halo=halo, pins=pins)
    left, bottom, right, top = found.core
    assert found.macros.keys() == macros.keys()
    boxes = {name: (x, y, x + macros[name][0], y + macros[name][1]) for name, (x, y) in found.macros.items()}
    for x0, y0, x1, y1 in boxes.values():
        assert left <= x0 - halo[0] and x1 + halo[0] <= right
        assert bottom <= y0 - halo[1] and y1 + halo[1] <= top
    for (a0, b0, a1, b1), (c0, d0, c1, d1) in itertools.combinations(boxes.values(), 2):
        apart_x, apart_y = max(c0 - a1, a0 - c1), max(d0 - b1, b0 - d1)
        # Both halos, less what rounding to the grid may take.
        assert apart_x > 2*halo[0] - SITE[0] or apart_y > 2*halo[1] - SITE[1]
    # Everything is on the grid of the sites, and the die is around the core.
    for value, step in ((left, 0), (right, 0), (bottom, 1), (top, 1), *((x, 0) for x, _ in found.macros.values()),
            *((y, 1) for _, y in found.macros.values())):
        assert value % SITE[step] == 0
    assert found.die[:2] == (0, 0)
    assert min(left, bottom, found.die[2] - right, found.die[3] - top) >= MARGIN
    # The cells, with the halos kept free, fill no more than asked for; and the pins have room.
    room = found.width*found.height - sum((w + 2*halo[0])*(h + 2*halo[1]) for w, h in macros.values())
    assert logic*1e6 <= utilisation*room*(1 + 1e-9)
    assert 2*(found.width + found.height) >= pins*560
    assert max(found.width/found.height, found.height/found.width) < ASPECT*1.1
    assert min(found.width, found.height) >= SMALLEST


@pytest.mark.parametrize("logic, utilisation, pins, most", [
    (10_000, 0.5,  0,     20_500),
    (10_000, 0.95, 0,     11_000),
    (900,    0.6,  0,     1_600),
    (900,    0.6,  1_000, 20_000), # 280 um of the edge on each side.
])
def test_no_larger_than_needed(logic, utilisation, pins, most):
    found = plan(logic, {}, SITE, utilisation=utilisation, pins=pins)
    assert found.width*found.height/1e6 <= most


def test_many_macros_stay_a_compact_core():
    macros = {f"ram_{n}": (152_570, 113_400) for n in range(20)}
    found  = plan(60_000, macros, SITE)
    boxes  = 20*162.57*123.4 + 60_000/0.6
    assert found.width*found.height/1e6 < 1.05*boxes


def test_shelves_are_filled_in_turn():
    found = shelve({"a": (4, 5), "b": (3, 9), "c": (4, 2)}, 8)
    assert (found.width, found.height) == (7, 11)
    assert [(shelf.height, shelf.lefts) for shelf in found.shelves] == [(9, {"b": 0, "a": 3}), (2, {"c": 0})]


@pytest.mark.parametrize("rows, below", [(1, 0), (2, 0), (3, 1), (4, 2), (8, 4)])
def test_cells_stand_between_the_shelves(rows, below):
    """All of the core's width is theirs; the smallest macros are next to them."""
    macros = {f"ram_{row}_{n}": (100_000, 60_000 - 2_800*row) for row in range(rows) for n in range(rows)}
    found  = plan(10_000, macros, SITE, utilisation=0.5)
    spans  = sorted((y, y + macros[name][1]) for name, (_, y) in found.macros.items())
    edges  = [found.core[1], *(edge for span in spans for edge in span), found.core[3]]
    lowest, highest = max(((low, high) for low, high in zip(edges[::2], edges[1::2], strict=True)),
        key=lambda span: span[1] - span[0])
    assert (highest - lowest)*found.width >= 10_000e6/0.5
    assert sum(high <= lowest for _, high in spans) == below*rows
    for beside in (high - low for low, high in spans if low == highest or high == lowest):
        assert beside <= 60_000 - 2_800*(rows - 2)
