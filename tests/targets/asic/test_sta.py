# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Timing: slacks that arithmetic tells, and paths in the design's own terms."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import CORNERS
from targets.asic.platform.tiling import Memory, tile
from targets.asic.rtl.sram import wrapper_verilog
from targets.asic.sta import timing as sta
from targets.asic.sta.timing import IO_FRACTION, register
from targets.asic.synth.recipes import RECIPES
from targets.asic.synth.synthesis import map_design
from tests.helpers.memory_checks import GATE
from tests.helpers.small_designs import contents, counter, opensta, pipeline, rtl, yosys

SMALL = RECIPES[0]

# Slack is printed to a femtosecond.
DIGITS = 2e-6


def config(period: float) -> AsicConfig:
    return AsicConfig("neuron", frequency_mhz=1000/period)


@pytest.fixture(scope="module")
def neuron(pdk, tmp_path_factory):
    """The neuron's pipeline as a netlist."""
    opensta()
    folder = tmp_path_factory.mktemp("pipeline")
    return map_design(config(10), pipeline(folder/"rtl"), pdk, folder, yosys(), SMALL)


@pytest.fixture
def timed(pdk, tmp_path):
    """Function that times a netlist at a period."""
    return lambda netlist, period=10.0, corner="typ": sta.time(config(period), netlist, pdk, tmp_path, corner)


def synthesised(pdk, folder, texts, top, **options):
    opensta()
    source = rtl(folder/"rtl", texts, top, modules=dict.fromkeys(texts, "some logic"), **options)
    return map_design(config(10), source, pdk, folder, yosys(), SMALL)

# Slack ---------------------------------------------------------------------------------------------

def test_slack_between_registers_falls_with_the_period(neuron, timed):
    # At these periods, inputs and outputs are not what limits.
    first, *others = [timed(neuron, period) for period in (2.0, 1.0, 0.5)]
    assert [other.slack_ns for other in others] == pytest.approx([first.slack_ns - 1, first.slack_ns - 1.5], abs=DIGITS)
    assert others[1].slack_ns < 0 < first.slack_ns


def test_inputs_and_outputs_have_a_part_of_the_period(pdk, tmp_path, timed):
    texts = {"ends": "module ends (input sys_clk, input [63:0] a, output reg x, output z);\n"
        "  always @(posedge sys_clk) x <= a[0];\n  assign z = ^a;\nendmodule\n"}
    netlist = synthesised(pdk, tmp_path, texts, "ends")
    # Through: what is before and what is behind is taken from the period.
    slow, fast = timed(netlist, 10.0), timed(netlist, 5.0)
    start, end = slow.path[0], slow.path[-1]
    assert start.stage.startswith("a[") and end.stage == "z" and start.cell == end.cell == "port"
    assert slow.slack_ns - fast.slack_ns == pytest.approx((1 - 2*IO_FRACTION)*5, abs=DIGITS)
    delay = slow.path[-1].arrival_ns - IO_FRACTION*10
    assert slow.slack_ns == pytest.approx((1 - 2*IO_FRACTION)*10 - delay, abs=DIGITS)
    assert slow.fmax_mhz == pytest.approx(1000*(1 - 2*IO_FRACTION)/delay, rel=1e-3)


@pytest.mark.parametrize("period", (10.0, 1.0))
def test_the_highest_frequency_is_met_and_none_above(neuron, timed, period):
    timing = timed(neuron, period)
    limit  = 1000/timing.fmax_mhz
    assert abs(timed(neuron, limit).slack_ns) < 1e-4
    assert timed(neuron, limit*1.01).slack_ns > 0 > timed(neuron, limit*0.99).slack_ns
    # The same, whatever the frequency that was asked for.
    assert timing.fmax_mhz == pytest.approx(timed(neuron, 3.0).fmax_mhz, rel=1e-4)


def test_hold_slack_does_not_depend_on_the_period(neuron, timed):
    slack = timed(neuron, 10.0).hold_slack_ns
    # Of the shortest path between registers: clock to output of a flip-flop, one gate at least.
    assert 0 < slack < 0.2
    assert timed(neuron, 1.0).hold_slack_ns == slack


def test_corners_are_in_order(pdk, neuron, timed):
    if pdk.corners.keys() != CORNERS.keys():
        pytest.skip(f"{pdk.folder} has no Liberty for all corners: set FREEPDK45_HOME, or --download-pdk")
    slow, typ, fast = (timed(neuron, 10.0, name) for name in ("slow", "typ", "fast"))
    assert slow.fmax_mhz < typ.fmax_mhz < fast.fmax_mhz
    assert slow.slack_ns < typ.slack_ns < fast.slack_ns
    assert slow.hold_slack_ns > typ.hold_slack_ns > fast.hold_slack_ns

# Path ----------------------------------------------------------------------------------------------

def test_the_slowest_path_is_told_by_registers(neuron, timed):
    # At this period, inputs and outputs are not what limits.
    timing = timed(neuron, 2.0)
    start, end = timing.path[0], timing.path[-1]
    assert re.fullmatch(r"(v_apical1|gated)\[\d+\]", start.stage) and re.fullmatch(r"product\[\d+\]", end.stage)
    assert start.pin == f"{start.stage}_reg/CK" and start.cell == "DFF_X1" and start.arrival_ns == 0
    assert end.pin == f"{end.stage}_reg/D"
    assert all(one.arrival_ns <= other.arrival_ns for one, other in pairwise(timing.path))
    assert {point.stage for point in timing.path[2:-1]} == {"AC, MU, SC, TC"}
    # What is left of the period is the flip-flop's.
    assert 0 < 2.0 - timing.slack_ns - end.arrival_ns < 0.1


def test_modules_and_macros_are_told_apart(pdk, tmp_path, timed):
    memory = Memory("words", 64, (32,))
    tiling = tile(memory, {name: each for name, each in pdk.macros.items() if each.depth == 64 and each.width == 32})
    texts  = {"words": wrapper_verilog(tiling, GATE), "top": """
        module top (input sys_clk, input [5:0] a, input r, w, input [31:0] d, output reg [31:0] q);
        wire [31:0] read; reg [5:0] address;
        words one (.clk(sys_clk), .read_adr(address), .read_en(r), .write_adr(address), .write_en(w), .write_data(d),
            .read_data(read));
        always @(posedge sys_clk) begin q <= read + q; address <= address ^ a; end
        endmodule"""}
    timing = timed(synthesised(pdk, tmp_path, texts, "top", macros=tiling.macros), 0.5)
    assert re.fullmatch(r"one\.macro_\w+", timing.path[0].stage) and timing.path[-1].stage == "q[31]"
    macro = next(iter(tiling.macros))
    assert [point.cell for point in timing.path[:2]] == [macro]*2
    assert timing.path[1].arrival_ns >= pdk.macros[macro].access_ns
    assert "some logic" in {point.stage for point in timing.path}


def test_a_macro_cannot_be_clocked_faster_than_it_can_take(pdk, tmp_path):
    memory = Memory("words", 64, (32,))
    macro  = next(each for each in pdk.macros.values() if (each.depth, each.width) == (64, 32))
    tiling = tile(memory, {macro.name: macro})
    source = {"words": wrapper_verilog(tiling, GATE)}
    result = synthesised(pdk, tmp_path, source, "words", macros=tiling.macros, clock="clk")
    slow   = replace(pdk, macros={macro.name: replace(macro, min_period_ns=40.0)})
    timing = sta.time(config(10), result, slow, tmp_path, "typ")
    assert timing.fmax_mhz == 25.0 and timing.slack_ns == -30.0


MANY = 40


def test_two_of_many_equal_modules_have_the_timing_of_all(pdk, tmp_path, timed):
    # Each takes one bit of all others, and ports of its own.
    texts = {
        "many": f"""module many (input sys_clk, input go, input [{8*MANY - 1}:0] d, output [{MANY - 1}:0] q);
            genvar n;
            generate for (n = 0; n < {MANY}; n = n + 1) begin : unit
                one it (.clk(sys_clk), .go(go), .all(q), .d(d[8*n +: 8]), .q(q[n]));
            end endgenerate
            endmodule""",
        "one": f"""module one (input clk, input go, input [{MANY - 1}:0] all, input [7:0] d, output reg q);
            reg [7:0] sum;
            always @(posedge clk) begin if (go) sum <= sum + (all & d) + (all >> 8); q <= ^sum; end
            endmodule""",
    }
    part  = synthesised(pdk, tmp_path, texts, "many")
    whole = replace(part, excerpt=None, loads={})
    assert part.flops == 9*MANY and len(part.loads) > 0
    assert contents(part.netlist)["many"]["one"] == MANY
    assert contents(part.excerpt)["many"]["one"] == 2 and contents(part.excerpt)["many"]["one_registers"] == MANY - 2
    assert contents(part.excerpt)["one_registers"] == {"DFF_X1": 1}
    # To a picosecond: what stands for pins has the same load for both edges.
    for period in (10.0, 0.5):
        of_part, of_whole = timed(part, period), timed(whole, period)
        assert of_part.slack_ns == pytest.approx(of_whole.slack_ns, abs=1e-3)
        assert of_part.hold_slack_ns == pytest.approx(of_whole.hold_slack_ns, abs=1e-3)
        assert of_part.fmax_mhz == pytest.approx(of_whole.fmax_mhz, rel=1e-3)
        assert [point.cell for point in of_part.path] == [point.cell for point in of_whole.path]


@pytest.mark.parametrize("instance, name", (
    ("product[3]_reg", "product[3]"), ("population/pipeline/product[3]_reg", "population.pipeline.product[3]"),
    (r"a\[0\]_reg", "a[0]"), ("synapses/soma/macro_0_0_64_0", "synapses.soma.macro_0_0_64_0"), ("spike_reg", "spike")))
def test_names_of_registers(instance, name):
    assert register(instance) == name

# Errors --------------------------------------------------------------------------------------------

def test_a_design_without_registers_has_no_timing(pdk, tmp_path, timed):
    texts   = {"none": "module none (input sys_clk, output y);\n  assign y = 1'b0;\nendmodule\n"}
    netlist = synthesised(pdk, tmp_path, texts, "none")
    with pytest.raises(QCLIFError, match="none has no path that a clock ends"):
        timed(netlist)


def test_a_netlist_that_cannot_be_read(neuron, timed, tmp_path):
    (tmp_path/"bad.v").write_text(neuron.netlist.read_text().replace("DFF_X1", "DFF_X1 (", 1))
    with pytest.raises(QCLIFError, match=r"OpenSTA .* fails on sta_typ.tcl: .*; its log is .*sta_typ\.log") as caught:
        timed(replace(neuron, netlist=tmp_path/"bad.v"))
    assert "\n" not in str(caught.value) and "bad.v" in str(caught.value)
    with pytest.raises(QCLIFError, match=r"OpenSTA .*(cannot read|absent\.v)"):
        timed(replace(neuron, netlist=tmp_path/"absent.v"))


def test_a_corner_that_is_not_there(pdk, neuron, tmp_path):
    few = replace(pdk, corners={"typ": pdk.corner("typ")})
    with pytest.raises(QCLIFError, match=r"corner slow \(0.95 V, 125 C\): .* has Liberty for typ only"):
        sta.time(config(10), neuron, few, tmp_path, "slow")


def test_without_opensta(neuron, timed, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("OPENSTA_EXE", "OPENROAD_EXE"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(QCLIFError, match="sudo apt-get install opensta"):
        timed(neuron)


def test_a_clock_of_another_name(pdk, tmp_path, timed):
    opensta()
    source = replace(counter(tmp_path/"rtl"), clock="clk")
    with pytest.raises(QCLIFError, match="counter has no port clk for its clock"):
        map_design(config(10), source, pdk, tmp_path, yosys(), SMALL)
