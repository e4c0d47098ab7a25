# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs that run a netlist under Verilator, by the harness of its RTL.

Cells are simulated as Liberty describes them, without delays. Registers and memories without a reset start with
random values, others for each seed: what the netlist computes must not depend on them.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.common.folders import build_root
from targets.liberty.library import Library
from targets.netlist.cell_models import cell_models_verilog
from targets.netlist.harness.program import verilate
from targets.netlist.netlist import Netlist
from targets.tools.builds import digest, made_once

SUPPORT = Path(__file__).with_name("support.cpp")

# Bits of a vector depend on each other in a carry chain. Taken as one variable they are a loop, which Verilator 5.006
# does not always settle; taken apart they are none.
_VECTOR = re.compile(r"^(\s*wire\s*\[[^\]]*\]\s*(?:\\\S+|\w+))\s*;", re.MULTILINE)

# Name that Verilator gives to the netlist's class; the harness's class is derived from it.
CLASS = "Vqclif_netlist"


def build_netlist(harness: str, netlist: Netlist, library: Library, memories: Mapping[str, str],
        edits: Mapping[tuple[int, int], str], models: str = "") -> Path:
    """Program that runs a netlist by its harness, cached by content.

    Parameters
    ----------
    harness : of targets.netlist.harness.program.HARNESSES.
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


def build_gates(harness: str, top: str, inputs: Sequence[str], files: Mapping[str, str]) -> Path:
    """Program that runs Verilog without delays, cached by content; what has no reset starts with random values.

    Parameters
    ----------
    harness : of targets.netlist.harness.program.HARNESSES.
    top : module that it drives.
    inputs : ports of it.
    files : texts by the names of files, *.sv; netlists are to be taken apart().

    Raises
    ------
    QCLIFError : the files cannot be written, or Verilator is missing or fails.
    """
    texts  = {**files, f"V{top}.h": _header(top, inputs)}
    folder = build_root()/"asic"/"gatesim"/digest("\n".join(texts.values()))[:24]
    made_once(folder, lambda work: [(work/name).write_text(text) for name, text in texts.items()])
    # More optimisation takes longer than it saves; and with const-bit-op-tree, Verilator 5.006 takes some trees of bits
    # for others, so that netlists of full adders and NORs gave wrong sums.
    return verilate(harness, top, [*(folder/name for name in texts), SUPPORT], [
        "--prefix", CLASS, "-CFLAGS", "-O1", "-MAKEFLAGS", "OPT_FAST=-O1", "-finline", "-fno-const-bit-op-tree",
        "--x-initial", "unique", "--x-assign", "unique", "-Wno-lint", "-Wno-style"])


def _header(top: str, inputs: Sequence[str]) -> str:
    """Class of the harness's name whose inputs start at 0, as Verilator leaves them without random values."""
    name  = f"V{top}"
    clear = " ".join(f"memset(&{port}, 0, sizeof {port});" for port in inputs)
    return f'#include <cstring>\n#include "{CLASS}.h"\nstruct {name} : {CLASS} {{\n    {name}() {{ {clear} }}\n}};\n'
