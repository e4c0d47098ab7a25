# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The .npz files of the project: read with one-line errors, written whole or not at all, and reproducible."""

import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# Zip's earliest date: equal arrays make equal files, whenever they are written.
DATE = (1980, 1, 1, 0, 0, 0)


class NpzArrays(Mapping):
    """Arrays of an .npz file by name. Each is read when it is asked for, others never, and only once its size is known.

    Parameters
    ----------
    limits : most bytes of an array, by name; arrays without one may have any size.

    Raises
    ------
    QCLIFError : here or when an array is asked for: the file is missing, unreadable, no .npz or damaged; the array
        holds Python objects, has another size than its header tells, or more bytes than its limit.
    """
    def __init__(self, path: str | os.PathLike, what: str, limits: Mapping[str, int] | None = None) -> None:
        self._name, self._limits = f"{what} {path}", limits or {}
        with self._one_line():
            self._file = np.load(path, allow_pickle=False)
        if not isinstance(self._file, np.lib.npyio.NpzFile):
            raise QCLIFError(f"{self._name}: one array only (.npy): an .npz file is needed")

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self:
            raise KeyError(name)
        with self._one_line():
            self._check_size(name)
            return self._file[name]

    def __contains__(self, name: object) -> bool:
        return name in self._file.files

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)

    def _check_size(self, name: str) -> None:
        """A small file can hold zeros for all of the memory: what would be unpacked is known from its header."""
        info = self._file.zip.getinfo(f"{name}.npy")
        with self._file.zip.open(info) as member:
            read_header = np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(member) == (1, 0) else \
                np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(member)
            size = member.tell() + math.prod(shape)*dtype.itemsize
        # Objects are refused by numpy.
        if size != info.file_size and not dtype.hasobject:
            raise ValueError(f"array {name} has {info.file_size} bytes, {size} by its header")
        if size > self._limits.get(name, size):
            raise QCLIFError(f"{self._name}: array {name} has {size} bytes, the limit is {self._limits[name]}: write a "
                "smaller one")

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except QCLIFError:
            raise
        except OSError as error:
            raise QCLIFError(f"{self._name}: {error.strerror or error}: check the path") from error
        # numpy parses an array's header as Python: what goes wrong there has many names.
        except Exception as error:
            raise QCLIFError(f"{self._name}: not a readable .npz file "
                f"({' '.join(str(error).split())}): write it again with numpy.savez") from error


def save_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an .npz file of exactly this name, replacing it in one step. Raises QCLIFError where the folder
    is missing or not writable, or the disk is full.
    """
    with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
