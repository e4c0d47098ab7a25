#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Texts that OpenROAD's flow scripts read: variables, constraints, places of macros, power grid, and how to run."""

from collections.abc import Iterable, Sequence

from targets.asic.layout.floorplan import Floorplan
from targets.asic.layout.lef import NM
from targets.asic.sta.timing import IO_FRACTION
from targets.asic.synth.recipes import DRIVER, LOAD_FF

PLATFORM = "nangate45"
VARIANT  = "base"

# Below the design's folder.
WORK = "work"

# Distance of the power grid's straps on metal4 and metal7 in a large core, um, and what they are multiples of.
STRAPS     = (56.0, 30.0)
STRAP_STEP = 2.8

# Pins at the edge: layers of the horizontal and vertical ones; the second pair is used where the first is full.
PIN_LAYERS = (("metal5",), ("metal6",)), (("metal3", "metal5"), ("metal4", "metal6"))

# Kinds of a macro's files: folder, and the variable that lists them.
MACRO_FILES = {"lef": "ADDITIONAL_LEFS", "lib": "ADDITIONAL_LIBS", "gds": "ADDITIONAL_GDS"}


def config_mk(top: str, plan: Floorplan, files: Sequence[str], dense_pins: bool, halo: tuple[int, int]) -> str:
    """Variables of the flow scripts.

    Parameters
    ----------
    files : of macros, "kind/name", kinds of MACRO_FILES.
    dense_pins : whether one layer a side is too little for the pins.
    halo : of macros, nm.
    """
    horizontal, vertical = PIN_LAYERS[dense_pins]
    values = {
        "DESIGN_NAME":            top,
        "DESIGN_NICKNAME":        top,
        "PLATFORM":               PLATFORM,
        "FLOW_VARIANT":           VARIANT,
        "WORK_HOME":              f"$(DESIGN_FOLDER){WORK}",
        "VERILOG_FILES":          "$(DESIGN_FOLDER)netlist.v",
        "SYNTH_NETLIST_FILES":    "$(DESIGN_FOLDER)netlist.v",
        "SDC_FILE":               "$(DESIGN_FOLDER)constraint.sdc",
        "PDN_TCL":                "$(DESIGN_FOLDER)pdn.tcl",
        "DIE_AREA":               _um(plan.die),
        "CORE_AREA":              _um(plan.core),
        "IO_PLACER_H":            " ".join(horizontal),
        "IO_PLACER_V":            " ".join(vertical),
        # The block's own area, as synthesis counts it: what drives its pins stands outside.
        "DONT_BUFFER_PORTS":      "1",
        "PLACE_DENSITY_LB_ADDON": "0.10",
    }
    if plan.macros:
        values.update({"MACRO_PLACEMENT_TCL": "$(DESIGN_FOLDER)macros.tcl", "MACRO_PLACE_HALO": _um(halo)})
        for kind, variable in MACRO_FILES.items():
            if named := [f"$(DESIGN_FOLDER){file}" for file in files if file.startswith(f"{kind}/")]:
                values[variable] = " ".join(named)
    return "DESIGN_FOLDER := $(dir $(DESIGN_CONFIG))\n\n" + "".join(f"export {name} = {value}\n"
        for name, value in values.items())


def constraint_sdc(clock: str, period_ns: float) -> str:
    """Constraints, the same that targets.asic.sta.timing has: what is timed before and after layout can be compared."""
    # The flow scripts look for the period as a number behind -period; OpenSTA of 2019 has no all_inputs -no_clocks.
    edge = f"{IO_FRACTION*period_ns:.6g}"
    return "\n".join([f"create_clock -name {clock} -period {period_ns:.6g} [get_ports {clock}]",
        f"set inputs [lsearch -inline -all -not -exact [all_inputs] [get_ports {clock}]]",
        f"set_driving_cell -lib_cell {DRIVER} $inputs",
        f"set_load {LOAD_FF} [all_outputs]",
        f"set_input_delay {edge} -clock {clock} $inputs",
        f"set_output_delay {edge} -clock {clock} [all_outputs]", ""])


def macros_tcl(plan: Floorplan) -> str:
    """Places of the macros' instances."""
    return "".join(f"place_macro -macro_name {{{name}}} -location {{{_um(place)}}} -orientation R0\n"
        for name, place in plan.macros.items())


def pdn_tcl(plan: Floorplan, power: Iterable[str], ground: Iterable[str]) -> str:
    """Power grid: rails on metal1, straps on metal4 and metal7, and over macros on metal5 and metal6.

    Parameters
    ----------
    power, ground : names of the supply pins of all cells and macros.
    """
    straps = [strap_pitch(length, pitch) for length, pitch in zip((plan.width, plan.height), STRAPS, strict=True)]
    lines  = [f"add_global_connection -net {net} -inst_pattern .* -pin_pattern ^{pin}$ -{use}"
        for net, use, pins in (("VDD", "power", power), ("VSS", "ground", ground)) for pin in sorted(set(pins))]
    lines += ["global_connect",
        "set_voltage_domain -name CORE -power VDD -ground VSS",
        "define_pdn_grid -name core -voltage_domains CORE -pins metal7",
        "add_pdn_stripe -grid core -layer metal1 -width 0.17 -followpins",
        f"add_pdn_stripe -grid core -layer metal4 -width 0.48 -pitch {straps[0]:.6g} -offset 2",
        f"add_pdn_stripe -grid core -layer metal7 -width 1.40 -pitch {straps[1]:.6g} -offset 2",
        "add_pdn_connect -grid core -layers {metal1 metal4}",
        "add_pdn_connect -grid core -layers {metal4 metal7}"]
    if plan.macros:
        lines += ["define_pdn_grid -name macros -voltage_domains CORE -macro -default -halo {2 2 2 2}",
            "add_pdn_stripe -grid macros -layer metal5 -width 0.93 -pitch 10 -offset 2",
            "add_pdn_stripe -grid macros -layer metal6 -width 0.93 -pitch 10 -offset 2",
            *(f"add_pdn_connect -grid macros -layers {{{low} {high}}}" for low, high in (("metal4", "metal5"),
                ("metal5", "metal6"), ("metal6", "metal7")))]
    return "\n".join([*lines, ""])


def strap_pitch(length: int, pitch: float) -> float:
    """Distance of straps, um, in a core of this length (nm): two pairs at least."""
    return min(pitch, length/NM/2//STRAP_STEP*STRAP_STEP)


def run_sh(top: str, inputs: Sequence[str]) -> str:
    """Script that runs the flow scripts from the netlist, and goes on where it was interrupted.

    The first results of the flow scripts are those of their synthesis. They are put in place, so that no synthesis,
    which would need a Yosys with Tcl, is due. Results of other inputs are thrown away.

    Parameters
    ----------
    inputs : names of all files and folders that the results depend on.
    """
    results = results_folder("results", top)
    logs    = results_folder("logs", top)
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


def results_folder(kind: str, top: str) -> str:
    """Where the flow scripts put their "results", "logs" or "reports"."""
    return f"{WORK}/{kind}/{PLATFORM}/{top}/{VARIANT}"


def _um(lengths: Iterable[int]) -> str:
    return " ".join(f"{length/NM:.6g}" for length in lengths)
