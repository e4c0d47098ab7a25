# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is built for boards: firmware that fits, all that their tools need, and what becomes of a tool that fails."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.sizes import SPARE_BYTES, SRAM_BESIDE_SDRAM, least_sram_bytes
from host.common.folders import ROOT
from targets import board, icebreaker, tang_nano_20k, ulx3s
from targets.board import find_board
from targets.boards.board import BoardOptions, board_config
from targets.boards.build import build_board
from targets.fpga.netlist import share
from targets.tools.eda import find_yosys, run_tool
from tests.helpers.needs import needs_compiler

pytestmark = needs_compiler

# Firmware -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("sizes", ({"neurons": 16, "inputs": 32, "lanes": 2}, {}, {"inputs": 1500, "contexts": 64,
    "neurons": 300, "outputs": 64, "frame_window": 16}, {"neurons": 1, "inputs": 1, "contexts": 0, "lanes": 1,
    "outputs": 0, "frame_window": 2}))
def test_the_firmware_fits_closely_in_the_sram(sizes, tmp_path):
    """The first of them is slow, as any first build: it compiles the C library."""
    config  = board_config(sizes)
    options = BoardOptions("ulx3s", "LFE5U-85F", "trellis", 50_000_000, 1_000_000, config)
    build_board(ulx3s.BOARD, options, tmp_path, run=False)
    elf   = tmp_path/"software"/"bios"/"bios.elf"
    size  = subprocess.run(["riscv64-unknown-elf-size", str(elf)], text=True, capture_output=True, check=True).stdout
    *_, bss = map(int, size.splitlines()[1].split()[:3])
    stack = int(re.search(r"STACK_BYTES (\d+)", next(tmp_path.rglob("qclif_config.h")).read_text())[1])
    assert bss + stack + SPARE_BYTES <= least_sram_bytes(config) <= bss + stack + SPARE_BYTES + 1024


def test_the_firmware_keeps_its_variables_in_sdram(tmp_path):
    config  = board_config({"neurons": 200, "inputs": 512, "lanes": 8})
    options = BoardOptions("ulx3s", "LFE5U-45F", "trellis", 50_000_000, 1_000_000, config,
        {"cpu_variant": "lite", "with_sdram": True})
    build_board(ulx3s.BOARD, options, tmp_path, run=False)
    elf   = tmp_path/"software"/"bios"/"bios.elf"
    text  = subprocess.run(["riscv64-unknown-elf-nm", str(elf)], text=True, capture_output=True, check=True).stdout
    place = {name: int(address, 16) for address, _, name in map(str.split, text.splitlines())}
    assert place["_fstack"] - place["_fdata"] == SRAM_BESIDE_SDRAM
    assert place["_evariables"] - place["_fvariables"] > least_sram_bytes(config) - SRAM_BESIDE_SDRAM - 2048
    assert "sdram_dq" in (tmp_path/"gateware"/"top.lpf").read_text()

# Generation ---------------------------------------------------------------------------------------

BOARDS = {
    "Lattice": ("colorlight_i5", "lattice_versa_ecp5", "muselab_icesugar_pro", "trellisboard", "gsd_orangecrab"),
    "Xilinx":  ("digilent_arty", "digilent_basys3", "digilent_nexys4ddr", "numato_mimas_a7", "xilinx_kc705"),
    "Intel":   ("terasic_de10nano", "terasic_de10lite", "qmtech_5cefa2", "terasic_de0nano", "qmtech_ep4cgx150"),
    "Gowin":   ("sipeed_tang_primer_20k", "sipeed_tang_nano_20k"),
}
VENDORS = {name: vendor for vendor, names in BOARDS.items() for name in names}

# What Yosys has of the vendors' cells, of which older versions have some under another name. Of Intel's, it has not
# those that LiteX uses.
CELLS = {
    "Lattice": ("ecp5/cells_sim.v", "ecp5/cells_bb.v"),
    "Xilinx":  ("xilinx/cells_sim.v", "xilinx/cells_xtra.v"),
    "Gowin":   ("gowin/cells_sim.v", "gowin/cells_xtra_gw2a.v", "gowin/cells_xtra.v"),
}


def check_verilog(folder: Path, vendor: str) -> None:
    """Yosys reads it: all modules and their ports are there, and no net of the top has no driver or two of them."""
    yosys   = find_yosys()
    library = [name for name in CELLS[vendor] if (share(yosys)/name).exists()]
    cpu     = Path(importlib.util.find_spec("pythondata_cpu_vexriscv").submodule_search_locations[0])
    script  = [f"read_verilog -lib {' '.join(f'+/{name}' for name in library)}",
        f"read_verilog {yosys.path(cpu/'verilog'/'VexRiscv.v')}", "read_verilog top.v", "hierarchy -check -top top",
        "proc", "check -assert top"]
    run_tool(yosys, "\n".join(script) + "\n", folder, "check.ys")


@pytest.mark.parametrize("name", VENDORS)
def test_all_that_the_tools_need_is_generated(name, tmp_path, capsys):
    assert board.main([name, "--build", "--no-compile-gateware", "--output-dir", str(tmp_path), "--non-interactive",
        "--json", str(tmp_path/"board.json")]) == 0
    gateware = tmp_path/"gateware"
    verilog  = (gateware/"top.v").read_text()
    assert "module top" in verilog and "weights_soma0" in verilog
    # Clock and UART have their pins.
    pads        = [line.split()[-1].strip(",;") for line in verilog[:verilog.index(");")].splitlines() if "put" in line]
    constraints = "".join(path.read_text() for pattern in ("*.lpf", "*.xdc", "*.qsf", "*.cst", "*.tcl", "*.pcf")
        for path in gateware.glob(pattern))
    assert len(pads) >= 3
    for pad in pads:
        assert pad.split("[")[0] in constraints
    assert [*gateware.glob("build_top.*"), *gateware.glob("run.tcl")]
    # LiteX writes a memory for Intel byte by byte.
    assert sum(path.stat().st_size for path in gateware.glob("top_rom*.init")) > 8192
    assert "bitstream" not in json.loads((tmp_path/"board.json").read_text())
    if VENDORS[name] in CELLS:
        check_verilog(gateware, VENDORS[name])

@pytest.mark.parametrize("module, arguments, options", (
    (ulx3s,         ["--device", "LFE5U-25F"],        {"--report top.report", "--seed 1"}),
    (tang_nano_20k, ["--nextpnr-seed", "7"],          {"--report top.report", "--seed 7", "--freq 48"}),
    (tang_nano_20k, ["--sys-clk-freq", "40.5e6"],     {"--report top.report", "--seed 1", "--freq 40.5"}),
))
def test_what_nextpnr_is_told(module, arguments, options, tmp_path):
    """A report of one name, and the clock where LiteX has no constraints for it."""
    assert module.main(["--build", "--no-compile-gateware", "--output-dir", str(tmp_path), "--non-interactive",
        *arguments]) == 0
    command, = [line for line in (tmp_path/"gateware"/"build_top.sh").read_text().splitlines() if "nextpnr-" in line]
    assert set(re.findall(r"--(?:report|seed|freq) \S+", command)) == options
    assert command.count("--report") == 1


def test_scripts_for_all_versions_of_the_tools(tmp_path):
    """PyPI's Yosys sees no absolute names below /tmp, its nextpnr runs no Python; older ones read no notes."""
    assert icebreaker.main(["--build", "--no-compile-gateware", "--non-interactive", "--output-dir",
        str(tmp_path)]) == 0
    script  = (tmp_path/"gateware"/"top.ys").read_text().splitlines()
    sources = [line.split() for line in script if line.startswith("read_")]
    assert len(sources) > 10 and sources[-1][-1] == "top.v"
    assert all((tmp_path/"gateware"/source[-1]).exists() and not source[-1].startswith("/") for source in sources)
    assert script[-2:] == ["delete t:$scopeinfo", "write_json  top.json"]
    assert "pre-pack" not in (tmp_path/"gateware"/"build_top.sh").read_text()
    clocks = dict(re.findall(r"^set_frequency (\S+) (\S+)$", (tmp_path/"gateware"/"top.pcf").read_text(), re.MULTILINE))
    # Periods are whole picoseconds.
    assert {name: round(float(mhz), 2) for name, mhz in clocks.items()} == {"sys_clk": 24, "clk12": 12}


def test_a_copy_of_a_target_with_a_pmod(tmp_path):
    """As the targets' comments tell: pads, what drives them, and an option that they come with."""
    text = Path(ulx3s.__file__).read_text()
    for old, new in (
        ("with_sdram=False,", "with_sdram=False, with_pmod=False,"),
        ("        #     platform.add", "        if with_pmod:\n            platform.add"),
        ("        #     self.comb", "            self.comb"),
        ("    return board_main(", "    parser.add_target_argument(\"--with-pmod\", action=\"store_true\")\n"
            "    return board_main("),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path/"mine.py").write_text(text)
    for name, option in (("without", []), ("with", ["--with-pmod"])):
        subprocess.run([sys.executable, str(tmp_path/"mine.py"), "--build", "--no-compile-gateware", "--neurons", "16",
            "--output-dir", str(tmp_path/name), "--non-interactive", *option], check=True, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
        pins = (tmp_path/name/"gateware"/"top.lpf").read_text()
        assert ('LOCATE COMP "pmod[1]" SITE "A10"' in pins) == bool(option)

# Failures -----------------------------------------------------------------------------------------

def fake_tools(folder: Path, **texts: str) -> None:
    folder.mkdir()
    for name, text in {"yosys": "echo Yosys 0.50", "nextpnr-ecp5": "", "ecppack": "", **texts}.items():
        path = folder/name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.mark.parametrize("tool, text, why", (
    ("yosys", "case $1 in -V) echo Yosys 0.50;; *) echo 'ERROR: no memory'; exit 1;; esac",
        r"^synthesising with Yosys failed: ERROR: no memory; its log is \S+yosys\.log$"),
    ("nextpnr_ecp5", "echo 'Info: x'; echo 'ERROR: Unable to place cell'; exit 1",
        r"^placing and routing with nextpnr failed: ERROR: Unable to place cell; its log is \S+nextpnr-ecp5\.log$"),
    ("ecppack", "echo broken; exit 3", r"^packing the bitstream failed: broken; its log is \S+ecppack\.log$"),
    ("ecppack", "", r"^no top\.bit came out: see the logs in "),
))
def test_a_tool_that_fails(tool, text, why, tmp_path, monkeypatch):
    fake_tools(tmp_path/"bin", **{tool.replace("_", "-"): text})
    monkeypatch.setenv("PATH", f"{tmp_path/'bin'}:{os.environ['PATH']}")
    options = BoardOptions("ulx3s", "LFE5U-25F", "trellis", 50_000_000, 1_000_000,
        board_config({"neurons": 4, "inputs": 4, "lanes": 1}))
    for _ in range(2):
        # The second time, too: what failed is not taken for finished.
        with pytest.raises(QCLIFError, match=why) as caught:
            build_board(ulx3s.BOARD, options, tmp_path/"build", "path")
        assert "\n" not in str(caught.value)


def test_a_folder_that_will_not_do(tmp_path):
    options = BoardOptions("ulx3s", "LFE5U-25F", "trellis", 50_000_000, 1_000_000, QCLIFConfig())
    with pytest.raises(QCLIFError, match=r"LiteX's scripts take no blanks in names: choose another --output-dir"):
        build_board(ulx3s.BOARD, options, tmp_path/"my build", run=False)
    (tmp_path/"file").write_text("")
    with pytest.raises(QCLIFError, match=r"cannot write to .*; choose another --output-dir"):
        build_board(ulx3s.BOARD, options, tmp_path/"file"/"build", run=False)


def test_the_boards_are_known():
    own = {"digilent_arty": "arty", "sipeed_tang_nano_20k": "tang_nano_20k"}
    assert all(find_board(name).name == own.get(name, name) for name in VENDORS)
