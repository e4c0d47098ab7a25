# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Makes the rule anew: simulates the cells at all supplies and in the PDK's corners, and reads Liberty beside them."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from accel.errors import QCLIFError
from targets.asic.platform.openram import OPENRAM, find_openram
from targets.asic.platform.pdk import Pdk
from targets.asic.scaling import ngspice
from targets.asic.scaling.circuits import ARCS, CELLS, MODELS, Circuits, Condition, read_netlists
from targets.asic.scaling.corners import liberty_point
from targets.asic.scaling.rule import BIT_CELL, COMMAND, NOMINAL_V, Point, Rule
from targets.tools.builds import write_text
from targets.tools.process import check_programs
from targets.tools.progress import StageProgress

# V, in steps of 50 mV.
VOLTAGES = tuple(round(0.80 + 0.05*step, 2) for step in range(10))

ROOM_C = 25.0

# The PDK's corners, by the processes that OpenRAM has models of.
PROCESSES = {"typ": "nom", "slow": "ss", "fast": "ff"}

# Where they are in the flow scripts' platform, and in the PDK that is fetched.
CDL = "cdl/NangateOpenCellLibrary.cdl"

# Digits that are kept.
DIGITS = 5


def characterise(pdk: Pdk, path: Path, progress: StageProgress) -> Rule:
    """Simulate, compare, and write the rule.

    Raises
    ------
    QCLIFError : ngspice, OpenRAM, the cells' netlists or a corner's Liberty are missing, a simulation fails, or the
        file cannot be written.
    """
    # Now, not after minutes.
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise QCLIFError(f"--rule {path}: cannot be written ({error.strerror}): name another file") from error
    check_programs(["ngspice"])
    compiler = find_openram()
    if compiler is None:
        raise QCLIFError("OpenRAM is missing, which brings the transistors' models: python -m targets.asic.openram "
            "--install")
    technology = compiler.parent/"technology"/"freepdk45"
    netlists   = read_netlists(find_cdl(pdk))
    given      = {name: pdk.corner(name) for name in PROCESSES}
    conditions = {name: Condition(PROCESSES[name], corner.library.voltage, corner.library.temperature)
        for name, corner in given.items()}
    if NOMINAL_V != conditions["typ"].voltage:
        raise QCLIFError(f"{given['typ'].liberty} is of {conditions['typ'].voltage:g} V, the rule is for "
            f"{NOMINAL_V:g} V: name a --pdk of FreePDK45")

    def simulate(condition: Condition, what: str) -> tuple[Point, Mapping[str, float]]:
        progress(f"{what}{condition.voltage:.2f} V, {condition.temperature:g} C, process {condition.process}")
        return simulated(Circuits(technology, netlists, condition, pdk.load_ff))

    supplies = [simulate(Condition("nom", voltage, ROOM_C), "")[0] for voltage in VOLTAGES]
    corners, liberty = {}, {}
    for name, condition in conditions.items():
        corners[name], slews = simulate(condition, f"corner {name}: ")
        liberty[name] = rounded(liberty_point(given[name].liberty, condition, slews, pdk.load_ff))
    rule = Rule({"ngspice": ngspice.version(), "transistors": f"{OPENRAM}, {MODELS.removeprefix('MOS_')}"}, pdk.load_ff,
        supplies, corners, liberty)
    write_text(path, msgspec.json.format(msgspec.json.encode(rule), indent=1).decode() + "\n")
    return rule


def find_cdl(pdk: Pdk) -> Path:
    """The cells' transistor netlists, of the PDK or of the flow scripts.

    Raises
    ------
    QCLIFError : there are none.
    """
    places = [pdk.folder/CDL]
    if os.environ.get("FLOW_HOME"):
        places.append(Path(os.environ["FLOW_HOME"])/"platforms"/"nangate45"/CDL)
    for place in places:
        if place.is_file():
            return place
    raise QCLIFError(f"no transistor netlists of the cells: nothing at {' or '.join(map(str, places))}; set "
        f"FLOW_HOME to the flow scripts, or fetch them: {COMMAND} --download-pdk")


def simulated(circuits: Circuits) -> tuple[Point, dict[str, float]]:
    """All arcs and cells in a condition, and the slews at the arcs' inputs, ps."""
    leakage = {name: circuits.leakage_nw(name) for name in CELLS} | {BIT_CELL: circuits.bit_cell_nw()}
    found   = {arc.name: circuits.arc(arc, leakage[arc.cell]) for arc in ARCS}
    where   = circuits.condition
    point   = Point(where.process, where.voltage, where.temperature, {name: each[0] for name, each in found.items()},
        {name: each[2] for name, each in found.items()}, leakage)
    return rounded(point), {name: each[1] for name, each in found.items()}


def rounded(point: Point) -> Point:
    """A point whose figures have DIGITS digits."""
    def short(value: float) -> float:
        return float(f"{value:.{DIGITS}g}")

    return msgspec.structs.replace(point,
        delay_ps   = {name: tuple(map(short, edges)) for name, edges in point.delay_ps.items()},
        energy_fj  = {name: short(value) for name, value in point.energy_fj.items()},
        leakage_nw = {name: short(value) for name, value in point.leakage_nw.items()})
