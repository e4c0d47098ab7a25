#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What a target needs to know of a board beyond its litex-boards platform."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from accel.errors import QCLIFError
from targets.boards.devices import Device, find_device
from targets.boards.stand_ins import import_target

INSTALL_BOARDS = "pip install litex-boards==2023.12"

# What is left where a board's clock and reset generator cannot be used.
OWN_TARGET = "write a target of your own around soc.soc.QCLIFSoC"

# What clock and reset generators call the frequency of the system's clock.
CLOCK_ARGUMENTS = {"sys_clk_freq", "clk_freq"}


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes
    ----------
    name : of its target.
    title : for people.
    module : of litex_boards, below `platforms` and `targets`.
    devices : FPGAs that it is sold with, as --device takes them, the default first.
    device_argument : argument of the platform's class that takes the device, "" where there is only one.
    toolchain : LiteX's name of the default one.
    sys_clk_freq : default clock in Hz.
    uart_baudrate : default of its USB bridge, which `uart_limit` bounds.
    uart_name : pads of its UART.
    port : serial port that its UART usually becomes on the host.
    leds : pads of its LEDs; `active_low` where 0 lights them.
    crg : further arguments of the clock and reset generator of litex_boards' target.
    platform : further arguments of the platform's class.
    extension : pads that litex_boards describes apart from the platform.
    loader : openFPGALoader's name of the board, for each device or under "" for all.
    flash_offset : place of the firmware in the SPI flash, behind the bitstream, from where it is copied to the large
        RAMs of an iCE40 UltraPlus; 0 where it is in block RAM, and so in the bitstream.
    sizes : sizes of the link that suit it, where the command line names no others.
    sdram : LiteDRAM's names of its SDRAM and of the PHY that drives it; its clock is the clock generator's.
    soc : LiteX's SoCCore options that the board needs, for what the command line leaves open.
    """
    name:            str
    title:           str
    module:          str
    devices:         tuple[str, ...]
    device_argument: str = ""
    toolchain:       str = "trellis"
    sys_clk_freq:    float = 50e6
    uart_baudrate:   int = 1_000_000
    uart_limit:      int = 3_000_000
    uart_name:       str = "serial"
    port:            str = "/dev/ttyUSB0"
    leds:            str = "user_led"
    active_low:      bool = False
    crg:             dict[str, object] = field(default_factory=dict)
    platform:        dict[str, object] = field(default_factory=dict)
    extension:       list[tuple] = field(default_factory=list)
    loader:          dict[str, str] = field(default_factory=dict)
    flash_offset:    int = 0
    sizes:           dict[str, int] = field(default_factory=dict)
    sdram:           tuple[str, str] | None = None
    soc:             dict[str, object] = field(default_factory=dict)

    def platform_module(self) -> ModuleType:
        """litex_boards' description of the pins."""
        return _import("platforms", self.module, importlib.import_module)

    def target_module(self) -> ModuleType:
        """litex_boards' target, whose clock and reset generator is used."""
        return _import("targets", self.module, import_target)

    def crg_class(self) -> type:
        """Clock and reset generator of litex_boards' target.

        Raises
        ------
        QCLIFError : it has none, or one that takes no frequency.
        """
        target = self.target_module()
        found  = next((cls for name in ("_CRG", "CRG") if (cls := getattr(target, name, None)) and
            cls.__module__ == target.__name__), None)
        if found is None:
            raise QCLIFError(f"{self.title}: its target in litex-boards has no clock and reset generator to build on: "
                f"{OWN_TARGET}")
        if not CLOCK_ARGUMENTS & inspect.signature(found.__init__).parameters.keys():
            raise QCLIFError(f"{self.title}: its clock and reset generator takes no frequency, and tells none: "
                f"{OWN_TARGET}")
        return found

    def make_crg(self, platform, sys_clk_freq: float):
        """The clock and reset generator for a frequency in Hz."""
        cls   = self.crg_class()
        clock = CLOCK_ARGUMENTS & inspect.signature(cls.__init__).parameters.keys()
        return cls(platform=platform, **dict.fromkeys(clock, sys_clk_freq), **self.crg)

    def make_platform(self, device: str, toolchain: str):
        """The platform with a device and a toolchain."""
        cls       = self.platform_module().Platform
        arguments = dict(self.platform)
        if "toolchain" in inspect.signature(cls.__init__).parameters:
            arguments["toolchain"] = toolchain
        if self.device_argument:
            arguments[self.device_argument] = device
        platform = cls(**arguments)
        platform.add_extension(self.extension)
        return platform

    def make_sdram(self, platform, sys_clk_freq: float) -> tuple:
        """PHY and chip of its SDRAM, as soc.sdram takes them, at a clock in Hz."""
        from litedram import modules, phy
        chip, driver = self.sdram
        return (getattr(phy, driver)(platform.request("sdram"), sys_clk_freq),
            getattr(modules, chip)(sys_clk_freq, "1:1"))

    def part(self, device: str, toolchain: str) -> Device | None:
        """What an FPGA of the board holds; None where nothing is known of it."""
        return find_device(self.make_platform(device, toolchain).device)


def _import(kind: str, module: str, load: Callable[[str], ModuleType]) -> ModuleType:
    try:
        return load(f"litex_boards.{kind}.{module}")
    except ImportError as error:
        package = (error.name or "litex_boards").split(".")[0]
        remedy  = INSTALL_BOARDS if package == "litex_boards" else f"install {package}"
        raise QCLIFError(f"litex-boards' {kind[:-1]} {module} needs the Python package {package}, which is not there: "
            f"{remedy}") from error
