#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A SoC without a CPU: the accelerator behind a bridge, simulated by Verilator.

    python -m soc.examples.without_cpu --port 2431 &
    litex_server --uart --uart-port socket://localhost:2431 &
    python -m host.remote --csr-csv build/sim/csr.csv
"""

import argparse
import os

from migen import *
from migen.genlib.io import CRG

from litex.build.sim.config import SimConfig

from litex.soc.cores.uart import RS232PHYModel, UARTBone
from litex.soc.integration.builder import Builder
from litex.soc.integration.soc_core import SoCMini

from litex.tools.litex_sim import Platform

from accel.config import QCLIFConfig, add_config_args, config_from_args
from soc.soc import add_qclif

# SoC ----------------------------------------------------------------------------------------------

class BridgeSoC(SoCMini):
    # The bridge forgets a command that is not whole after 0.1 s of this clock. Simulated it runs at some MHz, and TCP
    # may take 40 ms between the halves of a command: so it is said to be faster than it is.
    def __init__(self, config: QCLIFConfig, name="qclif", sys_clk_freq=int(100e6)):
        platform = Platform()
        self.crg = CRG(platform.request("sys_clk"))
        SoCMini.__init__(self, platform, sys_clk_freq, ident="qCLIF without a CPU")

        # Bridge. On a board this is self.add_uartbone(), add_jtagbone(), add_etherbone() or add_pcie().
        self.uartbone_phy = RS232PHYModel(platform.request("serial"))
        self.uartbone     = UARTBone(self.uartbone_phy, sys_clk_freq)
        self.bus.add_master(name="uartbone", master=self.uartbone.wishbone)

        # Accelerator.
        add_qclif(self, config, name)

# Build --------------------------------------------------------------------------------------------

def simulate(soc, port: int, **kwargs) -> None:
    """Build a SoC of LiteX's simulation platform and run it, with its UART at a TCP port; ends with Ctrl-C."""
    sim_config = SimConfig()
    sim_config.add_clocker("sys_clk", freq_hz=soc.sys_clk_freq)
    sim_config.add_module("serial2tcp", "serial", args={"port": port})
    Builder(soc, **kwargs).build(sim_config=sim_config, interactive=False, jobs=os.cpu_count())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port",       default=2431, type=int, help="TCP port of the UART.")
    parser.add_argument("--output-dir", default="build/sim",    help="Of the build.")
    add_config_args(parser)
    args = parser.parse_args()
    simulate(BridgeSoC(config_from_args(args)), args.port, output_dir=args.output_dir)


if __name__ == "__main__":
    main()
