# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Runs the ASIC flow on a set of cores, `runs.json`, and fits the model to what it tells."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from accel.errors import QCLIFError
from host.cli.options import RANDOM
from targets.asic.flow import run_flow
from targets.asic.options import Options, arguments, make_parser, read_sweep
from targets.asic.request import FlowResult
from targets.asic.run import make_request
from targets.explore.memories import Built, Memories
from targets.explore.model import FIGURES, Calibration, Point, errors_of, fit, left_out
from targets.explore.parts import PARTS, Work, part_of
from targets.explore.workload import Workload
from targets.tools.builds import write_text
from targets.tools.progress import StageProgress

RUNS = Path(__file__).with_name("runs.json")

# What all runs have in common: a random network and the first steps of a synthetic gesture.
COMMON = {"design": "core", "network": RANDOM, "steps": 40, "until": "power"}


def calibrate(pdk: Path | None, path: Path, progress: StageProgress) -> Calibration:
    """Run the flow on all cores of RUNS, fit the model, and write it.

    Parameters
    ----------
    pdk : folder of FreePDK45; None: the one that the flow finds.
    path : of the calibration.

    Raises
    ------
    QCLIFError : a run failed, a netlist is wrong, or the file cannot be written.
    """
    runs, points = read_sweep(str(RUNS)), []
    for number, options in enumerate(runs, 1):
        progress(f"run {number} of {len(runs)}: {' '.join(f'{name} {value}' for name, value in options.items())}")
        points.append(run_point(options | ({"pdk": str(pdk)} if pdk else {}), progress))
    told   = left_out(points)
    rows   = [{**options, "recipe": point.recipe, "clocks": round(point.work.clocks, 2),
        **{name: [float(f"{point.figures[name]:.5g}"), float(f"{said[name]:.5g}")] for name in FIGURES}}
        for options, point, said in zip(runs, points, told, strict=True)]
    result = Calibration(fit(points), errors_of(points, told), rows)
    write_text(path, msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n")
    return result


def run_point(options: Options, progress: StageProgress) -> Point:
    """What the flow tells of one core, of options of its command."""
    request = make_request(make_parser("").parse_args(arguments(COMMON | options)))
    result  = run_flow(request, progress)
    if result.gatesim.mismatches or result.gatesim.state_mismatches:
        raise QCLIFError(f"the netlist of {request.config.sizes} differs from the golden model: report this")
    inputs  = request.inputs
    return point_of(result, Workload.of(inputs.network, inputs.name, inputs.recordings, inputs.samples),
        Memories(request.pdk).of(request.config))


def point_of(result: FlowResult, workload: Workload, built: dict[str, Built]) -> Point:
    """What a run of the flow, up to its power, tells of a core."""
    config, synthesis = result.request.config, result.synthesis
    power   = result.powers[config.corner]
    step_ns = result.gatesim.clocks/result.gatesim.steps*config.period_ns
    leakage = power.leakage_mw/synthesis.area_logic_um2
    areas, energies = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
    for module in synthesis.modules:
        macros = built[module.name] if module.name in built else None
        logic  = module.area_um2*module.instances - (macros.area_um2 if macros else 0)
        areas[part_of(module.name)] += logic
    logic = dict(areas)
    for name, power_mw in power.modules.items():
        energies[part_of(name)] += power_mw*step_ns
    for part in PARTS:
        macros = sum(each.leakage_mw for each in built.values()) if part == "memories" else 0
        energies[part] -= (leakage*logic[part] + macros)*step_ns
    return Point(config.sizes, built, Work.of(workload, result.gatesim.clocks/result.gatesim.steps),
        config.frequency_mhz, synthesis.recipe, areas, energies, power.leakage_mw,
        result.timings[config.corner].fmax_mhz)


def table(rows: Sequence[dict[str, object]]) -> list[list[str]]:
    """Cells of a calibration's runs: options, and flow and model of each of FIGURES."""
    return [[str(row["neurons"]), str(row["inputs"]), str(row["lanes"]), str(row["updates"]), f"{row['frequency']:g}",
        row["recipe"], *(f"{flow:,.0f} / {model:,.0f}" for flow, model in
            (row[name] for name in FIGURES))] for row in rows]
