# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""OpenRAM: what its Liberty means, what is asked of it, and a real macro that does what its model does."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.asic import openram
from targets.asic.layout.floorplan import read_lef
from targets.asic.openram import beside
from targets.asic.platform.macros import OPENRAM_PORTS, Macro, read_macro
from targets.asic.platform.openram import (
    CELL_NW,
    compile_macro,
    compiled,
    find_openram,
    fit_liberty,
    folder,
    macro_name,
    openram_pdk,
)
from targets.asic.platform.pdk import Pdk
from targets.asic.platform.tiling import Memory, tile
from targets.asic.rtl.flops import clock_gate_model
from targets.asic.rtl.sram import macro_model_verilog, wrapper_verilog
from tests.helpers.memory_checks import GATE, accesses, bench, expected, stimulus
from tests.helpers.needs import needs_iverilog

# As OpenRAM writes it, with fewer values.
LIBERTY = """library (ram_lib){
    time_unit : "1ns" ;
    voltage_unit : "1V" ;
    capacitive_load_unit(1, pF) ;
    leakage_power_unit : "1mW" ;
    type (data){ bit_from : 7; bit_to : 0; }
cell (ram){
    memory(){
    type : ram;
    address_width : 4;
    word_width : 8;
    }
    dont_use  : true;
    map_only   : true;
    dont_touch : true;
    area : 2310.1648;
    cell_leakage_power : 0.000296;
    bus(addr0){
    }
    bus(dout0){
        bus_type  : data;
        max_capacitance : 0.0008364000000000001;
        pin(dout0[7:0]){
        timing(){
            related_pin : "clk0";
            timing_type : falling_edge;
            cell_rise(CELL_TABLE) {
            values("0.208, 0.208, 0.209",\\
                   "0.208, 0.208, 0.225");
            }
        }
        }
    }
    pin(clk0){
        clock             : true;
        internal_power(){
            when : "!csb0 & !web0";
            rise_power(scalar){
                values("2.0e-01");
            }
            fall_power(scalar){
                values("2.0e-01");
            }
        }
        timing(){
            timing_type :"min_pulse_width";
            rise_constraint(scalar) { values("0.3865"); }
        }
        timing(){
            timing_type :"minimum_period";
            rise_constraint(scalar) { values("0.773"); }
        }
    }
    }
}
"""

# The smallest that OpenRAM makes; its compilation takes a quarter of a minute.
SMALLEST = (16, 8)

needs_openram = pytest.mark.skipif(find_openram() is None and macro_name(*SMALLEST) not in compiled(),
    reason="needs OpenRAM: python -m targets.asic.openram --install")


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """No OpenRAM, and no macros."""
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"build"))


@pytest.fixture(scope="module")
def smallest():
    return compile_macro(*SMALLEST)

# Liberty -------------------------------------------------------------------------------------------

def test_power_becomes_energy_and_leakage_that_of_real_cells(tmp_path):
    path = tmp_path/"ram.lib"
    path.write_text(fit_liberty(LIBERTY))
    macro = read_macro(path, Path("ram.lef"), Path("ram.gds"), OPENRAM_PORTS)
    # 0.2 mW at 100 MHz are 2 pJ an access, 1 pJ an edge; 296 nW are 296 cells and gates.
    assert macro == Macro("ram", 16, 8, 2310.1648, pytest.approx(296*CELL_NW), pytest.approx(2.0), path,
        Path("ram.lef"), Path("ram.gds"), mask=False, access_ns=pytest.approx(0.773/2 + 0.225), min_period_ns=0.773,
        ports=OPENRAM_PORTS)
    text = path.read_text()
    assert "max_capacitance : 0.01;" in text and text.count('values("1.000000e+00")') == 2
    assert not any(word in text for word in ("dont_use", "dont_touch", "map_only"))
    # Nothing else changed.
    assert len(LIBERTY.splitlines()) == len(text.splitlines()) + 3


@pytest.mark.parametrize("gone", ("rise_power(scalar){\n                values(\"", "max_capacitance",
    "cell_leakage_power"))
def test_liberty_of_another_version(gone):
    text = LIBERTY.replace(gone, "x").replace(gone.replace("rise", "fall"), "x")
    with pytest.raises(QCLIFError, match=r"another version; .*--install"):
        fit_liberty(text)


@pytest.mark.parametrize("gone", ("memory(", "minimum_period", "word_width", "cell_rise", "clk0){"))
def test_liberty_without_a_macro(tmp_path, gone):
    path = tmp_path/"ram.lib"
    path.write_text(fit_liberty(LIBERTY).replace(gone, f"x{gone}"))
    with pytest.raises(QCLIFError, match=r"ram\.lib:.*delete its folder"):
        read_macro(path, None, None, OPENRAM_PORTS, "delete its folder")

# Command -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size, words", [
    ((8, 8),       ("8x8", "8 words", "16 to 4096")),
    ((8192, 8),    ("8192 words", "16 to 4096")),
    ((16, 1),      ("16x1", "1 bits", "2 to 256")),
    ((48, 8),      ("48x8", "no power of two")),
    ((16, 8),      ("OpenRAM is missing", "python -m targets.asic.openram --install")),
])
def test_macro_that_cannot_be(empty, size, words):
    with pytest.raises(QCLIFError) as error:
        compile_macro(*size)
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


def stand_in(monkeypatch, tmp_path, script):
    """A compiler that is a shell script."""
    environment = folder()/"environment"
    compiler    = environment/"lib"/"python3"/"site-packages"/"openram"/"sram_compiler.py"
    for path, text in ((environment/"bin"/"python", f"#!/bin/sh\n{script}\n"), (compiler, "")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


def test_a_macro_is_compiled_once(empty, monkeypatch, tmp_path):
    (tmp_path/"ram.lib").write_text(LIBERTY.replace("cell (ram)", "cell (openram45_16x8)"))
    stand_in(monkeypatch, tmp_path, f"""grep -q '^num_words = 16$' config.py || exit 3
mkdir out; echo once >> {tmp_path}/count; echo '** Placement: 0.1 seconds'
cp {tmp_path}/ram.lib out/openram45_16x8_TT.lib
for kind in lef gds v; do echo $kind > out/openram45_16x8.$kind; done""")
    stages = []
    first  = compile_macro(16, 8, lambda stage, done, total: stages.append(stage))
    assert first == compile_macro(16, 8) and compiled() == {"openram45_16x8": first}
    assert (tmp_path/"count").read_text() == "once\n"
    assert stages == ["OpenRAM openram45_16x8", "OpenRAM openram45_16x8: placement done"]
    assert first.lef.read_text() == "lef\n" and first.gds.read_text() == "gds\n"
    # No trace of the work is left, in it or beside it.
    assert sorted(path.name for path in folder().iterdir() if path.suffix != ".lock") == ["environment",
        first.lef.parent.name]
    assert {path.suffix for path in first.lef.parent.iterdir()} == {".lib", ".lef", ".gds", ".v"}


def test_two_at_once_compile_a_macro_once(empty, monkeypatch, tmp_path):
    (tmp_path/"ram.lib").write_text(LIBERTY.replace("cell (ram)", "cell (openram45_16x8)"))
    stand_in(monkeypatch, tmp_path, f"""mkdir out; echo once >> {tmp_path}/count; sleep 0.5
cp {tmp_path}/ram.lib out/openram45_16x8_TT.lib
for kind in lef gds v; do echo $kind > out/openram45_16x8.$kind; done""")
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: compile_macro(16, 8), range(2))
    assert first == second and (tmp_path/"count").read_text() == "once\n"


def test_a_compiler_that_fails(empty, monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, "echo some; echo 'ERROR: file x: no way'; exit 1")
    with pytest.raises(QCLIFError, match=r"OpenRAM fails for openram45_16x8: ERROR: file x: no way; see .*\.log"):
        compile_macro(16, 8)
    assert compiled() == {}


def test_others_of_the_same_sizes_are_shown():
    def macro(name, depth, width):
        return Macro(name, depth, width, 1.0, 1.0, 1.0, Path("x.lib"), None)
    mine   = {each.name: each for each in (macro("a", 16, 8), macro("b", 32, 8))}
    theirs = {each.name: each for each in (macro("c", 32, 8), macro("d", 8, 16))}
    assert [each.name for each in beside(mine, theirs)] == ["a", "b", "c"]


def test_pdk_with_compiled_macros(empty, monkeypatch, tmp_path):
    pdk = Pdk(tmp_path, {}, {"fakeram45_16x8": None}, None, None, None, "identity")
    with pytest.raises(QCLIFError, match=r"no macros of OpenRAM: python -m targets\.asic\.openram --install --set "):
        openram_pdk(pdk)
    (tmp_path/"ram.lib").write_text(LIBERTY.replace("cell (ram)", "cell (openram45_16x8)"))
    stand_in(monkeypatch, tmp_path, f"""mkdir out; cp {tmp_path}/ram.lib out/openram45_16x8_TT.lib
for kind in lef gds v; do echo $kind > out/openram45_16x8.$kind; done""")
    macro = compile_macro(16, 8)
    found = openram_pdk(pdk)
    assert found.macros == {"openram45_16x8": macro}
    assert found.identity != pdk.identity and found == openram_pdk(pdk)


def test_the_set_for_the_core(empty, monkeypatch, tmp_path, capsys):
    """It is compiled, and shown beside fakeram45's of the same sizes."""
    other  = Macro("fakeram45_a", *openram.SET[0], 4096.0, 1e3, 1.0, Path("x"), None)
    pdk    = Pdk(tmp_path, {}, {"fakeram45_a": other}, None, None, None, "identity")
    asked  = []
    found  = {f"openram45_{n}": Macro(f"openram45_{n}", *size, 8192.0, 2e3, 4.0, Path("x"), None)
        for n, size in enumerate(openram.SET)}
    monkeypatch.setattr(openram, "compile_macro", lambda *size: asked.append(size[:2]))
    monkeypatch.setattr(openram, "compiled", lambda: found)
    monkeypatch.setattr(openram, "find_pdk", lambda folder: pdk)
    assert openram.main(["--set", "--size", "16x8", "--size", "x".join(map(str, openram.SET[0]))]) == 0
    assert asked == [*openram.SET, (16, 8)]
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*found, "fakeram45_a"))


def test_command(empty, tmp_path, capsys):
    assert openram.main(["--size", "48x8"]) == 2
    assert capsys.readouterr().err.startswith("error: OpenRAM macro 48x8: ")
    with pytest.raises(SystemExit):
        openram.main(["--size", "48"])
    assert "'48' is no size: words, x and bits, as 64x32" in capsys.readouterr().err

# A real macro --------------------------------------------------------------------------------------

@needs_openram
def test_real_macro(smallest):
    depth, width = SMALLEST
    assert (smallest.name, smallest.depth, smallest.width) == ("openram45_16x8", depth, width)
    outline = read_lef(smallest.lef)[smallest.name]
    assert outline.kind == "BLOCK" and (outline.power, outline.ground) == (("vdd",), ("gnd",))
    ports = smallest.ports
    assert set(outline.pins) == {ports.clock, ports.enable, ports.write, *(f"{ports.address}[{n}]" for n in range(4)),
        *(f"{name}[{n}]" for name in (ports.write_data, ports.read_data) for n in range(width))}
    assert smallest.area_um2 == pytest.approx(outline.width*outline.height*1e-6, rel=1e-6)
    assert 1e3 < smallest.area_um2 < 1e4 and 1e3 < smallest.leakage_nw < 1e4 and 0.1 < smallest.energy_pj < 10


@needs_openram
@pytest.mark.skipif(not shutil.which("sta"), reason="needs OpenSTA: apt-get install opensta")
def test_opensta_reads_the_liberty(smallest, tmp_path):
    (tmp_path/"a.v").write_text(f"module top (clock, a, q); input clock; input [3:0] a; output [7:0] q;\n"
        f"  {smallest.name} ram (.clk0(clock), .csb0(a[0]), .web0(a[0]), .addr0(a), .din0({{a, a}}), .dout0(q));\n"
        f"endmodule\n")
    (tmp_path/"a.tcl").write_text(f"read_liberty {smallest.liberty}\nread_verilog a.v\nlink_design top\n"
        "create_clock -name clock -period 10 [get_ports clock]\nset_output_delay 0 -clock clock [all_outputs]\n"
        "report_checks -digits 4 -to [get_ports {q[0]}]\nreport_power -instances [get_cells ram] -digits 6\n")
    done = subprocess.run(["sta", "-exit", "a.tcl"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Error" not in done.stdout + done.stderr
    # Data come after the falling edge, at 5 ns.
    arrival = next(float(line.split()[0]) for line in done.stdout.splitlines() if line.endswith("data arrival time"))
    assert 5.0 < arrival < 6.0
    # A clock of 100 MHz has two edges. OpenSTA of 2019 charges the energy of both at each of them.
    internal, _, leakage, *_ = next(line.split() for line in done.stdout.splitlines() if line.endswith(" ram"))
    factor = float(internal)/(smallest.energy_pj*1e-12*100e6)
    assert factor in (pytest.approx(1, rel=1e-5), pytest.approx(2, rel=1e-5))
    assert float(leakage) == pytest.approx(smallest.leakage_nw*1e-9, rel=1e-5)


@pytest.mark.skipif(find_openram() is None, reason="needs OpenRAM: python -m targets.asic.openram --install")
@pytest.mark.skipif(not shutil.which("ngspice"), reason="needs ngspice: sudo apt-get install ngspice")
def test_leakage_of_a_bit_cell(tmp_path):
    """The constant is what ngspice says of OpenRAM's own bit cell, its bit lines charged and its word line off."""
    technology = find_openram().parent/"technology"/"freepdk45"
    models     = technology/"models"/"tran_models"/"models_nom"
    (tmp_path/"cell.sp").write_text(f"""* leakage of a bit cell
.include {models}/NMOS_VTG.inc
.include {models}/PMOS_VTG.inc
.include {technology}/sp_lib/cell_1rw.sp
Vall vdd 0 1.1
Xcell vdd vdd 0 vdd 0 cell_1rw
.nodeset v(xcell.q)=0 v(xcell.q_bar)=1.1
.temp 25
.control
op
print i(Vall)
.endc
.end
""")
    done = subprocess.run(["ngspice", "-b", "cell.sp"], cwd=tmp_path, capture_output=True, text=True, check=False)
    amps = float(next(line.split()[-1] for line in done.stdout.splitlines() if line.startswith("i(vall) = ")))
    assert -amps*1.1*1e9 == pytest.approx(CELL_NW, rel=1e-3)


@needs_openram
@needs_iverilog
def test_memory_of_openrams_own_model(smallest, tmp_path):
    """The wrapper with the Verilog that OpenRAM wrote, and with ours: both read what was written."""
    memory   = Memory("memory", 24, (5, 8), banks=2)
    verilog  = wrapper_verilog(tile(memory, {smallest.name: smallest}), GATE)
    sequence = accesses(memory, 400, both=False)
    # Its data come some time after the falling edge: look at them at the end of the clock.
    test     = bench(memory, sequence, []).replace("always @(negedge clk) begin", "always @(negedge clk) begin #4;")
    lines    = [access.read_en for access in sequence]
    (tmp_path/"stimulus.hex").write_text(stimulus(memory, sequence))
    own    = smallest.lef.with_suffix(".v").read_text()
    wanted = expected(memory, sequence, "macros")
    for model in (own, macro_model_verilog(smallest)):
        (tmp_path/"all.v").write_text("\n".join(["`timescale 1ns/1ps", model, verilog, clock_gate_model(GATE), test]))
        for command in (["iverilog", "-g2005", "-Pbench.dut.VERBOSE=0", "-o", "sim", "-s", "bench", "all.v"],
                ["vvp", "-n", "sim"]):
            done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        rows = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("row ")]
        assert len(rows) == len(wanted)
        reads = [(int(row, 16), value) for row, value, read in zip(rows, wanted, lines, strict=True)
            if read and value is not None]
        assert len(reads) > 100 and all(row == value for row, value in reads)


def test_macros_serve_memories_like_any_other(tmp_path):
    """A memory with slices that are written on their own takes a macro for each: OpenRAM's have no write mask."""
    path = tmp_path/"ram.lib"
    path.write_text(fit_liberty(LIBERTY))
    macro  = read_macro(path, Path("ram.lef"), Path("ram.gds"), OPENRAM_PORTS)
    tiling = tile(Memory("memory", 16, (4, 4)), {"ram": replace(macro)})
    assert tiling.macros == {"ram": 2}
