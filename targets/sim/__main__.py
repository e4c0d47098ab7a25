#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC under Verilator: builds it when needed, boots it, and streams recordings to it or serves it."""

import sys

# Before LiteX's parser, which cannot be imported first.
import litex.soc.integration.soc_core  # noqa: F401
from litex.build.parser import LiteXArgumentParser
from litex.build.sim import SimPlatform

from accel.config import add_config_args, add_protect_arg, config_from_args
from accel.errors import QCLIFError, guarded
from firmware.protocol import DEFAULT_BAUDRATE
from firmware.sizes import ROM_BYTES
from host.cli.network_choice import check_recordings, choose_network, given_network, preferred_sizes
from host.cli.options import add_run_args, check_outputs, open_link, positive, read_samples
from host.common.console import table_console
from host.events.sample import Sample
from soc.litex_compat import NO_BUILD_LOG
from targets.sim.options import LINE_TOLERANCE, PINS, STREAM, SimOptions
from targets.sim.simulator import SimulatedSoC
from targets.tools.litex_options import export_registers, given_options
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay

# Arguments ----------------------------------------------------------------------------------------

def make_parser() -> LiteXArgumentParser:
    """LiteX's options and ours."""
    parser             = LiteXArgumentParser()
    parser.prog        = "python -m targets.sim"
    parser.description = "The qCLIF SoC under Verilator."
    parser.set_platform(SimPlatform)
    parser.set_defaults(integrated_rom_size=ROM_BYTES, integrated_sram_size=None, uart_name=STREAM,
        uart_baudrate=DEFAULT_BAUDRATE, **NO_BUILD_LOG)
    parser.add_argument("--sys-clk-freq",    default=50e6, type=float, metavar="HZ", help="Simulated clock.")
    parser.add_argument("--no-accelerator",  action="store_true", help="Leave the accelerator out of the SoC.")
    parser.add_argument("--registered",      action="store_true",
        help="As on boards: registers around the accelerator's memories and in the bridge to its CSRs.")
    add_protect_arg(parser)
    parser.add_argument("--non-interactive", action="store_true", help="Show no live progress.")
    line = parser.add_argument_group(f"Serial line (--uart-name {PINS}: LiteX's RS232 PHY, simulated bit by bit)")
    line.add_argument("--line-baudrate", type=positive, metavar="N",
        help="Bits a second of the line's other end (default: --uart-baudrate, that is exactly the SoC's).")
    serve = parser.add_argument_group("Serving")
    serve.add_argument("--serve",    action="store_true", help="Keep the SoC up and print its ports.")
    serve.add_argument("--tcp-port", default=0, type=int, metavar="PORT",
        help="TCP port on 127.0.0.1; 0: a free one.")
    add_config_args(parser)
    add_run_args(parser)
    return parser


def number(args, name: str) -> int:
    """Value of an option that LiteX keeps as text: 4, 1e6 ..."""
    text = getattr(args, name)
    try:
        return int(float(text))
    except (ValueError, OverflowError) as error:
        raise QCLIFError(f"--{name.replace('_', '-')} is {text!r}: a number is needed") from error


def sim_options(parser, args, sizes: dict[str, int]) -> SimOptions:
    """SimOptions of parsed arguments, with `sizes` that were not given; what cannot be followed is refused."""
    given = given_options(parser, args, "the simulated SoC", ["no_compile_gateware"])
    return SimOptions(
        config           = config_from_args(args, **sizes),
        sys_clk_freq     = int(args.sys_clk_freq),
        with_accelerator = not args.no_accelerator,
        registered       = args.registered,
        protect          = args.protect,
        soc              = given,
        threads          = number(args, "threads"),
        opt_level        = args.opt_level,
        trace            = ("fst" if args.trace_fst else "vcd") if args.trace or args.trace_fst else "",
    )


# Main ---------------------------------------------------------------------------------------------

def serve(soc: SimulatedSoC) -> None:
    """Print the ports and wait until Ctrl-C; a simulator that ends by itself is an error."""
    print("The SoC is up; Ctrl-C ends it. For host/stream.py (or litex_term), one of:")
    print(f"  --port {soc.port}")
    print(f"  --port {soc.pty}", flush=True)
    soc.wait()


def stream_to(soc: SimulatedSoC, samples: list[Sample], args) -> int:
    """Stream recordings to the SoC and compare, as host/stream.py does. Returns the exit code."""
    # Imports torch, which takes seconds that --serve and errors in the arguments need not wait for.
    from host.stream import stream
    mismatch = 0 if soc.options.baudrate is None else soc.line_baudrate/soc.options.baudrate - 1
    try:
        with open_link(soc.port, DEFAULT_BAUDRATE, args) as link:
            status = stream(link, choose_network(args, samples, link.info.config), samples, args)
    except QCLIFError as error:
        if abs(mismatch) <= LINE_TOLERANCE:
            raise
        raise QCLIFError(f"{error}; --line-baudrate {soc.line_baudrate} is {mismatch:+.1%} from the SoC's "
            f"{soc.options.baudrate}, {LINE_TOLERANCE:.0%} are sure to work") from error
    if soc.options.baudrate is not None:
        line = soc.counters
        table_console(args.json).print(f"serial line          {soc.options.baudrate} baud, the other end's "
            f"{mismatch:+.1%}; of the SoC's {line.sent} bytes {line.framing} with framing errors, {line.overruns} lost")
    return status


def run(parser, args) -> int:
    """Build and boot the SoC that the arguments describe, then serve it or stream to it. Returns the exit code."""
    # Outputs, recordings and network first: what is wrong with them shall not take a build to find out.
    check_outputs(args)
    samples = [] if args.serve else read_samples(args)
    network = given_network(args)
    options = sim_options(parser, args, preferred_sizes(network, samples))
    if network is not None:
        network.check_fits(options.config)
    check_recordings(args, samples, options.config)
    with StageDisplay(interactive=not args.non_interactive) as progress:
        soc = SimulatedSoC(options,
            output_dir    = args.output_dir,
            jobs          = number(args, "jobs") if args.jobs else None,
            tcp_port      = args.tcp_port,
            trace_window  = (number(args, "trace_start"), number(args, "trace_end")),
            line_baudrate = args.line_baudrate,
            progress      = progress)
        build = soc.build()
    export_registers(build.directory, args)
    if args.doc:
        print(f"Documentation: {build.directory/'doc'}")
    if options.trace:
        print(f"Trace, when the run has ended: {build.directory/'sim'}.{options.trace}")
    with soc:
        return serve(soc) if args.serve else stream_to(soc, samples, args)


def main(argv: list[str] | None = None) -> int:
    parser = make_parser()
    args   = parser.parse_args(argv)
    exit_on_sigterm()
    return guarded(lambda: run(parser, args))


if __name__ == "__main__":
    sys.exit(main())
