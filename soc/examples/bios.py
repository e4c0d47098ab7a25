#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's own simulated SoC (litex_sim) and BIOS, with the accelerator and a command `qclif` that runs a network.

    python -m soc.examples.bios                    the BIOS in this terminal: type qclif, end with Ctrl-C
    python -m soc.examples.bios --port 2431        at a TCP port
"""

import argparse
import os
from pathlib import Path

from litex.build.sim.config import SimConfig

from litex.soc.integration.builder import Builder

from litex.tools.litex_sim import SimSoC

from accel.config import add_config_args, config_from_args
from soc.litex_compat import ALWAYS_LINK
from soc.soc import add_qclif

# The package's C sources and Makefile.
SOFTWARE = Path(__file__).resolve().parent/"c"

# Build --------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port",       default=0, type=int, help="TCP port of the UART.")
    parser.add_argument("--output-dir", default="build/sim", help="Of the build.")
    add_config_args(parser)
    args = parser.parse_args()

    # SoC.
    soc = SimSoC(uart_name="sim", integrated_rom_size=128*1024)
    soc.add_config("BIOS_NO_DELAYS")
    add_qclif(soc, config_from_args(args))

    # Simulation.
    sim_config = SimConfig()
    sim_config.add_clocker("sys_clk", freq_hz=soc.sys_clk_freq)
    if args.port:
        sim_config.add_module("serial2tcp", "serial", args={"port": args.port})
    else:
        sim_config.add_module("serial2console", "serial")

    # Software, with the driver and its command in LiteX's BIOS.
    builder = Builder(soc, output_dir=args.output_dir)
    builder.add_software_package("libqclif", str(SOFTWARE))
    builder.add_software_library("libqclif", **ALWAYS_LINK)
    builder.build(sim_config=sim_config, interactive=not args.port, jobs=os.cpu_count())


if __name__ == "__main__":
    main()
