#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the 1BitSquared iCEBreaker: apt-get install nextpnr-ice40 fpga-icestorm, or pip install -e '.[boards]'.

examples:
  python -m targets.icebreaker                                  what fits
  python -m targets.icebreaker --build                          bitstream and firmware, in a minute or two
  python -m targets.icebreaker --flash                          builds what is not built, and writes both to the flash
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import sys

from migen import *

from litex.gen import *

from litex.build.generic_platform import *
from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import icebreaker
from litex_boards.targets.icebreaker import _CRG

from targets.boards.board import Board
from targets.boards.command import board_main
from targets.boards.open_tools import IceStormToolchain
from targets.boards.options import BoardParser
from targets.boards.soc import BoardSoC

# The flash holds bitstream and firmware: a bitstream of the UP5K has 104,090 bytes.
FLASH_OFFSET = 0x20000

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC with this board's clock and LEDs, its firmware in the SPI flash and in the FPGA's large RAMs.

    The parameters are those of BoardSoC, with this board's defaults.
    """
    def __init__(self, config, device="iCE40-UP5K", toolchain="icestorm", sys_clk_freq=24e6, **kwargs):
        platform = icebreaker.Platform(toolchain=toolchain)
        platform.toolchain = IceStormToolchain()

        # CRG --------------------------------------------------------------------------------------
        self.crg = _CRG(platform, sys_clk_freq)

        # BoardSoC ---------------------------------------------------------------------------------
        BoardSoC.__init__(self, platform, sys_clk_freq, config,
            flash        = platform.request("spiflash"),
            flash_offset = FLASH_OFFSET,
            **kwargs)

        # Leds -------------------------------------------------------------------------------------
        self.add_status_leds(platform.request_all("user_led_n"), active_low=True)

        # Yours ------------------------------------------------------------------------------------
        # A PMOD, say, that shows when steps are computed (the others are PMOD1B and PMOD2; litex-boards has some ready,
        # as icebreaker.break_off_pmod):
        #
        #     platform.add_extension([("pmod", 0, Pins("PMOD1A:0 PMOD1A:1"), IOStandard("LVCMOS33"))])
        #     self.comb += platform.request("pmod")[0].eq(self.qclif.core.busy)

# Build --------------------------------------------------------------------------------------------

BOARD = Board(
    name         = "icebreaker",
    title        = "1BitSquared iCEBreaker",
    platform     = icebreaker.Platform,
    soc          = BaseSoC,
    devices      = {"iCE40-UP5K": "iCE40-UP5K"},
    target       = __file__,
    programmer   = lambda device: OpenFPGALoader(board="ice40_generic"),
    port         = "/dev/ttyUSB1",
    flash_offset = FLASH_OFFSET,
    # Shorter and fewer frames than others have leave block RAM for weights: two to send take 1 KB with HELLO's answer.
    sizes        = {"frame_bytes": 472, "uart_fifo": 1024, "frame_window": 2},
    # The smallest CPU; its firmware needs no timer, and nothing of LiteX's controller.
    soc_options  = {"cpu_type": "serv", "with_timer": False, "with_ctrl": False, "ident": ""},
)


def main(argv: list[str] | None = None) -> int:
    return board_main(BoardParser(BOARD, argv, "python -m targets.icebreaker", __doc__))


if __name__ == "__main__":
    sys.exit(main())
