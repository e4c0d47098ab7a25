#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Two accelerators, their interrupts and a program that uses the C driver alone, simulated by Verilator.

A key runs the steps, and the program tells of each which neurons fired:

    python -m host.c_network --network net.npz --lanes 4 > network.h
    python -m soc.examples.interrupts --neurons 16 --inputs 32 --lanes 4 --network network.h
"""

import argparse
import os
from pathlib import Path

from migen.genlib.io import CRG

from litex.build.sim.config import SimConfig

from litex.soc.integration.soc_core import SoCCore

from litex.tools.litex_sim import Platform

from accel.config import QCLIFConfig, add_config_args, config_from_args
from soc.builder import FirmwareBuilder
from soc.soc import add_qclif

# The program's sources and Makefile.
SOURCES = Path(__file__).resolve().parent/"interrupts"

# SoC ----------------------------------------------------------------------------------------------

class InterruptSoC(SoCCore):
    def __init__(self, config: QCLIFConfig, sys_clk_freq=int(1e6)):
        platform = Platform()
        self.crg = CRG(platform.request("sys_clk"))
        SoCCore.__init__(self, platform, sys_clk_freq, uart_name="sim", integrated_rom_size=256*1024,
            integrated_sram_size=8*1024, ident="qCLIF: two accelerators")
        for name in ("left", "right"):
            add_qclif(self, config, name)

# Build --------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, required=True, metavar="FILE",
        help="Header of a network, of python -m host.c_network.")
    parser.add_argument("--port",       default=0, type=int, help="TCP port of the UART.")
    parser.add_argument("--output-dir", default="build/sim", type=Path, help="Of the build.")
    add_config_args(parser)
    args   = parser.parse_args()
    config = config_from_args(args)
    soc    = InterruptSoC(config)

    # Simulation.
    sim_config = SimConfig()
    sim_config.add_clocker("sys_clk", freq_hz=soc.sys_clk_freq)
    if args.port:
        sim_config.add_module("serial2tcp", "serial", args={"port": args.port})
    else:
        sim_config.add_module("serial2console", "serial")

    # The program, in the place of LiteX's BIOS. Its Makefile takes the network's header.
    os.environ["NETWORK"] = str(args.network.resolve())
    builder = FirmwareBuilder(soc, config, args.output_dir, SOURCES)
    builder.build(sim_config=sim_config, interactive=not args.port, jobs=os.cpu_count())


if __name__ == "__main__":
    main()
