# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs that run a design, RTL or netlist, under Verilator, by one harness for both: they have the same ports.

Cells are simulated as Liberty describes them, without delays. Registers and memories of a netlist that have no reset
start with random values, others for each seed: what the netlist computes must not depend on them.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.common.folders import build_root
from targets.liberty.library import Library
from targets.netlist import steps
from targets.netlist.cell_models import cell_models_verilog
from targets.netlist.netlist import Netlist
from targets.netlist.steps import Steps
from targets.tools.builds import digest, made_once
from targets.tools.process import version_of
from targets.tools.verilator import PROGRAM, verilate

SUPPORT = Path(__file__).with_name("support.cpp")

# Bits of a vector depend on each other in a carry chain. Taken as one variable they are a loop, which Verilator 5.006
# does not always settle; taken apart they are none.
_VECTOR = re.compile(r"^(\s*wire\s*\[[^\]]*\]\s*(?:\\\S+|\w+))\s*;", re.MULTILINE)

# Name that Verilator gives to the netlist's class; the harness's class is derived from it.
CLASS = "Vqclif_netlist"

# What drives a design: steps.cpp with these of its ports, or a file in C++.
Harness = Steps | Path


def build_design(harness: Harness, top: str, files: Sequence[Path], options: Sequence[str] = (),
        texts: Mapping[str, str] = {}) -> Path:
    """Program that drives a design, cached by content.

    Parameters
    ----------
    top : name of the design's top module.
    files : its Verilog, models of macros and cells among it.
    options : further ones for Verilator.
    texts : further files, by name.

    Raises
    ------
    QCLIFError : Verilator is missing or fails, or the program cannot be written.
    """
    if isinstance(harness, Steps):
        files, texts = [*files, steps.HARNESS], {**texts, "ports.h": harness.header(top)}
    else:
        files = [*files, harness]
    # Not inlined, the code of a module that is instantiated often is compiled once.
    # A combinational loop may settle at wrong values: it is an error.
    options = ["-fno-inline", "-Wno-fatal", "-Werror-UNOPTFLAT", "-CFLAGS", "-O2", "--top-module", top, *options]
    key     = digest("\n".join([version_of("verilator", "--version"), *options, *texts, *texts.values(),
        *(path.read_text() for path in files)]))

    def make(work: Path) -> None:
        for name, text in texts.items():
            (work/name).write_text(text)
        verilate(work, top, [*(work/name for name in texts), *files], options)

    return made_once(build_root()/"asic"/"programs"/key, make)/PROGRAM


def build_netlist(harness: Harness, netlist: Netlist, library: Library, memories: Mapping[str, str],
        edits: Mapping[tuple[int, int], str], models: str = "") -> Path:
    """Program that runs a netlist by its harness, cached by content.

    Parameters
    ----------
    library : its cells, of any corner.
    memories : Verilog of its memories, by their names; those that it has not are left out.
    edits : of the netlist's text, as targets.netlist.toggles.probes() gives them.
    models : further modules in Verilog.

    Raises
    ------
    QCLIFError : a cell that is not known or not simulated, or Verilator is missing or fails.
    """
    cells = netlist.cells()
    inputs = [port for port, (direction, _) in netlist.modules[netlist.top].ports.items() if direction == "input"]
    return build_gates(harness, netlist.top, inputs, {
        "netlist.sv": apart(netlist.edited(edits)),
        "cells.sv":   cell_models_verilog(library, cells - memories.keys()) + models,
        "macros.sv":  "".join(memories[name] for name in sorted(cells & memories.keys())),
    })


def apart(netlist: str) -> str:
    """The text of a netlist, for build_gates(), with each bit of its vectors a variable of its own."""
    return _VECTOR.sub(r"\1 /* verilator split_var */;", netlist)


def build_gates(harness: Harness, top: str, inputs: Sequence[str], files: Mapping[str, str]) -> Path:
    """Program that runs Verilog without delays, cached by content; what has no reset starts with random values.

    Parameters
    ----------
    top : module that it drives.
    inputs : ports of it.
    files : texts by the names of files, *.sv; netlists are to be taken apart().

    Raises
    ------
    QCLIFError : the files cannot be written, or Verilator is missing or fails.
    """
    # More optimisation takes longer than it saves; and with const-bit-op-tree, Verilator 5.006 takes some trees of bits
    # for others, so that netlists of full adders and NORs gave wrong sums.
    return build_design(harness, top, [SUPPORT], [
        "--prefix", CLASS, "-CFLAGS", "-O1", "-MAKEFLAGS", "OPT_FAST=-O1", "-finline", "-fno-const-bit-op-tree",
        "--x-initial", "unique", "--x-assign", "unique", "-Wno-lint", "-Wno-style"],
        {**files, f"V{top}.h": _header(top, inputs)})


def _header(top: str, inputs: Sequence[str]) -> str:
    """Class of the harness's name whose inputs start at 0, as Verilator leaves them without random values."""
    name  = f"V{top}"
    clear = " ".join(f"memset(&{port}, 0, sizeof {port});" for port in inputs)
    return f'#include <cstring>\n#include "{CLASS}.h"\nstruct {name} : {CLASS} {{\n    {name}() {{ {clear} }}\n}};\n'
