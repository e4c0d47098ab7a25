# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The .npz files of the project: read with one-line errors, written whole or not at all, and reproducible."""

import os
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# Zip's earliest date: equal arrays make equal files, whenever they are written.
DATE = (1980, 1, 1, 0, 0, 0)


def load_npz(path: str | os.PathLike, what: str) -> dict[str, np.ndarray]:
    """Arrays of an .npz file by name.

    Raises
    ------
    QCLIFError : the file is missing, unreadable, no .npz, damaged, or holds Python objects.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise QCLIFError(f"{what} {path}: one array only (.npy): an .npz file is needed")
        with file:
            return {name: file[name] for name in file.files}
    except OSError as error:
        raise QCLIFError(f"{what} {path}: {error.strerror or error}: check the path") from error
    except (ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise QCLIFError(f"{what} {path}: not a readable .npz file "
            f"({' '.join(str(error).split())}): write it again with numpy.savez") from error


def save_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an .npz file of exactly this name, replacing it in one step.

    Raises
    ------
    QCLIFError : the folder is missing or not writable, or the disk is full.
    """
    with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
