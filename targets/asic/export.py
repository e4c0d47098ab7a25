# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What other tools need to look at a run of the flow: netlist, constraints, activity, and a script for OpenSTA."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from targets.asic.chip.firmware import firmware_image
from targets.asic.gatesim.chip_run import ChipRun
from targets.asic.gatesim.simulate import ACTIVITY
from targets.asic.layout.flow_files import constraint_sdc
from targets.asic.request import FlowResult
from targets.asic.sta.timing import wire_model
from targets.netlist.reader import read_netlist
from targets.netlist.saif import write_saif
from targets.netlist.toggles import Activity
from targets.tools.builds import write_text, writing

NETLIST, CONSTRAINTS, SAIF, SCRIPT, IMAGE = ("netlist.v", "constraint.sdc", "activity.saif.gz", "power.tcl",
    "firmware.img")


def export(result: FlowResult, folder: Path) -> list[str]:
    """Write what there is of NETLIST, CONSTRAINTS, SAIF, SCRIPT and IMAGE, that of the netlist before layout.

    Parameters
    ----------
    folder : is there.

    Returns
    -------
    Names of the files.

    Raises
    ------
    QCLIFError : the folder cannot be written.
    """
    with writing(folder):
        return list(_written(result, folder))


def _written(result: FlowResult, folder: Path) -> Iterator[str]:
    config, synthesis, pdk = result.request.config, result.synthesis, result.request.pdk
    if synthesis is None:
        return
    shutil.copyfile(synthesis.netlist, folder/NETLIST)
    yield NETLIST
    write_text(folder/CONSTRAINTS, constraint_sdc(synthesis.clock, config.period_ns, pdk))
    yield CONSTRAINTS
    if result.gatesim is None:
        return
    corner  = pdk.corner(config.corner)
    outputs = {name: cell.outputs for name, cell in corner.library.cells.items()} | {
        name: [macro.ports.read_data] for name, macro in result.macros.items()}
    write_saif(folder/SAIF, Activity.load(result.done["gatesim"].folder/ACTIVITY),
        read_netlist(synthesis.netlist, synthesis.top), outputs, config.period_ns)
    yield SAIF
    libraries = [corner.liberty, *(result.macros[name].liberty for name in synthesis.macros)]
    write_text(folder/SCRIPT, "\n".join([*(f"read_liberty {{{path}}}" for path in libraries),
        f"read_verilog {NETLIST}", f"link_design {synthesis.top}", *wire_model(corner), f"read_sdc {CONSTRAINTS}",
        f"read_saif -scope {synthesis.top} {SAIF}", "report_power", ""]))
    yield SCRIPT
    if isinstance(result.gatesim, ChipRun):
        shutil.copyfile(firmware_image(config), folder/IMAGE)
        yield IMAGE
