#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Sipeed Tang Nano 20K, with open tools: pip install -e '.[gowin]', or what is on the PATH.

examples:
  python -m targets.tang_nano_20k                               what fits
  python -m targets.tang_nano_20k --build                       its bitstream, in some minutes
  python -m targets.tang_nano_20k --load                        builds what is not built, and loads it over USB
  python -m targets.tang_nano_20k --flash                       for good
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import sys

from migen import *

from litex.gen import *

from litex.build.generic_platform import *
from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import sipeed_tang_nano_20k
from litex_boards.targets.sipeed_tang_nano_20k import _CRG

from targets.boards.board import Board
from targets.boards.command import board_main
from targets.boards.options import BoardParser
from targets.boards.soc import BoardSoC

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC with this board's clock and LEDs.

    The parameters are those of BoardSoC, with this board's defaults.
    """
    def __init__(self, config, device="GW2AR-18", toolchain="apicula", sys_clk_freq=48e6, **kwargs):
        platform = sipeed_tang_nano_20k.Platform(toolchain=toolchain)

        # CRG --------------------------------------------------------------------------------------
        self.crg = _CRG(platform, sys_clk_freq)

        # BoardSoC ---------------------------------------------------------------------------------
        BoardSoC.__init__(self, platform, sys_clk_freq, config, **kwargs)

        # Leds -------------------------------------------------------------------------------------
        self.add_status_leds(platform.request_all("led_n"), active_low=True)

        # Yours ------------------------------------------------------------------------------------
        # Pins of the rows, say, one of which shows when steps are computed:
        #
        #     platform.add_extension([("pmod", 0, Pins("73 74 75 85"), IOStandard("LVCMOS33"))])
        #     self.comb += platform.request("pmod")[0].eq(self.qclif.core.busy)

# Build --------------------------------------------------------------------------------------------

BOARD = Board(
    name         = "tang_nano_20k",
    title        = "Sipeed Tang Nano 20K",
    platform     = sipeed_tang_nano_20k.Platform,
    soc          = BaseSoC,
    devices      = {"GW2AR-18": "GW2AR-18"},
    target       = __file__,
    programmer   = lambda device: OpenFPGALoader(cable="ft2232"),
    port         = "/dev/ttyUSB1",
)


def main(argv: list[str] | None = None) -> int:
    return board_main(BoardParser(BOARD, argv, "python -m targets.tang_nano_20k", __doc__))


if __name__ == "__main__":
    sys.exit(main())
