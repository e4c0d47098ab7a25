# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Formal equivalence of a netlist and its Verilog, module by module, by Yosys and ABC.

Each module keeps its name, its ports and its registers through synthesis. What is compared is combinational: from equal
registers and inputs follow equal outputs, and equal registers a clock later. Modules, macros and clock gates of the
Verilog are cut out, and what they are given counts among the outputs: where all modules are equal, the whole is. Cells
are those of the simulated netlist, made from Liberty's functions; a clock gate that synthesis put in is an enable. Of a
register that synthesis took out it is proven that it keeps 0.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from targets.asic.design import Rtl
from targets.asic.platform.pdk import Pdk
from targets.asic.rtl.flops import clock_gate_model
from targets.netlist.gates import cell_models_verilog
from targets.netlist.reader import read_netlist
from targets.tools.builds import write_text
from targets.tools.eda import Tool, find_yosys, run_tool
from targets.tools.progress import StageProgress, no_stage

# Outputs of the miter, one a compared bit: 1 where both are equal.
EQUAL = "cmp_"

# Yosys' simple flip-flops.
REGISTER = "$_DFF_"

# Names by which the two are matched are those of registers and ports alone.
_NAMES = ("dffunmap", "techmap", "opt_clean", "select -set registers t:$_DFF_* %co1:+[Q] w:* %i",
    "rename -hide w:* @registers %d i:* %d o:* %d", "splitnets -ports", "opt_clean")

# Equal functions become one by simulation and SAT; of what is equal nothing but constants is left.
_SWEEP = "+strash;ifraig,-C,1000000;fraig,-C,1000000;strash"


@dataclass(frozen=True)
class Proof:
    """What came out for a module.

    Attributes
    ----------
    module : its name.
    proven : bits of registers and outputs that are equal.
    unproven : those that are not, or of which it could not be proven, by name.
    seconds : that it took.
    """
    module:   str
    proven:   int
    unproven: tuple[str, ...]
    seconds:  float


def prove(rtl: Rtl, netlist: Path, pdk: Pdk, folder: Path, progress: StageProgress = no_stage,
        modules: Sequence[str] = ()) -> tuple[Proof, ...]:
    """Compare modules of a netlist with those that they were made from.

    Parameters
    ----------
    netlist : structural Verilog of the design.
    folder : of scripts and logs; it is made where it does not exist.
    progress : called with the name of each module.
    modules : their names; none: all.

    Raises
    ------
    QCLIFError : no Yosys, it fails, a cell has no function, or the folder cannot be written.
    """
    tool    = find_yosys()
    gate    = pdk.clock_gate
    library = next(iter(pdk.corners.values())).library
    read    = read_netlist(netlist, rtl.top)
    write_text(folder/"cells.v", cell_models_verilog(library, read.cells() - {*rtl.macros, gate.name}))
    write_text(folder/"gate.v", clock_gate_model(gate))
    proofs  = []
    for name in modules or read.modules:
        start  = time.monotonic()
        script = _script(tool, name, [*sorted(read.modules.keys() - {name}), *rtl.macros], gate.name, rtl, netlist,
            folder)
        run_tool(tool, script, folder, f"{name}.ys", progress=progress, stage=f"proving {name} equal with Yosys")
        miter  = json.loads((folder/f"{name}.json").read_text())["modules"]["miter"]
        equal  = {port.removeprefix(EQUAL): each["bits"] == ["1"] for port, each in miter["ports"].items()
            if port.startswith(EQUAL)}
        # Registers that one of the two does not have.
        equal |= {f"register {at}": False for at, cell in miter["cells"].items() if cell["type"].startswith(REGISTER)}
        proofs.append(Proof(name, sum(equal.values()), tuple(bit for bit, same in equal.items() if not same),
            round(time.monotonic() - start, 2)))
    return tuple(proofs)


def _script(tool: Tool, name: str, inside: Sequence[str], gate: str, rtl: Rtl, netlist: Path, folder: Path) -> str:
    """Compares one module; `inside` are all that it could have instances of."""
    def read(*files: Path) -> list[str]:
        return [f'read_verilog -sv "{tool.path(path)}"' for path in files]

    def mapped(file: str, cells: str = "") -> str:
        return f'techmap -autoproc -map "{tool.path(folder/file)}"{cells}'

    models = [path for path in rtl.models if path.stem in rtl.macros]
    around = [*read(*models, folder/"gate.v"), f"blackbox {' '.join([*inside, gate])}", f"hierarchy -top {name}"]
    ports  = ["opt_clean", f"expose -evert {' '.join(f't:{each}' for each in [*inside, gate])}"]
    return "\n".join([
        # Registers that are always equal are one after synthesis.
        *read(*(path for path in rtl.sources if path.stem != gate)), *around, "proc", "flatten", "opt_clean -purge",
        "memory_map", "opt", "techmap", "opt -fast -full", "opt -share_all", *ports, *_NAMES,
        "design -stash gold",
        # Of a net's names the source's is to be left, not those that cells, buffers and Yosys gave it; gates that have
        # such a name are synthesis'.
        *read(netlist), *around, mapped("cells.v"), mapped("gate.v", f" t:{gate} c:_*_ %i"),
        "rename -hide w:_*_ w:_*_.* w:*_reg.* w:buffer_*", "opt_clean", "formalff -declockgate", *ports,
        *_NAMES, "design -stash gate",
        f"design -copy-from gold -as gold {name}", f"design -copy-from gate -as gate {name}",
        "expose -evert-dff -shared gold gate", "miter -equiv -flatten -make_outcmp gold gate miter",
        # A register that one of the two lacks: whether it keeps 0, its value at reset.
        "hierarchy -top miter", "select -set alone t:$_DFF_* %co1:+[Q] w:* %i", "setattr -set init 1'0 @alone",
        "opt_dff -sat", "techmap", "opt -fast -full", f"abc -g AND -script {_SWEEP}", "opt -fast",
        f'write_json "{tool.path(folder/f"{name}.json")}"', "",
    ])
