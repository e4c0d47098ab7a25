# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the SoCs of all boards have: the UART on pins that the user names, and status LEDs."""

from migen import *

from litex.gen import *

from litex.build.altera import AlteraPlatform
from litex.build.efinix import EfinixPlatform
from litex.build.generic_platform import ConstraintError, IOStandard, Pins, Subsignal

from accel.errors import QCLIFError
from soc.leds import StatusLeds
from soc.soc import QCLIFSoC

# UART ---------------------------------------------------------------------------------------------

# What 3.3 V are called, where it is not LVCMOS33.
STANDARDS = {AlteraPlatform: "3.3-V LVTTL", EfinixPlatform: "3.3_V_LVTTL_/_LVCMOS"}

def pins_resource(platform, name, pins):
    """The pads of a UART on pins that the user names."""
    tx, rx, *standard = pins.split(",")
    try:
        platform.constraint_manager.connector_manager.resolve_identifiers([tx, rx])
    except (AssertionError, ConstraintError, ValueError, KeyError, TypeError) as error:
        why = error if isinstance(error, AssertionError) else "there is no such pin"
        raise QCLIFError(f"--uart-pins is {pins!r}: {why}: name two pins, {pin_names(platform)}") from error
    default = next((text for cls, text in STANDARDS.items() if isinstance(platform, cls)), "LVCMOS33")
    return (name, 0, Subsignal("tx", Pins(tx)), Subsignal("rx", Pins(rx)),
        IOStandard(standard[0] if standard else default))

def pin_names(platform):
    """How pins are named on a platform."""
    connectors = platform.constraint_manager.connector_manager.connector_table
    names      = [f"{name}:{next(iter(pins)) if isinstance(pins, dict) else 0}" for name, pins in connectors.items()]
    return f"of a connector: {', '.join(names[:3])} ..., or of the FPGA" if names else "of the FPGA"

# Board SoC ----------------------------------------------------------------------------------------

class BoardSoC(QCLIFSoC):
    """The SoC on a board, which the board's target gives its clock and reset generator, memories and LEDs.

    In the place of `platform`, the BaseSoC of a target takes `device`, one of the FPGAs that the board is sold with,
    and `toolchain`, LiteX's name of it.

    Parameters
    ----------
    platform     : LiteX platform.
    sys_clk_freq : Hz.
    config       : sizes of the accelerator and of the link.
    uart_name    : pads of the UART.
    uart_pins    : "TX,RX" or "TX,RX,IOSTANDARD", a UART on these pins instead.
    with_dma     : QCLIFSoC's; by default the logic is spared, for the CPU is faster than a serial line.
    kwargs       : QCLIFSoC's and LiteX's SoCCore options.
    """
    def __init__(self, platform, sys_clk_freq, config, uart_name="serial", uart_pins="", with_dma=False, **kwargs):
        if uart_pins:
            uart_name = "qclif_serial"
            platform.add_extension([pins_resource(platform, uart_name, uart_pins)])
        elif uart_name not in ("jtag_uart", *(name for name, *_ in platform.constraint_manager.available)):
            raise QCLIFError(f"{platform.name.replace('_', ' ')} has no pads {uart_name!r} for a UART: name two pins "
                f"that a USB adapter is wired to with --uart-pins TX,RX ({pin_names(platform)}), or other pads with "
                "--uart-name")
        QCLIFSoC.__init__(self, platform, sys_clk_freq, config, registered=True, with_dma=with_dma,
            uart_name=uart_name, **kwargs)

    def add_status_leds(self, pads, active_low=False):
        """Add soc.leds.StatusLeds, which tell of the accelerator, of what was lost, and of an SDRAM that fails.

        Parameters
        ----------
        pads       : LEDs, the first one lowest.
        active_low : a LED is lit by 0.
        """
        self.leds = leds = StatusLeds(pads, self.sys_clk_freq, active_low)
        error = self.frames.overflows != 0
        if hasattr(self, "qclif"):
            self.comb += leds.busy.eq(self.qclif.core.busy)
            error = error | (self.qclif._errors.status != 0)
        if hasattr(self, "sdram_check"):
            error = error | self.sdram_check._failed.storage
        self.sync += leds.error.eq(error)
