#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Digilent Arty A7, with Vivado where it is on the PATH.

examples:
  python -m targets.arty                                        what fits
  python -m targets.arty --build --no-compile-gateware          all that Vivado needs: run gateware/build_top.sh there
  python -m targets.arty --device a7-100 --build --load         builds and loads over USB
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import sys

from migen import *

from litex.gen import *

from litex.build.generic_platform import *
from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import digilent_arty
from litex_boards.targets.digilent_arty import _CRG

from targets.boards.board import Board
from targets.boards.command import board_main
from targets.boards.options import BoardParser
from targets.boards.soc import BoardSoC

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC with this board's clock and LEDs.

    The parameters are those of BoardSoC, with this board's defaults.
    """
    def __init__(self, config, device="a7-35", toolchain="vivado", sys_clk_freq=100e6, **kwargs):
        platform = digilent_arty.Platform(variant=device, toolchain=toolchain)

        # CRG --------------------------------------------------------------------------------------
        self.crg = _CRG(platform, sys_clk_freq, with_dram=False)

        # BoardSoC ---------------------------------------------------------------------------------
        BoardSoC.__init__(self, platform, sys_clk_freq, config, **kwargs)

        # Leds -------------------------------------------------------------------------------------
        self.add_status_leds(platform.request_all("user_led"))

        # Yours ------------------------------------------------------------------------------------
        # A PMOD, say, that shows when steps are computed (the others are pmodb to pmodd; litex-boards has some ready,
        # as digilent_arty.i2s_pmod_io("pmoda")):
        #
        #     platform.add_extension([("pmod", 0, Pins("pmoda:0 pmoda:1"), IOStandard("LVCMOS33"))])
        #     self.comb += platform.request("pmod")[0].eq(self.qclif.core.busy)

# Build --------------------------------------------------------------------------------------------

BOARD = Board(
    name         = "arty",
    title        = "Digilent Arty A7",
    platform     = digilent_arty.Platform,
    soc          = BaseSoC,
    devices      = {"a7-35": "XC7A35T", "a7-100": "XC7A100T"},
    target       = __file__,
    programmer   = lambda device: OpenFPGALoader(board=f"arty_{device.replace('-', '_')}t"),
    uart_limit   = 12_000_000,
    port         = "/dev/ttyUSB1",
)


def main(argv: list[str] | None = None) -> int:
    return board_main(BoardParser(BOARD, argv, "python -m targets.arty", __doc__))


if __name__ == "__main__":
    sys.exit(main())
