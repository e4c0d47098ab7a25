#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Boot a chip over its UART: send the firmware's image to the loader of one whose flash is empty.

example:
  python -m host.boot --port /dev/ttyUSB0 firmware.img      then host/stream.py on the same port
"""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from accel.errors import QCLIFError, guarded
from firmware.boot_image import unpack_image
from firmware.protocol import DEFAULT_BAUDRATE
from host.common.console import progress_bars
from host.link.boot import boot
from host.link.port import PORTS, SerialPort


def read_image(path: Path) -> bytes:
    """The image of a file. Raises QCLIFError where it cannot be read, or is none."""
    try:
        image = path.read_bytes()
    except OSError as error:
        raise QCLIFError(f"{path}: {error.strerror}: name an image of the firmware") from error
    unpack_image(image, str(path))
    return image


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.boot", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path, metavar="IMAGE", help="as python -m targets.asic.image makes it")
    parser.add_argument("--port", required=True, help=PORTS)
    parser.add_argument("--baudrate", type=int, default=DEFAULT_BAUDRATE, help="(default: %(default)s)")
    args = parser.parse_args(argv)

    def work() -> int:
        image = read_image(args.image)
        with closing(SerialPort(args.port, args.baudrate)) as port, progress_bars() as progress:
            boot(port, args.baudrate, image, progress)
        print(f"The chip has taken {len(image)} bytes and runs.")
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
