#!/usr/bin/env python3

#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The SoC on the Sipeed Tang Nano 20K, with open tools: pip install -e '.[gowin]', or what is on the PATH.

examples:
  python -m targets.tang_nano_20k                               what fits
  python -m targets.tang_nano_20k --build                       its bitstream, in some minutes
  python -m targets.tang_nano_20k --load                        builds what is not built, and loads it over USB
  python -m targets.tang_nano_20k --flash                       for good
  python host/stream.py --port /dev/ttyUSB1 --baudrate 1000000  then streams gestures to it
"""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from targets.boards.catalogue import find_board
from targets.boards.command import board_main


def main(argv: list[str] | None = None) -> int:
    return board_main(lambda: find_board("tang_nano_20k"), sys.argv[1:] if argv is None else argv,
        "python -m targets.tang_nano_20k", __doc__)


if __name__ == "__main__":
    sys.exit(main())
