# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The command of a board's target: estimate, build, report, load."""

import shutil
from pathlib import Path

from litex.build.openfpgaloader import OpenFPGALoader
from rich.console import Console

from accel.errors import QCLIFError, guarded
from host.cli.options import check_outputs
from host.common.console import table_console, write_json
from host.common.tables import TextTable
from targets.boards.board import Board, BoardOptions
from targets.boards.build import UNTIMED, BoardBuild, build_board
from targets.boards.estimate import NAMES, estimate
from targets.boards.options import BoardParser, board_options
from targets.tools.litex_options import export_registers
from targets.tools.process import exit_on_sigterm, run_program
from targets.tools.progress import StageDisplay

LOADER = "openFPGALoader"


def check_timing(build: BoardBuild, allow: bool) -> None:
    """Raise a QCLIFError where the clock is not reached."""
    wanted  = build.options.sys_clk_freq/1e6
    reached = (build.report or {}).get("fmax_mhz", wanted)
    if reached < wanted and not allow:
        raise QCLIFError(f"{wanted:g} MHz is not reached, {reached:.1f} MHz is: lower --sys-clk-freq, try another "
            "--nextpnr-seed or fewer --lanes, or take the risk with --allow-timing-fail")


def load(board: Board, device: str, bitstream: Path, flash: bool = False, cable: str | None = None) -> None:
    """Load a bitstream through openFPGALoader, into flash where that is asked for.

    Raises
    ------
    QCLIFError : nobody knows how to load this board and no cable was named, the program is missing, or it does not
        reach the board.
    """
    programmer = board.programmer(device)
    known      = isinstance(programmer, OpenFPGALoader)
    if not known and not cable:
        others = f"loads {board.title} with {type(programmer).__name__}" if programmer else f"cannot load {board.title}"
        raise QCLIFError(f"litex-boards {others}: use that, or name {LOADER}'s cable with --cable")
    if shutil.which(LOADER) is None:
        raise QCLIFError(f"{LOADER} not found: sudo apt-get install openfpgaloader")
    done = run_program([*(programmer.cmd if known else [LOADER]), *(["--cable", cable] if cable else []),
        *(["--write-flash"] if flash else []), bitstream])
    if done.status:
        # It takes two lines to say so.
        why = " ".join(" ".join(done.text.strip().splitlines()[-2:]).split()) or f"status {done.status}"
        raise QCLIFError(f"{LOADER} does not reach {board.title} ({why}): plug in the board's USB cable, see that you "
            "may use it (udev rules), or name it with --cable")

# Report -------------------------------------------------------------------------------------------

def measures(board: Board, options: BoardOptions, estimate: dict[str, int] | None, build: BoardBuild | None) -> dict:
    """What is known of a run, as JSON takes it. What was not computed is not in there."""
    content = {
        "board":       board.name,
        "device":      options.device,
        "config":      options.config.to_dict(),
        "cpu":         options.cpu,
        "sdram":       options.with_sdram,
        "sys_clk_mhz": options.sys_clk_freq/1e6,
        "baudrate":    options.uart_baudrate,
    }
    if estimate is not None:
        content["estimate"]  = estimate
    if build is not None:
        content["directory"] = str(build.directory)
        content["tools"]     = build.tools
        if build.bitstream is not None:
            content["bitstream"]     = str(build.bitstream)
            content["build_seconds"] = build.build_seconds
            if build.image is not None:
                content["image"] = str(build.image)
        if build.report is not None:
            content |= build.report
            if "fmax_mhz" in content:
                content["fmax_mhz"] = round(content["fmax_mhz"], 2)
                if options.toolchain in UNTIMED:
                    content["untimed"] = list(UNTIMED[options.toolchain])
    return content


def show(content: dict, console: Console) -> None:
    """Print the tables of measures()."""
    config = content["config"]
    console.print(f"{content['board']}, {content['device']}: {config['neurons']} neurons, {config['inputs']} inputs, "
        f"{config['contexts']} contexts, {config['weight_bits']}-bit weights, {config['lanes']} lanes, "
        f"CPU {content['cpu']}{', variables in SDRAM' if content['sdram'] else ''}", highlight=False, soft_wrap=True)
    built = "available" in content
    rows  = []
    for name, text in NAMES.items():
        cells = [content.get("estimate", {}).get(name)]
        if built:
            cells += [content.get(name), content["available"].get(name)]
        if any(cell is not None for cell in cells):
            rows.append((text, *("" if cell is None else str(cell) for cell in cells)))
    if rows:
        console.print(TextTable(("cells", "estimate", *(("used", "available") if built else ())), rows))
    else:
        console.print(f"What {content['device']} holds is not known here: no estimate.", highlight=False)
    for name, text in _lines(content):
        console.print(f"{name:20} {text}", highlight=False, soft_wrap=True)


def _lines(content: dict):
    clock = f"{content['sys_clk_mhz']:g} MHz"
    if "fmax_mhz" in content:
        clock += f" asked for, {content['fmax_mhz']:.1f} MHz reached"
    if "untimed" in content:
        clock += f", not counting {' and '.join(content['untimed'])}, whose delays nextpnr does not know"
    yield "clock", clock
    if "critical_path" in content:
        path = content["critical_path"]
        yield "critical path", f"{path['delay_ns']:.1f} ns, {path['from']} to {path['to']}"
    if "bitstream" in content:
        yield "tools", ", ".join(f"{name} ({version})" for name, version in content["tools"].items())
        yield "built in", f"{content['build_seconds']:.0f} s"
        yield "bitstream", content["bitstream"]
    if "image" in content:
        yield "with firmware", content["image"]

# Command ------------------------------------------------------------------------------------------

def run(parser: BoardParser) -> int:
    """Do what the options ask for. Returns the exit code."""
    args  = parser.parse_args()
    board = parser.board
    check_outputs(args)
    options  = board_options(parser, args)
    device   = board.part(options.device)
    expected = estimate(options, device) if device else None
    console  = table_console(args.json)
    build    = None
    if args.build or args.load or args.flash:
        with StageDisplay(interactive=not args.non_interactive) as progress:
            build = build_board(board, options, args.output_dir, args.tools, not args.no_compile_gateware, progress)
        export_registers(build.directory, args)
    content = measures(board, options, expected, build)
    show(content, console)
    if args.json:
        write_json(content, args.json)
    if build is None:
        then = "--flash" if board.flash_offset else "--load (until power-off) or --flash"
        console.print(f"Nothing is built yet: {parser.prog} --build, then {then}.")
        return 0
    check_timing(build, args.allow_timing_fail)
    if build.bitstream is None:
        console.print(f"Generated for the FPGA tools: {build.directory/'gateware'}", highlight=False, soft_wrap=True)
    elif args.load or args.flash:
        # A firmware in the flash has to be there, too.
        flash = args.flash or build.image is not None
        with StageDisplay(interactive=not args.non_interactive) as progress:
            progress("writing the flash" if flash else "loading the bitstream")
            load(board, options.device, build.image or build.bitstream, flash, args.cable)
        console.print(f"Now: python host/stream.py --port {board.port} --baudrate {options.uart_baudrate}",
            highlight=False, soft_wrap=True)
    return 0


def board_main(parser: BoardParser) -> int:
    """main() of a target, whose parser has all of its options. Returns the exit code."""
    exit_on_sigterm()
    return guarded(lambda: run(parser))
