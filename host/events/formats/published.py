# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of published datasets: tonic's DVSGesture, NMNIST and SHD."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import event_array, normalise
from host.events.formats.download import download_whole
from host.events.sample import Sample


class Dataset(NamedTuple):
    """Files of each split of a dataset, as patterns inside of the folder that tonic gives the dataset's name; any part
    of them will do. And its sensor (W, H)."""
    train:       str
    test:        str
    sensor_size: tuple[int, int]


DATASETS = {
    "NMNIST":     Dataset("Train/**/*.bin", "Test/**/*.bin", (34, 34)),
    "DVSGesture": Dataset("ibmGestureTrain/**/*.npy", "ibmGestureTest/**/*.npy", (128, 128)),
    "SHD":        Dataset("shd_train.h5", "shd_test.h5", (700, 1)),
}

# Attributes of tonic's classes that are out of date: figshare answers its old addresses with an empty file.
FIGSHARE = "https://ndownloader.figshare.com/files/"
CHANGES  = {"DVSGesture": {"train_url": f"{FIGSHARE}38022171", "test_url": f"{FIGSHARE}38020584"}}


def read_dataset(name: str, folder: str | Path, train: bool = True, download: bool = False) -> Iterator[Sample]:
    """The recordings of a dataset through tonic, in the order of their file names.

    Parameters
    ----------
    name : DVSGesture, NMNIST or SHD (its 700 units are x, from 0 up; y is 0 and p is 1).
    folder : what tonic calls save_to: it holds DVSGesture/ibmGestureTrain/, NMNIST/Train/ (or Test) or
        SHD/shd_train.h5.
    train : the training split, else the test split.
    download : let tonic fetch what is missing.

    Raises
    ------
    QCLIFError : the name is unknown, the folder does not hold the dataset, or the download failed.
    """
    dataset = _tonic_dataset(name, folder, train, download)
    # tonic numbers files as the file system lists them, which differs between machines. SHD is one file.
    files = dataset.data or [dataset_files(name, folder, train)[0]]*len(dataset)
    for index in sorted(range(len(files)), key=lambda i: files[i]):
        path        = Path(files[index])
        title, what = f"{path.parent.name}/{path.stem}", str(path)
        if not dataset.data:
            title, what = f"{path.stem}[{index}]", f"{path}: recording {index}"
        try:
            events, label = dataset[index]
        except (OSError, ValueError, IndexError, TypeError, KeyError) as error:
            raise QCLIFError(f"{what}: not a recording of {name} ({_line(error)}): fetch the dataset again") from error
        if "y" not in dataset.ordering:
            # Units in a row, whose times the format does not promise to be in order.
            events = events[np.argsort(events["t"], kind="stable")]
            events = event_array(events["x"], 0, events["p"], events["t"])
        yield Sample(title, normalise(events, what), label=int(label), sensor_size=tuple(dataset.sensor_size[:2]))


def dataset_files(name: str, folder: str | Path, train: bool = True) -> list[Path]:
    """The files of a dataset that there are, in order; raises QCLIFError for an unknown name."""
    if name not in DATASETS:
        raise QCLIFError(f"dataset {name}: known are {', '.join(DATASETS)}; give other recordings as files")
    return sorted(Path(folder, name).expanduser().glob(DATASETS[name].train if train else DATASETS[name].test))


def class_names(name: str, folder: str | Path, train: bool = True, download: bool = False) -> tuple[str, ...]:
    """Names of a dataset's classes, as it writes them; arguments and errors are those of read_dataset()."""
    classes = _tonic_dataset(name, folder, train, download).classes
    return tuple(each.decode() if isinstance(each, bytes) else str(each) for each in classes)


def _tonic_dataset(name: str, folder: str | Path, train: bool, download: bool) -> object:
    def exists(self: object) -> bool:
        # tonic wants nearly the whole dataset beside its archive; any part of it will do here.
        return bool(dataset_files(name, folder, train))

    def fetch(self: object) -> None:
        where = Path(self.location_on_system, self.folder_name)
        if not download:
            raise QCLIFError(f"dataset {name}: no {Path(pattern).suffix} recordings in {where}: give the folder that "
                f"holds {place}, or ask for the download")
        download_whole(name, self, base.download, pattern)

    # Of an unknown name, an error without waiting for tonic.
    dataset_files(name, folder, train)
    import tonic.datasets

    pattern = DATASETS[name].train if train else DATASETS[name].test
    place   = f"{name}/{Path(pattern).parts[0]}"
    base    = getattr(tonic.datasets, name)
    changed = type(name, (base,), {"download": fetch, "_check_exists": exists, **CHANGES.get(name, {})})
    try:
        return changed(save_to=str(folder), train=train)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QCLIFError(f"{Path(folder, place)}: not {name}'s recordings ({_line(error)}): fetch the dataset again"
            ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
