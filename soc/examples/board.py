#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A target of litex-boards as it is, with the accelerator: LiteX's BIOS, options and build.

    python -m soc.examples.board --build
"""

from litex.soc.integration.builder import Builder

from litex_boards.platforms import radiona_ulx3s
from litex_boards.targets.radiona_ulx3s import BaseSoC

from accel.config import QCLIFConfig
from soc.soc import add_qclif


def main():
    from litex.build.parser import LiteXArgumentParser
    parser = LiteXArgumentParser(platform=radiona_ulx3s.Platform, description="LiteX SoC on ULX3S with qCLIF.")
    args   = parser.parse_args()

    soc = BaseSoC(toolchain=args.toolchain, **parser.soc_argdict)
    add_qclif(soc, QCLIFConfig(neurons=64, inputs=128, lanes=8))

    builder = Builder(soc, **parser.builder_argdict)
    if args.build:
        builder.build(**parser.toolchain_argdict)


if __name__ == "__main__":
    main()
