# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options of the FreePDK45 command, which are also those of each run of a sweep."""

import argparse
from pathlib import Path

from joblib import cpu_count

from accel.config import add_config_args
from accel.errors import QCLIFError
from host.cli.options import add_input_args, positive, share
from host.common.folders import build_root
from targets.asic.design import DESIGNS, FREQUENCY_LIMITS, SRAMS
from targets.asic.platform.pdk import CORNERS
from targets.asic.platform.tiling import OBJECTIVES
from targets.asic.stages import STAGES
from targets.asic.sweep import shipped

DEFAULT_UNTIL = "power"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ordinary errors: a sweep tells in which of its runs they are."""
    def error(self, message: str) -> None:
        raise QCLIFError(f"{message}; --help tells all options")


def make_parser(description: str) -> Parser:
    """The parser of the command, and of each run of a sweep."""
    parser = Parser(prog="python -m targets.asic_freepdk45", description=description, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    flow = parser.add_argument_group("flow")
    flow.add_argument("--design", choices=list(DESIGNS), default="core",
        help="; ".join(f"{name}: {text}" for name, text in DESIGNS.items()) + " (default: %(default)s)")
    low, high = FREQUENCY_LIMITS
    flow.add_argument("--frequency", type=float, default=100.0, metavar="MHZ",
        help=f"clock; {low:g} to {high:g} (default: %(default)g)")
    flow.add_argument("--corner", choices=list(CORNERS), default="typ",
        help="; ".join(f"{name}: {text}" for name, text in CORNERS.items()) + "; of power: timing is told for all "
            "(default: %(default)s)")
    flow.add_argument("--sram", choices=list(SRAMS), default="fakeram45",
        help="; ".join(f"{name}: {text}" for name, text in SRAMS.items()) + " (default: %(default)s)")
    flow.add_argument("--sram-objective", choices=list(OBJECTIVES), default="area",
        help="; ".join(f"{name}: {text}" for name, text in OBJECTIVES.items()) + " (default: %(default)s)")
    flow.add_argument("--until", choices=list(STAGES), metavar="STAGE",
        help="; ".join(f"{name}: {what}" for name, (what, _) in STAGES.items()) +
            f" (default: {DEFAULT_UNTIL}, or as far as the tools that are installed go)")
    flow.add_argument("--pdk", type=Path, metavar="DIR",
        help="folder of FreePDK45 files (default: FREEPDK45_HOME, else FLOW_HOME's, else what was fetched)")
    flow.add_argument("--download-pdk", action="store_true", help="fetch what is missing there, checksums verified")
    add_config_args(parser)
    add_input_args(parser, samples=1)
    simulation = parser.add_argument_group("simulation of the gates")
    simulation.add_argument("--steps", type=positive, metavar="K",
        help="only the first K steps of each recording (default: all)")
    simulation.add_argument("--rate", type=share, metavar="R",
        help="a random network whose neurons fire in this share of the steps; 0: none ever fires")
    outputs = parser.add_argument_group("sweeps and outputs")
    outputs.add_argument("--sweep", metavar="NAME|FILE",
        help=f"many runs: {', '.join(shipped())}, or a .json or .toml file of option dictionaries; other options are "
            "for all runs")
    outputs.add_argument("--jobs", type=positive, default=cpu_count(), metavar="N",
        help="runs of a sweep side by side (default: one a core, %(default)s)")
    outputs.add_argument("--output-dir", type=Path, default=build_root()/"asic"/"report", metavar="DIR",
        help="folder of report.md, report.json and plots (default: %(default)s)")
    outputs.add_argument("--json", type=Path, metavar="FILE",
        help="write the figures here, too; - for standard output")
    outputs.add_argument("--strict", action="store_true", help="exit code 1 where slack is negative")
    return parser
