# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from accel.errors import QCLIFError


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A file to write to that takes this name, replacing what had it, once the block ends without an error.

    Raises
    ------
    QCLIFError : the folder is missing or not writable, the disk is full, or the name is a device's or a pipe's.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # Else root would lose /dev/null.
        raise QCLIFError(f"{path}: is a device or a pipe, which a file cannot replace: choose another file")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                # Where an interruption comes after the replacement, the name is gone.
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be written ({error.strerror or error}): choose another file") from error


def _umask() -> int:
    # The temporary file is private; the result gets the permissions of an ordinary new file.
    mask = os.umask(0)
    os.umask(mask)
    return mask
