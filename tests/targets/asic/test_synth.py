# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Synthesis: netlists do what their sources do, and are made of what is told of them."""

import json
import re
from collections import Counter
from types import SimpleNamespace

import pytest

from targets.asic.design import AsicConfig
from targets.asic.platform.tiling import Memory, tile
from targets.asic.rtl.sram import wrapper_verilog
from targets.asic.synth import synthesis
from targets.asic.synth.buffers import FRACTION, BufferTrees
from targets.asic.synth.recipes import CLOCKGATE_VERSION, RECIPES, without_cells
from targets.asic.synth.synthesis import map_design, synthesise
from targets.liberty.power import NO_WIRES
from tests.helpers.memory_checks import GATE
from tests.helpers.needs import needs_iverilog
from tests.helpers.small_designs import (
    cell_models,
    contents,
    counter,
    debian_yosys,
    flat,
    gate_model,
    opensta,
    outputs,
    pipeline,
    rtl,
    yosys,
)

CONFIG = AsicConfig("neuron", frequency_mhz=100)
SMALL, *_, FASTEST = RECIPES

# Areas as the Liberty file has them, read as text.
AREA = re.compile(r"^\s*cell \((\w+)\) \{.*?area\s*:\s*([\d.]+);", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def area(pdk):
    return {name: float(value) for name, value in AREA.findall(pdk.corner("typ").liberty.read_text())}


@pytest.fixture(scope="module")
def two_sums(pdk, tmp_path_factory):
    """The counter, synthesised by the newest Yosys."""
    folder = tmp_path_factory.mktemp("counter")
    return map_design(CONFIG, counter(folder/"rtl"), pdk, folder/"synth", yosys(), SMALL)

@pytest.fixture(scope="module")
def models(pdk, tmp_path_factory):
    """Verilog of the cells: Yosys takes a second to read the library."""
    folder = tmp_path_factory.mktemp("models")
    return [cell_models(pdk.corner("typ").liberty, yosys(), folder), gate_model(folder)]

# What a netlist does -------------------------------------------------------------------------------

@needs_iverilog
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("find", (yosys, debian_yosys))
@pytest.mark.parametrize("design", (counter, pipeline))
def test_netlists_do_what_their_sources_do(pdk, models, tmp_path, find, design, recipe):
    """And none of them has a cell that is hard to route."""
    source    = design(tmp_path/"rtl")
    synthesis = map_design(CONFIG, source, pdk, tmp_path/"synth", find(), recipe)
    expected  = outputs(synthesis, list(source.sources), tmp_path)
    assert outputs(synthesis, [synthesis.netlist, *models], tmp_path) == expected
    assert len(set(expected)) > 150 and not any("x" in line for line in expected)
    assert not flat(contents(synthesis.netlist), synthesis.top).keys() - pdk.usable.keys() - {GATE.name}


@needs_iverilog
def test_a_changed_cell_is_noticed(models, two_sums, tmp_path):
    source = counter(tmp_path/"rtl")
    broken = tmp_path/"broken.v"
    broken.write_text(two_sums.netlist.read_text().replace(" NAND2_X1 ", " NOR2_X1 ", 1))
    expected = outputs(two_sums, list(source.sources), tmp_path)
    assert outputs(two_sums, [broken, *models], tmp_path) != expected

# What a netlist is made of -------------------------------------------------------------------------

def test_areas_and_counts_are_those_of_the_netlist(two_sums, area):
    modules = contents(two_sums.netlist)
    total   = flat(modules, two_sums.top)
    assert two_sums.area_um2 == pytest.approx(sum(area[kind]*number for kind, number in total.items()), abs=1e-6)
    assert two_sums.area_um2 == two_sums.area_logic_um2 and two_sums.area_sram_um2 == 0 and two_sums.macros == {}
    assert two_sums.cells == total.total()
    assert two_sums.flops == sum(number for kind, number in total.items() if kind.startswith("DFF")) == 8 + 2 + 16
    for each in two_sums.modules:
        own = {kind: number for kind, number in modules[each.name].items() if kind not in modules}
        assert each.area_um2 == pytest.approx(sum(area[kind]*number for kind, number in own.items()), abs=1e-6)
        assert each.cells == sum(own.values()) and each.macros == 0
    assert sum(each.area_um2*each.instances for each in two_sums.modules) == pytest.approx(two_sums.area_um2)


def test_modules_that_have_a_name_in_the_design_stay(two_sums):
    assert [(each.name, each.what, each.instances, each.flops) for each in two_sums.modules] == [
        ("counter", "two sums", 1, 10), ("stage", "second sum", 1, 16)]
    assert two_sums.hierarchy == {"counter": {"first": "stage"}, "stage": {}}
    assert two_sums.what("") == "two sums" and two_sums.what("first") == "second sum"


def test_registers_keep_their_names(two_sums):
    text = two_sums.netlist.read_text()
    for name, bits in (("count", 8), ("held", 7), ("last", 8), ("pair", 2)):
        assert sorted(map(int, re.findall(rf"DFF_X1 \\{name}\[(\d+)\]_reg ", text))) == list(range(bits))
    # A register that is a port has the port's.
    assert "DFF_X1 high_reg " in text


def test_old_readers_can_read_it(two_sums):
    assert not re.search(r"\bsigned\b|\bassign\b|\(\*", two_sums.netlist.read_text())


def test_registers_with_an_enable_have_a_clock_gate(two_sums):
    if (tool := yosys()).number < CLOCKGATE_VERSION:
        pytest.skip(f"Yosys {tool.version} has none: pip install pyosys")
    # One for `count`, one for both registers of the stage; two bits are too few.
    assert flat(contents(two_sums.netlist), two_sums.top)["CLKGATE_X1"] == 2
    assert contents(two_sums.netlist)["counter"]["CLKGATE_X1"] == contents(two_sums.netlist)["stage"]["CLKGATE_X1"] == 1


def test_macros_are_black_boxes_with_the_areas_of_their_files(pdk, area, tmp_path):
    memory = Memory("words", 100, (20, 20))
    tiling = tile(memory, {name: each for name, each in pdk.macros.items() if each.depth <= 64})
    text   = """module top (input sys_clk, input [6:0] a, input r, input [1:0] w, input [19:0] d, output [39:0] q);
        words one (.clk(sys_clk), .read_adr(a), .read_en(r), .write_adr(a), .write_en(w), .write_data(d),
            .read_data(q));
        endmodule"""
    source = rtl(tmp_path/"rtl", {"top": text, "words": wrapper_verilog(tiling, GATE)}, "top", macros=tiling.macros,
        modules={"top": "wires", "words": "words"})
    result = map_design(CONFIG, source, pdk, tmp_path, yosys(), SMALL)
    assert result.macros == tiling.macros
    assert result.area_sram_um2 == sum(pdk.macros[name].area_um2*count for name, count in tiling.macros.items()) > 0
    logic = {kind: n for kind, n in flat(contents(result.netlist), "top").items() if kind not in tiling.macros}
    assert result.area_logic_um2 == pytest.approx(sum(area[kind]*number for kind, number in logic.items()))
    assert result.cells == sum(logic.values())
    assert sum(each.macros*each.instances for each in result.modules) == sum(tiling.macros.values())


def test_instances_of_a_module_are_counted_through_all_levels(pdk, tmp_path):
    texts = {
        "top":  "module top (input sys_clk, input [3:0] d, output [7:0] q);\n"
                "  pair a (sys_clk, d, q[3:0]); pair b (sys_clk, ~d, q[7:4]); endmodule\n",
        "pair": "module pair (input clk, input [3:0] d, output [3:0] q);\n"
                "  wire [3:0] x; word a (clk, d, x); word b (clk, x + d, q); endmodule\n",
        "word": "module word (input clk, input [3:0] d, output reg [3:0] q);\n"
                "  always @(posedge clk) q <= d; endmodule\n",
    }
    result = map_design(CONFIG, rtl(tmp_path/"rtl", texts, "top", modules=dict.fromkeys(texts, "x")), pdk, tmp_path,
        yosys(), SMALL)
    assert {each.name: each.instances for each in result.modules} == {"top": 1, "pair": 2, "word": 4}
    assert result.flops == 16

# Buffers -------------------------------------------------------------------------------------------

WIDE = """module wide (input sys_clk, input s, input [399:0] d, output reg [399:0] q);
    reg [1:0] select;
    always @(posedge sys_clk) select <= {select[0], s};
    half low  (sys_clk, select[1], d[199:0], q[199:0]);
    half high (sys_clk, select[1], d[399:200], q[399:200]);
endmodule
"""
HALF = """module half (input clk, input s, input [199:0] d, output reg [199:0] q);
    always @(posedge clk) q <= s ? d : ~q;
endmodule
"""


def loads(netlist: dict, cells: dict, module: str) -> dict[int, float]:
    """Load of each net of a module, those of ports below it included; clocks are not told apart."""
    result = Counter()
    for cell in netlist["modules"][module]["cells"].values():
        inner = netlist["modules"].get(cell["type"])
        below = loads(netlist, cells, cell["type"]) if inner else {}
        for port, bits in cell["connections"].items():
            for n, bit in enumerate(bits):
                if cell["port_directions"][port] == "input":
                    result[bit] += below.get(inner["ports"][port]["bits"][n], 0) if inner else \
                        cells[cell["type"]].pins[port].capacitance_ff
    return result


def test_no_driver_has_more_load_than_it_can_take(pdk, tmp_path):
    source = rtl(tmp_path/"rtl", {"wide": WIDE, "half": HALF}, "wide", modules={"wide": "top", "half": "half"})
    result = map_design(CONFIG, source, pdk, tmp_path, yosys(), SMALL)
    cells  = pdk.corner("typ").library.cells
    # As text, the netlist has them, too.
    netlist = json.loads((tmp_path/"small.json").read_text())
    assert flat(contents(result.netlist), "wide") == Counter(cell["type"] for name, times in (("wide", 1), ("half", 2))
        for cell in netlist["modules"][name]["cells"].values() if cell["type"] != "half" for _ in range(times))
    for name in ("wide", "half"):
        load = loads(netlist, cells, name)
        for cell in netlist["modules"][name]["cells"].values():
            for port, bits in cell["connections"].items():
                if cell["type"] in cells and cell["port_directions"][port] == "output" and port != "GCK":
                    limit = FRACTION*cells[cell["type"]].pins[port].max_capacitance_ff
                    assert all(load[bit] <= limit for bit in bits)
    assert result.buffers > 2


def test_buffers_of_a_netlist_by_hand(pdk):
    cells = pdk.corner("typ").library.cells
    pin   = cells["INV_X1"].pins["A"].capacitance_ff

    def cell(kind, **pins):
        return {"type": kind, "connections": pins, "port_directions": {
            name: "output" if name in ("Z", "ZN", "Q") else "input" for name in pins}}

    def module(cells, ports):
        bits = {bit for each in cells.values() for pins in each["connections"].values() for bit in pins}
        return {"cells": cells, "ports": ports, "netnames": {f"n{bit}": {"bits": [bit]} for bit in bits}}

    inner = {f"i{n}": cell("INV_X1", A=[2], ZN=[10 + n]) for n in range(4)}
    outer = {"drive": cell("INV_X1", A=[2], ZN=[3]), "clock": cell("INV_X1", A=[2], ZN=[4])}
    outer.update({f"m{n}": cell("inner", a=[3]) for n in range(40)})
    outer.update({f"f{n}": cell("DFF_X1", CK=[4], D=[5]) for n in range(400)})
    for each in outer.values():
        each["port_directions"].update({"a": "input"})
    netlist = {"modules": {
        "outer": module(outer, {"x": {"direction": "input", "bits": [2]}, "y": {"direction": "output", "bits": [3]}}),
        "inner": module(inner, {"a": {"direction": "input", "bits": [2]}}),
    }}
    counts = BufferTrees(netlist, cells, NO_WIRES, pdk).counts
    assert counts["inner"] == 0
    load = loads(netlist, cells, "outer")
    assert load[3] <= FRACTION*cells["INV_X1"].pins["ZN"].max_capacitance_ff < 160*pin
    # The clock is left alone, as is the port's net; what was on the net is behind buffers.
    assert load[4] == pytest.approx(400*cells["DFF_X1"].pins["CK"].capacitance_ff)
    assert netlist["modules"]["outer"]["ports"]["y"]["bits"] == [3]
    buffers = [each for each in outer.values() if each["type"] in {cell.name for cell in pdk.buffers}]
    assert len(buffers) == counts["outer"]
    behind = {each["connections"]["Z"][0] for each in buffers}
    assert {outer[f"m{n}"]["connections"]["a"][0] for n in range(40)} <= behind | {3}
    # Data of 400 flip-flops that nothing drives, which is as a port would have it.
    assert {each["connections"]["D"][0] for name, each in outer.items() if name[0] == "f"} <= behind | {5}

# Choice --------------------------------------------------------------------------------------------

SLACKS = {"small": -1.0, "gates": -0.5, "prefix": 0.25, "fast": 0.5, "fastest": -0.75}


@pytest.mark.parametrize("slacks, expected", (
    (SLACKS, "prefix"), (dict.fromkeys(SLACKS, 0.0), "small"), (SLACKS | {"prefix": -2, "fast": -0.25}, "fast")))
def test_the_smallest_that_meets_the_clock_is_taken_else_the_fastest(pdk, tmp_path, monkeypatch, slacks, expected):
    monkeypatch.setattr(synthesis.sta, "time", lambda config, synthesis, *rest: SimpleNamespace(
        slack_ns=slacks[synthesis.recipe]))
    assert synthesise(CONFIG, counter(tmp_path/"rtl"), pdk, tmp_path).recipe == expected


def test_a_clock_that_is_met_by_real_timing(pdk, tmp_path):
    opensta()
    source = pipeline(tmp_path/"rtl")
    stages = []
    slow   = synthesise(AsicConfig("neuron", frequency_mhz=10), source, pdk, tmp_path/"slow", stages.append)
    fast   = synthesise(AsicConfig("neuron", frequency_mhz=650), source, pdk, tmp_path/"fast")
    assert slow.recipe == "small" and len(stages) == 3
    assert fast.recipe != "small" and fast.area_um2 > slow.area_um2


def test_cells_are_cut_out_of_a_liberty():
    text = 'library (x) {\n  cell (A) { area : 1; pin (Z) { timing () { } } }\n  cell ("B") {\n    area : 2; }\n' \
        '  cell (AB) { area : 3; }\n}\n'
    assert "".join(without_cells(text, ("A", "B")).split()) == "library(x){cell(AB){area:3;}}"
    assert without_cells(text, ("C",)) == text
