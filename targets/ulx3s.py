#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Radiona ULX3S, with open tools: pip install -e '.[boards]', or what is on the PATH.

examples:
  python -m targets.ulx3s --device LFE5U-25F                    what fits
  python -m targets.ulx3s --device LFE5U-25F --build            its bitstream, in some minutes
  python -m targets.ulx3s --device LFE5U-25F --load             builds what is not built, and loads it over USB
  python -m targets.ulx3s --device LFE5U-25F --flash            for good
  python -m targets.ulx3s --device LFE5U-45F --neurons 200 --inputs 512   fits with the firmware's variables in SDRAM
  python host/stream.py --port /dev/ttyUSB0 --baudrate 1000000  then streams gestures to it
"""

import sys

from migen import *

from litex.gen import *

from litex.build.generic_platform import *
from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import radiona_ulx3s
from litex_boards.targets.radiona_ulx3s import _CRG

from litedram.modules import MT48LC16M16
from litedram.phy import GENSDRPHY

from soc.sdram import add_sdram
from targets.boards.board import Board
from targets.boards.command import board_main
from targets.boards.options import BoardParser
from targets.boards.soc import BoardSoC

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC with this board's clock, LEDs and SDRAM.

    The parameters are those of BoardSoC, with this board's defaults, and `with_sdram`: the SDRAM holds the firmware's
    variables.
    """
    def __init__(self, config, device="LFE5U-85F", toolchain="trellis", sys_clk_freq=50e6, with_sdram=False, **kwargs):
        platform = radiona_ulx3s.Platform(device=device, toolchain=toolchain)

        # CRG --------------------------------------------------------------------------------------
        self.crg = _CRG(platform, sys_clk_freq)

        # BoardSoC ---------------------------------------------------------------------------------
        BoardSoC.__init__(self, platform, sys_clk_freq, config, **kwargs)

        # SDR SDRAM --------------------------------------------------------------------------------
        if with_sdram:
            add_sdram(self,
                phy    = GENSDRPHY(platform.request("sdram"), sys_clk_freq),
                module = MT48LC16M16(sys_clk_freq, "1:1"))

        # Leds -------------------------------------------------------------------------------------
        self.add_status_leds(platform.request_all("user_led"))

        # Yours ------------------------------------------------------------------------------------
        # A PMOD in the rows J1, say, that shows when steps are computed:
        #
        #     platform.add_extension([("pmod", 0, Pins("B11 A10 A9 B9"), IOStandard("LVCMOS33"))])
        #     self.comb += platform.request("pmod")[0].eq(self.qclif.core.busy)

# Build --------------------------------------------------------------------------------------------

BOARD = Board(
    name         = "ulx3s",
    title        = "Radiona ULX3S",
    platform     = radiona_ulx3s.Platform,
    soc          = BaseSoC,
    devices      = {name: name for name in ("LFE5U-85F", "LFE5U-45F", "LFE5U-25F", "LFE5U-12F")},
    target       = __file__,
    programmer   = lambda device: OpenFPGALoader(board="ulx3s"),
)


def main(argv: list[str] | None = None) -> int:
    parser = BoardParser(BOARD, argv, "python -m targets.ulx3s", __doc__)
    # An option that BaseSoC has a parameter for goes to it.
    parser.add_target_argument("--with-sdram", action="store_true",
        help="The firmware's variables in SDRAM, which spares block RAM and is slower. Sizes that fit only so have "
        "them there anyway.")
    return board_main(parser)


if __name__ == "__main__":
    sys.exit(main())
