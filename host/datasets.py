#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Data sets to train with, and what an encoder's settings make of them.

examples:
  python -m host.datasets --dataset synthetic --samples 110        synthetic gestures, made here
  python -m host.datasets --dataset nmnist --data train1000.npz --bin-us 5000 --grid 34 34
  python -m host.datasets --dataset files --data DIR               your own, in folders named by their classes
  python -m host.datasets --dataset dvsgesture --data DIR --download --split test --json -
"""

import argparse
import dataclasses
import hashlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from joblib import cpu_count, delayed

from host import synthetic
from host.activity import statistics, tables
from host.console import Progress, no_progress, progress_bars, table_console
from host.encoder import Encoder, default_encoder_for
from host.errors import QCLIFError
from host.eventcache import counted, encoded, files_state, kept
from host.eventset import SPLITS, EventSet
from host.eventset import split as split_by_class
from host.filesets import FILES, file_parts, load_files
from host.options import check_outputs, positive
from host.outcome import guarded
from host.parallel import side_by_side
from host.recordings import class_names, dataset_files, read_dataset, read_files
from host.recordings.datasets import NMNIST_SIZE
from host.sample import Sample

SYNTHETIC = "synthetic"

# Name here, and tonic's.
PUBLISHED = {"nmnist": "NMNIST", "dvsgesture": "DVSGesture", "shd": "SHD"}

NAMES = (*PUBLISHED, SYNTHETIC, FILES)

# Pixels (W, H) of the data sets that always have the same.
SENSOR_SIZES = {
    "nmnist":     NMNIST_SIZE,
    "dvsgesture": (128, 128),
    "shd":        (700, 1),
    SYNTHETIC:    (synthetic.SIZE, synthetic.SIZE),
}

# What --data takes.
DATA_HELP = ("folder that holds the data set, as tonic's save_to; for nmnist also an .npz file; for files a folder "
    "with a sub-folder of recordings for each class, or of .npz files with labels, or with train/ and test/ like that, "
    "or one such file (default: %(default)s)")

DIGITS = tuple("0123456789")

# Some recordings of N-MNIST's training split in one file.
NMNIST_PART = "train1000.npz"

# Synthetic recordings of each split, and where the seeds of the test split begin: recording i of seed s is made from
# s + i or TEST_SEED + s + i, and s + i stays below TEST_SEED. No test recording is ever one to train with.
SYNTHETIC_SAMPLES = {"train": 1100, "test": 550}
TEST_SEED         = 1_000_000


def load(name: str, folder: str | Path, split: str, *, download: bool = False, samples: int | None = None,
        seed: int = 0, progress: Progress = no_progress) -> EventSet:
    """A data set, decoded once and then kept in the cache (host.cache says where).

    Parameters
    ----------
    name : nmnist, dvsgesture, shd, synthetic, or files: a user's own recordings.
    folder : holds tonic's NMNIST/, DVSGesture/ or SHD/; for nmnist also an .npz file of many recordings of its
        training split, or a folder with train1000.npz or nmnist/train1000.npz; for files as file_parts() takes it. Not
        read for synthetic.
    split : train or test.
    download : let tonic fetch what is missing.
    samples : recordings; None for all (1100 to train and 550 to test for synthetic). Fewer are chosen by seed, of
        each class by its share.
    seed : of that choice, or of the synthetic recordings; the two splits never share one of those.
    progress : called with (stage, done, total).

    Raises
    ------
    QCLIFError : an unknown name or split, recordings that are missing or damaged, or a cache that is not writable.
    """
    if name not in NAMES:
        raise QCLIFError(f"data set {name}: known are {', '.join(NAMES)}; give another name")
    if split not in SPLITS:
        raise QCLIFError(f"split {split}: known are {' and '.join(SPLITS)}; give one of them")
    if samples is not None and samples < 1:
        raise QCLIFError(f"{samples} samples, at least 1 is needed: give more, or None for all")
    if name == SYNTHETIC:
        return _synthetic(split, samples or SYNTHETIC_SAMPLES[split], seed, progress)
    part = _nmnist_part(Path(folder).expanduser()) if name == "nmnist" else None
    if name == FILES:
        whole = load_files(folder, split, progress)
    elif part is not None:
        whole = _part_of_nmnist(part, split, progress)
    else:
        whole = _published(name, folder, split, download, progress)
    if samples is None or samples >= len(whole):
        return whole
    return whole.subset(split_by_class(whole.labels, samples/len(whole), seed)[1])


def available_splits(name: str, folder: str | Path) -> tuple[str, ...]:
    """Splits that load() can give: recordings of one part, as a file of some of a training split, have no test split.

    Raises
    ------
    QCLIFError : as file_parts(), for files.
    """
    if name == FILES:
        return tuple(file_parts(folder))
    part = _nmnist_part(Path(folder).expanduser()) if name == "nmnist" else None
    return SPLITS if part is None else SPLITS[:1]


def _published(name: str, folder: str | Path, split: str, download: bool, progress: Progress) -> EventSet:
    source = PUBLISHED[name], folder, split == "train"
    if not dataset_files(*source):
        # Fetches them, or says what is missing.
        class_names(*source, download)
    files = dataset_files(*source)

    def recordings() -> tuple[Iterator[Sample], tuple[str, ...]]:
        classes = {"nmnist": DIGITS, "dvsgesture": synthetic.GESTURES}.get(name) or class_names(*source)
        # A file a recording; only SHD keeps all in one.
        total   = None if name == "shd" else len(files)
        return counted(read_dataset(*source), f"read {name}", total, progress), classes

    return kept(f"{name} {split}", {"name": name, "files": files_state(files)}, recordings, progress)


def _nmnist_part(folder: Path) -> Path | None:
    """The file with many recordings that a folder is or holds, None where tonic's layout is to be read."""
    if folder.is_file():
        return folder
    if (folder/PUBLISHED["nmnist"]).exists():
        return None
    return next((path for path in (folder/NMNIST_PART, folder/"nmnist"/NMNIST_PART) if path.is_file()), None)


def _part_of_nmnist(path: Path, split: str, progress: Progress) -> EventSet:
    if split != "train":
        raise QCLIFError(f"{path}: recordings of the training split alone, the {split} split is not there: hold some "
            f"of them out, or give a folder with tonic's {PUBLISHED['nmnist']}/Test")
    eventset = kept(f"nmnist {split}", {"name": "nmnist", "files": files_state([path])},
        lambda: (counted(read_files([path]), "read nmnist", None, progress), DIGITS), progress)
    if eventset.sensor_size != NMNIST_SIZE:
        raise QCLIFError("{}: recorded with {}x{} pixels, nmnist with {}x{}: give your own recordings as --dataset {}"
            .format(path, *eventset.sensor_size, *NMNIST_SIZE, FILES))
    return eventset


def _synthetic(split: str, samples: int, seed: int, progress: Progress) -> EventSet:
    if not 0 <= seed <= TEST_SEED - samples:
        raise QCLIFError(f"seed {seed} of {samples} synthetic recordings, the limits are 0 to {TEST_SEED - samples}: "
            f"choose another")
    first  = seed + (TEST_SEED if split == "test" else 0)
    groups = range(0, samples, len(synthetic.GESTURES))

    def recordings() -> tuple[Iterator[Sample], tuple[str, ...]]:
        # Whole rounds of the gestures, so that parts follow each other like recordings() of all of them.
        jobs  = (delayed(_gestures)(min(groups.step, samples - start), first + start) for start in groups)
        parts = side_by_side(jobs, min(cpu_count(), len(groups)))
        made  = (sample for part in parts for sample in part)
        return counted(made, "record gestures", samples, progress), synthetic.GESTURES

    program = hashlib.sha256(Path(synthetic.__file__).read_bytes()).hexdigest()
    return kept(f"{SYNTHETIC} {split}", {"program": program, "samples": samples, "seed": first}, recordings, progress)


def _gestures(samples: int, seed: int) -> list[Sample]:
    return list(synthetic.recordings(samples, seed))


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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures; - for standard output")
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
            batch    = encoded(eventset, chosen, args.max_steps, progress=progress)
            figures  = statistics(eventset, chosen, batch, progress)
        console = table_console(args.json)
        title   = "{}, {} x {} x {} inputs, {} us, {} events".format(eventset.name, *chosen.grid, chosen.polarities,
            chosen.bin_us, chosen.count_threshold)
        for table in tables(figures, title):
            console.print(table)
        if args.json:
            # Brings torch, which nothing else here needs.
            from host.report import write_json

            write_json({"name": eventset.name, "encoder": chosen.to_dict()} | figures, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
