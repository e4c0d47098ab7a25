# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the command of a board needs to know of it beside the SoC that its target makes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from litex.build.generic_programmer import GenericProgrammer

from targets.boards.devices import Device, find_device
from targets.boards.soc import BoardSoC


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
