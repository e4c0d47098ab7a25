# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Another PDK is a folder: one that never was, with other cells, pins, corners and layers, goes through the flow."""

import json

import pytest

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig
from targets.asic.platform.cells import adder, buffers, latch
from targets.asic.platform.config_mk import read_variables
from targets.asic.platform.pdk import CORNERS, find_pdk
from targets.asic.platform.tiling import Memory
from targets.asic.rtl.flops import clock_gate_model, flops_verilog
from targets.asic.synth.recipes import RECIPES, adders_verilog, recipes
from targets.asic.synth.synthesis import map_design
from targets.asic_freepdk45 import main
from targets.netlist.gates import cell_models_verilog
from tests.helpers.memory_checks import accesses, expected, simulate
from tests.helpers.mini_pdk import LOGIC, mini_pdk
from tests.helpers.needs import needs_iverilog, needs_verilator
from tests.helpers.small_designs import contents, counter, opensta, outputs, pipeline, rtl, yosys

CONFIG = AsicConfig("neuron")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return mini_pdk(tmp_path_factory.mktemp("mini"))


@pytest.fixture(scope="module")
def mini(folder):
    return find_pdk(folder)

# What is read --------------------------------------------------------------------------------------

def test_files_and_cells_are_those_of_its_config(mini, folder):
    assert mini.name == folder.name and list(mini.corners) == ["typ"] and mini.macros == {}
    assert mini.corner("typ").conditions == "1.50 V, 27 C"
    assert mini.tech_lef == folder/"lef"/"mini.tlef" and mini.cell_lef == folder/"lef"/"mini_cells.lef"
    # Driver and load; make's conditions, wildcards and lines that go on are make's own.
    assert (mini.driver, mini.load_ff) == ("mini_buf_2", 5.0)
    assert not {"mini_xnor", "mini_gate_1", "mini_gate_2"} & mini.usable.keys() and "mini_xor" in mini.usable


def test_cells_are_found_by_what_they_do(mini):
    # The strongest is more than eight times the weakest.
    assert [cell.name for cell in mini.buffers] == ["mini_buf_1", "mini_buf_2", "mini_buf_6"]
    # One without a test pin comes before a smaller one.
    assert mini.clock_gate.name == "mini_gate_1" and latch(mini.usable.values()) is None
    assert [(cell.name, *pins) for cell, *pins in (adder(mini.usable.values(), 3), adder(mini.usable.values(), 2))] == [
        ("mini_plus3", "OVER", "SUM"), ("mini_plus2", "OVER", "SUM")]
    assert recipes(mini) == list(RECIPES)


def test_a_library_without_adders_has_recipes_without(tmp_path):
    few = find_pdk(mini_pdk(tmp_path, {name: what for name, what in LOGIC.items() if name != "mini_plus2"}))
    assert adders_verilog(few) == "" and [recipe.name for recipe in recipes(few)] == ["gates", "fast", "fastest"]


def test_names_of_nangate45(pdk):
    """As they stood in this repository when each had its constant."""
    assert [cell.name for cell in pdk.buffers] == ["BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8"]
    assert (pdk.name, pdk.driver, pdk.load_ff) == ("nangate45", "BUF_X1", 3.898)
    assert {name: corner.conditions for name, corner in pdk.corners.items()}.items() <= CORNERS.items()
    assert (pdk.clock_gate.name, latch(pdk.usable.values()).name) == ("CLKGATE_X1", "DLH_X1")
    assert pdk.corner("typ").library.cells.keys() - pdk.usable.keys() <= {"AOI211_X1", "OAI211_X1", "TAPCELL_X1",
        "FILLCELL_X1"}
    assert "HA_X1 add (.A(B[n]), .B(C[n]), .CO(X[n]), .S(Y[n]))" in adders_verilog(pdk)
    assert "FA_X1 add (.A(A[n]), .B(B[n]), .CI(C[n]), .CO(X[n]), .S(Y[n]))" in adders_verilog(pdk)


def test_a_folder_of_nangate45_may_have_a_config_of_its_own(tmp_path):
    (tmp_path/"nangate45").mkdir()
    (tmp_path/"nangate45"/"config.mk").write_text("export ABC_LOAD_IN_FF = 7\nIO_PLACER_H ?= no\n")
    variables = read_variables(tmp_path/"nangate45")
    assert (variables["ABC_LOAD_IN_FF"], variables["IO_PLACER_H"], variables["ABC_DRIVER_CELL"]) == ("7", "metal5",
        "BUF_X1")

# Errors --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("old, new, words", [
    ("mini_buf_2\n", "mini_inv\n", ("ABC_DRIVER_CELL is mini_inv", "no buffer", "correct its config.mk")),
    ("export ABC_DRIVER_CELL", "export DRIVER", ("does not set ABC_DRIVER_CELL", "set it there")),
    ("endif", "", ("config.mk: make cannot read it", "missing 'endif'", "from the flow scripts")),
    ("export LIB_FILES", "export OTHER_FILES", ("no config.mk of the flow scripts with LIB_FILES",)),
    ("_typ.lib", "_other.lib", ("mini_other.lib: cannot be read",)),
])
def test_config_that_cannot_be(tmp_path, old, new, words):
    config = mini_pdk(tmp_path)/"config.mk"
    config.write_text(config.read_text().replace(old, new))
    with pytest.raises(QCLIFError) as error:
        assert find_pdk(tmp_path).buffers
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


def test_a_library_without_a_clock_gate(tmp_path):
    with pytest.raises(QCLIFError, match=r"no cell with clock_gating_integrated_cell latch_posedge in .*mini_typ.lib"):
        assert find_pdk(mini_pdk(tmp_path, gates="")).clock_gate


def test_make_is_missing(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QCLIFError, match=r"make not found, .*: sudo apt-get install make"):
        find_pdk(folder)


def test_names_count_for_what_is_cached(mini, folder, tmp_path):
    other = mini_pdk(tmp_path)/"config.mk"
    assert find_pdk(tmp_path).identity == mini.identity
    other.write_text(other.read_text().replace("mini_xnor*", ""))
    assert find_pdk(tmp_path).identity != mini.identity
    assert buffers({}, "mini_buf_2") == ()

def test_a_corner_that_it_does_not_have(mini):
    with pytest.raises(QCLIFError, match=r"corner slow .* has Liberty for typ only"):
        mini.corner("slow")

# Netlists ------------------------------------------------------------------------------------------

@needs_iverilog
@pytest.mark.parametrize("design", (counter, pipeline))
def test_netlists_do_what_their_sources_do(mini, tmp_path, design):
    source  = design(tmp_path/"rtl")
    result  = map_design(CONFIG, source, mini, tmp_path/"synth", yosys(), RECIPES[0])
    library = mini.corner("typ").library
    (tmp_path/"cells.v").write_text(cell_models_verilog(library, library.cells))
    expected = outputs(result, list(source.sources), tmp_path)
    assert outputs(result, [result.netlist, tmp_path/"cells.v"], tmp_path) == expected
    used = {name for module in contents(result.netlist).values() for name in module}
    assert used <= {*mini.usable, "mini_gate_1", "stage"} and {"mini_plus3", "mini_reg"} <= used


@needs_iverilog
@pytest.mark.parametrize("tested", (False, True))
def test_memories_of_its_flip_flops(mini, tmp_path, tested):
    """Behind its clock gate, with a test pin and without, before synthesis and after it."""
    gates   = mini.corner("typ").library.cells
    gate    = gates["mini_gate_2" if tested else "mini_gate_1"]
    memory  = Memory("memory", 6, (4, 5), banks=2)
    source  = rtl(tmp_path/"rtl", {"memory": flops_verilog(memory, gate)}, "memory", modules={"memory": "words"},
        clock="clk")
    netlist = map_design(CONFIG, source, mini, tmp_path/"synth", yosys(), RECIPES[0]).netlist
    assert contents(netlist)["memory"][gate.name] >= 2*12
    sequence = accesses(memory, 300, both=True)
    for verilog, models in ((source.sources[0], clock_gate_model(gate)),
            (netlist, cell_models_verilog(mini.corner("typ").library, gates))):
        shown, _ = simulate(memory, verilog.read_text() + models, [], sequence, tmp_path)
        for value, text in zip(expected(memory, sequence, "flops"), shown, strict=True):
            assert value is None or int(text, 16) == value


@needs_verilator
def test_the_neuron_from_verilog_to_simulated_gates(folder, tmp_path):
    """By the command that a user types."""
    yosys(), opensta()
    assert main(["--pdk", str(folder), "--design", "neuron", "--until", "gatesim", "--frequency", "20",
        "--output-dir", str(tmp_path)]) == 0
    record = json.loads((tmp_path/"report.json").read_text())
    assert "corner typ (1.50 V, 27 C)" in (tmp_path/"report.md").read_text()
    assert list(record["timing"]) == ["typ"] and record["slack_ns"] > 0
    assert record["gatesim"]["spikes"] > 1000
    assert (record["gatesim"]["mismatches"], record["gatesim"]["state_mismatches"]) == (0, 0)
