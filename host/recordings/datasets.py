#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Recordings of published datasets: tonic's DVSGesture and NMNIST, and single N-MNIST files (.bin)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from host.errors import QCLIFError
from host.events import normalise
from host.sample import UNKNOWN, Sample

# Name: file type of its recordings.
DATASETS = {"DVSGesture": ".npy", "NMNIST": ".bin"}

NMNIST_SIZE = (34, 34)

# An event of an N-MNIST file.
BIN_BYTES = 5


def read_bin(path: Path) -> Iterator[Sample]:
    """The recording of an N-MNIST file; its label is the name of its folder where that is a digit."""
    from tonic.io import read_mnist_file

    size = path.stat().st_size
    if size % BIN_BYTES:
        raise QCLIFError(f"{path}: {size} bytes, not a multiple of {BIN_BYTES}: it is damaged, cut, or no N-MNIST "
            f"file")
    dtype  = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])
    events = read_mnist_file(str(path), dtype)
    folder = path.resolve().parent.name
    label  = int(folder) if len(folder) == 1 and folder.isdecimal() else UNKNOWN
    yield Sample(path.stem, normalise(events, str(path)), label=label, sensor_size=NMNIST_SIZE)


def read_dataset(name: str, folder: str | Path, train: bool = True, download: bool = False) -> Iterator[Sample]:
    """The recordings of a dataset through tonic, in the order of their file names.

    Parameters
    ----------
    name : DVSGesture or NMNIST.
    folder : what tonic calls save_to: it holds DVSGesture/ibmGestureTrain/ or NMNIST/Train/ (or Test).
    train : the training split, else the test split.
    download : let tonic fetch what is missing.

    Raises
    ------
    QCLIFError : the name is unknown, the folder does not hold the dataset, or the download failed.
    """
    if name not in DATASETS:
        raise QCLIFError(f"dataset {name}: known are {', '.join(DATASETS)}; give other recordings as files")
    dataset = _tonic_dataset(name, folder, train, download)
    # tonic numbers files as the file system lists them, which differs between machines.
    for index in sorted(range(len(dataset)), key=lambda i: dataset.data[i]):
        path = Path(dataset.data[index])
        try:
            events, label = dataset[index]
        except (OSError, ValueError, IndexError, TypeError) as error:
            raise QCLIFError(f"{path}: not a recording of {name} ({error}): fetch the dataset again") from error
        yield Sample(f"{path.parent.name}/{path.stem}", normalise(events, str(path)), label=int(label),
            sensor_size=tuple(dataset.sensor_size[:2]))


def _tonic_dataset(name: str, folder: str | Path, train: bool, download: bool) -> object:
    import tonic.datasets

    base = getattr(tonic.datasets, name)

    def fetch(self: object) -> None:
        where = Path(self.location_on_system, self.folder_name)
        if not download:
            raise QCLIFError(f"dataset {name}: no {DATASETS[name]} recordings in {where}: give the folder that holds "
                f"{name}/{self.folder_name}, or ask for the download")
        try:
            base.download(self)
        except Exception as error:
            raise QCLIFError(f"dataset {name}: the download from {self.url} failed ({error}): fetch {self.filename} "
                f"by hand and unpack it to {where.parent}") from error

    def exists(self: object) -> bool:
        # tonic wants nearly the whole dataset beside its archive; any part of it will do here.
        return self._folder_contains_at_least_n_files_of_type(1, DATASETS[name])

    return type(name, (base,), {"download": fetch, "_check_exists": exists})(save_to=str(folder), train=train)
