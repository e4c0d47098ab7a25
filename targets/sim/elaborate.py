# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's share of building a simulator, a process of its own: `python -m targets.sim.elaborate`.

Argument: the build's directory with its options.json.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from litex.build.sim.config import SimConfig

from accel.config import QCLIFConfig
from soc.builder import FirmwareBuilder, reported
from targets.sim.options import SimOptions
from targets.sim.soc import BaseSoC

MODULES = Path(__file__).resolve().parent/"modules"

PUBLIC  = "/* verilator public */"

# The window of a trace, in picoseconds, is read when the simulator starts: LiteX writes these expressions
# where it calls its tracer, so that another window needs no other simulator.
TRACE_START, TRACE_END = (f'strtol(getenv("QCLIF_TRACE_{end}"), NULL, 10)' for end in ("START", "END"))

# What LiteX's makefile does not ask of Verilator: few large functions keep intermediate values in the
# processor's registers, which makes the simulator about 1.5 times as fast and its compilation shorter.
VERILATOR_FLAGS = "--output-split 100000 --output-split-cfuncs 100000 --x-assign fast --x-initial fast"


def keep_nothing_public(platform, directory: Path) -> None:
    """Replace sources by copies without `verilator public`: each such signal of VexRiscv costs clocks a second."""
    directory.mkdir(exist_ok=True)
    for number, (name, *rest) in enumerate(platform.sources):
        text = Path(name).read_text()
        if PUBLIC in text:
            copy = directory/Path(name).name
            copy.write_text(text.replace(PUBLIC, ""))
            platform.sources[number] = (str(copy), *rest)


def elaborate(options: SimOptions, directory: Path) -> None:
    """Write everything but the compiled simulator into `directory`."""
    # LiteX writes beside the modules' sources: it gets a copy, which can be written where they cannot.
    modules = directory/"sim_modules"
    for source in filter(Path.is_file, MODULES.rglob("*")):
        copy = modules/source.relative_to(MODULES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)

    sim_config = SimConfig()
    sim_config.add_clocker("sys_clk", freq_hz=options.sys_clk_freq)
    sim_config.add_module("qclif_uart", ["serial", "sys_rst", "sim_finish"])

    soc = BaseSoC(options.config, sys_clk_freq=options.sys_clk_freq, with_accelerator=options.with_accelerator,
        registered=options.registered, protect=options.protect, **options.soc)
    keep_nothing_public(soc.platform, directory/"sources")
    if not options.trace:
        soc.platform.add_source(str(modules/"no_trace.vlt"), language="verilog")
    FirmwareBuilder(soc, options.config, directory).build(
        run             = False,
        sim_config      = sim_config,
        jobs            = os.environ["QCLIF_JOBS"],
        threads         = options.threads,
        opt_level       = options.opt_level,
        trace           = bool(options.trace),
        trace_fst       = options.trace == "fst",
        trace_start     = TRACE_START,
        trace_end       = TRACE_END,
        extra_mods      = ["qclif_uart"],
        extra_mods_path = str(modules),
    )
    with open(directory/"gateware"/"variables.mak", "a") as makefile:
        makefile.write(f"INC_DIR += {VERILATOR_FLAGS}\n")


def main() -> int:
    directory = Path(sys.argv[1])
    options   = json.loads((directory/"options.json").read_text())
    options   = SimOptions(**{**options, "config": QCLIFConfig(**options["config"])})
    return reported(lambda: elaborate(options, directory))


if __name__ == "__main__":
    sys.exit(main())
