#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Write a network as a C header for the accelerator's driver, firmware/qclif.h, to standard output.

The sizes are those of the build that it is for; without an option, the network's own.

examples:
  python -m host.c_network --network net.npz > network.h
  python -m host.c_network --network net.npz --neurons 64 --inputs 128 --lanes 8 --name gestures > gestures.h
"""

import argparse
import re
import sys

from accel.config import add_config_args, config_from_args
from accel.errors import QCLIFError, guarded
from firmware.network_header import network_header
from host.network.network import Network


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.c_network", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", required=True, metavar="FILE", help="network file (.npz)")
    parser.add_argument("--name", default="network", help="of the network in C (default: %(default)s)")
    add_config_args(parser)
    args = parser.parse_args(argv)

    def work() -> int:
        if not re.fullmatch(r"[A-Za-z_]\w*", args.name, re.ASCII):
            raise QCLIFError(f"--name {args.name}: not a name of C: use letters, digits and underscores")
        network = Network.load(args.network)
        config  = config_from_args(args, **{name: getattr(network, name) for name in ("neurons", "inputs", "contexts",
            "weight_bits", "state_bits", "current_bits")})
        network.check_fits(config)
        print(network_header(network, config, args.name), end="")
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
