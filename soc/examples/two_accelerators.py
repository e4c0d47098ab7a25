#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Two accelerators of different sizes in one SoC, each with its registers and sizes, simulated by Verilator.

    python -m soc.examples.two_accelerators --port 2431 &
    litex_server --uart --uart-port socket://localhost:2431 &
    python -m host.remote --csr-csv build/sim/csr.csv --name left
    python -m host.remote --csr-csv build/sim/csr.csv --name right
"""

import argparse

from accel.config import QCLIFConfig, add_config_args, config_from_args
from soc.examples.without_cpu import BridgeSoC, simulate
from soc.soc import add_qclif

# SoC ----------------------------------------------------------------------------------------------

class TwinSoC(BridgeSoC):
    def __init__(self, left: QCLIFConfig, right: QCLIFConfig):
        BridgeSoC.__init__(self, left, name="left")
        add_qclif(self, right, name="right")

# Build --------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port",       default=2431, type=int, help="TCP port of the UART.")
    parser.add_argument("--output-dir", default="build/sim",    help="Of the build.")
    add_config_args(parser)
    args  = parser.parse_args()
    right = QCLIFConfig(neurons=5, inputs=16, contexts=0, lanes=2, weight_bits=4)
    simulate(TwinSoC(config_from_args(args), right), args.port, output_dir=args.output_dir)


if __name__ == "__main__":
    main()
