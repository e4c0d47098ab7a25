#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware of a chip as an image, for its SPI flash or for its UART.

examples:
  python -m targets.asic.image --out firmware.img                            for the flash, at its first byte
  python -m host.boot --port /dev/ttyUSB0 firmware.img                          for a chip whose flash is empty
  python -m targets.asic.image --neurons 64 --frequency 50 --out small.img   as the chip's --design soc has them
"""

import argparse
import shutil
import sys
from pathlib import Path

from accel.config import add_config_args, config_from_args
from accel.errors import guarded
from host.cli.options import check_outputs
from targets.asic.design import AsicConfig
from targets.asic.options import add_chip_args, chip_from_args
from targets.tools.progress import StageDisplay


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m targets.asic.image", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the image")
    add_chip_args(parser)
    add_config_args(parser)
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        # Not before the options are known to be right: it brings LiteX.
        from targets.asic.chip.firmware import firmware_image
        config = AsicConfig("soc", config_from_args(args), args.frequency, chip=chip_from_args(args))
        with StageDisplay() as progress:
            image = firmware_image(config, progress)
        shutil.copyfile(image, args.out)
        print(f"{args.out}: {args.out.stat().st_size} bytes, for a chip of {config.frequency_mhz:g} MHz and "
            f"{config.chip.uart_baudrate} baud")
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
