# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Small designs that are synthesised in tests, and their netlists simulated beside them."""

import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from litex.gen.fhdl.verilog import convert
from migen import ClockDomain

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from accel.neuron import NeuronPipeline
from accel.verilog import PRAGMAS
from targets.asic.design import Rtl, Synthesis
from targets.asic.rtl.flops import clock_gate_model
from targets.tools.eda import Tool, find_sta, find_yosys, run_tool
from tests.helpers.memory_checks import GATE

# Two counters behind one another, with registers that have an enable and two that are too few for a clock gate.
COUNTER = """\
module counter (input sys_clk, input sys_rst, input enable, input signed [7:0] step, output signed [7:0] total,
    output reg [1:0] pair, output high);
    reg  signed [7:0] count;
    wire [7:0] next = count + step;
    stage first  (.clk(sys_clk), .rst(sys_rst), .en(enable), .d(next), .q(total), .high(high));
    always @(posedge sys_clk) begin
        if (enable) count <= next;
        if (high & enable) pair <= pair + 1;
        if (sys_rst) begin count <= 0; pair <= 0; end
    end
endmodule
"""
STAGE = """\
module stage (input clk, input rst, input en, input [7:0] d, output [7:0] q, output high);
    reg [7:0] held, last;
    adder one (.a(held), .b(last), .y(q));
    assign high = held[7];
    always @(posedge clk) begin
        if (en) begin held <= d; last <= held; end
        if (rst) begin held <= 0; last <= 0; end
    end
endmodule
"""
ADDER = """\
module adder (input [7:0] a, input [7:0] b, output [7:0] y);
    assign y = a + b;
endmodule
"""


def tool(find) -> Tool:
    """A tool of the flow, or the test is skipped."""
    try:
        return find()
    except QCLIFError as error:
        pytest.skip(str(error))


def yosys() -> Tool:
    return tool(find_yosys)


def opensta() -> Tool:
    return tool(find_sta)


def debian_yosys() -> Tool:
    """The one on the PATH, however old."""
    path = shutil.which("yosys") or pytest.skip("needs Yosys: apt-get install yosys")
    text = subprocess.run([path, "-V"], capture_output=True, text=True, check=True).stdout
    return Tool("Yosys", text.split()[1], "yosys", (path, "-Q", "-T", "-s"))


def rtl(folder: Path, texts: dict[str, str], top: str, **options) -> Rtl:
    """Files of a design."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder/f"{name}.v").write_text(text)
    return Rtl(top, tuple(folder/f"{name}.v" for name in texts), **options)


def counter(folder: Path) -> Rtl:
    """Of three modules, of which `stage` is told apart and `adder` is not."""
    return rtl(folder, {"counter": COUNTER, "stage": STAGE, "adder": ADDER}, "counter",
        modules={"counter": "two sums", "stage": "second sum"})


def pipeline(folder: Path, **sizes) -> Rtl:
    """The neuron's pipeline alone."""
    neuron        = NeuronPipeline(QCLIFConfig(**sizes))
    neuron.cd_sys = ClockDomain("sys")
    named         = ("ce", "apical_shift", "product_shift", "v_soma", "v_apical", "spike")
    for name in named:
        getattr(neuron, name).name_override = name
    ios  = {getattr(neuron, name) for name in named} | set(neuron.inputs.flatten()) | {neuron.cd_sys.clk,
        neuron.cd_sys.rst}
    text = str(convert(neuron, ios=ios, name="pipeline", regular_comb=False, regs_init=False))
    return rtl(folder, {"pipeline": PRAGMAS + text}, "pipeline", modules={"pipeline": "AC, MU, SC, TC"})


def contents(netlist: Path) -> dict[str, Counter]:
    """Instances in each module of a netlist, by what they are of: read as text, apart from the flow's own count."""
    modules = {}
    for match in re.finditer(r"^module (\S+?)\s*\(.*?^endmodule", netlist.read_text(), re.MULTILINE | re.DOTALL):
        modules[match[1]] = Counter(re.findall(r"^  (\w+) (?:\\\S+|\w+) +\($", match[0], re.MULTILINE))
    return modules


def flat(modules: dict[str, Counter], top: str) -> Counter:
    """Instances of all cells in the whole design."""
    total = Counter()
    for kind, number in modules[top].items():
        for inner, count in (flat(modules, kind) if kind in modules else {kind: 1}).items():
            total[inner] += number*count
    return total


def cell_models(liberty: Path, yosys: Tool, folder: Path) -> Path:
    """Verilog of the library's cells, as Yosys reads it; clock gates are left to the flow's model."""
    run_tool(yosys, f'read_liberty -ignore_miss_func "{liberty}"\ndelete CLKGATE* SDFF* TLAT* DLL* DLH* TBUF* TINV*\n'
        f'proc\nwrite_verilog -noattr "{folder/"cells.v"}"\n', folder, "cells.ys")
    return folder/"cells.v"


def outputs(synthesis: Synthesis, files: list[Path], folder: Path, clocks: int = 1000, seed: int = 1) -> list[str]:
    """Outputs after each clock, for random inputs, of files with the ports of a netlist; reset for some clocks, and
    again now and then."""
    module = re.search(rf"^module {synthesis.top}\(.*?^endmodule", synthesis.netlist.read_text(),
        re.MULTILINE | re.DOTALL)
    ports  = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", module[0], re.MULTILINE)
    width = {name: int(high or 0) + 1 for _, high, name in ports}
    given = [name for kind, _, name in ports if kind == "input" and name not in ("sys_clk", "sys_rst")]
    shown = [name for kind, _, name in ports if kind == "output"]
    rng   = random.Random(seed)
    lines = ["`timescale 1ns/1ps", "module bench;", "  reg sys_clk = 0, sys_rst = 1;"]
    lines += [f"  reg [{width[name] - 1}:0] {name} = 0;" for name in given]
    lines += [f"  wire [{width[name] - 1}:0] {name};" for name in shown]
    lines += [f"  {synthesis.top} dut ({', '.join(f'.{name}({name})' for name in width)});", "  initial begin"]
    for clock in range(clocks):
        lines += [f"    sys_rst = {int(clock < 20 or rng.random() < 0.01)};"]
        lines += [f"    {name} = {width[name]}'d{rng.getrandbits(width[name])};" for name in sorted(given)]
        lines += ["    #1 sys_clk = 1; #1 sys_clk = 0;",
            f"    #1 $display(\"{' '.join(['%b']*len(shown))}\", {', '.join(sorted(shown))});"]
    (folder/"bench.v").write_text("\n".join([*lines, "  end", "endmodule", ""]))
    subprocess.run(["iverilog", "-g2005", "-s", "bench", "-o", folder/"bench", folder/"bench.v", *files], check=True)
    done = subprocess.run([folder/"bench"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[20:]


def gate_model(folder: Path) -> Path:
    """Verilog of Nangate45's clock gate."""
    (folder/"gate.v").write_text(clock_gate_model(GATE))
    return folder/"gate.v"
