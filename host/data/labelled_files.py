# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A user's own labelled recordings: in folders that are named by their classes, or in files that carry labels."""

import dataclasses
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.data.data_cache import cached_event_set, counted, files_state
from host.data.event_set import SPLITS, EventSet
from host.events.formats import FORMATS, READERS_VERSION, dvs_gesture, format_of, read_files
from host.events.reading import Reading, say_nothing
from host.events.sample import UNKNOWN, Sample

FILES = "files"

TRAIN, TEST = SPLITS

# A network tells two classes apart at least, and a build has so many at most.
CLASSES_MIN, CLASSES_MAX = 2, LIMITS["outputs"][1]


@dataclass(frozen=True)
class Part:
    """Files of one split.

    Parameters
    ----------
    files : in order.
    labels : class of each file, by its folder; None where the files carry labels themselves.
    classes : names of the folders; None likewise.
    """
    files:   tuple[Path, ...]
    labels:  tuple[int, ...] | None = None
    classes: tuple[str, ...] | None = None


def file_parts(path: str | Path) -> dict[str, Part]:
    """The parts that a path holds, by split: "train", and "test" where there is one.

    Parameters
    ----------
    path : a file whose recordings carry labels; or a folder of such files; or a folder whose sub-folders are the
        classes, named by them and in order of their names; or one that holds train/ and test/ of such a form; or DVS128
        Gesture as it is published, with its lists of recordings to train and test with. Hidden files are left out, and
        so are files of other types beside sub-folders, and tables of trials.

    Raises
    ------
    QCLIFError : nothing is there, or something that may not be, as a recording beside the folders of classes.
    """
    path = Path(path).expanduser()
    try:
        if not path.is_dir():
            return {TRAIN: Part((_recording(path),))}
        lists = {split: dvs_gesture.listed(path, split) for split in SPLITS}
        if lists[TRAIN]:
            return {split: Part(tuple(map(_recording, files))) for split, files in lists.items() if files}
        folders, files = _entries(path)
        names = [folder.name for folder in folders]
        # One of them among others is a class of that name.
        if names != [TRAIN] and not {TRAIN, TEST} <= set(names):
            return {TRAIN: _part(path)}
        for other in [folder for folder in folders if folder.name not in SPLITS] + _recordings(files):
            raise QCLIFError(f"{other}: beside {TRAIN}/, which holds a split: move it into one, or out of the folder")
        train = _part(path/TRAIN)
        return {TRAIN: train} | ({TEST: _part(path/TEST, train)} if TEST in names else {})
    except OSError as error:
        raise QCLIFError(f"{error.filename or path}: {error.strerror or error}: give the file or folder of the "
            f"recordings with --data") from error


def load_files(path: str | Path, split: str, progress: Progress = no_progress, reading: Reading | None = None
        ) -> EventSet:
    """The recordings of a split, read once and then kept in the cache until a file changes.

    Parameters
    ----------
    path : as file_parts() takes it. Where files carry labels, the classes are "0" to the largest label to train with;
        elsewhere labels in files do not count.
    split : train or test.
    progress : called with (stage, done, total).
    reading : what files leave open.

    Raises
    ------
    QCLIFError : as file_parts(); there is no such split; a recording is damaged, without label, of another sensor than
        the first or of an unknown one; less than two classes, or more than a build can have.
    """
    parts = file_parts(path)
    if split not in parts:
        raise QCLIFError(f"{path}: no {split} split: take the {TRAIN} split, or give a folder that holds {TRAIN}/ and "
            f"{TEST}/")
    part    = parts[split]
    reading = reading or Reading()
    classes = part.classes
    if classes is None and split != TRAIN:
        classes = load_files(path, TRAIN, progress, reading).classes

    # Files that are read twice are told of once.
    quiet = dataclasses.replace(reading, note=say_nothing)

    def recordings() -> tuple[Iterator[Sample], tuple[str, ...]]:
        names = classes or _numbers(path, counted(_samples(part, quiet), "read labels", None, progress))
        return counted(_samples(part, reading), f"read {FILES}", None, progress), names

    tables = [table for file in part.files if (table := dvs_gesture.labels_of(file))]
    key = {"name": FILES, "files": files_state([*part.files, *tables]), "labels": part.labels, "classes": classes,
        "readers": READERS_VERSION, "reading": reading.key}
    return cached_event_set(f"{FILES} {split}", key, recordings, progress)


def _part(path: Path, train: Part | None = None) -> Part:
    """The part that a folder holds; that of a test split has no other classes than `train`, the one to train with."""
    folders, files = _entries(path)
    if train is not None and bool(folders) != (train.classes is not None):
        form = "the classes' folders" if train.classes else "files with labels"
        raise QCLIFError(f"{path}: {TRAIN}/ holds {form}: give both splits the same form")
    if not folders:
        if not files:
            raise QCLIFError(f"{path}: the folder is empty: put recordings there, in a folder for each class")
        return Part(tuple(map(_recording, files)))
    for file in _recordings(files):
        raise QCLIFError(f"{file}: a recording beside folders of classes: move it into that of its class")
    classes = _classes(path, [folder.name for folder in folders]) if train is None else train.classes
    found, labels = [], []
    for folder in folders:
        if folder.name not in classes:
            raise QCLIFError(f"{folder}: {TRAIN}/ has no such class, but {', '.join(classes)}: add recordings of it "
                f"there, or rename the folder")
        inner, files = _entries(folder)
        for each in inner:
            raise QCLIFError(f"{each}: a folder inside of {folder.name}/, which is taken for a class: recordings lie "
                f"directly in the folder of their class")
        if not files:
            raise QCLIFError(f"{folder}: no recordings of this class: put some there, or remove the folder")
        found  += map(_recording, files)
        labels += [classes.index(folder.name)]*len(files)
    return Part(tuple(found), tuple(labels), classes)


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files inside of a folder, in order of their names; hidden ones left out."""
    entries = sorted((each for each in folder.iterdir() if not each.name.startswith(".")
        and not dvs_gesture.is_labels(each)), key=lambda each: each.name)
    return [each for each in entries if each.is_dir()], [each for each in entries if not each.is_dir()]


def _recordings(files: list[Path]) -> list[Path]:
    return [file for file in files if format_of(file) is not None]


def _recording(file: Path) -> Path:
    """The file itself; refused where it cannot hold recordings, which nobody shall take for used."""
    # A pipe would be waited for.
    if not stat.S_ISREG(file.stat().st_mode):
        raise QCLIFError(f"{file}: not a regular file: take it out of the folder")
    if format_of(file) is None:
        raise QCLIFError(f"{file}: of no known format, {', '.join(FORMATS)} can be read: convert it, or take it out of "
            f"the folder")
    return file


def _classes(what: str | Path, names: list[str]) -> tuple[str, ...]:
    if not CLASSES_MIN <= len(names) <= CLASSES_MAX:
        raise QCLIFError(f"{what}: {len(names)} classes, the limits are {CLASSES_MIN} to {CLASSES_MAX}: give each "
            f"class a folder of recordings, or labels from 0 up")
    for name in names:
        if not name.isprintable():
            raise QCLIFError(f"{what}: the class {name!r} cannot be printed: rename its folder")
    return tuple(names)


def _numbers(what: str | Path, samples: Iterator[Sample]) -> tuple[str, ...]:
    return _classes(what, [str(number) for number in range(max(sample.label for sample in samples) + 1)])


def _samples(part: Part, reading: Reading) -> Iterator[Sample]:
    """The recordings of a part, named by their files and labelled."""
    for file, label in zip(part.files, part.labels or [None]*len(part.files), strict=True):
        for number, sample in enumerate(read_files([file], reading)):
            name = str(file) if sample.name == file.stem else f"{file}: recording {number}"
            yield dataclasses.replace(sample, name=name, label=_own_label(name, sample) if label is None else label)


def _own_label(name: str, sample: Sample) -> int:
    if sample.label == UNKNOWN:
        raise QCLIFError(f"{name}: no label: put it into a folder with the name of its class, or write label (of many: "
            f"labels) beside the events of an .npz file")
    # Before as many names are made.
    if not 0 <= sample.label < CLASSES_MAX:
        raise QCLIFError(f"{name}: label {sample.label}, the limits are 0 to {CLASSES_MAX - 1}: correct the label")
    return sample.label
