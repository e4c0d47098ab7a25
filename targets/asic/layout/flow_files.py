# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Texts that OpenROAD's flow scripts read: variables, constraints, places of macros, power grid, and how to run."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from targets.asic.layout.floorplan import NM, Floorplan
from targets.asic.layout.variables import variables_mk
from targets.asic.platform.pdk import Pdk
from targets.asic.sta.timing import IO_FRACTION, clocking, surroundings

VARIANT = "base"

# Below the design's folder.
WORK = "work"

# What distances of the power grid's straps are multiples of, um: two rows of Nangate45, the one PDK with such a grid.
STRAP_STEP = 2.8

# Kinds of a macro's files: folder, and the variable that lists them.
MACRO_FILES = {"lef": "ADDITIONAL_LEFS", "lib": "ADDITIONAL_LIBS", "gds": "ADDITIONAL_GDS"}


# Scripts for a core most of which has no rows: the variable that names each. Two are in the folder SCRIPTS.
SCRIPTS     = Path(__file__).with_name("scripts")
ROW_SCRIPTS = {"PLATFORM_TCL": "dense.tcl", "TAPCELL_TCL": "taps.tcl", "POST_PDN_TCL": "rows.tcl"}


def config_mk(top: str, plan: Floorplan, files: Sequence[str], dense_pins: bool, halo: tuple[int, int],
    pdk: Pdk, variables: Mapping[str, str | Path] = MappingProxyType({})) -> str:
    """Variables of the flow scripts.

    Parameters
    ----------
    files : of macros, "kind/name", kinds of MACRO_FILES.
    dense_pins : whether one layer a side is too little for the pins.
    halo : of macros, nm.
    variables : the user's, which win.
    """
    values = {
        "DESIGN_NAME":            top,
        "DESIGN_NICKNAME":        top,
        "PLATFORM":               pdk.name,
        "FLOW_VARIANT":           VARIANT,
        "WORK_HOME":              f"$(DESIGN_FOLDER){WORK}",
        "VERILOG_FILES":          "$(DESIGN_FOLDER)netlist.v",
        "SYNTH_NETLIST_FILES":    "$(DESIGN_FOLDER)netlist.v",
        "SDC_FILE":               "$(DESIGN_FOLDER)constraint.sdc",
        "DIE_AREA":               _um(plan.die),
        "CORE_AREA":              _um(plan.core),
        # The block's own area, as synthesis counts it: what drives its pins stands outside.
        "DONT_BUFFER_PORTS":      "1",
        "PLACE_DENSITY_LB_ADDON": "0.10",
        # Hold is repaired before the wires are extracted, and must be met with them.
        "HOLD_SLACK_MARGIN":      "0.05",
    }
    for name in ("IO_PLACER_H", "IO_PLACER_V"):
        if layers := pdk.variables.get(f"QCLIF_DENSE_{name}"*dense_pins or name):
            values[name] = layers
    if has_grid(pdk):
        values["PDN_TCL"] = "$(DESIGN_FOLDER)pdn.tcl"
    if plan.macros:
        values.update({"MACRO_PLACEMENT_TCL": "$(DESIGN_FOLDER)macros.tcl", "MACRO_PLACE_HALO": _um(halo),
            # With the finer bins that the placer would choose it diverges where macros fill most of a core.
            "GLOBAL_PLACEMENT_ARGS": "-bin_grid_count 128",
            # More iterations leave what these leave.
            "GLOBAL_ROUTE_ARGS": "-congestion_iterations 10 -verbose"})
        if has_grid(pdk):
            values |= {variable: f"$(DESIGN_FOLDER){name}" for variable, name in ROW_SCRIPTS.items()}
        for kind, variable in MACRO_FILES.items():
            if named := [f"$(DESIGN_FOLDER){file}" for file in files if file.startswith(f"{kind}/")]:
                values[variable] = " ".join(named)
    return "DESIGN_FOLDER := $(dir $(DESIGN_CONFIG))\n\n" + "".join(f"export {name} = {value}\n"
        for name, value in values.items()) + variables_mk(variables)


def constraint_sdc(clock: str, period_ns: float, pdk: Pdk) -> str:
    """Constraints, the same that targets.asic.sta.timing has: what is timed before and after layout can be compared."""
    # The flow scripts look for the period as a number behind -period.
    clocked = clocking(clock, f"{period_ns:.6g}", f"{IO_FRACTION*period_ns:.6g}")
    return "\n".join([*surroundings(clock, pdk), *clocked, ""])


def macros_tcl(plan: Floorplan) -> str:
    """Places of the macros' instances."""
    return "".join(f"place_macro -macro_name {{{name}}} -location {{{_um(place)}}} -orientation R0\n"
        for name, place in plan.macros.items())


def row_scripts(halo: tuple[int, int], site: tuple[int, int], pdk: Pdk) -> dict[str, str]:
    """Texts of ROW_SCRIPTS by their names. Macros have no rows in their halos: between two of them no strap of the
    power grid would reach those.

    Parameters
    ----------
    halo, site : nm. Macros stand on the grid of sites, and may be apart by one more than two halos.
    """
    around = (f"-halo_width_{axis} {(room + step)/NM:.6g}" for axis, room, step in zip("xy", halo, site, strict=True))
    taps   = (f"tapcell -distance {pdk.variable('QCLIF_GRID_TAPS')} -tapcell_master $::env(TAP_CELL_NAME) "
        f"-endcap_master $::env(TAP_CELL_NAME) {' '.join(around)}\n")
    return {name: taps if name == "taps.tcl" else (SCRIPTS/name).read_text() for name in ROW_SCRIPTS.values()}


def has_grid(pdk: Pdk) -> bool:
    """Whether the power grid is ours; else it is that of the platform."""
    return "QCLIF_GRID_STRAPS" in pdk.variables


def pdn_tcl(plan: Floorplan, power: Iterable[str], ground: Iterable[str], pdk: Pdk) -> str:
    """Power grid: rails along the rows, straps on two layers, and over macros on the two layers between these; above
    macros straps on one layer more.

    The flow scripts' own has no pair of straps in a small core.

    Parameters
    ----------
    power, ground : names of the supply pins of all cells and macros.
    """
    rails, straps, macros, across = (pdk.variable(f"QCLIF_GRID_{name}").split() for name in
        ("RAILS", "STRAPS", "MACROS", "ACROSS"))
    if plan.macros:
        straps += across
    layers = [rails[0], *straps[::3]]
    lines  = [f"add_global_connection -net {net} -inst_pattern .* -pin_pattern ^{pin}$ -{use}"
        for net, use, pins in (("VDD", "power", power), ("VSS", "ground", ground)) for pin in sorted(set(pins))]
    lines += ["global_connect",
        "set_voltage_domain -name CORE -power VDD -ground VSS",
        f"define_pdn_grid -name core -voltage_domains CORE -pins {layers[-1]}",
        f"add_pdn_stripe -grid core -layer {rails[0]} -width {rails[1]} -followpins",
        *(f"add_pdn_stripe -grid core -layer {layer} -width {width} -pitch {strap_pitch(length, float(pitch)):.6g} "
            f"-offset 2" for layer, width, pitch, length in zip(straps[::3], straps[1::3], straps[2::3],
                (plan.width, plan.height, plan.width), strict=False)),
        *_connects("core", layers)]
    if plan.macros:
        lines += ["define_pdn_grid -name macros -voltage_domains CORE -macro -default -halo {2 2 2 2}",
            *(f"add_pdn_stripe -grid macros -layer {layer} -width {width} -pitch {pitch} -offset 2"
                for layer, width, pitch in zip(macros[::3], macros[1::3], macros[2::3], strict=True)),
            *_connects("macros", [layers[1], *macros[::3], layers[2]])]
    return "\n".join([*lines, ""])


def _connects(grid: str, layers: Sequence[str]) -> list[str]:
    """Connections of each layer to the one above."""
    return [f"add_pdn_connect -grid {grid} -layers {{{low} {high}}}" for low, high in pairwise(layers)]


def strap_pitch(length: int, pitch: float) -> float:
    """Distance of straps, um, in a core of this length (nm): two pairs at least."""
    return min(pitch, length/NM/2//STRAP_STEP*STRAP_STEP)


def run_sh(platform: str, top: str, inputs: Sequence[str]) -> str:
    """Script that runs the flow scripts from the netlist, and goes on where it was interrupted.

    The first results of the flow scripts are those of their synthesis. They are put in place, so that no synthesis,
    which would need a Yosys with Tcl, is due. Results of other inputs are thrown away.

    Parameters
    ----------
    inputs : names of all files and folders that the results depend on.
    """
    results = results_folder("results", platform, top)
    logs    = results_folder("logs", platform, top)
    return f"""#!/bin/sh
set -eu
: "${{FLOW_HOME:?must name the folder flow of a checkout of OpenROAD-flow-scripts}}"
cd "$(dirname "$0")"
export OMP_WAIT_POLICY="${{OMP_WAIT_POLICY:-passive}}"
if [ -z "${{OPENROAD_EXE:-}}" ] && command -v openroad > /dev/null; then
    OPENROAD_EXE="$(command -v openroad)"
    export OPENROAD_EXE
fi
if [ ! -e {results}/1_2_yosys.sdc ] || [ -n "$(find {' '.join(inputs)} -newer {results}/1_2_yosys.sdc)" ]; then
    rm -rf {WORK}
    mkdir -p {results}
    : > {results}/clock_period.txt
    : > {results}/1_1_yosys_canonicalize.rtlil
    cp netlist.v {results}/1_2_yosys.v
    cp constraint.sdc {results}/1_2_yosys.sdc
fi
goal=finish
if [ -z "${{KLAYOUT_CMD:-}}" ] && ! command -v klayout > /dev/null && \
        [ ! -x "$FLOW_HOME/../tools/install/klayout/klayout" ]; then
    echo "KLayout is missing, there will be no GDS: apt-get install klayout"
    goal="$PWD/{logs}/6_report.log"
fi
exec make --no-print-directory -C "$FLOW_HOME" DESIGN_CONFIG="$PWD/config.mk" check-openroad "$goal"
"""


def results_folder(kind: str, platform: str, top: str) -> str:
    """Where the flow scripts put their "results", "logs" or "reports"."""
    return f"{WORK}/{kind}/{platform}/{top}/{VARIANT}"


def _um(lengths: Iterable[int]) -> str:
    return " ".join(f"{length/NM:.6g}" for length in lengths)
