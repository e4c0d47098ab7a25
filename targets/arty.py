#!/usr/bin/env python3

#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Digilent Arty A7, with Vivado where it is on the PATH.

examples:
  python -m targets.arty                                        what fits
  python -m targets.arty --build --no-compile-gateware          all that Vivado needs: run gateware/build_top.sh there
  python -m targets.arty --device a7-100 --build --load         builds and loads over USB
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from targets.boards.catalogue import find_board
from targets.boards.command import board_main


def main(argv: list[str] | None = None) -> int:
    return board_main(lambda: find_board("arty"), sys.argv[1:] if argv is None else argv,
        "python -m targets.arty", __doc__)


if __name__ == "__main__":
    sys.exit(main())
