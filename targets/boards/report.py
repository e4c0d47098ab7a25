# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What nextpnr reports: utilisation, clocks, critical path."""

import json
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError

# Figure: cells of nextpnr's report that are it, by the first family that has them.
CELLS = {
    "lut":  ("TRELLIS_COMB", "ICESTORM_LC", "LUT4"),
    "ff":   ("TRELLIS_FF", "DFF"),
    "bram": ("DP16KD", "ICESTORM_RAM", "BSRAM"),
    "dsp":  ("MULT18X18D", "ICESTORM_DSP", "MULT18X18"),
    "spram": ("ICESTORM_SPRAM",),
}


@dataclass(frozen=True)
class CriticalPath:
    """A critical path: clock nets, delay in ns, and the cells at its ends."""
    clocks:   tuple[str, str]
    delay_ns: float
    source:   str
    sink:     str


@dataclass(frozen=True)
class Report:
    """A place and route report.

    Attributes
    ----------
    used, available : cells by figure of CELLS.
    fmax_mhz : of the system clock, None where no path has it.
    path : its critical path, None where there is none.
    """
    used:      dict[str, int]
    available: dict[str, int]
    fmax_mhz:  float | None
    path:      CriticalPath | None


def read_report(path: Path, sys_clk_mhz: float) -> Report:
    """Read a report of nextpnr.

    Parameters
    ----------
    sys_clk_mhz : the clock that was asked for.

    Raises
    ------
    QCLIFError : the file is not such a report.
    """
    try:
        content = json.loads(path.read_text())
        cells   = content["utilization"]
        used, available = {}, {}
        for figure, names in CELLS.items():
            name = next((name for name in names if name in cells), None)
            if name is not None:
                used[figure], available[figure] = cells[name]["used"], cells[name]["available"]
        clock = _system_clock(content["fmax"], sys_clk_mhz)
        return Report(used, available, content["fmax"][clock]["achieved"] if clock else None,
            _critical_path(content["critical_paths"], clock))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QCLIFError(f"{path} is no report of nextpnr ({error!r}): delete its folder and build again") from error


def _system_clock(clocks: dict[str, dict], sys_clk_mhz: float) -> str | None:
    """The clock of the requested frequency; of several ones, or where none has a constraint, the slowest."""
    near  = [name for name, clock in clocks.items() if abs(clock["constraint"] - sys_clk_mhz) <= 0.011*sys_clk_mhz]
    named = near or list(clocks)
    return min(named, key=lambda name: clocks[name]["achieved"], default=None)


def _critical_path(paths: list[dict], clock: str | None) -> CriticalPath | None:
    for path in paths:
        ends = path["from"].split(" ")[-1], path["to"].split(" ")[-1]
        if ends == (clock, clock) and path["path"]:
            steps = path["path"]
            return CriticalPath(ends, sum(step["delay"] for step in steps), _design_name(steps[0]["from"]["cell"]),
                _design_name(steps[-1]["to"]["cell"]))
    return None


def _design_name(cell: str) -> str:
    """Name of a cell without what synthesis has added."""
    for ending in ("_TRELLIS_FF", "_LUT4", "_CCU2C", "_PFUMX", "_L6MUX21", "_DP16KD", "_SB_", "_DFF", "_LUT",
        "_MUX2_", "_ALU", "$"):
        cell = cell.split(ending)[0] or cell
    return cell
