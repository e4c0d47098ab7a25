#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The lanes P, neurons a clock Q, memories and clock that suit your network and recordings best.

examples:
  python -m targets.explore --network NET.npz --events FILE --target freepdk45 --goal energy
  python -m targets.explore --events FILE --target freepdk45 --goal area --max-latency 2     at most 2 us a step
  python -m targets.explore --events FILE --target ulx3s-85f --goal latency --check          builds the chosen one, too
  python -m targets.explore --neurons 64 --inputs 128 --target icebreaker --goal luts        a random network
  python -m targets.explore --calibrate                                                      the model anew: an hour

All shapes and clocks are tried with a model that was calibrated on the flow; --check runs the flow on the best one.
"""

import argparse
import sys
from pathlib import Path

from accel.config import add_config_args, config_from_args, given_sizes
from accel.errors import EXIT_MISMATCH, QCLIFError, guarded
from host.cli.options import add_input_args, check_outputs, encode_samples, make_output_dir, positive, read_samples
from host.common.console import table_console, write_json
from host.common.folders import build_root
from host.plots.style import save
from targets.asic.design import FREQUENCY_LIMITS
from targets.asic.platform.tiling import OBJECTIVES
from targets.asic.report.sheet import Sheet
from targets.asic.report.tables import write_report
from targets.explore.search import FIGURES, GOALS, ranked, within
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay

ASIC = "freepdk45"

# Limits of figures that may be set, and their units.
MAXIMA = {"area": "MM2", "latency": "US", "energy": "PJ", "luts": "N"}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m targets.explore", description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    search = parser.add_argument_group("search")
    search.add_argument("--target", default=ASIC, metavar="NAME",
        help=f"{ASIC}, or a board of python -m targets.board --list, with a device where it has several, as in "
            "ulx3s-85f (default: %(default)s)")
    search.add_argument("--goal", choices=list(GOALS), default="latency",
        help="; ".join(f"{name}: {text}" for name, text in GOALS.items()) + " (default: %(default)s)")
    for name, unit in MAXIMA.items():
        search.add_argument(f"--max-{name}", type=_above_zero, metavar=unit, help=f"limit of {FIGURES[name].title}")
    search.add_argument("--frequency", type=_above_zero, metavar="MHZ",
        help=f"the only clock (default: all that are reached, of {ASIC}; the board's)")
    search.add_argument("--sram-objective", choices=list(OBJECTIVES),
        help=f"of {ASIC}'s memories (default: both for the goal energy, else area)")
    search.add_argument("--steps", type=positive, metavar="K", help="only the first K steps of each recording")
    search.add_argument("--pdk", type=Path, metavar="DIR", help=f"of {ASIC}: see python -m targets.asic_freepdk45")
    search.add_argument("--top", type=positive, default=10, metavar="K", help="designs that are shown (default: 10)")
    search.add_argument("--check", action="store_true", help="run the flow on the best design: minutes")
    search.add_argument("--calibrate", action="store_true",
        help="run the flow on the cores of targets/explore/runs.json, fit the model to them and write it")
    search.add_argument("--output-dir", type=Path, default=build_root()/"explore", metavar="DIR",
        help="folder of report.md and plot (default: %(default)s)")
    search.add_argument("--json", type=Path, metavar="FILE", help="write the figures; - for standard output")
    add_config_args(parser)
    add_input_args(parser, samples=1)
    return parser


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def check_options(args: argparse.Namespace, target) -> None:
    """Raise a QCLIFError where a goal or a limit is none of the target's."""
    if args.goal not in target.goals:
        raise QCLIFError(f"--goal is {args.goal}, of which nothing is foretold for --target {args.target}: choose one "
            f"of {', '.join(target.goals)}")
    unused = [f"max_{name}" for name in MAXIMA if name not in target.goals] + \
        ([] if args.target.lower() == ASIC else ["sram_objective", "pdk"])
    for name in unused:
        if getattr(args, name) is not None:
            raise QCLIFError(f"--{name.replace('_', '-')} has no effect on --target {args.target}: leave it out")
    low, high = FREQUENCY_LIMITS
    if args.frequency is not None and not low <= args.frequency <= high:
        raise QCLIFError(f"--frequency is {args.frequency:g}, the limits are {low:g} to {high:g}: choose another one")


def find_target(args: argparse.Namespace):
    """The target that --target names. Raises QCLIFError where there is none."""
    if args.target.lower() == ASIC:
        from targets.asic.platform.pdk import find_pdk
        from targets.explore.asic import AsicTarget
        return AsicTarget(find_pdk(args.pdk, False))
    from targets.explore.fpga import FpgaTarget
    return FpgaTarget(args.target)


def find_workload(args: argparse.Namespace):
    """The sizes of the network, and what it has to do in the recordings."""
    from host.cli.network_choice import choose_network, given_network, preferred_sizes
    from targets.explore.workload import Workload
    samples = read_samples(args)
    sizes   = config_from_args(args, **preferred_sizes(given_network(args), samples))
    choice  = choose_network(args, samples, sizes)
    encoded = encode_samples(samples, choice.network.encoder, choice.network.contexts, args)
    cut     = [each.steps.slice(0, args.steps or len(each.steps)) for each in encoded]
    return sizes, Workload.of(choice.network, choice.name, [each.name for each in encoded], cut)


def explore(args: argparse.Namespace) -> int:
    """Search, show, check. Returns the exit code."""
    from targets.explore.report import best_sheet, check_sheet, front_plot, late
    target = find_target(args)
    check_options(args, target)
    sizes, workload = find_workload(args)
    objectives = (args.sram_objective,) if args.sram_objective else tuple(OBJECTIVES) if args.goal == "energy" else \
        ("area",)
    limits     = {name: value for name in MAXIMA if (value := getattr(args, f"max_{name}")) is not None}
    with StageDisplay() as progress:
        found   = target.designs(workload, sizes, given_sizes(args), args.frequency, objectives, progress)
        designs = within(found, limits)
    best    = ranked(designs, args.goal)[:args.top]
    title   = f"{args.target}, least {FIGURES[args.goal].title}"
    notes   = [f"{workload.network.neurons} neurons, {workload.network.inputs} inputs, network {workload.name}; "
        f"{', '.join(workload.recordings)}: {workload.steps} steps, {workload.events.mean():.1f} events and "
        f"{workload.spikes.mean():.1f} spikes a step.",
        f"The best clock and memories of each P and Q, of {len(designs)} designs.", *target.notes,
        f"The first one, with the same --network and --events: {target.command(best[0])}"]
    sheets  = [best_sheet(best, args.goal, title, notes)]
    console = table_console(args.json)
    sheets[0].show(console)
    checked: dict[str, float] = {}
    if args.check:
        with StageDisplay() as progress:
            checked = target.check(best[0], workload, progress)
        sheets.append(check_sheet(best[0], checked))
        sheets[1].show(console)
    write_all(args, sheets, front_plot(designs, best[0], args.goal, checked, title), {
        "target": args.target, "goal": args.goal, "limits": limits, "designs": len(designs),
        "network": workload.name, "recordings": list(workload.recordings), "steps": workload.steps,
        "best": [{"lanes": each.sizes.lanes, "updates": each.sizes.updates, "clock_mhz": each.clock_mhz,
            "memory": each.memory, "figures": each.figures} for each in best],
        **({"errors": target.calibration.errors} if args.target.lower() == ASIC else {}),
        **({"check": checked} if checked else {})})
    return EXIT_MISMATCH if checked and late(best[0], checked) else 0


def write_all(args: argparse.Namespace, sheets: list[Sheet], figure, content: dict[str, object]) -> None:
    """Write report, plot and JSON."""
    plot = args.output_dir/"front.png"
    save(figure, plot)
    write_report(sheets, [plot], sheets[0].title, args.output_dir/"report.md")
    table_console(args.json).print(f"{args.output_dir/'report.md'}, {plot.name}", highlight=False, soft_wrap=True)
    if args.json:
        write_json(content, args.json)


def calibrate(args: argparse.Namespace) -> int:
    """Run the flow on the cores of the calibration, and write the model."""
    from targets.explore.calibrate import calibrate, table
    from targets.explore.model import CALIBRATION, FIGURES as TOLD
    with StageDisplay() as progress:
        made = calibrate(args.pdk, CALIBRATION, progress)
    errors = [f"{TOLD[name]}: off by {100*mean:.1f} % in the mean, by {100*most:.1f} % at most"
        for name, (mean, most) in made.errors.items()]
    Sheet("Flow and model, each run by a model that was fitted to all others",
        ("N", "I", "P", "Q", "MHz", "recipe", *TOLD.values()), table(made.runs), tuple(errors), texts=(5,)).show(
        table_console(args.json))
    if args.json:
        write_json({"errors": made.errors, "runs": made.runs}, args.json)
    return 0


def main(argv: list[str] | None = None) -> int:
    def work() -> int:
        args = make_parser().parse_args(argv)
        check_outputs(args)
        make_output_dir(args)
        return calibrate(args) if args.calibrate else explore(args)

    exit_on_sigterm()
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
