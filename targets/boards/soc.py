#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

import copy

from migen import *

from litex.gen import *

from litex.build.generic_platform import IOStandard, Pins, Subsignal

from accel.errors import QCLIFError
from soc.leds import StatusLeds
from soc.sdram import add_sdram
from soc.soc import QCLIFSoC

# Clock --------------------------------------------------------------------------------------------

def check_pll(pll):
    """Raise a ValueError where a PLL has no dividers for its clocks, which LiteX looks for at the end."""
    if hasattr(pll, "compute_config"):
        # Some add an output for their feedback.
        trial         = copy.copy(pll)
        trial.clkouts = dict(pll.clkouts)
        trial.compute_config()

# UART ---------------------------------------------------------------------------------------------

# What 3.3 V are called, where it is not LVCMOS33.
STANDARDS = {"quartus": "3.3-V LVTTL", "efinity": "3.3_V_LVTTL_/_LVCMOS"}

def pins_resource(platform, name, pins, toolchain):
    """The pads of a UART on pins that the user names."""
    tx, rx, *standard = pins.split(",")
    try:
        platform.constraint_manager.connector_manager.resolve_identifiers([tx, rx])
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        why = error if isinstance(error, AssertionError) else "there is no such pin"
        raise QCLIFError(f"--uart-pins is {pins!r}: {why}: name two pins, {pin_names(platform)}") from error
    return (name, 0, Subsignal("tx", Pins(tx)), Subsignal("rx", Pins(rx)),
        IOStandard(standard[0] if standard else STANDARDS.get(toolchain, "LVCMOS33")))

def has_pads(platform, name):
    """Whether a platform has pads of this name."""
    return any(resource[0] == name for resource in platform.constraint_manager.available)

def pin_names(platform):
    """How pins are named on a platform."""
    connectors = platform.constraint_manager.connector_manager.connector_table
    names      = [f"{name}:{next(iter(pins)) if isinstance(pins, dict) else 0}" for name, pins in connectors.items()]
    return f"of a connector: {', '.join(names[:3])} ..., or of the FPGA" if names else "of the FPGA"

# Board SoC ----------------------------------------------------------------------------------------

class BoardSoC(QCLIFSoC):
    """The SoC on a board of litex-boards: its pins, and the clock and reset generator of its target.

    Parameters
    ----------
    board        : Board.
    device       : one of its devices.
    toolchain    : LiteX's name of it.
    sys_clk_freq : Hz.
    config       : sizes of the accelerator and of the link.
    uart_name    : pads of the UART.
    uart_pins    : "TX,RX" or "TX,RX,IOSTANDARD", a UART on these pins instead.
    with_sdram   : the board's SDRAM holds the firmware's variables.
    kwargs       : QCLIFSoC's and LiteX's SoCCore options.
    """
    def __init__(self, board, device, toolchain, sys_clk_freq, config, uart_name="serial", uart_pins="",
        with_sdram=False, **kwargs):
        platform = board.make_platform(device, toolchain)
        if uart_pins:
            uart_name = "qclif_serial"
            platform.add_extension([pins_resource(platform, uart_name, uart_pins, toolchain)])
        elif uart_name != "jtag_uart" and not has_pads(platform, uart_name):
            raise QCLIFError(f"{board.title} has no pads {uart_name!r} for a UART: name two pins that a USB adapter is "
                f"wired to with --uart-pins TX,RX ({pin_names(platform)}), or other pads with --uart-name")
        try:
            self.crg = board.make_crg(platform, sys_clk_freq)
            check_pll(getattr(self.crg, "pll", None))
        except (ValueError, AssertionError) as error:
            raise QCLIFError(f"{board.title} has no clock of {sys_clk_freq/1e6:g} MHz "
                f"({str(error) or 'out of the limits of its PLL'}): choose another --sys-clk-freq") from error
        QCLIFSoC.__init__(self, platform, sys_clk_freq, config,
            registered   = True,
            uart_name    = uart_name,
            flash        = platform.request("spiflash") if board.flash_offset else None,
            flash_offset = board.flash_offset,
            **kwargs)
        if with_sdram:
            add_sdram(self, *board.make_sdram(platform, sys_clk_freq))

        # # #

        pads = platform.request_all(board.leds) if board.leds else []
        if len(pads):
            self.leds = leds = StatusLeds(pads, sys_clk_freq, active_low=board.active_low)
            lost = self.uart._rxoverflows.fields.bytes != 0
            if hasattr(self, "qclif"):
                self.comb += leds.busy.eq(self.qclif.core.busy)
                lost = lost | (self.qclif._errors.status != 0)
            if with_sdram:
                lost = lost | self.sdram_check.failed
            self.sync += leds.error.eq(lost)
