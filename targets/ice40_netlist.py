#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The core, as the iCEBreaker has it, as a netlist of iCE40 cells (Yosys, synth_ice40) and as a program of it."""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accel.config import QCLIFConfig
from accel.verilog import core_verilog
from host.errors import QCLIFError
from targets.asic.gates import apart, build_gates
from targets.asic.tools import Tool, find_yosys, run_tool
from targets.boards.devices import find_device
from targets.boards.memories import large_memories
from targets.core_sim import TOP
from targets.fpga_netlist import CLOCK, INPUT, share

# Verilator knows no inputs with defaults; Yosys leaves none open.
DEFINES = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"

_INSTANCE = re.compile(r"^  (SB_\w+) ", re.MULTILINE)


@dataclass(frozen=True)
class Ice40Netlist:
    """A netlist of the core: structural Verilog, and what it was made with."""
    text:  str
    yosys: Tool

    @property
    def cells(self) -> dict[str, int]:
        """Cells by name, and how many there are."""
        return dict(sorted(Counter(_INSTANCE.findall(self.text)).items()))


def script(config: QCLIFConfig) -> str:
    """Yosys's, with the memories in large RAMs that the board has there."""
    count  = find_device("ice40-up5k").spram
    large  = [shape.name for shape in large_memories(config, count) if shape.name.startswith("weights")]
    return "\n".join(["read_verilog core.v", *(f'setattr -set ram_style "huge" {TOP}/m:{name}' for name in large),
        f"synth_ice40 -dsp -top {TOP}", "write_verilog -noattr netlist.v", ""])


def synthesise(config: QCLIFConfig, yosys: Tool | None = None,
        progress: Callable[[str], None] = lambda stage: None) -> Ice40Netlist:
    """The core of these sizes through synth_ice40.

    Parameters
    ----------
    yosys : None: the newest one that there is.
    progress : called with the name of the stage.

    Raises
    ------
    QCLIFError : there is no Yosys, or it fails.
    """
    yosys = yosys or find_yosys()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder)/"core.v").write_text(core_verilog(config, TOP, single_port=True))
        run_tool(yosys, script(config), Path(folder), "synth.ys", progress=progress,
            stage=f"synth_ice40 of Yosys {yosys.version}")
        return Ice40Netlist((Path(folder)/"netlist.v").read_text(), yosys)


def build(netlist: Ice40Netlist) -> Path:
    """Program that runs the netlist by the harness of targets.core_sim, of the cells' models that Yosys brings.

    Raises
    ------
    QCLIFError : the models are not there, or Verilator is missing or fails.
    """
    models = share(netlist.yosys)/"ice40"/"cells_sim.v"
    if not models.exists():
        raise QCLIFError(f"Yosys {netlist.yosys.version} has no models of iCE40's cells in {models.parent}: install "
            "another one")
    text = apart(netlist.text[:netlist.text.rindex("endmodule")] + CLOCK)
    return build_gates("core", TOP, INPUT.findall(netlist.text),
        {"netlist.sv": text, "cells.sv": DEFINES + models.read_text()})
