# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Timing of a netlist by OpenSTA: slacks, the highest frequency, and the slowest path in the design's own terms.

What is timed: cells and macros, with the loads of pins and of wires. Before layout wires have the capacitance that
the library's default wire-load model estimates by the number of pins, and the clock reaches all registers at the same
time, through its gates, too: hold slack is that of no skew. After it, both are those of the layout.
Inputs come IO_FRACTION of the period after the clock, from the PDK's driver, and outputs are there by as much before
the next one, so that a part of the period is left for what is outside. Where the top has many equal modules, two of
them are timed, with the loads of all others (targets.asic.synth.excerpt).
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig, Synthesis
from targets.asic.platform.pdk import Corner, Pdk
from targets.liberty.power import read_power
from targets.tools.builds import write_text
from targets.tools.eda import Tool, find_sta, run_tool
from targets.tools.progress import StageProgress, no_stage

# Part of the period before inputs, and after outputs.
IO_FRACTION = 0.2

# Lines of the script's own among what it prints.
DONE, SHORTEST = "qclif: done", "qclif: shortest period"

# A pin of a path: its time, edge, name and cell. A net: its name.
PIN = re.compile(r"^(?:\s*-?[\d.]+)*?\s+(-?[\d.]+)\s+[v^]\s+(\S+)\s+\((\S+)\)$")
NET = re.compile(r"^\s*\d*\s*(?:-?[\d.]+\s+)*(\S+) \(net\)$")

# Names that Yosys and the flow made for what has none.
PRIVATE = re.compile(r"(?:\b_\d+_(?:\[\d+\])?|\bbuffer_\d+)$")

# Results ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class PathPoint:
    """A pin on a path.

    Attributes
    ----------
    stage : what it belongs to in the design's terms: register, signal, or what the module is.
    pin, cell : as the netlist has them; "port" for a port of the design.
    arrival_ns : after the clock's edge.
    """
    stage:      str
    pin:        str
    cell:       str
    arrival_ns: float


@dataclass(frozen=True)
class Timing:
    """Timing in one corner.

    Attributes
    ----------
    slack_ns, hold_slack_ns : worst of all paths, negative where it is missed; None where there is no path.
    fmax_mhz : highest frequency without negative slack, inputs and outputs having the same part of its period.
    path : pins of the slowest path.
    """
    slack_ns:      float
    hold_slack_ns: float | None
    fmax_mhz:      float
    path:          tuple[PathPoint, ...]

# Timing -------------------------------------------------------------------------------------------

def time(config: AsicConfig, synthesis: Synthesis, pdk: Pdk, folder: Path, corner: str,
    progress: StageProgress = no_stage, spef: Path | None = None) -> Timing:
    """Timing at the frequency of `config`.

    Parameters
    ----------
    folder : where scripts and logs go.
    corner : of CORNERS. Macros have one Liberty for all of them.
    spef : wires of a layout, whose netlist `synthesis` has then; None for the library's estimate.

    Raises
    ------
    QCLIFError : no OpenSTA, it fails, no path at all, or the PDK lacks the corner.
    """
    tool   = find_sta()
    macros = [pdk.macros[name] for name in synthesis.macros]
    cells  = pdk.corner(corner)
    loads  = folder/"loads.lib"
    write_text(loads, LOADS.format(cells="".join(LOAD.format(name=name, load=load)
        for name, load in synthesis.loads.items())))
    files  = [cells.liberty, *(macro.liberty for macro in macros), *([loads] if synthesis.loads else [])]
    if spef is None:
        wires = wire_model(cells)
    else:
        wires = [f"read_spef {{{tool.path(spef)}}}"]
    text   = run_tool(tool, script(tool, config, synthesis, pdk, files, wires, spef is not None), folder,
        f"sta_{corner}.tcl", DONE, progress, f"timing in corner {corner} with OpenSTA")
    slow, fast = (_report(text, kind) for kind in ("max", "min"))
    if slow is None:
        raise QCLIFError(f"{synthesis.top} has no path that a clock ends: check the name of its clock, "
            f"{synthesis.clock}")
    shortest = float(re.search(rf"^{SHORTEST} (\S+)$", text, re.MULTILINE)[1])
    # OpenSTA does not count this among slacks.
    period   = max((macro.min_period_ns or 0.0 for macro in macros), default=0.0)
    return Timing(min(_slack(slow), config.period_ns - period), None if fast is None else _slack(fast),
        1000/max(shortest, period), _points(slow, synthesis))


REPORT = "report_checks -format full -fields {net} -digits 6 -no_line_splits"

# The period at which the slowest path has no slack, until that path is the slowest one.
SEARCH = rf"""
for {{set try 0}} {{$try < 30}} {{incr try}} {{
    with_output_to_variable text {{{REPORT} -path_delay max}}
    if {{![regexp {{(-?[0-9.]+) +slack}} $text match slack]}} {{break}}
    if {{abs($slack) < 0.00001}} {{break}}
    set before [regexp {{Startpoint:[^\n]*\(input port}} $text]
    set behind [regexp {{Endpoint:[^\n]*\(output port}} $text]
    set period [expr {{$period - $slack/(1 - {IO_FRACTION}*($before + $behind))}}]
    constrain $period
}}
puts "{SHORTEST} $period"
"""


def wire_model(corner: Corner) -> list[str]:
    """Commands that choose the library's default model of wires, if it has one. OpenSTA of 2019 takes it by itself,
    current versions do not; a model that is named counts in all of them."""
    name = read_power(corner.liberty, set()).wire_load.name
    return [f"set_wire_load_model -name {name} -library {corner.library.name}"] if name else []


def script(tool: Tool, config: AsicConfig, synthesis: Synthesis, pdk: Pdk, liberties: list[Path], wires: list[str],
        clock_tree: bool) -> str:
    """OpenSTA's script, for versions since 2019.

    Parameters
    ----------
    wires : Tcl that tells them.
    clock_tree : whether the clock takes its time to each register.
    """
    return "\n".join([
        *[f"read_liberty {{{tool.path(path)}}}" for path in liberties],
        f"read_verilog {{{tool.path(synthesis.excerpt or synthesis.netlist)}}}",
        f"link_design {synthesis.top}",
        "set_cmd_units -time ns -capacitance fF",
        *wires,
        *surroundings(synthesis.clock, pdk),
        "proc constrain {period} {",
        "    global inputs",
        *(f"    {line}" for line in clocking(synthesis.clock, "$period", f"[expr {{{IO_FRACTION}*$period}}]")),
        *([f"    set_propagated_clock {{{synthesis.clock}}}"] if clock_tree else []),
        "}",
        f"set period {config.period_ns:.6f}",
        "constrain $period",
        f"{REPORT} -path_delay max",
        f"{REPORT} -path_delay min",
        SEARCH,
        f'puts "{DONE}"',
        "",
    ])


def surroundings(clock: str, pdk: Pdk) -> list[str]:
    """Tcl that drives `inputs`, which are all but the clock, and loads outputs."""
    # OpenSTA of 2019 has no all_inputs -no_clocks.
    return [
        f"set inputs [lsearch -inline -all -not -exact [all_inputs] [get_ports {{{clock}}}]]",
        f"if {{[llength $inputs]}} {{set_driving_cell -lib_cell {pdk.driver} $inputs}}",
        f"set_load {pdk.load_ff} [all_outputs]",
    ]


def clocking(clock: str, period: str, edge: str) -> list[str]:
    """Tcl that gives a design its clock, and what is outside a part `edge` of the period before and after it, ns."""
    return [
        f"create_clock -name {{{clock}}} -period {period} [get_ports {{{clock}}}]",
        f"if {{[llength $inputs]}} {{set_input_delay {edge} -clock {{{clock}}} $inputs}}",
        f"set_output_delay {edge} -clock {{{clock}}} [all_outputs]",
    ]

# Wires and loads ----------------------------------------------------------------------------------

# Cells that are nothing but a load at pin A, fF.
LOADS = """library (loads) {{
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  slew_lower_threshold_pct_rise : 30;
  slew_upper_threshold_pct_rise : 70;
  slew_lower_threshold_pct_fall : 30;
  slew_upper_threshold_pct_fall : 70;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
{cells}}}
"""

LOAD = """  cell ({name}) {{
    area : 0;
    pin (A) {{
      direction : input;
      capacitance : {load};
    }}
  }}
"""

# Reports ------------------------------------------------------------------------------------------

def _report(text: str, kind: str) -> str | None:
    """The worst path of a kind, or None where there is none."""
    for part in re.split(r"^(?=Startpoint:)", text, flags=re.MULTILINE):
        if re.search(rf"^Path Type: {kind}$", part, re.MULTILINE) and re.search(r"\d\s+slack", part):
            return part
    return None


def _slack(report: str) -> float:
    return float(re.search(r"(-?[\d.]+)\s+slack", report)[1])


def register(instance: str) -> str:
    """Name of a register, by that of its flip-flop: pipeline/product[3]_reg is pipeline.product[3]."""
    return re.sub(r"_reg$", "", instance.replace("\\", "")).replace("/", ".")


def _points(report: str, synthesis: Synthesis) -> tuple[PathPoint, ...]:
    """Pins up to the end of the path, each with the name of what it drives, or of the module that it is in."""
    points = []
    for line in report.partition("data arrival time")[0].replace("\\", "").splitlines():
        if match := PIN.match(line):
            time, pin, cell = float(match[1]), match[2], match[3]
            instance        = pin.rpartition("/")[0]
            if cell in ("in", "out"):
                points.append(PathPoint(pin, pin, "port", time))
            elif PRIVATE.search(instance):
                points.append(PathPoint(synthesis.what(instance.rpartition("/")[0]), pin, cell, time))
            else:
                points.append(PathPoint(register(instance), pin, cell, time))
        elif points and (match := NET.match(line)) and not PRIVATE.search(match[1]):
            if PRIVATE.search(points[-1].pin.rpartition("/")[0]): # A signal that the sources name.
                points[-1] = replace(points[-1], stage=match[1].replace("/", "."))
    return tuple(points)
