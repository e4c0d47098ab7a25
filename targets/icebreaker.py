#!/usr/bin/env python3

#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the 1BitSquared iCEBreaker: apt-get install nextpnr-ice40 fpga-icestorm, or pip install -e '.[boards]'.

examples:
  python -m targets.icebreaker                                  what fits
  python -m targets.icebreaker --build                          bitstream and firmware, in a minute or two
  python -m targets.icebreaker --flash                          builds what is not built, and writes both to the flash
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from targets.boards.catalogue import find_board
from targets.boards.command import board_main


def main(argv: list[str] | None = None) -> int:
    return board_main(lambda: find_board("icebreaker"), sys.argv[1:] if argv is None else argv,
        "python -m targets.icebreaker", __doc__)


if __name__ == "__main__":
    sys.exit(main())
