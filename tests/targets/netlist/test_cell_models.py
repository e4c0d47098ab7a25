# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cells as they are simulated, beside what Liberty says of them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.liberty.library import Cell, Library, Pin, Register
from targets.netlist.gates import cell_models_verilog


def simulated(models, bench, folder):
    """Lines that a bench shows in Icarus."""
    if not shutil.which("iverilog"):
        pytest.skip("needs Icarus: apt-get install iverilog")
    (folder/"all.v").write_text(f"{models}\nmodule bench;\n{bench}\nendmodule\n")
    subprocess.run(["iverilog", "-g2005", "-o", folder/"sim", "-s", "bench", folder/"all.v"], check=True)
    shown = subprocess.run(["vvp", "-n", folder/"sim"], check=True, capture_output=True, text=True).stdout
    return shown.split()


def test_all_gates_do_what_liberty_says(pdk, tmp_path):
    library = pdk.corner("typ").library
    gates   = {name: cell for name, cell in library.cells.items()
        if not cell.is_sequential and cell.outputs and not any(pin.three_state for pin in cell.outputs.values())}
    lines, expected = ["reg [5:0] in; integer n;"], []
    for name, cell in gates.items():
        inputs = [pin for pin in cell.pins if pin not in cell.outputs]
        pins   = [f".{pin}(in[{bit}])" for bit, pin in enumerate(inputs)]
        pins  += [f".{pin}({name}_{pin})" for pin in cell.outputs]
        lines.append(f"wire {', '.join(f'{name}_{pin}' for pin in cell.outputs)}; {name} u_{name} ({', '.join(pins)});")
    shown = ", ".join(f"{name}_{pin}" for name, cell in gates.items() for pin in cell.outputs)
    lines.append(f'initial for (n = 0; n < 64; n = n + 1) begin in = n; #1 $display("%b", {{{shown}}}); end')
    for n in range(64):
        bits = ""
        for cell in gates.values():
            values = {pin: n >> bit & 1 for bit, pin in enumerate(pin for pin in cell.pins if pin not in cell.outputs)}
            # Of Python's numbers only the lowest bit counts.
            bits  += "".join(str(eval(pin.function.replace("!", "~"), dict(values)) & 1)
                for pin in cell.outputs.values())
        expected.append(bits)
    assert len(gates) > 90
    assert simulated(cell_models_verilog(library, gates), "\n".join(lines), tmp_path) == expected


def test_states(pdk, tmp_path):
    """Reset, set, both, scan, latches and clock gates, at each change of a pin."""
    library = pdk.corner("typ").library
    models  = cell_models_verilog(library, ["DFFRS_X1", "SDFF_X1", "DLH_X1", "DLL_X1", "CLKGATE_X1", "CLKGATETST_X1"])
    bench   = """
    reg clk, d, r, s, scan; wire [8:0] q;
    DFFRS_X1 a (.CK(clk), .D(d), .RN(~r), .SN(~s), .Q(q[0]), .QN(q[1]));
    SDFF_X1  b (.CK(clk), .D(d), .SE(scan), .SI(~d), .Q(q[2]), .QN(q[3]));
    DLH_X1   c (.G(clk), .D(d), .Q(q[4]));
    DLL_X1   e (.GN(clk), .D(d), .Q(q[5]));
    CLKGATE_X1    f (.CK(clk), .E(d), .GCK(q[6]));
    CLKGATETST_X1 g (.CK(clk), .E(1'b0), .SE(d), .GCK(q[7]));
    CLKGATE_X1    h (.CK(~clk), .E(d), .GCK(q[8]));
    task show; begin #1 $display("%b", q); end endtask
    initial begin
        {clk, d, r, s, scan} = 5'b00100; show;
        r = 0; d = 1; show;
        clk = 1; show;
        d = 0; show;
        clk = 0; show;
        s = 1; show;
        r = 1; show;
        r = 0; s = 0; scan = 1; clk = 1; show;
    end"""
    shown = simulated(models, bench, tmp_path)
    assert len(shown) == 8
    state = {name: [line[8 - bit] for line in shown] for name, bit in zip(
        ("q", "qn", "scan", "scan_n", "high", "low", "gate", "test", "inverted"), range(9), strict=True)}
    #                           r    d    clk  !d   !clk s    r,s  clk
    assert state["q"]        == ["0", "0", "1", "1", "1", "1", "0", "0"]
    assert state["qn"]       == ["1", "1", "0", "0", "0", "0", "0", "1"]
    assert state["scan"]     == ["x", "x", "1", "1", "1", "1", "1", "1"]
    assert state["scan_n"]   == ["x", "x", "0", "0", "0", "0", "0", "0"]
    assert state["high"]     == ["x", "x", "1", "0", "0", "0", "0", "0"]
    assert state["low"]      == ["0", "1", "1", "1", "0", "0", "0", "0"]
    assert state["gate"]     == ["0", "0", "1", "1", "0", "0", "0", "0"]
    assert state["test"]     == ["0", "0", "1", "1", "0", "0", "0", "0"]
    assert state["inverted"] == ["x", "x", "0", "0", "0", "0", "0", "0"]


@pytest.mark.parametrize(("name", "what"), [
    ("TBUF_X1", "cell TBUF_X1: output Z has three states"),
    ("NAND9_X1", "has no cell NAND9_X1"),
])
def test_cells_that_are_not_simulated(pdk, name, what):
    with pytest.raises(QCLIFError, match=what):
        cell_models_verilog(pdk.corner("typ").library, [name])


def test_undefined_state_is_refused():
    cell = Cell("ODD", 1.0, None, {"Q": Pin("Q", "output", function="IQ")},
        (Register("IQ", "IQN", "CK", "D", "R", "S", "X", "X"),))
    with pytest.raises(QCLIFError, match="clear and preset at once give X and X"):
        cell_models_verilog(Library("odd", {"ODD": cell}, None, None), ["ODD"])


def test_models_are_lint_clean(pdk, tmp_path):
    if not shutil.which("verilator"):
        pytest.skip("needs Verilator: ./qclif setup")
    library = pdk.corner("typ").library
    cells   = [name for name, cell in library.cells.items() if not any(pin.three_state for pin in cell.pins.values())]
    (path := Path(tmp_path, "cells.v")).write_text(cell_models_verilog(library, cells))
    done = subprocess.run(["verilator", "--lint-only", "-Wall", "-Wno-MULTITOP", path], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr.strip()
