#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Options of the board targets: LiteX's, the sizes, and ours."""

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from litex.build.parser import LiteXArgumentParser
from litex.soc.cores.cpu import CPUS
from litex.soc.integration.soc_core import soc_core_argdict

from accel.config import LIMITS, QCLIFConfig, add_config_args
from host.errors import QCLIFError
from soc.soc import least_sram_bytes
from targets.boards.board import Board
from targets.toolchain import SOURCES

# The firmware has 12 to 14 KB: a ROM of this size spares half the block RAM of the simulator's.
ROM_BYTES = 16*1024

# Block RAM is given out in steps of this.
SRAM_STEP = 2*1024

# Capacity of the UART's FIFOs where the user does not say: two frames, one block RAM each on most FPGAs.
UART_FIFO = 2048

# LiteX's options that a board of ours cannot follow.
_FIXED = ("gateware_dir", "software_dir", "include_dir", "generated_dir", "build_backend", "memory_x", "bios_lto",
    "bios_format", "bios_console", "no_uart", "uart_fifo_depth", "integrated_rom_init", "no_compile",
    "no_compile_software")

# Build request ------------------------------------------------------------------------------------

@dataclass(frozen=True)
class BoardOptions:
    """Everything that a bitstream is built from, but for sources and tools.

    Attributes
    ----------
    board : name of a Board.
    device : one of its devices.
    toolchain : LiteX's name.
    sys_clk_freq : Hz.
    uart_baudrate : bits a second.
    config : sizes.
    soc : LiteX's SoCCore options that differ from our defaults.
    flow : LiteX's options of the toolchain.
    """
    board:         str
    device:        str
    toolchain:     str
    sys_clk_freq:  int
    uart_baudrate: int
    config:        QCLIFConfig = field(default_factory=QCLIFConfig)
    soc:           dict = field(default_factory=dict)
    flow:          dict = field(default_factory=dict)

    @property
    def cpu(self) -> str:
        """CPU and variant: "vexriscv standard"."""
        return f"{self.soc.get('cpu_type') or 'vexriscv'} {self.soc.get('cpu_variant') or 'standard'}"

    @property
    def rom_bytes(self) -> int:
        return self.soc.get("integrated_rom_size") or ROM_BYTES

    @property
    def sram_bytes(self) -> int:
        return self.soc.get("integrated_sram_size") or -(-least_sram_bytes(self.config)//SRAM_STEP)*SRAM_STEP

    @property
    def name(self) -> str:
        """Name of the build's folder."""
        c = self.config
        return (f"{self.board}-{self.device.lower()}-n{c.neurons}-i{c.inputs}-p{c.lanes}-w{c.weight_bits}-"
            f"{round(self.sys_clk_freq/1e6)}mhz")

    def to_json(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict) -> "BoardOptions":
        return cls(**{**content, "config": QCLIFConfig(**content["config"])})

# Parser -------------------------------------------------------------------------------------------

class BoardParser(LiteXArgumentParser):
    """LiteX's parser, for a list of arguments that need not be the process' own."""
    def __init__(self, argv: list[str], **kwargs):
        self._argv = argv
        LiteXArgumentParser.__init__(self, **kwargs)

    def get_value_from_key(self, key, default=None):
        for position, text in enumerate(self._argv):
            name, equal, value = text.partition("=")
            if name == key:
                return value if equal else (self._argv[position + 1:] or [default])[0]
        return default


def make_parser(board: Board, argv: list[str], prog: str, description: str) -> BoardParser:
    """The parser of a board's target."""
    parser = BoardParser(argv, description=description, prog=prog, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_platform(board.platform_module().Platform)
    parser.add_target_group()
    parser.set_defaults(toolchain=board.toolchain, integrated_rom_size=ROM_BYTES, integrated_sram_size=None,
        uart_baudrate=board.uart_baudrate)
    add = parser.add_target_argument
    add("--flash", action="store_true", help="Write the bitstream to the board's flash: it stays after power-off.")
    add("--device", default=board.devices[0], metavar="NAME",
        help=f"FPGA: {', '.join(board.devices)} (default: {board.devices[0]}).")
    add("--sys-clk-freq", default=board.sys_clk_freq, type=float, metavar="HZ",
        help=f"System clock (default: {board.sys_clk_freq:g}).")
    add("--tools", choices=list(SOURCES), default="auto",
        help="Where the tools come from: " + "; ".join(f"{name}: {text}" for name, text in SOURCES.items()) + ".")
    add("--cable", metavar="NAME", help="openFPGALoader's name of the cable, where the board's own is not used.")
    add("--allow-timing-fail", action="store_true", help="A clock that is not reached is no error.")
    add("--no-fit-check", action="store_true", help="Build also what the estimate says does not fit.")
    add("--json", type=Path, metavar="FILE", help="Write the figures; - for standard output.")
    add("--non-interactive", action="store_true", help="Show no live progress.")
    add_config_args(parser)
    return parser


def given_sizes(args: argparse.Namespace) -> dict[str, int]:
    """Sizes that the command line names."""
    return {name: value for name in LIMITS if (value := getattr(args, name)) is not None}


def board_options(parser: BoardParser, args: argparse.Namespace, board: Board, config: QCLIFConfig) -> BoardOptions:
    """What is to be built; what cannot be followed is refused."""
    for name in _FIXED:
        if getattr(args, name, None) != parser.get_default(name):
            raise QCLIFError(f"--{name.replace('_', '-')} has no effect on the boards' SoC: leave it out")
    devices = {device.lower(): device for device in board.devices}
    if args.device.lower() not in devices:
        raise QCLIFError(f"--device is {args.device!r}: {board.title} has {', '.join(board.devices)}")
    cpus = sorted(CPUS.keys() - {"None"})
    if args.cpu_type not in cpus:
        raise QCLIFError(f"--cpu-type is {args.cpu_type!r}: LiteX has {', '.join(cpus)}")
    if not 1e6 <= args.sys_clk_freq <= 1e9:
        raise QCLIFError(f"--sys-clk-freq is {args.sys_clk_freq:g}: Hz are meant, 1e6 to 1e9")
    # The PHY's clock is the system's: fewer than a handful of clocks a bit leave no room for its rounding.
    limit = min(board.uart_limit, int(args.sys_clk_freq/8))
    if not 9600 <= args.uart_baudrate <= limit:
        raise QCLIFError(f"--uart-baudrate is {args.uart_baudrate}: {board.title} at {args.sys_clk_freq/1e6:g} MHz "
            f"takes 9600 to {limit}")
    ours     = ("uart_baudrate", "with_uart", "clk_freq")
    defaults = soc_core_argdict(argparse.ArgumentParser.parse_args(parser, []))
    given    = {name: value for name, value in soc_core_argdict(args).items()
        if value != defaults.get(name) and name not in ours}
    return BoardOptions(
        board         = board.name,
        device        = devices[args.device.lower()],
        toolchain     = args.toolchain,
        sys_clk_freq  = int(args.sys_clk_freq),
        uart_baudrate = args.uart_baudrate,
        config        = config,
        soc           = given,
        flow          = parser.toolchain_argdict,
    )
