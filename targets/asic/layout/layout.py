# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Layout of a synthesised netlist by OpenROAD's flow scripts: floorplan to GDS.

The layout is of the very netlist that was timed and simulated. Everything that the flow scripts need is in one
folder, which may be taken to another machine; what they make is below it, and their checkout stays as it is.
"""

import os
import re
import shlex
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from targets.asic.design import AsicConfig, Rtl
from targets.asic.layout.container import container_command
from targets.asic.layout.floorplan import Floorplan, LefMacro, plan, read_lef, read_site
from targets.asic.layout.flow_files import (
    MACRO_FILES,
    config_mk,
    constraint_sdc,
    has_grid,
    macros_tcl,
    pdn_tcl,
    row_scripts,
    run_sh,
)
from targets.asic.layout.results import Layout, read_layout
from targets.asic.layout.tools import missing_tool
from targets.asic.layout.variables import files_of
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk
from targets.netlist.netlist import ONE, ZERO, Netlist
from targets.netlist.reader import read_netlist
from targets.tools.builds import write_text
from targets.tools.process import run_program

# Part of the room for cells that they fill; the rest is for clock tree, buffers and wires.
UTILISATION = 0.6

# Room around a macro, nm: wires to all its pins pass there.
HALO = (5_000, 5_000)

# Room that a pin needs at the die's edge, nm, on one layer and on two.
PIN_PITCHES = (560, 280)

RUN, NETLIST = "run.sh", "netlist.v"

# The flow scripts' steps that run OpenROAD, for the progress: the last one's name, and how many there are.
_STEP  = re.compile(r"^Running (\w+)\.tcl, stage (\S+)")
_STEPS = 16

# Inputs --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class LayoutInputs:
    """A folder that is ready to run.

    Attributes
    ----------
    macros : (left, bottom, right, top) of each macro's instance, nm; none where the user's script places them.
    lefs : of the technology, the cells and the macros.
    docker : whether it runs in the flow scripts' container.
    """
    folder:    Path
    platform:  str
    top:       str
    floorplan: Floorplan
    macros:    dict[str, tuple[int, int, int, int]]
    lefs:      tuple[Path, ...] = ()
    docker:    bool = False

    @property
    def program(self) -> list[str]:
        """What runs it."""
        script = self.folder/RUN
        return container_command(script) if self.docker else ["sh", str(script)]

    @property
    def command(self) -> str:
        """What runs it, in a shell."""
        if self.docker:
            return shlex.join(self.program)
        home = os.environ.get("FLOW_HOME", "<folder flow of OpenROAD-flow-scripts>")
        return f"FLOW_HOME={home} {shlex.join(self.program)}"


def prepare(config: AsicConfig, rtl: Rtl, netlist: Path, logic_um2: float, pdk: Pdk, folder: Path,
    variables: Mapping[str, str | Path] = MappingProxyType({})) -> LayoutInputs:
    """Write all that the flow scripts read; what is the same as before stays untouched.

    Parameters
    ----------
    config : its frequency is the clock's.
    rtl : names of the top and of its clock.
    netlist : synthesised, structural Verilog of the PDK's cells.
    logic_um2 : area of its cells without macros.
    folder : to write to.
    variables : of the flow scripts, the user's.

    Raises
    ------
    QCLIFError : the PDK has no LEF, a macro or its LEF is missing or does not fit the netlist, the netlist has
        constants where cells of the library are needed, or the folder cannot be used.
    """
    folder = Path(folder).resolve()
    if re.search(r"[\s:$#%'\"]", str(folder)):
        raise QCLIFError(f"layout folder {str(folder)!r}: make takes no blanks, quotes, : $ # and % in names: "
            f"choose another --output-dir")
    for what, path in (("technology LEF", pdk.tech_lef), ("cell LEF", pdk.cell_lef)):
        if path is None:
            raise QCLIFError(f"PDK {pdk.folder} has no {what}, which layout needs: name a folder that has, or fetch "
                f"one with --download-pdk")
    design    = read_netlist(netlist, rtl.top)
    # By their paths, as OpenROAD names them once the netlist is flat.
    instances = {"/".join((*path, each.name)): pdk.macros[each.cell] for path, module in design.paths()
        for each in module.instances if each.cell in pdk.macros}
    used      = {macro.name: macro for macro in instances.values()}
    outlines  = {name: _outline(macro) for name, macro in used.items()}
    cells     = read_lef(pdk.cell_lef)
    _check(design, {**cells, **outlines}, netlist)
    pins      = sum(len(bits) for _, bits in design.modules[rtl.top].ports.values())
    shapes    = {name: (outlines[macro.name].width, outlines[macro.name].height) for name, macro in instances.items()}
    site      = read_site(pdk.tech_lef, pdk.variables.get("PLACE_SITE"))
    options   = {"site": site, "utilisation": UTILISATION, "halo": HALO}
    floorplan = plan(logic_um2, shapes, **options)
    dense     = pins*PIN_PITCHES[0] > 2*(floorplan.width + floorplan.height)
    floorplan = plan(logic_um2, shapes, **options, pins=pins, pin_pitch=PIN_PITCHES[dense])
    copies    = {f"{kind}/{path.name}": path for _, macro in sorted(used.items())
        for kind, path in zip(MACRO_FILES, (macro.lef, macro.liberty, macro.gds), strict=True) if path is not None}
    copies   |= files_of(variables)
    supplies  = [*(cells[name] for name in design.cells() & cells.keys()), *outlines.values()]
    texts     = {
        "config.mk":      config_mk(rtl.top, floorplan, list(copies), dense, HALO, pdk, variables),
        "constraint.sdc": constraint_sdc(rtl.clock, config.period_ns, pdk),
        **({"pdn.tcl": pdn_tcl(floorplan, {pin for each in supplies for pin in each.power},
            {pin for each in supplies for pin in each.ground}, pdk)} if has_grid(pdk) else {}),
        **({"macros.tcl": macros_tcl(floorplan)} if instances else {}),
        **(row_scripts(HALO, site, pdk) if instances and has_grid(pdk) else {}),
    }
    files  = {**{name: text.encode() for name, text in texts.items()}, NETLIST: design.text.encode(),
        **{name: path.read_bytes() for name, path in copies.items()}}
    script = run_sh(pdk.name, rtl.top, list(files)).encode()
    for name, content in {**files, RUN: script}.items():
        # What the results depend on must not look newer than it is.
        if not (folder/name).is_file() or (folder/name).read_bytes() != content:
            write_text(folder/name, content)
    boxes = {name: (left, bottom, left + shapes[name][0], bottom + shapes[name][1])
        for name, (left, bottom) in floorplan.macros.items() if "MACRO_PLACEMENT_TCL" not in variables}
    return LayoutInputs(folder, pdk.name, rtl.top, floorplan, boxes, (pdk.tech_lef, pdk.cell_lef,
        *(folder/name for name in copies if name.startswith("lef/"))))


def _outline(macro: Macro) -> LefMacro:
    if macro.lef is None:
        raise QCLIFError(f"macro {macro.name} has no LEF beside its Liberty {macro.liberty}: layout needs it; choose "
            f"another PDK folder or --sram")
    outlines = read_lef(macro.lef)
    if macro.name not in outlines or outlines[macro.name].kind != "BLOCK":
        raise QCLIFError(f"{macro.lef}: no MACRO {macro.name} of CLASS BLOCK in it: fetch the file again")
    return outlines[macro.name]


def _check(design: Netlist, outlines: Mapping[str, LefMacro], path: Path) -> None:
    """What the flow scripts would find late, or take for something else."""
    pins = {name: {re.sub(r"\[\d+\]$", "", pin) for pin in outline.pins} for name, outline in outlines.items()}
    if unknown := sorted(design.cells() - outlines.keys()):
        raise QCLIFError(f"{path}: cell {unknown[0]} is in no LEF: take the PDK that the netlist was made for")
    constants: Counter = Counter()
    for module in design.modules.values():
        for each in module.instances:
            if each.cell not in pins:
                continue
            if missing := sorted(each.pins.keys() - pins[each.cell]):
                raise QCLIFError(f"{path}: {each.name} connects pin {missing[0]} of {each.cell}, which its LEF has "
                    f"not: take the files of one PDK")
            constants[module.name] += sum(module.resolve(net) in (ZERO, ONE) for nets in each.pins.values()
                for net in nets)
    if constants := +constants:
        name, count = constants.most_common(1)[0]
        raise QCLIFError(f"{path}: {count} pins in module {name} are constants, which no wire can bring: run the stage "
            f"synth again")

# Run -----------------------------------------------------------------------------------------------

def run(inputs: LayoutInputs, progress: Progress = no_progress) -> Layout:
    """Run the flow scripts, or go on where they were interrupted.

    Raises
    ------
    QCLIFError : a tool is missing, or a step failed; its log is named.
    """
    if missing := missing_tool(inputs.docker):
        raise QCLIFError(f"layout cannot run: {missing}; then: {inputs.command}")
    log  = inputs.folder/"run.log"
    tail = deque(maxlen=12)

    def on_line(line: str) -> None:
        nonlocal done
        tail.append(line.strip())
        if step := _STEP.match(line):
            progress(f"layout: {step[2]}", done, _STEPS)
            done += 1

    done = 0
    if run_program(inputs.program, log=log, on_line=on_line).status:
        told   = list(filter(None, tail)) or ["without a word"]
        reason = next((line for line in reversed(told) if "ERROR" in line or line.startswith("Error")), told[-1])
        raise QCLIFError(f"layout failed: {reason}; see {log}, and run again to go on from there")
    return replace(read_layout(inputs.folder, inputs.platform, inputs.top), macros=inputs.macros, lefs=inputs.lefs,
        hierarchy=inputs.folder/NETLIST)
