# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event recordings from files and datasets; one module a family of formats."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from accel.errors import QCLIFError
from host.events.event_array import check_coordinates
from host.events.formats.aedat import read_aedat
from host.events.formats.aedat4 import read_aedat4
from host.events.formats.arrays import read_npy, read_npz
from host.events.formats.prophesee import read_raw
from host.events.formats.published import DATASETS, class_names, dataset_files, read_bin, read_dataset
from host.events.sample import Sample

__all__ = ["DATASETS", "READERS", "class_names", "dataset_files", "read_dataset", "read_files"]

READERS = {
    ".npz":    read_npz,
    ".npy":    read_npy,
    ".aedat":  read_aedat,
    ".aedat4": read_aedat4,
    ".raw":    read_raw,
    ".bin":    read_bin,
}


def read_files(paths: Iterable[str | Path]) -> Iterator[Sample]:
    """The recordings of files, in the order given; read one after another, as they are asked for.

    Raises
    ------
    QCLIFError : a file is missing, unreadable, of an unknown type, damaged or empty.
    """
    for path in map(Path, paths):
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise QCLIFError(f"{path}: type {path.suffix or 'without suffix'} is not known: files of "
                f"{', '.join(READERS)} can be read")
        try:
            for sample in reader(path):
                if sample.sensor_size is not None:
                    check_coordinates(sample.events, sample.sensor_size, str(path))
                yield sample
        except OSError as error:
            raise QCLIFError(f"{path}: {error.strerror or error}: check the path") from error
