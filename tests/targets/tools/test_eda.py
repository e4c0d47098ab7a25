# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Yosys and OpenSTA: which of them is taken, what is said of their failures, and that interruptions end them."""

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from targets.asic.design import AsicConfig
from targets.asic.synth.recipes import RECIPES
from targets.asic.synth.synthesis import map_design, synthesise
from targets.tools import eda
from targets.tools.eda import Tool, find_sta, find_yosys, run_tool
from targets.tools.process import version_of
from tests.helpers.small_designs import counter, debian_yosys, rtl, yosys

CONFIG    = AsicConfig("neuron", frequency_mhz=100)
SMALL, *_ = RECIPES

# Tools ---------------------------------------------------------------------------------------------

def program(folder: Path, name: str, text: str) -> Path:
    path = folder/name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def no_packages(monkeypatch):
    monkeypatch.setattr(eda.importlib.util, "find_spec", lambda name: None)


def test_the_newest_yosys_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(eda.importlib.util, "find_spec", lambda name: name if name == "pyosys" else None)
    monkeypatch.setattr(eda.metadata, "version", lambda name: "0.70")
    assert (find_yosys().kind, find_yosys().number) == ("pyosys", (0, 70))
    for version, kind in (("0.23 (git sha1 7ce5011c24b)", "pyosys"), ("0.70+12", "yosys"), ("0.9", "pyosys"),
            ("1.2", "yosys")):
        program(tmp_path, "yosys", f"echo 'Yosys {version}'")
        version_of.cache_clear()
        assert find_yosys().kind == kind
    assert find_yosys().version == "1.2"
    # Of the same version, the native one comes before WebAssembly.
    monkeypatch.setattr(eda.importlib.util, "find_spec", lambda name: name)
    (tmp_path/"yosys").unlink()
    assert find_yosys().kind == "pyosys"


def test_sta_comes_from_the_path_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("OPENSTA_EXE", "OPENROAD_EXE"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(QCLIFError, match="neither sta nor openroad on the PATH: sudo apt-get install opensta"):
        find_sta()
    openroad = program(tmp_path, "openroad", "echo 26Q1-1-gabc")
    assert find_sta().kind == "openroad" and find_sta().version == "26Q1-1-gabc"
    program(tmp_path, "sta", "echo 2.0.17")
    assert find_sta().kind == "sta" and find_sta().number == (2, 0)
    other = program(tmp_path, "other", "echo 2.7.0")
    monkeypatch.setenv("OPENSTA_EXE", str(other))
    assert find_sta().command[0] == str(other)
    monkeypatch.setenv("OPENSTA_EXE", str(openroad) + "x")
    with pytest.raises(QCLIFError, match=r"OPENSTA_EXE is '.*openroadx', which is no program"):
        find_sta()


def test_without_yosys(pdk, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    no_packages(monkeypatch)
    with pytest.raises(QCLIFError, match="no Yosys on the PATH or among Python's packages: pip install pyosys"):
        synthesise(CONFIG, counter(tmp_path/"rtl"), pdk, tmp_path)


@pytest.mark.parametrize("broken, why", (
    ("module counter (input sys_clk, output y);\n  assign y = ;\nendmodule\n", r"counter\.v:2: .*syntax error"),
    ("module counter (input sys_clk, output y);\n  missing m (y);\nendmodule\n", "missing"),
    ("module other (input sys_clk); endmodule\n", "counter"),
    ("module counter (input ck, input d, output reg y);\n  always @(posedge ck) y <= d;\nendmodule\n",
        "counter has no port sys_clk for its clock"),
))
@pytest.mark.parametrize("find", (yosys, debian_yosys))
def test_verilog_that_cannot_be_synthesised(pdk, tmp_path, find, broken, why):
    source = rtl(tmp_path/"rtl", {"counter": broken}, "counter")
    with pytest.raises(QCLIFError, match=why) as caught:
        map_design(CONFIG, source, pdk, tmp_path/"synth", find(), SMALL)
    assert "\n" not in str(caught.value)
    if "port" not in why:
        assert "Yosys" in str(caught.value) and str(tmp_path/"synth"/"small.log") in str(caught.value)
        assert (tmp_path/"synth"/"small.log").stat().st_size


def test_a_macro_that_does_not_exist(pdk, tmp_path):
    source = replace(counter(tmp_path/"rtl"), macros={"fakeram45_1x1": 3})
    with pytest.raises(QCLIFError, match=r"macro fakeram45_1x1 is not in .*: choose another --sram or --pdk"):
        map_design(CONFIG, source, pdk, tmp_path, yosys(), SMALL)


def test_a_folder_that_cannot_be_written(pdk, tmp_path):
    (tmp_path/"file").write_text("")
    with pytest.raises(QCLIFError, match=r"cannot write to .*file/synth: .*; choose another --output-dir"):
        map_design(CONFIG, counter(tmp_path/"rtl"), pdk, tmp_path/"file"/"synth", yosys(), SMALL)


@pytest.mark.parametrize("find", (yosys, debian_yosys))
def test_a_folder_with_a_blank_works_and_one_with_a_quote_is_refused(pdk, tmp_path, find):
    assert map_design(CONFIG, counter(tmp_path/"my rtl"), pdk, tmp_path/"my synth", find(), SMALL).flops == 26
    with pytest.raises(QCLIFError, match="cannot read names with quotes"):
        map_design(CONFIG, counter(tmp_path/"rtl"), pdk, tmp_path/"my \"synth\"", find(), SMALL)


def test_a_tool_that_says_nothing_of_its_failure(tmp_path):
    quiet = Tool("OpenSTA", "1", "sta", (str(program(tmp_path, "quiet", "echo fine")),))
    assert run_tool(quiet, "", tmp_path, "x.tcl") == "fine\n"
    with pytest.raises(QCLIFError, match=r"OpenSTA 1 fails on x.tcl: ended too early; its log is .*x\.log"):
        run_tool(quiet, "", tmp_path, "x.tcl", done="done")
    for text, why in (("echo 'Error: a, 2 b'", "Error: a, 2 b"), ("echo '[ERROR STA-0164] x'", "STA-0164"),
            ("exit 3", "ended with status 3"), ("echo 'Error: one'; echo 'Error: two'; exit 1", "Error: one")):
        with pytest.raises(QCLIFError, match=re.escape(why) if "[" in why else why):
            run_tool(Tool("OpenSTA", "1", "sta", (str(program(tmp_path, "bad", text)),)), "", tmp_path, "x.tcl")

# Interruption --------------------------------------------------------------------------------------

WAIT = """
import sys
from pathlib import Path
from targets.tools.process import exit_on_sigterm
from targets.tools.eda import Tool, run_tool
exit_on_sigterm()
try:
    run_tool(Tool("Yosys", "1", "yosys", (sys.argv[1],)), "", Path(sys.argv[2]), "x.ys")
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number, status", ((signal.SIGINT, 130), (signal.SIGTERM, 143)))
def test_interruptions_leave_nothing_running(tmp_path, number, status):
    slow = program(tmp_path, "slow", f"sleep 1000 &\necho $! > {tmp_path}/child\necho $$ > {tmp_path}/self\nwait")
    with subprocess.Popen([sys.executable, "-c", WAIT, slow, tmp_path], cwd=ROOT, stderr=subprocess.PIPE) as parent:
        while not (tmp_path/"self").exists() or not (tmp_path/"self").read_text().endswith("\n"):
            assert parent.poll() is None
            time.sleep(0.05)
        parent.send_signal(number)
        _, errors = parent.communicate()
    assert parent.returncode == status and b"Traceback" not in errors
    for name in ("child", "self"):
        pid = int((tmp_path/name).read_text())
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            time.sleep(0.05)
