#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

import copy

from migen import *

from litex.gen import *

from host.errors import QCLIFError
from soc.leds    import StatusLeds
from soc.soc     import QCLIFSoC

# Clock --------------------------------------------------------------------------------------------

def check_pll(pll):
    """Raise a ValueError where a PLL has no dividers for its clocks, which LiteX looks for at the end."""
    if hasattr(pll, "compute_config"):
        # Some add an output for their feedback.
        trial         = copy.copy(pll)
        trial.clkouts = dict(pll.clkouts)
        trial.compute_config()

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
    kwargs       : QCLIFSoC's and LiteX's SoCCore options.
    """
    def __init__(self, board, device, toolchain, sys_clk_freq, config, **kwargs):
        platform = board.make_platform(device, toolchain)
        try:
            self.crg = board.target_module()._CRG(platform=platform, sys_clk_freq=sys_clk_freq, **board.crg)
            check_pll(getattr(self.crg, "pll", None))
        except (ValueError, AssertionError) as error:
            raise QCLIFError(f"{board.title} has no clock of {sys_clk_freq/1e6:g} MHz "
                f"({str(error) or 'out of the limits of its PLL'}): choose another --sys-clk-freq") from error
        QCLIFSoC.__init__(self, platform, sys_clk_freq, config,
            registered   = True,
            flash        = platform.request("spiflash") if board.flash_offset else None,
            flash_offset = board.flash_offset,
            **kwargs)

        # # #

        pads = platform.request_all(board.leds) if board.leds else []
        if len(pads):
            self.leds = leds = StatusLeds(pads, sys_clk_freq, active_low=board.active_low)
            lost = self.uart._rxoverflows.fields.bytes != 0
            if hasattr(self, "qclif"):
                self.comb += leds.busy.eq(self.qclif.core.busy)
                lost = lost | (self.qclif._errors.status != 0)
            self.sync += leds.error.eq(lost)
