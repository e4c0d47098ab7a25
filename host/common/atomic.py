# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from accel.errors import QCLIFError


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A file to write to that takes this name, replacing what had it, once the block ends without an error. A link
    stays one, and the file that it leads to is replaced.

    Raises
    ------
    QCLIFError : the folder is missing or not writable, the disk is full, or the name is a device's or a pipe's.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # Else root would lose /dev/null.
        raise QCLIFError(f"{path}: is a device or a pipe, which a file cannot replace: choose another file")
    target = path.resolve()
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, target)
            except BaseException:
                # Where an interruption comes after the replacement, the name is gone.
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be written ({error.strerror or error}): choose another file") from error


def write_each(*writes: Callable[[], object]) -> None:
    """Call each, though one before it fails: what can be written is. Raises QCLIFError that names all that failed."""
    failed = []
    for write in writes:
        try:
            write()
        except QCLIFError as error:
            failed.append(error)
    if failed:
        raise QCLIFError("; ".join(map(str, failed))) from failed[0]


def _umask() -> int:
    # The temporary file is private; the result gets the permissions of an ordinary new file.
    mask = os.umask(0)
    os.umask(mask)
    return mask
