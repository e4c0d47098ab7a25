#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The .npz files of the project: read with one-line errors, written whole or not at all, and reproducible."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from host.errors import QCLIFError

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
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[str]:
    """Name of an empty file beside this one, that replaces it in one step once the block has filled it.

    Raises
    ------
    QCLIFError : the folder is missing or not writable, or the disk is full.
    """
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        try:
            yield temporary
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be written ({error.strerror or error}): choose another file") from error


def _umask() -> int:
    # The temporary file is private; the result gets the permissions of an ordinary new file.
    mask = os.umask(0)
    os.umask(mask)
    return mask
