# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core, as boards have it, as a netlist of an FPGA's cells (Yosys) and as a program that simulates it."""

import importlib.util
import random
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from accel.verilog import core_verilog
from host.common.folders import build_root
from targets.fpga.families import FAMILIES, Family
from targets.netlist.gates import apart, build_gates
from targets.sim.core import HARNESS, TOP
from targets.tools.builds import digest, made_once, source_digest
from targets.tools.eda import INSTALL_YOSYS, Tool, find_yosys, run_tool
from targets.tools.progress import StageProgress, no_stage

_INSTANCE = re.compile(r"^  ([A-Z]\w*) (?:#\($|\S+ +\($)", re.MULTILINE)
_INPUT    = re.compile(r"^  input (?:\[\d+:0\] )?(\w+);", re.MULTILINE)
_MODULE   = re.compile(r"^(?:\(\*.*\*\)\n)?module (\w+)\b[\s\S]*?^\s*endmodule", re.MULTILINE)
# Of files that are named beside, or of cells that the core has not.
_INCLUDE  = re.compile(r"^`include .*", re.MULTILINE)
_LUT      = re.compile(r"^  (?:SB_)?LUT4 #\(\n    \.(?:LUT_)?INIT\((16'h[0-9a-f]{4})\)\n  \) (\S+) +\(", re.MULTILINE)
# The model of a block RAM has no contents of its own to start with, which is more than zeros ask of the design.
_ZEROS    = re.compile(r"^    \.INIT(?:VAL|_RAM)_[0-9A-F]{2}\(\d+'h0+\),?\n", re.MULTILINE)

# Simulation ends, whatever the netlist does.
_CLOCK = """
    import "DPI-C" function void qclif_clock();
    always @(posedge sys_clk) qclif_clock();
endmodule
"""

# Netlist ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Netlist:
    """A netlist of the core.

    Attributes
    ----------
    family : whose cells it has.
    config : sizes of the core.
    text : structural Verilog, one module.
    yosys : what it was made with.
    """
    family: Family
    config: QCLIFConfig
    text:   str
    yosys:  Tool

    @property
    def cells(self) -> dict[str, int]:
        """Cells by name, and how many there are."""
        return dict(sorted(Counter(_INSTANCE.findall(self.text)).items()))


def synthesise(config: QCLIFConfig, yosys: Tool | None = None,
        progress: StageProgress = no_stage, family: Family = FAMILIES["ecp5"]) -> Netlist:
    """The core of these sizes through the synthesis for a family, cached by its sizes and sources.

    Parameters
    ----------
    yosys : None: the newest one that there is.
    progress : called with the name of the stage, if it has to run.

    Raises
    ------
    QCLIFError : there is no Yosys, or it fails.
    """
    yosys  = yosys or find_yosys()
    key    = digest("\n".join([source_digest("accel.verilog"), repr(config), yosys.kind, yosys.version,
        family.script(config), str(family.core)]))
    folder = build_root()/family.name/key[:24]

    def make(work: Path) -> None:
        (work/"core.v").write_text(core_verilog(config, TOP, **family.core))
        run_tool(yosys, family.script(config), work, "synth.ys", progress=progress,
            stage=f"synth_{family.name} of Yosys {yosys.version}")

    made_once(folder, make, progress)
    return Netlist(family, config, (folder/"netlist.v").read_text(), yosys)

# Models -------------------------------------------------------------------------------------------

def share(yosys: Tool) -> Path:
    """Folder with the data files of a Yosys."""
    if yosys.kind == "yosys":
        return Path(shutil.which(yosys.command[0])).resolve().parent.parent/"share"/"yosys"
    return Path(importlib.util.find_spec(yosys.kind).submodule_search_locations[0])/"share"


def cell_models(family: Family, yosys: Tool, cells: Sequence[str]) -> str:
    """Verilog of a family's cells: models that come with the Yosys, and ours for its black boxes.

    Raises
    ------
    QCLIFError : its files are not there, or one of `cells` is not among them.
    """
    folder = share(yosys)/family.name
    texts  = [path.read_text() for name in family.files if (path := folder/name).exists()]
    if not texts:
        raise QCLIFError(f"Yosys {yosys.version} has no models of {family.title}'s cells in {folder}: install another "
            f"one, {INSTALL_YOSYS}")
    theirs = _MODULE.sub(lambda module: "" if module[1] in family.models else module[0], "\n".join(texts))
    models = family.defines + _INCLUDE.sub("", theirs) + "".join(family.models.values())
    if absent := set(cells) - {module[1] for module in _MODULE.finditer(models)}:
        raise QCLIFError(f"the netlist has cells {', '.join(sorted(absent))}, of which there is no model: synthesise "
            "it with another Yosys")
    return models

# Program ------------------------------------------------------------------------------------------

def luts(netlist: Netlist, count: int, seed: int = 1) -> list[str]:
    """Names of `count` look-up tables, chosen at random; fewer where there are fewer."""
    names = [match[2] for match in _LUT.finditer(netlist.text)]
    return random.Random(seed).sample(names, min(count, len(names)))


def build(netlist: Netlist, mutants: Sequence[str] = ()) -> Path:
    """Program that runs the netlist by the harness of targets.sim.core, cached by content.

    Parameters
    ----------
    mutants : names of look-up tables; the environment variable QCLIF_MUTANT is the index of the one that is wrong.

    Raises
    ------
    QCLIFError : a cell without a model, or Verilator is missing or fails.
    """
    numbers = {name: number for number, name in enumerate(mutants)}

    def mutated(match: re.Match) -> str:
        if match[2] not in numbers:
            return match[0]
        return f"  qclif_mutant #(.INIT({match[1]}), .NUMBER({numbers[match[2]]})) {match[2]} ("

    text = _LUT.sub(mutated, _ZEROS.sub("", netlist.text))
    text = text[:text.rindex("endmodule")] + _CLOCK
    if mutants:
        text += netlist.family.mutant
    return build_gates(HARNESS, TOP, _INPUT.findall(netlist.text), {
        "netlist.sv": apart(text), "cells.sv": cell_models(netlist.family, netlist.yosys, list(netlist.cells))})
