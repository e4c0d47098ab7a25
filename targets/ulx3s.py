#!/usr/bin/env python3

#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Radiona ULX3S, with open tools: pip install -e '.[boards]', or what is on the PATH.

examples:
  python -m targets.ulx3s --device LFE5U-25F                    what fits
  python -m targets.ulx3s --device LFE5U-25F --build            its bitstream, in some minutes
  python -m targets.ulx3s --device LFE5U-25F --load             builds what is not built, and loads it over USB
  python -m targets.ulx3s --device LFE5U-25F --flash            for good
  python -m targets.ulx3s --device LFE5U-45F --neurons 200 --inputs 512   fits with the firmware's variables in SDRAM
  python host/stream.py --port /dev/ttyUSB0 --baudrate 1000000  then streams gestures to it
"""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from targets.boards.catalogue import find_board
from targets.boards.command import board_main


def main(argv: list[str] | None = None) -> int:
    return board_main(lambda: find_board("ulx3s"), sys.argv[1:] if argv is None else argv,
        "python -m targets.ulx3s", __doc__)


if __name__ == "__main__":
    sys.exit(main())
