#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Stream recordings to a qCLIF SoC and compare every spike and logit with the golden model.

examples:
  python host/stream.py --port /dev/ttyUSB1                          synthetic gestures, a network trained on them
  python host/stream.py --port /dev/ttyUSB1 --network random         one that uses all of the build
  python host/stream.py --port socket://localhost:2430 --network net.npz --events rec1.npz rec2.aedat4
  python host/stream.py --port /dev/pts/3 --dataset nmnist --data DIR --samples 20 --json run.json
"""

import argparse
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The packages are beside this folder, which must not shadow others' modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from accel.errors import EXIT_MISMATCH, guarded
from firmware.protocol import DEFAULT_BAUDRATE
from host.cli.network_choice import Choice, check_recordings, choose_network
from host.cli.options import add_run_args, check_outputs, encode_samples, open_link, read_samples
from host.common.atomic import write_each
from host.common.console import progress_bars, table_console, write_json
from host.events.sample import Sample
from host.link.link import Link
from host.link.port import PORTS
from host.runs.report import print_run, run_measures
from host.runs.run import execute


def stream(link: Link, choice: Choice, samples: list[Sample], args: argparse.Namespace) -> int:
    """Run recordings over an open link, print and write what came out. Returns the exit code."""
    network = choice.network
    samples = encode_samples(samples, network.encoder, network.contexts, args)
    with progress_bars() as progress:
        run = execute(link, network, samples, args.engine, args.encode, args.lockstep, progress)
    print_run(run, choice.name, table_console(args.json))
    writes = []
    if args.out:
        writes.append(lambda: run.result().save(args.out))
    if args.json:
        writes.append(lambda: write_json(run_measures(run) | {"network_name": choice.name}, args.json))
    write_each(*writes)
    return EXIT_MISMATCH if run.mismatches else 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python host/stream.py", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", required=True, help=PORTS)
    parser.add_argument("--baudrate", type=int, default=DEFAULT_BAUDRATE, help="(default: %(default)s)")
    add_run_args(parser)
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        samples = read_samples(args)
        check_recordings(args, samples)
        with open_link(args.port, args.baudrate, args) as link:
            return stream(link, choose_network(args, samples, link.info.config), samples, args)
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
