# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options that every command with a network and recordings shares, and the recordings they name."""

import argparse
import dataclasses
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from accel.errors import QCLIFError
from firmware.protocol import ENGINES
from host.cli.reading_options import add_reading_args, check_unused, reading_from_args
from host.data import synthetic
from host.data.datasets import DATA_HELP, NAMES, PUBLISHED, SPLITS, SYNTHETIC, SYNTHETIC_SAMPLES
from host.data.labelled_files import TEST, TRAIN
from host.events.encoder import BACKGROUND_HZ, CUE_HZ, Encoder, poisson_context
from host.events.formats import SUFFIXES, read_dataset, read_files
from host.events.sample import Sample
from host.link.link import Link
from host.link.port import Faults, FaultyPort, SerialPort

# --network: a random one in place of a file.
RANDOM = "random"


def positive(text: str) -> int:
    """argparse type: an integer from 1 up."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def share(text: str) -> float:
    """argparse type: a number from 0 to below 1."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to below 1")
    return value


def add_recording_args(source: argparse._ArgumentGroup, default: str | None = SYNTHETIC) -> None:
    """Add the options that name recordings: files, or a data set (`default` where neither is given)."""
    files = source.add_mutually_exclusive_group()
    files.add_argument("--events", type=Path, nargs="+", metavar="FILE",
        help=f"recordings ({', '.join(SUFFIXES)}), recognised by what is in them")
    files.add_argument("--dataset", type=str.lower, choices=[SYNTHETIC, *PUBLISHED], default=default,
        help=f"recordings of a data set; {SYNTHETIC}: gestures made up here (default: {default or 'none'})")
    source.add_argument("--data", type=Path, default=Path("data"), metavar="DIR",
        help="folder that holds the data set, as tonic's save_to (default: %(default)s)")
    add_split_args(source, TRAIN)
    source.add_argument("--download", action="store_true", help="let tonic download a data set that is missing")
    add_reading_args(source)


def add_split_args(source: argparse._ActionsContainer, split: str) -> None:
    """Add the option of a data set's split, by default this one."""
    source.add_argument("--split", type=str.lower, choices=SPLITS, default=split,
        help="of the data set (default: %(default)s)")
    # What some commands called it before.
    source.add_argument("--test-split", dest="split", action="store_const", const=TEST, default=argparse.SUPPRESS,
        help=argparse.SUPPRESS)


def add_dataset_args(source: argparse._ActionsContainer, split: str) -> None:
    """Add the options that name recordings of a data set to train with, by default of this split."""
    source.add_argument("--dataset", type=str.lower, choices=NAMES, default=SYNTHETIC, help="(default: %(default)s)")
    source.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help=DATA_HELP)
    source.add_argument("--download", action="store_true", help="let tonic download a data set that is missing")
    add_split_args(source, split)
    source.add_argument("--samples", type=positive, metavar="K", help="only K recordings, of each class by its share "
        "(default: all; {train} synthetic ones to train, {test} to test)".format(**SYNTHETIC_SAMPLES))
    source.add_argument("--seed", type=int, default=0, help="of the choice of samples, of the synthetic recordings and "
        "of the sequences of the context task (default: %(default)s)")
    source.add_argument("--max-steps", type=positive, metavar="T", help="cut recordings there (default: whole)")
    add_reading_args(source)


def add_input_args(parser: argparse.ArgumentParser, samples: int | None = None) -> None:
    """Add the options of what goes into a run: network, recordings (the first `samples` by default) and context."""
    source = parser.add_argument_group("network and recordings")
    source.add_argument("--network", metavar=f"NET.npz|{RANDOM}",
        type=lambda text: text if text == RANDOM else Path(text),
        help="trained network, or a random one of the build's sizes (default: the trained one that comes with the "
            "program, where sizes, sensor and time step are its own; else a random one)")
    add_recording_args(source)
    default = samples or f"all; {len(synthetic.GESTURES)} synthetic ones"
    source.add_argument("--samples", type=positive, default=samples, metavar="K",
        help=f"only the first K recordings (default: {default})")
    source.add_argument("--bin-us", type=positive, metavar="B", help="time step in us (default: the network's)")
    source.add_argument("--count-threshold", type=positive, metavar="K",
        help="events that make a source fire in a step (default: the network's)")

    context = parser.add_argument_group("context (where a recording has none of its own)")
    context.add_argument("--context", type=int, metavar="K", help="constant cue of context source K")
    context.add_argument("--context-rate", type=float, default=CUE_HZ, metavar="HZ",
        help="spikes a second of the cue (default: %(default)s)")
    context.add_argument("--context-background", type=float, default=BACKGROUND_HZ, metavar="HZ",
        help="spikes a second of the other context sources (default: %(default)s)")
    context.add_argument("--seed", type=int, default=0, help="of cue and random network (default: %(default)s)")


def add_run_args(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run: its inputs, engine and outputs."""
    add_input_args(parser)
    run = parser.add_argument_group("run")
    run.add_argument("--engine", choices=list(ENGINES), default="accel",
        help="accelerator, or the CPU alone as the baseline (default: %(default)s)")
    run.add_argument("--encode", choices=["host", "device"], default="host",
        help="who makes inputs of the events; device sends the raw recording (default: %(default)s)")
    run.add_argument("--lockstep", action="store_true",
        help="compare V_a and V_s after every step, not only at the end of each recording")
    run.add_argument("--out", type=Path, metavar="RUN.npz", help="write spikes, logits and inputs")
    run.add_argument("--json", type=Path, metavar="FILE", help="write the measures; - for standard output")

    line = parser.add_argument_group("damage on purpose, to see that the link loses nothing")
    line.add_argument("--line-flip", type=float, default=0, metavar="RATE", help="bytes with a bit inverted, 0 to 1")
    line.add_argument("--line-drop", type=float, default=0, metavar="RATE", help="bytes lost, 0 to 1")


def open_link(port: str, baudrate: int, args: argparse.Namespace) -> Link:
    """The link over a port, with the damage that the options ask for."""
    faults = Faults(flip=args.line_flip, drop=args.line_drop, seed=args.seed)
    line   = SerialPort(port, baudrate)
    return Link(FaultyPort(line, faults) if faults.flip or faults.drop else line, baudrate)


def check_outputs(args: argparse.Namespace) -> None:
    """Raise a QCLIFError now where a result could not be written at the end."""
    for option in ("out", "json"):
        path = getattr(args, option, None)
        if path is not None and str(path) != "-" and (path.is_dir() or not path.resolve().parent.is_dir()):
            raise QCLIFError(f"--{option} {path}: not a file in an existing folder, give another path")


def make_output_dir(args: argparse.Namespace) -> None:
    """Make the folder of --output-dir where it is not there; raises QCLIFError where that is not possible."""
    try:
        args.output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QCLIFError(f"--output-dir {args.output_dir}: {error.strerror}: choose another folder") from error


def read_samples(args: argparse.Namespace) -> list[Sample]:
    """The recordings that the options name, not encoded yet. Raises QCLIFError where one cannot be read, or there is
    none.
    """
    reading = reading_from_args(args)
    if not args.events:
        check_unused(reading, f"--dataset {args.dataset}")
    if args.events:
        samples: Iterator[Sample] = read_files(args.events, reading)
    elif args.dataset == SYNTHETIC:
        samples = synthetic.recordings(args.samples or len(synthetic.GESTURES))
    else:
        samples = read_dataset(PUBLISHED[args.dataset], args.data, args.split == TRAIN, args.download)
    chosen = list(islice(samples, args.samples))
    if not chosen:
        raise QCLIFError("no recordings: the files hold none, give others with --events")
    return chosen


def with_encoder_options(encoder: Encoder, args: argparse.Namespace) -> Encoder:
    """The encoder, with the time step and threshold that the options ask for."""
    changes = {name: value for name in ("bin_us", "count_threshold") if (value := getattr(args, name)) is not None}
    return dataclasses.replace(encoder, **changes)


def encode_samples(samples: list[Sample], encoder: Encoder, contexts: int, args: argparse.Namespace) -> list[Sample]:
    """The recordings with their inputs; --context gives a cue to those without context of their own."""
    encoded = []
    for number, sample in enumerate(samples):
        if args.context is not None and sample.context is None:
            cue    = poisson_context(len(sample.encoded(encoder, contexts).steps), args.context, args.context_rate,
                args.context_background, encoder.bin_us, contexts, args.seed + number)
            sample = dataclasses.replace(sample, context=cue)
        encoded.append(sample.encoded(encoder, contexts))
    return encoded
