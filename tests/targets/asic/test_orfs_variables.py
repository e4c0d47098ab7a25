# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Variables of the flow scripts that a user sets: what is refused, what make makes of them, what depends on them."""

import argparse
import json
import subprocess

import pytest

from accel.errors import QCLIFError
from targets.asic.layout.variables import OWNED, check_known, files_of, identity, variable, variables_mk
from targets.asic.options import make_parser
from targets.asic.run import parse_runs
from targets.asic_freepdk45 import main
from tests.helpers.builds import fresh_builds
from tests.helpers.flow_scripts import stand_in_for
from tests.helpers.needs import needs_asic

VALUES = ("0.2", "", "0 0 120.4 99.96", r"a\#b", "cost $$5", "fakeram.*", "{x y}", 'say "no"', r"C:\d\\")


def made_of(folder, variables, before="", after=""):
    """The environment that make gives to its programs, by a config.mk with these variables."""
    (folder/"Makefile").write_text(f"DESIGN_FOLDER := {folder}/\n{before}{variables_mk(variables)}{after}"
        "all: ; @env -0 > environment\n")
    subprocess.run(["make", "-s", "-C", folder], check=True)
    return dict(line.split("=", 1) for line in (folder/"environment").read_text().split("\0") if line)

# Values ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_through_make(tmp_path, value):
    name, kept = variable(f"SOME_VALUE={value}")
    found = made_of(tmp_path, {name: kept})
    assert found["SOME_VALUE"] == value.replace("$$", "$").replace(r"\#", "#").lstrip()


def test_the_users_values_win(tmp_path):
    found = made_of(tmp_path, dict([variable("PLACE_DENSITY=0.7")]), "export PLACE_DENSITY = 0.1\n",
        "export PLACE_DENSITY = 0.3\nexport OTHER = $(PLACE_DENSITY)\n")
    assert found["PLACE_DENSITY"] == found["OTHER"] == "0.7"


@pytest.mark.parametrize("text, words", [
    ("PLACE_DENSITY",           ("'PLACE_DENSITY'", "VAR=value")),
    ("place_density=1",         ("place_density", "capitals")),
    ("9LIVES=1",                ("9LIVES", "capitals")),
    ("=1",                      ("VAR=value",)),
    ("X=a\nY=b",                ("X", "one line")),
    ("X=$(shell ls)",           ("X", "'$'", "$$")),
    ("X=a $$$b",                ("X", "$$")),
    ("X=a # b",                 ("X", "'#'", "\\#")),
    (r"X=a \\# b",              ("X", "\\#")),
    ("X=a\\",                   ("X", "one line")),
    ("DESIGN_NAME=x",           ("DESIGN_NAME", "--design")),
    ("SDC_FILE=x",              ("SDC_FILE", "--frequency")),
    ("SYNTH_HIERARCHICAL=1",    ("SYNTH_HIERARCHICAL", "netlist")),
    ("PLATFORM=sky130hd",       ("PLATFORM", "--pdk")),
    ("ADDITIONAL_LEFS=x",       ("ADDITIONAL_LEFS", "--sram")),
    ("CORE_UTILIZATION=40",     ("CORE_UTILIZATION", "DIE_AREA")),
    ("RESULTS_DIR=x",           ("RESULTS_DIR",)),
    ("OPENROAD_EXE=x",          ("OPENROAD_EXE", "environment")),
    ("SHELL=zsh",               ("SHELL",)),
    ("PDN_TCL=nowhere.tcl",     ("PDN_TCL", "nowhere.tcl")),
])
def test_what_cannot_be_set_is_one_line(text, words):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        variable(text)
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


def test_no_reason_is_missed():
    """Each variable that the flow writes for the netlist, the cells and the place of the results is owned."""
    for name in ("DESIGN_NAME", "DESIGN_NICKNAME", "PLATFORM", "FLOW_VARIANT", "WORK_HOME", "VERILOG_FILES",
            "SYNTH_NETLIST_FILES", "SDC_FILE", "ADDITIONAL_LEFS", "ADDITIONAL_LIBS", "ADDITIONAL_GDS"):
        with pytest.raises(argparse.ArgumentTypeError, match=name):
            variable(f"{name}=x")
    for name in ("DIE_AREA", "CORE_AREA", "PLACE_DENSITY_LB_ADDON", "MACRO_PLACE_HALO", "DONT_BUFFER_PORTS"):
        assert variable(f"{name}=1") == (name, "1")
    assert all(why[0].islower() for why in OWNED.values())

# Files -----------------------------------------------------------------------------------------------

def test_a_file_is_brought_along_and_counts_by_its_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path/"my.tcl").write_text("puts 1")
    (tmp_path/"2").touch()
    variables = dict(map(variable, ("POST_CTS_TCL=my.tcl", "SEED=2")))
    assert files_of(variables) == {"orfs/POST_CTS_TCL.tcl": tmp_path/"my.tcl"} and variables["SEED"] == "2"
    assert made_of(tmp_path, variables)["POST_CTS_TCL"] == f"{tmp_path}/orfs/POST_CTS_TCL.tcl"
    before = identity(variables)
    (tmp_path/"my.tcl").write_text("puts 2")
    assert identity(variables) != before and identity({}) == []
    assert identity(dict(reversed(variables.items()))) == identity(variables)


def test_a_name_that_the_scripts_do_not_know(tmp_path):
    (tmp_path/"scripts").mkdir()
    (tmp_path/"platforms"/"mini").mkdir(parents=True)
    (tmp_path/"scripts"/"a.tcl").write_text("puts $::env(PLACE_DENSITY)")
    (tmp_path/"platforms"/"mini"/"config.mk").write_text("export TAP_DISTANCE ?= 2\n")
    check_known({"PLACE_DENSITY": "1", "TAP_DISTANCE": "2"}, tmp_path, "mini")
    with pytest.raises(QCLIFError, match=r"--orfs PLACE_DENSIT: .*variables.yaml"):
        check_known({"PLACE_DENSITY": "1", "PLACE_DENSIT": "1"}, tmp_path, "mini")

# The command -----------------------------------------------------------------------------------------

def test_runs_of_a_sweep_add_their_own():
    args = make_parser("").parse_args(["--orfs", "A=1", "--orfs", "B=2", "--until", "layout"])
    one, other = parse_runs(args, [{"orfs": "B=3"}, {"lanes": 4}], "x")
    assert dict(one.orfs) == {"A": "1", "B": "3"} and dict(other.orfs) == {"A": "1", "B": "2"}
    assert dict(args.orfs) == {"A": "1", "B": "2"}


@pytest.mark.parametrize("options, words", [
    (["--orfs", "PLACE_DENSITY=1"],                      ["--orfs", "ends with power", "--until layout"]),
    (["--orfs", "PLACE_DENSITY=1", "--until", "synth"],  ["--orfs", "ends with synth"]),
    (["--orfs", "SDC_FILE=x", "--until", "layout"],      ["--orfs", "SDC_FILE", "constraints"]),
    (["--orfs", "X=a\nb", "--until", "layout"],          ["--orfs", "X", "misread"]),
])
def test_a_variable_that_cannot_be_is_one_line(tmp_path, capsys, options, words):
    assert main(["--output-dir", str(tmp_path), "--design", "neuron", *options]) == 2
    error, = capsys.readouterr().err.splitlines()
    assert all(word in error for word in words), error


@needs_asic
def test_a_layout_depends_on_them(pdk, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(fresh_builds(tmp_path/"build")))
    home = stand_in_for(tmp_path/"flow", monkeypatch)
    (home/"scripts"/"variables.mk").write_text("# PLACE_DENSITY, POST_CTS_TCL\n")
    (home/"routed.sh").write_text(f'(echo "$PLACE_DENSITY"; cat $POST_CTS_TCL /dev/null) >> {tmp_path}/seen\n')
    (tmp_path/"my.tcl").write_text("mine\n")

    def laid_out(*options):
        code = main(["--design", "neuron", "--until", "layout", "--output-dir", str(tmp_path/"out"), "--json",
            str(tmp_path/"run.json"), *options])
        return code, capsys.readouterr().err, json.loads((tmp_path/"run.json").read_text())

    plain  = laid_out("--orfs", "POST_CTS_TCL=")[2]
    chosen = ("--orfs", "PLACE_DENSITY=0.3", "--orfs", f"POST_CTS_TCL={tmp_path/'my.tcl'}", "--orfs",
        "PLACE_DENSITY=0.4")
    code, errors, record = laid_out(*chosen)
    assert code == 0, errors
    assert (tmp_path/"seen").read_text().split() == ["0.4", "mine"]
    assert record["orfs"] == {"PLACE_DENSITY": "0.4", "POST_CTS_TCL": str(tmp_path/"my.tcl")}
    assert "PLACE_DENSITY=0.4" in (tmp_path/"out"/"report.md").read_text()
    assert not record["stages"]["layout"]["cached"] and record["layout"]["gds"] != plain["layout"]["gds"]
    again = laid_out(*chosen)[2]
    assert again["stages"]["layout"]["cached"] and again["layout"] == record["layout"]
    (tmp_path/"my.tcl").write_text("another\n")
    assert not laid_out(*chosen)[2]["stages"]["layout"]["cached"]
    assert laid_out("--orfs", "PLACE_DENSITI=1")[0] == 2
