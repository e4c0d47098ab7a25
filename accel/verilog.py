# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core as plain Verilog: `python -m accel.verilog --neurons 200 --lanes 8 --output qclif_core.v`."""

import argparse
import sys
from pathlib import Path

from litex.gen.fhdl.verilog import convert
from migen import ClockDomain, Signal

from accel.config import QCLIFConfig, add_config_args, add_protect_arg, config_from_args
from accel.core import QCLIFCore
from accel.errors import QCLIFError, guarded

# What Migen's generator writes by design: widths left to Verilog's rules, `<=` in combinational
# processes, `=` in memory processes, outputs of write ports. All other checks stay on.
PRAGMAS = "".join(f"/* verilator lint_off {name} */\n"
    for name in ("WIDTH", "COMBDLY", "BLKSEQ", "UNUSEDSIGNAL"))


def core_ios(core: QCLIFCore) -> set[Signal]:
    """Ports of the stand-alone core, named as its attributes."""
    ios = {f"count_{name}": signal for name, signal in core.pulses.items()}
    if core.protect != "none":
        ios |= {f"fault_{name}": signal for name, signal in core.faults.items()}
    for name in ("neurons", "apical_shift", "product_shift", "reset_state", "ready", "busy", "event_full",
        "event_unknown"):
        ios[name] = getattr(core, name)
    for name in ("sink", "source", "memory"):
        for signal in getattr(core, name).flatten():
            field = signal.backtrace[-1][0].removeprefix(f"{name}_").removeprefix("payload_")
            ios[f"{name}_{field}"] = signal
    for name, signal in ios.items():
        signal.name_override = name
    return set(ios.values())


def core_verilog(config: QCLIFConfig, name: str = "qclif_core", registered: bool = False,
    single_port: bool = False, protect: str = "none", frugal: bool = False) -> str:
    """Verilog text of the core: inferred memories, clock `sys_clk`, synchronous reset `sys_rst`."""
    core = QCLIFCore(config, registered, single_port, protect, frugal)
    core.cd_sys = ClockDomain("sys")
    ios  = core_ios(core) | {core.cd_sys.clk, core.cd_sys.rst}
    text = str(convert(core, ios=ios, name=name, regular_comb=False))
    return PRAGMAS + text[text.index("`timescale"):] # Without the generator's dated header.


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m accel.verilog", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("qclif_core.v"),
        help="file to write (default: %(default)s)")
    parser.add_argument("--name", default="qclif_core", help="name of the module (default: %(default)s)")
    parser.add_argument("--registered", action="store_true",
        help="registers before and behind the weight memories: a higher clock on FPGAs for two clocks more a step")
    parser.add_argument("--single-port", action="store_true", help="weight memories of one port")
    parser.add_argument("--frugal", action="store_true",
        help="sums in two halves, and enables for each of the neuron's stages: less energy where a clock has gates")
    add_protect_arg(parser)
    add_config_args(parser)
    args = parser.parse_args()

    def work() -> int:
        text = core_verilog(config_from_args(args), args.name, args.registered, args.single_port,
            args.protect, args.frugal)
        try:
            args.output.write_text(text)
        except OSError as error:
            raise QCLIFError(f"--output {args.output}: {error.strerror}: choose another file") from error
        print(f"{args.output}: module {args.name}")
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
