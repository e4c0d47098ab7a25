# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A board, as its command needs to know it beside the SoC that its target makes, and what a bitstream is built from."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from litex.build.generic_programmer import GenericProgrammer

from accel.config import LIMITS, QCLIFConfig
from firmware.sizes import SRAM_BESIDE_SDRAM, least_sram_bytes
from targets.boards.devices import Device, find_device
from targets.boards.soc import BoardSoC

# The firmware has 12.5 to 13.5 KB without the CPU engine: this spares half the block RAM of the simulator's ROM.
ROM_BYTES = 14*1024

# Block RAM is given out in steps of this.
SRAM_STEP = 2*1024


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes
    ----------
    name : of its target.
    title : for people.
    platform : LiteX's class with the board's pins.
    soc : makes the SoC: a target's BaseSoC, called with `config`, `device`, `toolchain`, `sys_clk_freq` in Hz, and
        BoardSoC's options; the defaults of these parameters are the board's. It gets those of the command's further
        options that it has parameters for, too.
    devices : FPGAs that it is sold with, as --device takes them, and their makers' names.
    target : the target's file, which has this board as BOARD; "": a board of targets.boards.generic.
    programmer : LiteX's programmer of the board with one of the devices; None where there is none.
    uart_baudrate : default of its USB bridge, which `uart_limit` bounds.
    uart_name : pads of its UART.
    port : serial port that its UART usually becomes on the host.
    flash_offset : place of the firmware in the SPI flash, behind the bitstream, from where it is copied to the large
        RAMs of an iCE40 UltraPlus; 0 where it is in block RAM, and so in the bitstream.
    sizes : sizes of the link that suit it, where the command line names no others.
    soc_options : LiteX's SoCCore options that the board needs, for what the command line leaves open.
    """
    name:          str
    title:         str
    platform:      type
    soc:           Callable[..., BoardSoC]
    devices:       dict[str, str]
    target:        str
    programmer:    Callable[[str], GenericProgrammer | None]
    uart_baudrate: int = 1_000_000
    uart_limit:    int = 3_000_000
    uart_name:     str = "serial"
    port:          str = "/dev/ttyUSB0"
    flash_offset:  int = 0
    sizes:         dict[str, int] = field(default_factory=dict)
    soc_options:   dict[str, object] = field(default_factory=dict)

    def default(self, parameter: str) -> object:
        """What the SoC gets for "device", "toolchain" or "sys_clk_freq" (Hz) where the user asks for nothing else."""
        return inspect.signature(self.soc).parameters[parameter].default

    def part(self, device: str) -> Device | None:
        """What an FPGA of the board holds; None where nothing is known of it."""
        return find_device(self.devices[device])

# Request ------------------------------------------------------------------------------------------

def board_config(sizes: dict[str, int]) -> QCLIFConfig:
    """The configuration of sizes that were named, with room for two received frames: one block RAM on most FPGAs."""
    largest = QCLIFConfig(**{"uart_fifo": LIMITS["uart_fifo"][1], **sizes})
    return QCLIFConfig(**{"uart_fifo": 1 << (2*largest.frame_bytes - 1).bit_length(), **sizes})


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
    soc : options of the SoC, LiteX's and its target's, that differ from our defaults.
    flow : LiteX's options of the toolchain.
    flash_offset : as the board's.
    """
    board:         str
    device:        str
    toolchain:     str
    sys_clk_freq:  int
    uart_baudrate: int
    config:        QCLIFConfig = field(default_factory=QCLIFConfig)
    soc:           dict = field(default_factory=dict)
    flow:          dict = field(default_factory=dict)
    flash_offset:  int = 0

    @property
    def with_sdram(self) -> bool:
        """Whether SDRAM holds the firmware's variables."""
        return self.soc.get("with_sdram", False)

    @property
    def cpu(self) -> str:
        """CPU and variant: "vexriscv standard"."""
        return f"{self.soc.get('cpu_type') or 'vexriscv'} {self.soc.get('cpu_variant') or 'standard'}"

    @property
    def rom_bytes(self) -> int:
        return self.soc.get("integrated_rom_size") or ROM_BYTES

    @property
    def sram_bytes(self) -> int:
        needed = SRAM_BESIDE_SDRAM if self.with_sdram else least_sram_bytes(self.config)
        return self.soc.get("integrated_sram_size") or -(-needed//SRAM_STEP)*SRAM_STEP

    @property
    def name(self) -> str:
        """Name of the build's folder."""
        c = self.config
        return (f"{self.board}-{self.device.lower()}-n{c.neurons}-i{c.inputs}-p{c.lanes}-q{c.updates}-w{c.weight_bits}-"
            f"{round(self.sys_clk_freq/1e6)}mhz")

    @classmethod
    def from_json(cls, content: dict) -> "BoardOptions":
        return cls(**{**content, "config": QCLIFConfig(**content["config"])})
