# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Data sets to train with, and what an encoder's settings make of them.

examples:
  python -m host.datasets --dataset synthetic --samples 110        synthetic gestures, made here
  python -m host.datasets --dataset nmnist --data train1000.npz --bin-us 5000 --grid 34 34
  python -m host.datasets --dataset files --data DIR               your own, in folders named by their classes
  python -m host.datasets --dataset dvsgesture --data DIR --download --split test --json -
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

from accel.errors import guarded
from host.cli.options import check_outputs, positive
from host.common.console import progress_bars, table_console, write_json
from host.data.batch_encoder import encode
from host.data.datasets import DATA_HELP, NAMES, SYNTHETIC, SYNTHETIC_SAMPLES, load
from host.data.event_set import SPLITS
from host.data.statistics import statistics, tables
from host.events.encoder import Encoder, default_encoder_for


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.datasets", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, default=SYNTHETIC, help="(default: %(default)s)")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help=DATA_HELP)
    parser.add_argument("--split", choices=SPLITS, default=SPLITS[0], help="(default: %(default)s)")
    parser.add_argument("--download", action="store_true", help="let tonic download a data set that is missing")
    parser.add_argument("--samples", type=positive, metavar="K", help="only K recordings, of each class by its share "
        "(default: all; {train} synthetic ones to train, {test} to test)".format(**SYNTHETIC_SAMPLES))
    parser.add_argument("--seed", type=int, default=0,
        help="of the choice of samples, or of the synthetic recordings (default: %(default)s)")
    encoder = parser.add_argument_group("encoder (default: the data set's)")
    encoder.add_argument("--bin-us", type=positive, metavar="B", help="time step in us")
    encoder.add_argument("--count-threshold", type=positive, metavar="K",
        help="events that make a source fire in a step")
    encoder.add_argument("--grid", type=positive, nargs=2, metavar=("GW", "GH"), help="pixels after downsampling")
    encoder.add_argument("--polarities", type=int, choices=[1, 2], help="2 keeps ON and OFF apart, 1 merges them")
    encoder.add_argument("--max-steps", type=positive, metavar="T", help="cut recordings there (default: whole)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures; - for standard output")
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        changes = {name: value for name in ("bin_us", "count_threshold", "grid", "polarities")
            if (value := getattr(args, name)) is not None}
        # Refused now, not when the recordings have been read.
        Encoder(**changes)
        with progress_bars() as progress:
            eventset = load(args.dataset, args.data, args.split, download=args.download, samples=args.samples,
                seed=args.seed, progress=progress)
            chosen   = dataclasses.replace(default_encoder_for(eventset.sensor_size), **changes)
            progress("encode", 0, None)
            batch    = encode(eventset, np.arange(len(eventset)), chosen, max_steps=args.max_steps)
            measures = statistics(eventset, chosen, batch, progress)
        console = table_console(args.json)
        title   = "{}, {} x {} x {} inputs, {} us, {} events".format(eventset.name, *chosen.grid, chosen.polarities,
            chosen.bin_us, chosen.count_threshold)
        for table in tables(measures, title):
            console.print(table)
        if args.json:
            write_json({"name": eventset.name, "encoder": chosen.to_dict()} | measures, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
