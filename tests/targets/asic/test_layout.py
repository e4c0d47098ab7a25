# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Layout: what the flow scripts are given, how they are run, and what is read from them."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig, Rtl
from targets.asic.layout.floorplan import plan
from targets.asic.layout.flow_files import STRAP_STEP, config_mk, constraint_sdc, pdn_tcl, strap_pitch
from targets.asic.layout.layout import prepare, run
from targets.asic.layout.tools import missing_tool, scripts_digest
from targets.asic.platform.config_mk import read_variables
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk, find_pdk
from targets.asic.sta.timing import IO_FRACTION
from tests.helpers.flow_scripts import needs_openroad, stand_in_for

LEF = """SITE core
  SIZE 0.19 BY 1.4 ;
END core
MACRO INV_X1
  CLASS CORE ;
  SIZE 0.38 BY 1.4 ;
  PIN A
  END A
  PIN ZN
  END ZN
  PIN VDD
    USE POWER ;
  END VDD
  PIN VSS
    USE GROUND ;
  END VSS
END INV_X1
"""

RAM_LEF = """MACRO ram
  CLASS BLOCK ;
  SIZE 20.14 BY 61.6 ;
  PIN a[0]
  END a[0]
  PIN a[1]
  END a[1]
  PIN clk
  END clk
  PIN vdd
    USE POWER ;
  END vdd
  PIN gnd
    USE GROUND ;
  END gnd
END ram
"""

NETLIST = """module top (clock, d, q);
  input clock; input [1:0] d; output [1:0] q;
  INV_X1 one (.A(d[0]), .ZN(q[0]));
  part left (.clock(clock), .d(d));
  part right (.clock(clock), .d(d));
endmodule
module part (clock, d);
  input clock; input [1:0] d;
  ram store (.clk(clock), .a(d));
endmodule
"""

@pytest.fixture
def pdk(tmp_path):
    """With one cell and one macro, whose layout is a text."""
    folder = tmp_path/"pdk"
    folder.mkdir()
    for name, text in (("cells.lef", LEF), ("ram.lef", RAM_LEF), ("ram.lib", "library (ram) { }"), ("ram.gds", "GDS")):
        (folder/name).write_text(text)
    ram = Macro("ram", 4, 1, 1240.0, 1.0, 1.0, folder/"ram.lib", folder/"ram.lef", folder/"ram.gds")
    return Pdk(folder, {}, {"ram": ram}, folder/"cells.lef", folder/"cells.lef", None, "",
        read_variables(folder))


@pytest.fixture
def inputs_of(tmp_path, pdk):
    """Prepares a layout of a netlist."""
    def make(netlist: str = NETLIST, config: AsicConfig | None = None, pdk: Pdk = pdk, folder: str = "layout",
            **options):
        (tmp_path/"net.v").write_text(netlist)
        return prepare(config or AsicConfig(), Rtl("top", (), clock="clock"), tmp_path/"net.v", 1000.0, pdk,
            tmp_path/folder, **options)
    return make


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Flow scripts and OpenROAD, as far as running them is concerned."""
    return stand_in_for(tmp_path/"flow", monkeypatch)

# Inputs --------------------------------------------------------------------------------------------

def test_inputs(inputs_of):
    made   = inputs_of()
    config = (made.folder/"config.mk").read_text()
    value  = dict(re.findall(r"^export (\w+) = (.*)$", config, re.MULTILINE))
    die    = [float(each) for each in value["DIE_AREA"].split()]
    core   = [float(each) for each in value["CORE_AREA"].split()]
    assert value["DESIGN_NAME"] == "top" and value["PLATFORM"] == "nangate45"
    assert [round(each*1000) for each in core] == list(made.floorplan.core)
    assert die[:2] == [0, 0] and die[2] > core[2] and die[3] > core[3]
    assert not value.keys() & {"CORE_UTILIZATION", "CORE_ASPECT_RATIO", "CORE_MARGIN", "MACRO_PLACEMENT"}
    # Each file that a variable names is there, beside the configuration.
    for name in ("VERILOG_FILES", "SDC_FILE", "PDN_TCL", "MACRO_PLACEMENT_TCL", "PLATFORM_TCL", "TAPCELL_TCL",
            "POST_PDN_TCL", "ADDITIONAL_LEFS", "ADDITIONAL_LIBS", "ADDITIONAL_GDS"):
        assert (made.folder/value[name].removeprefix("$(DESIGN_FOLDER)")).is_file()
    assert (made.folder/"netlist.v").read_text() == NETLIST
    # Macros by the paths of their instances, where the floorplan has them.
    places = re.findall(r"place_macro -macro_name \{(\S+)\} -location \{(\S+) (\S+)\} -orientation R0",
        (made.folder/"macros.tcl").read_text())
    assert {name: (round(float(x)*1000), round(float(y)*1000)) for name, x, y in places} == made.floorplan.macros
    assert made.floorplan.macros.keys() == {"left/store", "right/store"}
    # No rows in the halos, and none between two of them that the grid of sites put further apart.
    assert (made.folder/"taps.tcl").read_text() == ("tapcell -distance 120 -tapcell_master $::env(TAP_CELL_NAME) "
        "-endcap_master $::env(TAP_CELL_NAME) -halo_width_x 5.19 -halo_width_y 6.4\n")
    # Both spellings of the supplies are connected.
    grid = (made.folder/"pdn.tcl").read_text()
    assert set(re.findall(r"-net (\w+) -inst_pattern \.\* -pin_pattern \^(\w+)\$ -(\w+)", grid)) == {
        ("VDD", "VDD", "power"), ("VDD", "vdd", "power"), ("VSS", "VSS", "ground"), ("VSS", "gnd", "ground")}
    # What ends at macros goes on above them.
    assert "add_pdn_stripe -grid core -layer metal8 " in grid and "-grid core -layers {metal7 metal8}" in grid
    assert subprocess.run(["sh", "-n", made.folder/"run.sh"], check=False).returncode == 0


def test_macros_that_the_user_places_are_told_nowhere(inputs_of):
    made = inputs_of(variables={"MACRO_PLACEMENT_TCL": ""})
    assert made.macros == {} and made.floorplan.macros
    assert (made.folder/"config.mk").read_text().endswith("override MACRO_PLACEMENT_TCL = \nexport "
        "MACRO_PLACEMENT_TCL\n")


def test_without_macros_there_are_none(inputs_of):
    made = inputs_of(NETLIST.replace("ram store (.clk(clock), .a(d));", ""))
    config = (made.folder/"config.mk").read_text()
    assert "MACRO" not in config and "TAPCELL" not in config
    grid = (made.folder/"pdn.tcl").read_text()
    assert "macros" not in grid and "metal8" not in grid
    assert not (made.folder/"macros.tcl").exists()


def test_equal_inputs_are_left_alone(inputs_of):
    made  = inputs_of()
    times = {path: path.stat().st_mtime_ns for path in made.folder.rglob("*")}
    assert inputs_of() == made
    assert {path: path.stat().st_mtime_ns for path in made.folder.rglob("*")} == times
    inputs_of(config=AsicConfig(frequency_mhz=250))
    assert [path.name for path in sorted(made.folder.rglob("*")) if path.is_file()
        and path.stat().st_mtime_ns != times[path]] == ["constraint.sdc"]


def test_many_pins_take_two_layers_and_a_larger_die(pdk):
    few  = config_mk("top", plan(100, {}, (190, 1400)), [], False, (0, 0), pdk)
    many = config_mk("top", plan(100, {}, (190, 1400)), [], True, (0, 0), pdk)
    assert "IO_PLACER_H = metal5\n" in few and "IO_PLACER_H = metal3 metal5\n" in many


def test_pins_have_room(inputs_of):
    wide = NETLIST.replace("[1:0] q;", "[3999:0] q;")
    made = inputs_of(wide)
    assert 2*(made.floorplan.width + made.floorplan.height) >= 4003*280
    assert "IO_PLACER_V = metal4 metal6\n" in (made.folder/"config.mk").read_text()


@pytest.mark.parametrize("length", (16_800, 20_000, 39_000, 112_000, 1_000_000))
def test_straps(length):
    for pitch in (56.0, 30.0):
        found = strap_pitch(length, pitch)
        assert STRAP_STEP <= found <= pitch
        # Power at 2, ground half a pitch further: two of each below the core's end.
        assert 2 + found*1.5 < length/1000


@pytest.mark.parametrize("netlist, changes, words", [
    (NETLIST.replace(".a(d)", ".a({1'h0, d[0]})"), {}, ("net.v", "1 pins in module part", "constants", "synth")),
    (NETLIST.replace("INV_X1 one", "INV_X9 one"),  {}, ("net.v", "INV_X9", "in no LEF")),
    (NETLIST.replace(".A(d[0])", ".B(d[0])"),      {}, ("one", "pin B of INV_X1", "LEF")),
    (NETLIST, {"tech_lef": None},                      ("no technology LEF", "--download-pdk")),
    (NETLIST, {"cell_lef": None},                      ("no cell LEF", "--download-pdk")),
    (NETLIST, {"macros": {}},                          ("cell ram is in no LEF",)),
    (NETLIST, {"lef": None},                           ("macro ram has no LEF",)),
    (NETLIST, {"lef": "cells.lef"},                    ("no MACRO ram",)),
])
def test_inputs_that_cannot_be(inputs_of, pdk, netlist, changes, words):
    if "lef" in changes:
        lef     = changes["lef"] and pdk.folder/changes["lef"]
        changes = {"macros": {"ram": replace(pdk.macros["ram"], lef=lef)}}
    with pytest.raises(QCLIFError) as error:
        inputs_of(netlist, pdk=replace(pdk, **changes))
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("folder, words", [("a b", ("'", "no blanks")), ("net.v/below", ("cannot write to",))])
def test_folder_that_cannot_be(inputs_of, folder, words):
    with pytest.raises(QCLIFError) as error:
        inputs_of(folder=folder)
    assert all(word in str(error.value) for word in words), error.value

# Constraints and variables, as their readers take them ---------------------------------------------

@pytest.mark.skipif(not shutil.which("sta"), reason="needs OpenSTA: apt-get install opensta")
@pytest.mark.skipif("FREEPDK45_HOME" not in os.environ, reason="needs a PDK: set FREEPDK45_HOME to its folder")
def test_constraints_as_opensta_reads_them(tmp_path):
    pdk = find_pdk()
    (tmp_path/"a.v").write_text("module top (clock, d, q); input clock, d; output q;\n  wire s;\n"
        "  DFF_X1 first (.CK(clock), .D(d), .Q(s));\n  DFF_X1 second (.CK(clock), .D(s), .Q(q));\nendmodule\n")
    periods = (10.0, 2.5, 1e5, 1/3)
    for n, period in enumerate(periods):
        (tmp_path/f"{n}.sdc").write_text(constraint_sdc("clock", period, pdk))
    (tmp_path/"a.tcl").write_text(f"read_liberty {pdk.corner('typ').liberty}\nread_verilog a.v\n"
        "link_design top\n" + "".join(f"read_sdc {n}.sdc\nreport_clock_properties\ncheck_setup -verbose\n"
        f"foreach port {{d q}} {{ puts {n}-$port\nreport_checks -digits 6 -through $port }}\n"
        for n in range(len(periods))) + "report_checks -through q -fields capacitance -format full\n")
    done = subprocess.run(["sta", "-exit", "a.tcl"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Error" not in done.stdout + done.stderr and "unconstrained" not in done.stdout, done.stdout
    # What comes has its part of the period but the setup of its flip-flop, what goes all but the flip-flop's delay.
    for n, period in enumerate(periods):
        for port, least in (("d", 0.02), ("q", 0.05)):
            slack = re.search(rf"^{n}-{port}$.*?(\S+)\s+slack \(MET\)", done.stdout, re.MULTILINE | re.DOTALL)
            assert least < (1 - IO_FRACTION)*period - float(slack[1]) < 0.2
    # The load of outputs is in the library's unit.
    assert f" {pdk.load_ff:.2f} " in done.stdout


def test_period_as_the_flow_scripts_look_for_it(pdk):
    text = constraint_sdc("clock", 1/0.3, pdk)
    assert re.search(r"-period\s+([\d.]+)", text)[1] == "3.33333"


@needs_openroad
def test_the_flow_scripts_know_every_variable(inputs_of):
    home  = Path(os.environ["FLOW_HOME"])
    known = "\n".join(path.read_text() for path in (home/"Makefile", home/"scripts"/"variables.mk",
        home/"scripts"/"variables.yaml"))
    for name in re.findall(r"^export (\w+) =", (inputs_of().folder/"config.mk").read_text(), re.MULTILINE):
        assert re.search(rf"\b{name}\b", known), name

# Running -------------------------------------------------------------------------------------------

def test_run(inputs_of, stand_in):
    made, stages = inputs_of(), []
    found = run(made, lambda stage, done, total: stages.append((stage, done)))
    assert stages == [("layout: 5_2_route", 0), ("layout: 6_report", 1)]
    assert found.gds == made.folder/"work"/"results"/"nangate45"/"top"/"base"/"6_final.gds"
    # The results begin with the netlist itself: no synthesis was due.
    assert (found.gds.parent/"5_route.odb").read_text() == NETLIST + (made.folder/"constraint.sdc").read_text()
    assert (found.slack_ns, found.area_um2, found.fmax_mhz) == (3.5, 20.5, 200)
    assert (found.drc_errors, found.wire_um) == (0, 1234)
    assert found.default_power_mw == {"total": 1.0}
    assert found.hold_slack_ns is None and found.cells is None and found.spef is None
    assert sorted(os.listdir(stand_in)) == ["Makefile", "scripts"]


def test_run_goes_on_and_begins_anew(inputs_of, stand_in):
    made, stages = inputs_of(), []

    def progress(stage, done, total):
        stages.append(stage.removeprefix("layout: "))

    (stand_in/"fail").touch()
    with pytest.raises(QCLIFError, match=r"layout failed: \[ERROR PDN-0179\] no grid; see .*run\.log"):
        run(made, progress)
    (stand_in/"fail").unlink()
    run(made, progress)
    assert stages == ["5_2_route", "6_report", "6_report"]
    run(inputs_of(), progress)
    assert len(stages) == 3
    run(inputs_of(config=AsicConfig(frequency_mhz=200)), progress)
    assert stages[3:] == ["5_2_route", "6_report"]


def test_the_key_follows_what_the_flow_scripts_are_not_where(tmp_path, monkeypatch):
    home = stand_in_for(tmp_path/"flow", monkeypatch)
    (home/"platforms"/"mini").mkdir(parents=True)
    (home/"platforms"/"mini"/"config.mk").touch()
    key = scripts_digest("mini")
    # Other platforms, and what runs leave there.
    for name in ("platforms/other/config.mk", "results/mini/a.odb", "scripts/__pycache__/a.pyc"):
        (home/name).parent.mkdir(parents=True, exist_ok=True)
        (home/name).write_text("content")
    monkeypatch.setenv("FLOW_HOME", str(home.rename(tmp_path/"moved")))
    assert scripts_digest("mini") == key
    keys = {key}
    for name in ("Makefile", "scripts/variables.mk", "scripts/new.tcl", "platforms/mini/config.mk"):
        (tmp_path/"moved"/name).write_text("# Changed.")
        keys.add(scripts_digest("mini"))
    assert len(keys) == 5


def test_without_klayout_there_is_no_gds(inputs_of, stand_in, monkeypatch, tmp_path):
    monkeypatch.delenv("KLAYOUT_CMD")
    programs = tmp_path/"bin"
    programs.mkdir()
    for name in ("sh", "make", "cat", "mkdir", "touch", "find", "rm", "cp", "dirname", "test", "echo"):
        (programs/name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(programs))
    made  = inputs_of()
    found = run(made)
    assert found.gds is None and found.slack_ns == 3.5
    assert "apt-get install klayout" in (made.folder/"run.log").read_text()


@pytest.mark.parametrize("change, words", [
    ({"FLOW_HOME": None},                  ("FLOW_HOME is not set",)),
    ({"FLOW_HOME": "/nowhere"},            ("/nowhere", "scripts/variables.mk")),
    ({"OPENROAD_EXE": "/nowhere/openroad"}, ("OpenROAD not found", "/nowhere/openroad", "OPENROAD_EXE")),
    ({"PATH": "/nowhere"},                 ("make not found", "apt-get install make")),
    ({"KLAYOUT_CMD": "/nowhere/klayout"},  ("KLAYOUT_CMD", "/nowhere/klayout")),
])
def test_missing_tools(inputs_of, stand_in, monkeypatch, change, words):
    made = inputs_of()
    assert missing_tool() is None
    for name, value in change.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(QCLIFError) as error:
        run(made)
    # With the command that runs it later.
    assert all(word in str(error.value) for word in (*words, f"sh {made.folder}/run.sh")), error.value
    assert "\n" not in str(error.value)


@needs_openroad
@pytest.mark.skipif("FREEPDK45_HOME" not in os.environ, reason="needs a PDK: set FREEPDK45_HOME to its folder")
def test_real_layout(tmp_path):
    """Two flip-flops and a macro, to GDS."""
    pdk, ram = find_pdk(), "fakeram45_32x32"
    (tmp_path/"net.v").write_text("module top (clock, a, d, q); input clock; input [4:0] a; input [31:0] d;\n"
        "  output [31:0] q; wire en, wr;\n"
        "  DFF_X1 one (.CK(clock), .D(a[0]), .Q(en));\n  DFF_X1 two (.CK(clock), .D(en), .Q(wr));\n"
        f"  {ram} ram (.clk(clock), .ce_in(en), .we_in(wr), .addr_in(a), .wd_in(d), .w_mask_in(d), .rd_out(q));\n"
        "endmodule\n")
    made  = prepare(AsicConfig(), Rtl("top", (), clock="clock"), tmp_path/"net.v", 10.0, pdk, tmp_path/"layout")
    found = run(made)
    assert found.drc_errors == 0 and found.slack_ns > 0 and found.hold_slack_ns > 0
    assert found.area_sram_um2 == pytest.approx(pdk.macros[ram].area_um2, rel=1e-3)
    assert found.die_um2 == pytest.approx(made.floorplan.die[2]*made.floorplan.die[3]*1e-6, rel=1e-3)
    # Nothing of the netlist was lost on the way.
    final = found.netlist.read_text()
    assert all(re.search(rf"\b{name}\b", final) for name in ("one", "two", "ram", ram))
    assert found.gds is None or found.gds.stat().st_size > 1000
    # The macro is where the floorplan has it.
    (left, bottom, right, top), = found.macros.values()
    placed = re.search(rf"- ram {ram} .*?PLACED|- ram {ram} .*?FIXED \( (\d+) (\d+) \) N", found.layout_def.read_text(),
        re.DOTALL)
    unit   = int(re.search(r"UNITS DISTANCE MICRONS (\d+)", found.layout_def.read_text())[1])
    assert [round(int(place)/unit*1000) for place in placed.groups()] == [left, bottom]
    assert (right - left)*(top - bottom)*1e-6 == pytest.approx(pdk.macros[ram].area_um2, rel=1e-3)


def test_grid_of_a_small_core_has_a_smaller_pitch(pdk):
    small, large = (pdn_tcl(plan(area, {}, (190, 1400)), {"VDD"}, {"VSS"}, pdk) for area in (500, 1e6))
    assert "-layer metal4 -width 0.48 -pitch 56 " in large and "-layer metal7 -width 1.40 -pitch 30 " in large
    assert "-pitch 56 " not in small and "-pitch 30 " not in small


def test_another_platform_keeps_its_grid_and_its_layers(inputs_of, pdk):
    other = replace(pdk, variables={"PLATFORM": "mini", "ABC_DRIVER_CELL": "BUF", "ABC_LOAD_IN_FF": "2",
        "IO_PLACER_H": "M3"})
    made  = inputs_of(pdk=other)
    text  = (made.folder/"config.mk").read_text()
    assert "PLATFORM = mini\n" in text and "IO_PLACER_H = M3\n" in text
    assert not any(name in text for name in ("IO_PLACER_V", "PDN_TCL", "TAPCELL_TCL"))
    assert not any((made.folder/name).exists() for name in ("pdn.tcl", "taps.tcl", "rows.tcl", "dense.tcl"))
    assert "set_driving_cell -lib_cell BUF $inputs" in (made.folder/"constraint.sdc").read_text()
    with pytest.raises(QCLIFError, match="no SITE other in it"):
        inputs_of(pdk=replace(other, variables={**other.variables, "PLACE_SITE": "other"}))
