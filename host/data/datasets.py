# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Data sets to train with: published ones, synthetic gestures, and a user's own recordings."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from joblib import cpu_count, delayed

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.common.parallel import side_by_side
from host.data import synthetic
from host.data.data_cache import cached_event_set, counted, files_state
from host.data.event_set import SPLITS, EventSet
from host.data.event_set import split as split_by_class
from host.data.labelled_files import FILES, file_parts, load_files
from host.events.formats import DATASETS, READERS_VERSION, class_names, dataset_files, read_dataset, read_files
from host.events.reading import Reading
from host.events.sample import Sample

SYNTHETIC = "synthetic"

# Name here, and tonic's.
PUBLISHED = {name.lower(): name for name in DATASETS}

NAMES = (*PUBLISHED, SYNTHETIC, FILES)

# Pixels (W, H) of the data sets that always have the same.
SENSOR_SIZES = {name: DATASETS[tonics].sensor_size for name, tonics in PUBLISHED.items()} | {
    SYNTHETIC: (synthetic.SIZE, synthetic.SIZE)}

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
        seed: int = 0, progress: Progress = no_progress, reading: Reading | None = None) -> EventSet:
    """A data set, decoded once and then kept in the cache (host.data.data_cache says where).

    Parameters
    ----------
    name : nmnist, dvsgesture, shd, synthetic, or files: a user's own recordings.
    folder : holds tonic's NMNIST/, DVSGesture/ or SHD/; for nmnist also an .npz file of many recordings of its
        training split, or a folder with train1000.npz or nmnist/train1000.npz; for files as file_parts() takes it. Not
        read for synthetic.
    download : let tonic fetch what is missing.
    samples : recordings; None for all (1100 to train and 550 to test for synthetic). Fewer are chosen by seed, of
        each class by its share.
    seed : decides that choice, or the synthetic recordings, of which the two splits never share one.
    reading : what files leave open, of files and of an .npz file of nmnist.

    Raises
    ------
    QCLIFError : an unknown name or split, recordings that are missing or damaged, or a cache that is not writable.

    Examples
    --------
    >>> load("synthetic", "data", "train", samples=22).classes[:2]
    ('Hand clapping', 'Right hand wave')
    """
    if name not in NAMES:
        raise QCLIFError(f"data set {name}: known are {', '.join(NAMES)}; give another name")
    if split not in SPLITS:
        raise QCLIFError(f"split {split}: known are {' and '.join(SPLITS)}; give one of them")
    if samples is not None and samples < 1:
        raise QCLIFError(f"{samples} samples, at least 1 is needed: give more, or None for all")
    reading = reading or Reading()
    part    = _nmnist_part(Path(folder).expanduser()) if name == "nmnist" else None
    if reading.given and name != FILES and part is None:
        option = reading.given[0].removesuffix("_us").replace("_", "-")
        raise QCLIFError(f"--{option} has no effect on the data set {name}, which tells it: leave the option out")
    if name == SYNTHETIC:
        return _synthetic(split, samples or SYNTHETIC_SAMPLES[split], seed, progress)
    if name == FILES:
        whole = load_files(folder, split, progress, reading)
    elif part is not None:
        whole = _part_of_nmnist(part, split, progress, reading)
    else:
        whole = _published(name, folder, split, download, progress)
    if samples is None or samples >= len(whole):
        return whole
    return whole.subset(split_by_class(whole.labels, samples/len(whole), seed)[1])


def available_splits(name: str, folder: str | Path) -> tuple[str, ...]:
    """Splits that load() can give: recordings of one part, as a file of some of a training split, have no test split.
    Raises QCLIFError as file_parts(), for files.
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

    return cached_event_set(f"{name} {split}", {"name": name, "files": files_state(files)}, recordings, progress)


def _nmnist_part(folder: Path) -> Path | None:
    """The file with many recordings that a folder is or holds, None where tonic's layout is to be read."""
    if folder.is_file():
        return folder
    if (folder/PUBLISHED["nmnist"]).exists():
        return None
    return next((path for path in (folder/NMNIST_PART, folder/"nmnist"/NMNIST_PART) if path.is_file()), None)


def _part_of_nmnist(path: Path, split: str, progress: Progress, reading: Reading) -> EventSet:
    if split != "train":
        raise QCLIFError(f"{path}: recordings of the training split alone, the {split} split is not there: hold some "
            f"of them out, or give a folder with tonic's {PUBLISHED['nmnist']}/Test")
    key      = {"name": "nmnist", "files": files_state([path]), "readers": READERS_VERSION, "reading": reading.key}
    eventset = cached_event_set(f"nmnist {split}", key,
        lambda: (counted(read_files([path], reading), "read nmnist", None, progress), DIGITS), progress)
    if eventset.sensor_size != SENSOR_SIZES["nmnist"]:
        raise QCLIFError("{}: recorded with {}x{} pixels, nmnist with {}x{}: give your own recordings as --dataset {}"
            .format(path, *eventset.sensor_size, *SENSOR_SIZES["nmnist"], FILES))
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
    key     = {"program": program, "samples": samples, "seed": first}
    return cached_event_set(f"{SYNTHETIC} {split}", key, recordings, progress)


def _gestures(samples: int, seed: int) -> list[Sample]:
    return list(synthetic.recordings(samples, seed))
