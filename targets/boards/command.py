#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The command of a board's target: estimate, build, report, load."""

import argparse
from collections.abc import Callable

from accel.errors import QCLIFError, guarded
from host.cli.options import check_outputs
from host.common.console import table_console, write_json
from targets.boards.board import Board
from targets.boards.build import BoardBuild, build_board
from targets.boards.estimate import estimate, fit
from targets.boards.loader import load
from targets.boards.options import BoardParser, board_options, given_sizes, make_parser
from targets.boards.request import BoardOptions, board_config
from targets.boards.summary import figures, show
from targets.sim.simulator import exit_on_sigterm
from targets.tools.exports import export_registers
from targets.tools.progress import StageDisplay


def sized_options(parser: BoardParser, args: argparse.Namespace, board: Board) -> BoardOptions:
    """The request with sizes that fit the device, where the device is known.

    Raises
    ------
    QCLIFError : nothing fits, or an option cannot be followed.
    """
    sizes   = {**board.sizes, **given_sizes(args)}
    options = board_options(parser, args, board, board_config(sizes))
    device  = board.part(options.device, options.toolchain)
    if device is None or args.no_fit_check:
        return options
    return fit(options, device, sizes, board.sdram is not None)


def check_timing(build: BoardBuild, allow: bool) -> None:
    """Raise a QCLIFError where the clock is not reached."""
    wanted = build.options.sys_clk_freq/1e6
    if build.report is None or build.report.fmax_mhz is None or build.report.fmax_mhz >= wanted or allow:
        return
    raise QCLIFError(f"{wanted:g} MHz is not reached, {build.report.fmax_mhz:.1f} MHz is: lower --sys-clk-freq, try "
        "another --nextpnr-seed or fewer --lanes, or take the risk with --allow-timing-fail")


def run(board: Board, parser: BoardParser, args: argparse.Namespace, prog: str) -> int:
    """Do what the options ask for. Returns the exit code."""
    check_outputs(args)
    options  = sized_options(parser, args, board)
    device   = board.part(options.device, options.toolchain)
    expected = estimate(options, device) if device else None
    console  = table_console(args.json)
    build    = None
    if args.build or args.load or args.flash:
        with StageDisplay(interactive=not args.non_interactive) as progress:
            build = build_board(options, args.output_dir, args.tools, not args.no_compile_gateware, progress)
        export_registers(build.directory, args)
    content = figures(board, options, expected, build)
    show(content, console)
    if args.json:
        write_json(content, args.json)
    if build is None:
        then = "--flash" if board.flash_offset else "--load (until power-off) or --flash"
        console.print(f"Nothing is built yet: {prog} --build, then {then}.")
        return 0
    check_timing(build, args.allow_timing_fail)
    if build.bitstream is None:
        console.print(f"Generated for the FPGA tools: {build.directory/'gateware'}", highlight=False, soft_wrap=True)
    elif args.load or args.flash:
        # A firmware in the flash has to be there, too.
        flash = args.flash or build.image is not None
        with StageDisplay(interactive=not args.non_interactive) as progress:
            progress("writing the flash" if flash else "loading the bitstream")
            load(board, options.device, options.toolchain, build.image or build.bitstream, flash, args.cable)
        console.print(f"Now: python host/stream.py --port {board.port} --baudrate {options.uart_baudrate}",
            highlight=False, soft_wrap=True)
    return 0


def board_main(find: Callable[[], Board], argv: list[str], prog: str, description: str) -> int:
    """main() of a target. Returns the exit code.

    Parameters
    ----------
    find : gives the board.
    argv : arguments.
    prog : how the command is called.
    description : of its help.
    """
    def work() -> int:
        board  = find()
        parser = make_parser(board, argv, prog, description)
        return run(board, parser, parser.parse_args(argv), prog)

    exit_on_sigterm()
    return guarded(work)
