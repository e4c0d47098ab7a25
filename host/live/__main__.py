# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A camera in front, spikes and answer on a page, in real time.

Starts the simulated SoC, or takes the one at --port, streams the events of a source to it step by step as they come,
compares every step with the golden model, and shows all of it on a page at 127.0.0.1.

examples:
  python -m host.live                                                     synthetic camera, simulated SoC
  python -m host.live --source recording.aedat4 --loop                    a file at its own pace
  python -m host.live --source udp:0.0.0.0:3333 --network net.npz         a stream of events
  python -m host.live --port /dev/ttyUSB1 --source camera                 a board and a camera
  python -m host.live --tui                                               in the terminal, without a browser
"""

import argparse
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from rich.console import Console

from accel.config import QCLIFConfig
from accel.errors import EXIT_MISMATCH, QCLIFError, guarded
from firmware.protocol import DEFAULT_BAUDRATE, ENGINES
from host.cli.network_choice import SHIPPED, preferred_sizes
from host.cli.options import check_outputs, positive
from host.common.console import write_json
from host.common.heap import give_back_at_once, settled
from host.link.port import PORTS, Faults
from host.live.control import Control
from host.live.sources.options import add_source_args, source_from_args
from host.network.network import Network

# Of the windowed readout: a time constant of 32 steps, 160 ms with steps of 5 ms.
DECAY = 5

# Neurons of the shipped network that show how V_a gates V_s.
WATCH = (28, 66)


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m host.live", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    device = parser.add_argument_group("device and network")
    device.add_argument("--port", help=f"a SoC that is up (default: one is simulated): {PORTS}")
    device.add_argument("--baudrate", type=int, default=DEFAULT_BAUDRATE, help="(default: %(default)s)")
    device.add_argument("--network", type=Path, default=SHIPPED, metavar="NET.npz",
        help="trained network (default: eleven gestures; it comes with the program)")
    device.add_argument("--engine", choices=list(ENGINES), default="accel",
        help="accelerator, or the CPU alone (default: %(default)s)")
    device.add_argument("--encode", choices=["host", "device"], default="host",
        help="who makes inputs of the events; device is sent the events (default: %(default)s)")
    device.add_argument("--decay", type=int, default=DECAY, metavar="K",
        help="of the readout: a spike counts half after 0.7*2**K steps; 0: for ever (default: %(default)s)")
    device.add_argument("--no-compare", dest="compare", action="store_false",
        help="leave out the golden model, for speed")
    device.add_argument("--patience", type=float, default=60.0, metavar="S",
        help="seconds for which a device that is gone is tried again (default: %(default)s)")
    add_source_args(parser)
    view = parser.add_argument_group("what is shown, and where")
    view.add_argument("--watch", type=int, nargs="+", metavar="N", help="neurons whose V_a and V_s are shown, up to "
        f"four (default: {' '.join(map(str, WATCH))}, where the network has them)")
    view.add_argument("--cue-names", nargs="+", metavar="NAME",
        help="what the context sources stand for (default: gestures where the network is cue11, else their numbers)")
    view.add_argument("--cue", type=int, default=-1, metavar="K", help="context source that is cued from the beginning")
    view.add_argument("--page-host", default="127.0.0.1", metavar="ADDRESS",
        help="address that the page is served at (default: %(default)s: this machine alone)")
    view.add_argument("--page-port", type=int, default=0, metavar="N", help="its TCP port; 0: a free one (default: 0)")
    view.add_argument("--tui", action="store_true", help="show the run in this terminal, without a page")
    run = parser.add_argument_group("run")
    run.add_argument("--seconds", type=positive, metavar="S", help="end after so long (default: with the source)")
    run.add_argument("--steps", type=positive, metavar="N", help="end after so many steps")
    run.add_argument("--record", action="store_true", help="record from the beginning")
    run.add_argument("--clip", type=positive, metavar="STEPS",
        help="begin a new recording after so many steps, as training takes them (default: one recording)")
    run.add_argument("--folder", type=Path, default=Path(), metavar="DIR", help="where recordings go (default: here)")
    run.add_argument("--json", type=Path, metavar="FILE", help="write the measures; - for standard output")
    line = parser.add_argument_group("damage on purpose, to see that the link loses nothing")
    line.add_argument("--line-flip", type=float, default=0, metavar="RATE", help="bytes with a bit inverted, 0 to 1")
    line.add_argument("--line-drop", type=float, default=0, metavar="RATE", help="bytes lost, 0 to 1")
    return parser


def end_on_ctrl_c(stop: threading.Event) -> None:
    """Whoever looks on ends a run with Ctrl-C, and is told what it came to; a second one does not wait for that."""
    def end(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def live(args: argparse.Namespace) -> int:
    """Run until the source ends, or somebody ends it. Returns the exit code."""
    check_outputs(args)
    if not args.folder.is_dir():
        raise QCLIFError(f"--folder {args.folder}: not a folder, make it first")
    network = Network.load(args.network)
    config  = QCLIFConfig(**preferred_sizes(network, []))
    options = source_from_args(args)
    faults  = Faults(flip=args.line_flip, drop=args.line_drop, seed=args.seed)
    control = Control(network.neurons, network.contexts)
    control.ask("watch", args.watch or [neuron for neuron in WATCH if neuron < network.neurons])
    control.ask("cue", args.cue)
    if args.record:
        control.ask("record", True)
    # Bring torch and the web server, which take longer to import than all else: not before the options are right.
    from host.live.connection import Connection
    from host.live.cue import Cue
    from host.live.loop import LiveRun
    from host.live.measures import measures, print_measures
    from host.live.recorder import Recordings
    from host.live.sources.live_steps import LiveSteps
    from host.live.sources.opening import open_source
    from host.live.views import open_view
    from host.network.stream import GoldenStream
    connection = Connection(network, config, args.port, args.baudrate, args.engine, args.encode, args.decay,
        faults if faults.flip or faults.drop else None)
    golden  = GoldenStream(network, args.decay) if args.compare else None
    cue     = Cue(network.contexts, network.encoder.bin_us, args.cue, args.seed)
    clips   = Recordings(args.folder, network.encoder.bin_us, network.encoder.sensor_size, args.clip)
    stop    = threading.Event()
    console = Console(stderr=True)
    with ExitStack() as stack:
        view   = stack.enter_context(open_view(args, connection, control, stop))
        source = open_source(options.source, options, network.encoder, network.contexts, network.classes)
        stack.callback(source.close)
        # What it gives is read when the SoC is up, which may have to be built.
        run    = stack.enter_context(LiveRun(connection, control, view.show, cue, golden, clips, stop, args.patience,
            args.steps))
        steps  = stack.enter_context(LiveSteps(source, network.encoder, options.late, options.max_lag_s,
            grace_s=options.grace_s))
        end_on_ctrl_c(stop)
        stack.enter_context(view.opened(console))
        if args.seconds:
            timer = threading.Timer(args.seconds, stop.set)
            timer.daemon = True
            timer.start()
        stack.enter_context(settled())
        run.run(steps)
    found = measures(run, steps.counts)
    print_measures(found, console)
    if args.json:
        write_json(found, args.json)
    return EXIT_MISMATCH if run.meter.mismatches else 0


def main(argv: list[str] | None = None) -> int:
    args = make_parser().parse_args(argv)
    # Before there are threads.
    give_back_at_once()
    return guarded(lambda: live(args))


if __name__ == "__main__":
    sys.exit(main())
