# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The commands of the boards: what they choose, refuse, report and load, without an FPGA tool or a board."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from accel.config import QCLIFConfig
from accel.errors import EXIT_ERROR, QCLIFError
from targets import arty, board, tang_nano_20k, ulx3s
from targets.board import find_board
from targets.boards import command
from targets.boards.board import BoardOptions
from targets.boards.build import BoardBuild
from targets.boards.command import load
from targets.boards.listing import show
from targets.boards.report import read_report
from tests.helpers.needs import needs_compiler
from tests.helpers.terminals import WIDTHS, assert_fits, assert_whole, shown

OPTIONS = BoardOptions("ulx3s", "LFE5U-25F", "trellis", 50_000_000, 1_000_000, QCLIFConfig(neurons=16, uart_fifo=2048))
PATH    = {"from": "VexRiscv.a", "to": "VexRiscv.b", "delay_ns": 19.25}
REPORT  = {"lut": 7000, "ff": 4000, "bram": 40, "dsp": 5, "fmax_mhz": 51.94, "critical_path": PATH,
    "available": {"lut": 24288, "ff": 24288, "bram": 56, "dsp": 28}}



def build(tmp_path: Path, **changes) -> BoardBuild:
    bitstream = tmp_path/"top.bit"
    bitstream.write_bytes(b"bits")
    for name in ("csr.csv", "csr.json", "csr.svd"):
        (tmp_path/name).write_text(name)
    return replace(BoardBuild(OPTIONS, tmp_path, bitstream, REPORT, 91.5, {"yosys": "0.70"}), **changes)


def one_line(capsys) -> str:
    """What a command that fails says: one line on standard error."""
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("error: "), error
    return error[0].removeprefix("error: ")

# Options ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, text", (
    (["--device", "LFE5U-99F"], r"--device is 'LFE5U-99F': Radiona ULX3S has LFE5U-85F, LFE5U-45F, LFE5U-25F, "),
    (["--cpu-type", "z80"], r"--cpu-type is 'z80': LiteX has .*vexriscv"),
    (["--sys-clk-freq", "50"], r"--sys-clk-freq is 50: Hz are meant, 1e6 to 1e9"),
    (["--uart-baudrate", "4000000"], r"--uart-baudrate is 4000000: Radiona ULX3S at 50 MHz takes 9600 to 3000000"),
    (["--uart-baudrate", "3000000", "--sys-clk-freq", "12e6"], r"at 12 MHz takes 9600 to 1500000"),
    (["--neurons", "0"], r"neurons is 0, the limits are 1 to 1024: choose another --neurons"),
    (["--gateware-dir", "x"], r"--gateware-dir has no effect on the boards' SoC: leave it out"),
    (["--uart-fifo-depth", "64"], r"--uart-fifo-depth has no effect"),
    (["--device", "LFE5U-12F", "--neurons", "1000"], r"1000 neurons, .* too many\) on LFE5U-12F: .*or choose "),
    (["--json", "/nowhere/x.json"], r"--json /nowhere/x.json: not a file in an existing folder"),
))
def test_options_that_cannot_be_followed(arguments, text, capsys):
    assert ulx3s.main(arguments) == EXIT_ERROR
    assert re.search(text, one_line(capsys))


def test_boards_that_cannot_be_had(capsys):
    for name, text in (
        ("nonsense",           r"board 'nonsense' is not one of litex-boards': --list names all"),
        ("ulx",                r"board 'ulx' is not one of litex-boards': did you mean radiona_ulx3s, radiona_ulx4m"),
        ("quickfeather",       r"quicklogic quickfeather: its clock and reset generator takes no frequency"),
        ("tinyfpga_bx",        r"no clock and reset generator to build on"),
    ):
        assert board.main([name]) == EXIT_ERROR
        assert re.search(text, one_line(capsys))
    assert board.main([]) == EXIT_ERROR


def test_the_list_of_boards(tmp_path, capsys):
    names = ["ulx3s", "digilent_basys3", "terasic_de2_115", "sipeed_tang_primer_20k", "xilinx_kc705", "orangecrab",
        "pano_logic_g2", "qmtech_wukong", "alchitry_au", "sipeed_tang_primer", "zedboard"]
    assert board.main(["--list", *names, "--json", str(tmp_path/"list.json")]) == 0
    entries = {entry["name"]: entry for entry in json.loads((tmp_path/"list.json").read_text())["boards"]}
    assert list(entries) == names
    # Among them are a target whose PCIe core is not installed, one whose UART is apart from its other pads, and clock
    # and reset generators that call the clock otherwise, want a speed grade, or are called otherwise.
    for name in names[:9]:
        assert not entries[name]["refusal"] and entries[name]["neurons"] >= 32 and entries[name]["inputs"] >= 64
    # Of this FPGA nothing is known: it can be built for, but what fits is not told.
    assert not entries["sipeed_tang_primer"]["refusal"] and entries["sipeed_tang_primer"]["neurons"] is None
    assert re.fullmatch(r"digilent zedboard has no pads 'serial' for a UART: name two pins that a USB adapter is wired "
        r"to with --uart-pins TX,RX \(of a connector: pmoda:0, .*\), or other pads with --uart-name",
        entries["zedboard"]["refusal"])
    assert "10 of 11 boards can have the SoC." in capsys.readouterr().out


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_fits_terminals_and_pipes(width):
    sizes   = ({"neurons": 1024, "inputs": 4096, "lanes": 16}, {"neurons": 256, "inputs": 512, "lanes": 8})
    entries = [{"name": "sipeed_tang_primer_20k_with_a_long_name", "device": "GW2A-LV18PG256C8/I7", "refusal": "",
        "toolchain": "apicula", "clock_mhz": 27.0, "cpu": "vexriscv+lite", **sizes[0]},
        {"name": "ulx3s", "device": "LFE5U-25F", "toolchain": "trellis", "clock_mhz": 50.0, "cpu": "vexriscv",
        "refusal": "", **sizes[1]}, {"name": "zedboard", "refusal": "no pads [serial] for a UART"}]
    text = shown(lambda console: show(entries, console), width)
    table, _, rest = text.partition("zedboard")
    assert_fits(table, width)
    for entry in entries[:2]:
        assert_whole(table, [*(entry[size] for size in sizes[0]), f"{entry['clock_mhz']:g}"])
    assert "no pads [serial] for a UART" in rest and "2 of 3 boards can have the SoC." in rest


@pytest.mark.parametrize("width", WIDTHS)
def test_a_board_fits_terminals_and_pipes(width, tmp_path):
    content = command.measures(find_board("ulx3s"), OPTIONS, REPORT, build(tmp_path))
    text    = shown(lambda console: command.show(content, console), width)
    table   = text[text.index("cells"):text.index("clock")]
    assert_fits(table, width)
    assert_whole(table, [7000, 4000, 24288])


def test_a_board_of_an_unknown_fpga(capsys):
    assert board.main(["tang_primer", "--neurons", "64"]) == 0
    assert "What EG4S20BG256 holds is not known here: no estimate." in capsys.readouterr().out


def make_zedboard(pins: str):
    from targets.boards.elaborate import make_soc
    description = find_board("digilent_zedboard")
    return make_soc(description, BoardOptions(description.name, description.default("device"),
        description.default("toolchain"), 50_000_000, 115_200, QCLIFConfig(neurons=4, inputs=4, lanes=1),
        {"uart_pins": pins}))


@pytest.mark.parametrize("pins, expected", (
    ("pmoda:0,pmoda:1",     [("tx", ["Y11"], "LVCMOS33"), ("rx", ["AA11"], "LVCMOS33")]),
    ("Y9,pmoda:2,LVCMOS18", [("tx", ["Y9"], "LVCMOS18"), ("rx", ["Y10"], "LVCMOS18")]),
))
def test_a_uart_on_pins_that_are_named(pins, expected):
    constraints = make_zedboard(pins).platform.constraint_manager.get_sig_constraints()
    assert [(resource[2], pads, standard.name) for _, pads, (standard, *_), resource in constraints
        if resource[0] == "qclif_serial"] == expected


@pytest.mark.parametrize("pins, why", (
    ("pmodx:0,pmoda:1",  "No connector named 'pmodx' is available"),
    ("pmoda:0,pmoda:99", "There is no pin with number '99' on connector 'pmoda', maximum is 7"),
    ("pmoda:0,pmoda:x",  "there is no such pin"),
))
def test_pins_that_are_not_there(pins, why):
    with pytest.raises(QCLIFError, match=rf"^--uart-pins is '{pins}': {why}: name two pins, of a connector: pmoda:0, "):
        make_zedboard(pins)


def test_no_pins(capsys):
    assert board.main(["zedboard", "--uart-pins", "pmoda:0"]) == EXIT_ERROR
    assert one_line(capsys) == "--uart-pins is 'pmoda:0': name two pins, TX,RX, as in pmoda:0,pmoda:1"


def test_without_a_tool(monkeypatch, tmp_path, capsys):
    compiler = tmp_path/"riscv64-unknown-elf-gcc"
    for name in (compiler.name, "make"):
        (tmp_path/name).write_text("#!/bin/sh\n")
        (tmp_path/name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ulx3s.main(["--build", "--tools", "path"]) == EXIT_ERROR
    assert one_line(capsys) == ("yosys, nextpnr-ecp5, ecppack: not on the PATH: install them, extend the PATH, or "
        "leave out --tools path")
    assert arty.main(["--build"]) == EXIT_ERROR
    assert one_line(capsys) == ("vivado of toolchain vivado is not on the PATH: extend it, or generate all that it "
        "needs with --no-compile-gateware")
    compiler.unlink()
    assert ulx3s.main(["--build"]) == EXIT_ERROR
    assert one_line(capsys) == "riscv64-unknown-elf-gcc not found: sudo apt-get install gcc-riscv64-unknown-elf"


def test_the_estimate_alone(tmp_path, capsys):
    assert ulx3s.main(["--device", "LFE5U-25F", "--json", str(tmp_path/"fit.json")]) == 0
    said    = capsys.readouterr().out
    content = json.loads((tmp_path/"fit.json").read_text())
    assert content["board"] == "ulx3s" and content["device"] == "LFE5U-25F" and content["sys_clk_mhz"] == 50
    assert content["estimate"]["bram"] <= 56 and str(content["estimate"]["bram"]) in said
    # What was not computed is not there.
    assert not {"lut", "ff", "bram", "dsp", "fmax_mhz", "bitstream", "build_seconds"} & content.keys()


@needs_compiler
def test_a_clock_that_no_pll_makes(tmp_path, capsys):
    assert ulx3s.main(["--build", "--no-compile-gateware", "--sys-clk-freq", "777e6", "--non-interactive",
        "--output-dir", str(tmp_path)]) == EXIT_ERROR
    assert "Radiona ULX3S has no clock of 777 MHz" in capsys.readouterr().err

# Building -----------------------------------------------------------------------------------------

@pytest.fixture
def built(monkeypatch, tmp_path):
    """The commands find a finished build; the list has what they loaded."""
    loaded = []
    monkeypatch.setattr(command, "build_board", lambda *arguments: build(tmp_path))
    monkeypatch.setattr(command, "load", lambda *arguments: loaded.append(arguments[2:]))
    return loaded


def test_figures_of_a_build(built, tmp_path, capsys):
    assert ulx3s.main(["--build", "--device", "LFE5U-25F", "--sys-clk-freq", "50e6", "--json", "-", "--neurons", "16",
        "--non-interactive"]) == 0
    output  = capsys.readouterr()
    content = json.loads(output.out)
    keys    = {"board", "device", "config", "lut", "ff", "bram", "dsp", "fmax_mhz", "sys_clk_mhz", "bitstream",
        "build_seconds"}
    assert keys <= content.keys()
    assert (content["lut"], content["bram"], content["fmax_mhz"]) == (7000, 40, 51.94)
    assert content["critical_path"] == {"from": "VexRiscv.a", "to": "VexRiscv.b", "delay_ns": 19.25}
    assert content["config"]["neurons"] == 16
    assert "51.9 MHz" in output.err and "19.2 ns, VexRiscv.a to VexRiscv.b" in output.err
    assert not built


def test_what_nextpnr_does_not_time_is_told(monkeypatch, tmp_path, capsys):
    gowin = replace(OPTIONS, board="tang_nano_20k", device="GW2AR-18", toolchain="apicula")
    monkeypatch.setattr(command, "build_board", lambda *arguments: build(tmp_path, options=gowin))
    assert tang_nano_20k.main(["--build", "--non-interactive", "--json", "-"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["untimed"] == ["multipliers", "second ports of block RAMs"]
    assert ("51.9 MHz reached, not counting multipliers and second ports of block RAMs, whose delays nextpnr does not "
        "know") in output.err


def test_loading_and_flashing(built, tmp_path):
    common = ["--device", "LFE5U-25F", "--sys-clk-freq", "50e6", "--non-interactive"]
    assert ulx3s.main(["--load", *common]) == 0
    assert ulx3s.main(["--flash", "--cable", "ft232", *common]) == 0
    assert built == [(tmp_path/"top.bit", False, None), (tmp_path/"top.bit", True, "ft232")]


def test_a_clock_that_is_not_reached(monkeypatch, tmp_path, capsys):
    loaded = []
    slow   = build(tmp_path, report={**REPORT, "fmax_mhz": 49.5})
    monkeypatch.setattr(command, "build_board", lambda *arguments: slow)
    monkeypatch.setattr(command, "load", lambda *arguments: loaded.append(arguments))
    common = ["--load", "--device", "LFE5U-25F", "--sys-clk-freq", "50e6", "--non-interactive"]
    assert ulx3s.main(common) == EXIT_ERROR and not loaded
    assert "error: 50 MHz is not reached, 49.5 MHz is: lower --sys-clk-freq" in capsys.readouterr().err
    assert ulx3s.main([*common, "--allow-timing-fail"]) == 0 and loaded


def test_register_exports(built, tmp_path):
    assert ulx3s.main(["--build", "--device", "LFE5U-25F", "--csr-csv", str(tmp_path/"my.csv"), "--sys-clk-freq",
        "50e6"]) == 0
    assert (tmp_path/"my.csv").read_text() == "csr.csv"

# Report -------------------------------------------------------------------------------------------

def test_a_report_of_nextpnr(tmp_path):
    step = {"delay": 0.5, "from": {"cell": "cpu.pc_TRELLIS_FF_Q_3"}, "to": {"cell": "cpu.x_LUT4_Z"}}
    last = {"delay": 9.0, "from": {"cell": "cpu.x_LUT4_Z"}, "to": {"cell": "cpu.ir_TRELLIS_FF_Q"}}
    (tmp_path/"report.json").write_text(json.dumps({
        "utilization": {"TRELLIS_COMB": {"used": 10, "available": 20}, "DP16KD": {"used": 1, "available": 2}},
        "fmax": {"clk25": {"achieved": 300.0, "constraint": 25.0}, "sys": {"achieved": 61.5, "constraint": 60.02}},
        "critical_paths": [{"from": "async", "to": "posedge sys", "path": [step]},
            {"from": "posedge sys", "to": "posedge sys", "path": [step, last]}],
    }))
    assert read_report(tmp_path/"report.json", 60) == {"lut": 10, "bram": 1, "available": {"lut": 20, "bram": 2},
        "fmax_mhz": 61.5, "critical_path": {"from": "cpu.pc", "to": "cpu.ir", "delay_ns": 9.5}}
    for text in ("", "{}", "[]"):
        (tmp_path/"report.json").write_text(text)
        with pytest.raises(QCLIFError, match=r"report\.json is no report of nextpnr .*: delete its folder"):
            read_report(tmp_path/"report.json", 60)

# Loading ------------------------------------------------------------------------------------------

@pytest.fixture
def loader_program(monkeypatch, tmp_path):
    """A program in openFPGALoader's place: fails where its script says so, notes its arguments."""
    def make(text: str) -> Path:
        program = tmp_path/command.LOADER
        program.write_text(f"#!/bin/sh\n/bin/echo \"$@\" >> {tmp_path}/arguments\n{text}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path/"arguments"
    return make


def test_the_loader_is_called_for_the_board(loader_program, tmp_path):
    arguments = loader_program("exit 0")
    load(ulx3s.BOARD, "LFE5U-25F", Path("x.bit"))
    load(ulx3s.BOARD, "LFE5U-25F", Path("x.bit"), flash=True, cable="ft232")
    load(arty.BOARD, "a7-100", Path("y.bit"))
    load(find_board("colorlight_i5"), "LFE5U-25F-6BG381C", Path("z.bit"), cable="cmsisdap")
    load(tang_nano_20k.BOARD, "GW2AR-18", Path("t.fs"), flash=True)
    assert arguments.read_text().splitlines() == ["--board ulx3s x.bit", "--board ulx3s --cable ft232 --write-flash "
        "x.bit", "--board arty_a7_100t y.bit", "--cable cmsisdap z.bit", "--cable ft2232 --write-flash t.fs"]


def test_no_cable_and_no_loader(loader_program, monkeypatch, tmp_path):
    loader_program("echo 'unable to open ftdi device: -3 (device not found)'; echo 'JTAG init failed'; exit 1")
    with pytest.raises(QCLIFError, match=r"^openFPGALoader does not reach Radiona ULX3S \(unable to open ftdi device: "
            r"-3 \(device not found\) JTAG init failed\): plug in the board's USB cable, see that you may use it "):
        load(ulx3s.BOARD, "LFE5U-25F", Path("x.bit"))
    monkeypatch.setenv("PATH", str(tmp_path/"nothing"))
    with pytest.raises(QCLIFError, match=r"^openFPGALoader not found: sudo apt-get install openfpgaloader$"):
        load(ulx3s.BOARD, "LFE5U-25F", Path("x.bit"))


def test_a_board_that_litex_loads_otherwise():
    with pytest.raises(QCLIFError, match="litex-boards loads icebreaker bitsy with DFUProg: use that, or name "
            "openFPGALoader's cable with --cable"):
        load(find_board("icebreaker_bitsy"), "ice40-up5k-sg48", Path("x.bin"))
