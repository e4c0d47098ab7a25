# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What nextpnr reports: utilisation, clocks, critical path."""

import json
import re
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

# What synthesis has added to the name of a cell.
_ADDED = re.compile(r"(?<=.)(?:_TRELLIS_FF|_LUT4|_CCU2C|_PFUMX|_L6MUX21|_DP16KD|_SB_|_DFF|_LUT|_MUX2_|_ALU|\$)")


def read_report(path: Path, sys_clk_mhz: float) -> dict[str, object]:
    """What a report of nextpnr says, as the --json has it.

    Parameters
    ----------
    sys_clk_mhz : the clock that was asked for.

    Returns
    -------
    Used cells by figure of CELLS; those of the FPGA as `available`; where a path has the system clock, `fmax_mhz`; and
    the ends and the delay of its `critical_path`, where there is one.

    Raises
    ------
    QCLIFError : the file is not such a report.
    """
    try:
        content = json.loads(path.read_text())
        cells   = {figure: content["utilization"][name] for figure, names in CELLS.items()
            if (name := next((name for name in names if name in content["utilization"]), None))}
        report  = {figure: cell["used"] for figure, cell in cells.items()}
        report["available"] = {figure: cell["available"] for figure, cell in cells.items()}
        if clock := _system_clock(content["fmax"], sys_clk_mhz):
            report["fmax_mhz"] = content["fmax"][clock]["achieved"]
        if critical := _critical_path(content["critical_paths"], clock):
            report["critical_path"] = critical
        return report
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QCLIFError(f"{path} is no report of nextpnr ({error!r}): delete its folder and build again") from error


def _system_clock(clocks: dict[str, dict], sys_clk_mhz: float) -> str | None:
    """The clock of the requested frequency; of several ones, or where none has a constraint, the slowest."""
    near = [name for name, clock in clocks.items() if abs(clock["constraint"] - sys_clk_mhz) <= 0.011*sys_clk_mhz]
    return min(near or clocks, key=lambda name: clocks[name]["achieved"], default=None)


def _critical_path(paths: list[dict], clock: str | None) -> dict[str, object] | None:
    for path in paths:
        steps = path["path"]
        if steps and {path[end].split(" ")[-1] for end in ("from", "to")} == {clock}:
            return {"from": _ADDED.split(steps[0]["from"]["cell"])[0], "to": _ADDED.split(steps[-1]["to"]["cell"])[0],
                "delay_ns": round(sum(step["delay"] for step in steps), 3)}
    return None
