# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options of the FreePDK45 command, which are also those of each run of a sweep: a file of option dictionaries."""

import argparse
import json
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from joblib import cpu_count

from accel.config import PROTECTIONS, add_config_args
from accel.errors import QCLIFError
from host.cli.options import add_input_args, positive, share
from host.common.folders import build_root
from targets.asic.design import DESIGNS, FREQUENCY_LIMITS, RAM_LIMITS, SRAMS, Chip
from targets.asic.layout.variables import variable
from targets.asic.platform.pdk import CORNERS
from targets.asic.platform.tiling import OBJECTIVES
from targets.asic.stages import STAGES

# Last stage of each design; a chip takes its inputs over a serial line, clock by clock: hours, for the default network.
DEFAULT_UNTIL = dict.fromkeys(DESIGNS, "power") | {"soc": "sta"}

FOLDER = Path(__file__).with_name("sweeps")

# Options of the whole command, which a single run cannot have.
REFUSED = ("sweep", "jobs", "output-dir", "json", "strict", "download-pdk", "view")

Options = dict[str, object]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ordinary errors: a sweep tells in which of its runs they are."""
    def error(self, message: str) -> None:
        raise QCLIFError(f"{message}; --help tells all options")


def make_parser(description: str) -> Parser:
    """The parser of the command, and of each run of a sweep."""
    parser = Parser(prog="python -m targets.asic_freepdk45", description=description, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    flow = parser.add_argument_group("flow")

    def choice(option: str, known: Mapping[str, str], default: str, more: str = "") -> None:
        told = "; ".join(f"{name}: {text}" for name, text in known.items())
        flow.add_argument(option, choices=list(known), default=default, help=f"{told}{more} (default: %(default)s)")

    choice("--design", DESIGNS, "soc")
    _add_frequency(flow)
    choice("--corner", CORNERS, "typ", "; of power: timing is told for all")
    choice("--sram", SRAMS, "fakeram45")
    choice("--sram-objective", OBJECTIVES, "area")
    choice("--protect", PROTECTIONS, "none", "; of the core's memories")
    flow.add_argument("--frugal", action=argparse.BooleanOptionalAction, default=True,
        help="core: sums in two halves, and enables for each of the neuron's stages (default: --frugal)")
    flow.add_argument("--until", choices=list(STAGES), metavar="STAGE",
        help="; ".join(f"{name}: {what}" for name, (what, _) in STAGES.items()) +
            f" (default: power, or as far as the tools that are installed go; {DEFAULT_UNTIL['soc']} for the soc)")
    flow.add_argument("--equivalence", action="store_true",
        help="prove each module of the netlist equal to its Verilog, with Yosys: some seconds a module")
    flow.add_argument("--orfs", type=variable, action="append", default=[], metavar="VAR=VALUE",
        help="a variable of OpenROAD's flow scripts for the layout, besides or instead of the flow's own; may be "
            "given often; an empty value: as if it were not set")
    flow.add_argument("--orfs-docker", action="store_true",
        help="lay out in the flow scripts' container, openroad/orfs:latest or that of OR_IMAGE, by the docker command "
            "that is shown; untested: no Docker was at hand")
    flow.add_argument("--drc", action="store_true",
        help="check the layout's GDS by KLayout and the rules that the flow scripts have for it, too: minutes")
    flow.add_argument("--pdk", type=Path, metavar="DIR",
        help="folder of FreePDK45 files (default: FREEPDK45_HOME, else FLOW_HOME's, else what was fetched)")
    flow.add_argument("--download-pdk", action="store_true", help="fetch what is missing there, checksums verified")
    _add_chip(parser)
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
    outputs.add_argument("--view", action="store_true",
        help="show the layout in KLayout at the end; one that was made before is not made again")
    outputs.add_argument("--strict", action="store_true", help="exit code 1 where slack is negative")
    return parser

# Chip ---------------------------------------------------------------------------------------------

def add_chip_args(parser: argparse.ArgumentParser) -> None:
    """Add --frequency, and one option a field of Chip."""
    _add_frequency(parser)
    _add_chip(parser)


def _add_frequency(parser: argparse._ActionsContainer) -> None:
    low, high = FREQUENCY_LIMITS
    parser.add_argument("--frequency", type=float, default=100.0, metavar="MHZ",
        help=f"clock; {low:g} to {high:g} (default: %(default)g)")


def _add_chip(parser: argparse.ArgumentParser) -> None:
    chip      = parser.add_argument_group("SoC")
    low, high = RAM_LIMITS
    chip.add_argument("--program-bytes", type=int, default=Chip.program_bytes, metavar="N",
        help=f"RAM for the firmware, a multiple of 4; {low} to {high} (default: %(default)s)")
    chip.add_argument("--sram-bytes", type=int, default=Chip.sram_bytes, metavar="N",
        help=f"RAM for the CPU's data, a multiple of 4; {low} to {high} (default: what the firmware needs)")
    chip.add_argument("--uart-baudrate", type=int, default=Chip.uart_baudrate, metavar="N",
        help="bits a second (default: %(default)s)")


def chip_from_args(args: argparse.Namespace) -> Chip:
    """Chip of the options that add_chip_args() and make_parser() add."""
    return Chip(args.program_bytes, args.sram_bytes, args.uart_baudrate)

# Sweeps -------------------------------------------------------------------------------------------

def shipped() -> dict[str, Path]:
    """Sweeps that come with the program, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read_sweep(name: str) -> list[Options]:
    """The runs of a sweep.

    Parameters
    ----------
    name : one of shipped(), or a .json or .toml file: a list of dictionaries, or a dictionary with them as "runs".
        Keys are options without their dashes; a list of values stands for a run with each of them, several lists for
        all combinations.

    Raises
    ------
    QCLIFError : no such file, or it is no such list.
    """
    path = shipped().get(name, Path(name))
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise QCLIFError(f"--sweep {name}: {reason}; give a .json or .toml file, or one of {', '.join(shipped())}") \
            from error
    try:
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise QCLIFError(f"--sweep {name}: not {'TOML' if path.suffix == '.toml' else 'JSON'} ({error}): correct the "
            f"file") from error
    runs = content.get("runs") if isinstance(content, dict) else content
    if not isinstance(runs, list) or not runs or not all(isinstance(each, dict) and each for each in runs):
        raise QCLIFError(f'--sweep {name}: a list of option dictionaries is needed, as [{{"design": "core", "lanes": '
            f'[4, 8]}}]')
    return [run for number, each in enumerate(runs, 1) for run in _expanded(each, f"--sweep {name}: run {number}")]


def _expanded(options: Mapping[str, object], what: str) -> Iterator[Options]:
    values = {}
    for key, value in options.items():
        name = key.replace("_", "-").lstrip("-")
        if name in REFUSED:
            raise QCLIFError(f"{what}: {key} is for the whole sweep: give --{name} on the command line")
        values[name] = value if isinstance(value, list) else [value]
        if not values[name] or any(not isinstance(each, str | int | float) for each in values[name]):
            raise QCLIFError(f"{what}: {key} is {value!r}: a number, a text, true, or a list of them is needed")
    for each in product(*values.values()):
        yield dict(zip(values, each, strict=True))


def arguments(options: Mapping[str, object]) -> list[str]:
    """A run's options as the command line has them; True is an option without a value, False none at all."""
    words = []
    for name, value in options.items():
        if value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}={value}"]
    return words


def varied(runs: list[Options]) -> list[str]:
    """Options that are not the same in all runs."""
    names = dict.fromkeys(name for each in runs for name in each)
    return [name for name in names if len({repr(each.get(name)) for each in runs}) > 1]
