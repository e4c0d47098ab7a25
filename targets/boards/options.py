# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options of the board targets: LiteX's, the sizes, and ours."""

import argparse
import inspect
import re
import sys
from pathlib import Path

from litex.build.nextpnr_wrapper import nextpnr_argdict, nextpnr_args
from litex.build.parser import LiteXArgumentParser

from accel.config import add_config_args, given_sizes
from accel.errors import QCLIFError
from soc.litex_compat import NO_BUILD_LOG
from targets.boards.board import ROM_BYTES, Board, BoardOptions, board_config
from targets.boards.estimate import fit
from targets.tools.litex_options import given_options
from targets.tools.toolchain import SOURCES

# Toolchains with nextpnr whose options LiteX does not offer.
NEXTPNR_ONLY = ("apicula",)

# Parameters of a target's BaseSoC that the request has names of its own for.
TOLD = {"config", "device", "toolchain", "sys_clk_freq"}

# Parser -------------------------------------------------------------------------------------------

class _HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Examples as they are written, defaults at the end."""
    def __init__(self, prog):
        super().__init__(prog, max_help_position=10, width=120)


class BoardParser(LiteXArgumentParser):
    """LiteX's parser with the options that all boards have; a target adds its own by add_target_argument().

    Parameters
    ----------
    board : whose options they are.
    argv : arguments, None: those of the process.
    prog : how the command is called.
    description : of its help.
    """
    def __init__(self, board: Board, argv: list[str] | None, prog: str, description: str):
        self.board = board
        self.argv  = sys.argv[1:] if argv is None else argv
        LiteXArgumentParser.__init__(self)
        self.prog        = prog
        self.description = description
        self.set_platform(board.platform)
        # LiteX's is the first that the platform has, and its options would be offered.
        self._default_toolchain = board.default("toolchain")
        self.add_target_group()
        self.set_defaults(toolchain=self._default_toolchain, integrated_rom_size=ROM_BYTES, integrated_sram_size=None,
            uart_baudrate=board.uart_baudrate, uart_name=board.uart_name,
            cpu_type=board.soc_options.get("cpu_type", "vexriscv"), **NO_BUILD_LOG)
        add = self.add_target_argument
        add("--flash", action="store_true", help="Write the bitstream to the board's flash: it stays after power-off.")
        add("--device", default=board.default("device"), metavar="NAME",
            help=f"FPGA: {', '.join(board.devices)}.")
        add("--sys-clk-freq", default=board.default("sys_clk_freq"), type=float, metavar="HZ",
            help="System clock.")
        add("--tools", choices=list(SOURCES), default="auto",
            help="Where the tools come from: " + "; ".join(f"{name}: {text}" for name, text in SOURCES.items()) + ".")
        add("--uart-pins", metavar="TX,RX[,STANDARD]",
            help="UART on pins that a USB adapter is wired to: of a connector, as in pmoda:0,pmoda:1, or of the FPGA. "
            "The standard is 3.3 V CMOS unless it is named.")
        add("--cable", metavar="NAME", help="openFPGALoader's name of the cable, where the board's own is not used.")
        add("--allow-timing-fail", action="store_true", help="A clock that is not reached is no error.")
        add("--no-fit-check", action="store_true", help="Build also what the estimate says does not fit.")
        add("--json", type=Path, metavar="FILE", help="Write the numbers; - for standard output.")
        add("--non-interactive", action="store_true", help="Show no live progress.")
        add_config_args(self)
        if self.get_value_from_key("--toolchain", self._default_toolchain) in NEXTPNR_ONLY:
            nextpnr_args(self)

    def parse_args(self, args=None, namespace=None):
        return LiteXArgumentParser.parse_args(self, self.argv if args is None else args, namespace)

    def format_help(self):
        self.formatter_class = _HelpFormatter
        return LiteXArgumentParser.format_help(self)

    @property
    def toolchain_argdict(self):
        if self._toolchain in NEXTPNR_ONLY:
            return nextpnr_argdict(self._args)
        return super().toolchain_argdict

    def get_value_from_key(self, key, default=None, args=None):
        """LiteX's, of our arguments, which need not be the process' own."""
        args = self.argv if args is None else args
        for position, text in enumerate(args):
            name, equal, value = text.partition("=")
            if name == key:
                return value if equal else (args[position + 1:] or [default])[0]
        return default

# Request ------------------------------------------------------------------------------------------

def board_options(parser: BoardParser, args: argparse.Namespace) -> BoardOptions:
    """What is to be built, of sizes that fit the device, where the device is known.

    Raises
    ------
    QCLIFError : nothing fits, or an option cannot be followed.
    """
    board = parser.board
    sizes = {**board.sizes, **given_sizes(args)}
    given = given_options(parser, args, "the boards' SoC",
        ["integrated_rom_init", *(["integrated_sram_size"] if board.flash_offset else [])])
    devices = {device.lower(): device for device in board.devices}
    if args.device.lower() not in devices:
        raise QCLIFError(f"--device is {args.device!r}: {board.title} has {', '.join(board.devices)}")
    if not 1e6 <= args.sys_clk_freq <= 1e9:
        raise QCLIFError(f"--sys-clk-freq is {args.sys_clk_freq:g}: Hz are meant, 1e6 to 1e9")
    # The PHY's clock is the system's: fewer than a handful of clocks a bit leave no room for its rounding.
    limit = min(board.uart_limit, int(args.sys_clk_freq/8))
    if not 9600 <= args.uart_baudrate <= limit:
        raise QCLIFError(f"--uart-baudrate is {args.uart_baudrate}: {board.title} at {args.sys_clk_freq/1e6:g} MHz "
            f"takes 9600 to {limit}")
    given = {name: value for name, value in given.items() if name not in ("uart_baudrate", "with_uart", "clk_freq")}
    # What the target has added.
    given |= {name: value for name in inspect.signature(board.soc).parameters.keys() - TOLD
        if (value := getattr(args, name, None)) != parser.get_default(name)}
    if args.uart_pins is not None:
        if not re.fullmatch(r"[^,\s]+,[^,\s]+(,[^,]+)?", args.uart_pins):
            raise QCLIFError(f"--uart-pins is {args.uart_pins!r}: name two pins, TX,RX, as in pmoda:0,pmoda:1")
        given["uart_pins"] = args.uart_pins
    options = BoardOptions(
        board         = board.name,
        device        = devices[args.device.lower()],
        toolchain     = args.toolchain,
        sys_clk_freq  = int(args.sys_clk_freq),
        uart_baudrate = args.uart_baudrate,
        config        = board_config(sizes),
        soc           = {**board.soc_options, **given},
        flow          = parser.toolchain_argdict,
        flash_offset  = board.flash_offset,
    )
    device = board.part(options.device)
    if device is None or args.no_fit_check:
        return options
    return fit(options, device, sizes, sdram=hasattr(args, "with_sdram"))
