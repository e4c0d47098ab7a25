# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Netlists for tests: of the flow's designs by the shortest way, and small ones by hand."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from accel.config import QCLIFConfig
from targets.asic.design import AsicConfig
from targets.asic.rtl.generate import generate
from targets.netlist.netlist import Netlist
from targets.netlist.toggles import Activity
from tests.helpers.memory_checks import blackbox_verilog

NEURON = AsicConfig("neuron", QCLIFConfig(current_bits=8))

# Small enough to be built in seconds; contexts, and more neurons than lanes.
SIZES = QCLIFConfig(neurons=3, inputs=6, contexts=2, lanes=2, weight_bits=4, state_bits=5, current_bits=6)

# Two flip-flops in a row, the second one behind a clock gate and a buffer, the third one back on the clock: whoever
# lets the gated clock arrive later than the clock, or the new data before it, gets other values.
GATED = """
module gated (sys_clk, d, en, q, held, \\odd[name] );
  input sys_clk;
  input d, en;
  output q, held;
  output [1:0] \\odd[name] ;
  wire first, second, clock, gated;
  wire [1:0] \\odd[name] ;
  CLKGATE_X1 gate (.CK(sys_clk), .E(en), .GCK(gated));
  CLKBUF_X1 buffer (.A(gated), .Z(clock));
  DFF_X1 one   (.CK(sys_clk), .D(d), .Q(first));
  DFF_X1 two   (.CK(clock), .D(first), .Q(second), .QN(\\odd[name] [1]));
  DFF_X1 three (.CK(sys_clk), .D(second), .Q(q));
  assign held = second;
  assign \\odd[name] [0] = 1'b1;
endmodule
"""


def synthesised(config: AsicConfig, pdk, folder: Path) -> Path:
    """Netlist of a design, each module of its own; without timing in mind."""
    if not shutil.which("yosys"):
        pytest.skip("needs Yosys: ./qclif setup")
    rtl     = generate(config, pdk, folder)
    liberty = pdk.corner("typ").liberty
    boxes, netlist = folder/"boxes.v", folder/"netlist.v"
    boxes.write_text("".join(blackbox_verilog(pdk.macros[name]) for name in rtl.macros))
    commands = [*(f"read_verilog {path}" for path in rtl.sources), f"read_verilog -lib {boxes}",
        f"read_liberty -lib -ignore_miss_func {liberty}", f"hierarchy -check -top {rtl.top}",
        f"synth -run coarse: -top {rtl.top}", f"dfflibmap -liberty {liberty}", f"abc -liberty {liberty} -D 10000",
        "hilomap -hicell LOGIC1_X1 Z -locell LOGIC0_X1 Z", "opt_clean -purge",
        f"write_verilog -noattr -noexpr -nohex -nodec {netlist}"]
    subprocess.run(["yosys", "-q", "-p", "; ".join(commands)], check=True, capture_output=True)
    return netlist


def activity(netlist: Netlist, clocks: int, nets: dict[str, tuple[int, float]], others: tuple[int, float] = (0, 0.0)
        ) -> Activity:
    """Activity of a netlist of one module: (changes, time at 1 in clocks) of nets by name, and of all others."""
    module = netlist.modules[netlist.top]
    values = [nets.get(module.name_of(net), others) for net in range(len(module.nets))]
    for net in range(len(module.nets)):
        same = module.resolve(net)
        values[net] = values[same] if same >= 0 else (0, clocks*(same == -2))
    return Activity(clocks, {(): np.array([each[0] for each in values])}, {(): np.array([each[1] for each in values])})
