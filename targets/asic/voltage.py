#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How cells change with their supply, 0.80 to 1.25 V: the rule behind --sweep voltage, and its error.

examples:
  python -m targets.asic.voltage                                      the rule, and how far it is off in the corners
  python -m targets.asic_freepdk45 --sweep voltage                    what it makes of neuron, core and spatial design
  python -m targets.asic.voltage --characterise                       the rule anew, by ngspice: minutes
  python -m targets.asic.voltage --characterise --download-pdk        the same, where there are no flow scripts

The rule is data, targets/asic/scaling/rule.json. To make it anew takes ngspice (sudo apt-get install ngspice), the
transistors' models that come with OpenRAM (python -m targets.asic.openram --install), the netlists of the cells, which
the flow scripts have and --download-pdk brings, and Liberty of all three corners.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from accel.errors import guarded
from host.cli.options import check_outputs
from host.common.console import progress_bars, table_console, write_json
from targets.asic.platform.pdk import CORNERS, find_pdk
from targets.asic.report.sheet import Sheet, number
from targets.asic.report.voltage import CHECKED, error
from targets.asic.scaling.rule import RULE, Factors, Rule
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay


def rule_sheets(rule: Rule) -> Iterator[Sheet]:
    """Factors at all supplies, and those of the corners, simulated and given."""
    given = {corner: rule.given(corner).delay for corner in CHECKED}
    rows  = [(f"{voltage:.2f}", *_factors(rule.at(voltage)), number(rule.corner_delay(voltage, given)))
        for voltage in rule.voltages]
    yield Sheet("Factors of delay, energy and leakage, typical process, 25 C", ("V", "delay", "energy", "leakage",
        "leakage of bit cells", "delay, as the corners have it"), rows, (
        f"Geometric means over {', '.join(rule.nominal.delay_ps)}; {', '.join(rule.tools.values())}; load "
        f"{number(rule.load_ff)} fF.",
        "As the corners have it: the power of the factor with which the corner on that side comes out, as if process "
        "and temperature had no part in its error."))
    rows = []
    for corner in CHECKED:
        simulated, given = rule.simulated(corner), rule.given(corner)
        for name in ("delay", "energy", "leakage"):
            ours, theirs = getattr(simulated, name), getattr(given, name)
            rows.append((f"{corner}, {CORNERS[corner]}", name, number(ours), number(theirs), error(ours, theirs)))
    yield Sheet("The same simulation in the corners of Liberty, relative to the typical one", ("corner", "factor of",
        "simulated", "Liberty", "error"), rows, texts=(0, 1))
    rows = [(name, *(error(rule.corners[corner].delay_ps[name][edge], rule.liberty[corner].delay_ps[name][edge])
        for edge in (0, 1) for corner in CORNERS)) for name in rule.nominal.delay_ps]
    yield Sheet("Error of the simulated delays, by edge of the output and corner", ("way through a cell",
        *(f"{edge}, {corner}" for edge in ("rise", "fall") for corner in CORNERS)), rows, (
        "Not of ratios. The netlists have no wires within cells; the library's rising edges are of other PMOS "
        "transistors than those that come with OpenRAM.",))


def _factors(values: Factors) -> list[str]:
    return [number(value) for value in (values.delay, values.energy, values.leakage, values.bit_leakage)]


def main(argv: list[str] | None = None) -> int:
    """Show the rule; make it anew."""
    parser = argparse.ArgumentParser(prog="python -m targets.asic.voltage", description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--characterise", action="store_true", help="simulate the cells and write the rule")
    parser.add_argument("--rule", type=Path, default=RULE, metavar="FILE",
        help="the rule that is read, or written (default: the repository's)")
    parser.add_argument("--pdk", type=Path, metavar="DIR",
        help="folder of FreePDK45 files (default: FREEPDK45_HOME, FLOW_HOME)")
    parser.add_argument("--download-pdk", action="store_true", help="fetch what is missing there, checksums verified")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rule and factors; - for standard output")
    args = parser.parse_args(argv)
    exit_on_sigterm()

    def work() -> int:
        check_outputs(args)
        if args.characterise:
            # Imported here, as all others read the rule and need no simulator.
            from targets.asic.scaling.characterise import characterise
            with progress_bars() as progress:
                pdk = find_pdk(args.pdk, args.download_pdk, progress)
            with StageDisplay() as stages:
                characterise(pdk, args.rule, stages)
        rule    = Rule.load(args.rule)
        console = table_console(args.json)
        for sheet in rule_sheets(rule):
            sheet.show(console)
        if args.json:
            write_json({"rule": msgspec.to_builtins(rule), "factors": {f"{voltage:.2f}":
                msgspec.to_builtins(rule.at(voltage)) for voltage in rule.voltages}}, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
