# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Arrays kept on disk under a key that names all they depend on: written whole or not at all, checked when read.

Entries are folders in $QCLIF_CACHE, or in build/cache/ of the checkout, beside the builds. Nothing there is needed:
deleting an entry, or all, costs only the time to make it again.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.common.folders import cache_folder

# Written into each key: entries of another version are not found.
FORMAT_VERSION = 1

INFO = "entry.json"

CHUNK_BYTES = 2**24


def cached(kind: str, key: dict[str, object], write: Callable[[Path], dict[str, object]],
        progress: Progress = no_progress) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Arrays and facts of an entry, which is made first where it is missing or damaged.

    Parameters
    ----------
    kind : how the entry's name begins.
    key : all that the content depends on, as JSON takes it.
    write : puts .npy files into a folder, and returns the facts, as JSON takes them.

    Returns
    -------
    (arrays, facts) : each .npy file by its name, memory-mapped, where changes stay in memory; and what write()
        returned.

    Raises
    ------
    QCLIFError : the folder is not writable, or the disk is full; and whatever write() raises.
    """
    folder = cache_folder()
    key    = hashlib.sha256(json.dumps([FORMAT_VERSION, key], sort_keys=True).encode()).hexdigest()
    path   = folder/f"{re.sub('[^A-Za-z0-9]+', '-', kind)}-{key[:24]}"
    entry  = _read(path, progress)
    if entry is None:
        try:
            _make(path, write)
        except OSError as error:
            raise QCLIFError(f"cache {folder}: cannot be written ({error.strerror or error}): make room, or set "
                f"QCLIF_CACHE to another folder") from error
        entry = _read(path, progress)
    if entry is None:
        raise QCLIFError(f"cache {path}: what was just written reads back damaged: check the disk, or set "
            f"QCLIF_CACHE to another folder")
    return entry


def _read(path: Path, progress: Progress) -> tuple[dict[str, np.ndarray], dict[str, object]] | None:
    """An entry whose every byte is as it was written, else None."""
    try:
        info   = json.loads((path/INFO).read_text())
        arrays = {}
        for name, digest in info["files"].items():
            if _digest(path/name, progress) != digest:
                return None
            arrays[Path(name).stem] = np.asarray(np.load(path/name, mmap_mode="c", allow_pickle=False))
        return arrays, info["facts"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _make(path: Path, write: Callable[[Path], dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", ignore_cleanup_errors=True) as temporary:
        content = Path(temporary, "content")
        content.mkdir()
        facts = write(content)
        files = {file.name: _digest(file) for file in sorted(content.glob("*.npy"))}
        (content/INFO).write_text(json.dumps({"files": files, "facts": facts}))
        # What is there is damaged; another process may make the same entry just now, and its is as good as this.
        shutil.rmtree(path, ignore_errors=True)
        try:
            os.rename(content, path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


def _digest(path: Path, progress: Progress = no_progress) -> str:
    digest, size = hashlib.sha256(), path.stat().st_size
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            progress("check the cache, bytes", file.tell(), size)
    return digest.hexdigest()
