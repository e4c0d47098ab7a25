# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event sets kept on disk under a key that names all they depend on: written whole or not at all, checked when read.

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.common.folders import cache_folder
from host.data.event_set import EventSet, checked
from host.events.event_array import EVENT
from host.events.sample import Sample

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

# Event sets ---------------------------------------------------------------------------------------

def cached_event_set(name: str, key: dict[str, object],
        recordings: Callable[[], tuple[Iterable[Sample], Sequence[str]]], progress: Progress = no_progress
        ) -> EventSet:
    """The event set of some recordings; its events are a memory-mapped file.

    Parameters
    ----------
    key : all that the recordings depend on, as JSON takes it.
    recordings : returns the recordings and the names of their classes; called only where the cache has none. They
        are written one by one, so that a set may be larger than the memory.

    Raises
    ------
    QCLIFError : as host.data.event_set.checked() and cached(), and whatever reading the recordings raises.
    """
    def write(folder: Path) -> dict[str, object]:
        samples, classes = recordings()
        offsets, labels, size = [0], [], None
        with open(folder/"events.npy", "wb") as file:
            _write_header(file, 0)
            for sample in checked(name, samples, classes):
                file.write(sample.events.tobytes())
                offsets.append(offsets[-1] + len(sample.events))
                labels.append(sample.label)
                size = sample.sensor_size
            file.seek(0)
            _write_header(file, offsets[-1])
        np.save(folder/"offsets.npy", np.array(offsets, np.int64))
        np.save(folder/"labels.npy", np.array(labels, np.int64))
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.iterdir()}
        return {"sensor_size": size, "classes": classes,
            "identity": EventSet(name, **arrays, sensor_size=size, classes=tuple(classes)).identity}

    arrays, facts = cached(name, key, write, progress)
    eventset = EventSet(name, **arrays, sensor_size=tuple(facts["sensor_size"]), classes=tuple(facts["classes"]))
    # The bytes were compared with their checksums just now: there is no need to hash them once more.
    vars(eventset)["identity"] = facts["identity"]
    return eventset


def counted(samples: Iterable[Sample], stage: str, total: int | None, progress: Progress) -> Iterator[Sample]:
    """The recordings; progress is called with each."""
    for number, sample in enumerate(samples, 1):
        yield sample
        progress(stage, number, total)


def files_state(files: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Paths, sizes and times of change of files, for the key of an entry that depends on them."""
    states = ((path.resolve(), path.stat()) for path in files)
    return [(str(path), status.st_size, status.st_mtime_ns) for path, status in states]


def _write_header(file: BinaryIO, events: int) -> None:
    # numpy leaves room in it for the length to grow.
    np.lib.format.write_array_header_1_0(file, {"descr": np.lib.format.dtype_to_descr(EVENT),
        "fortran_order": False, "shape": (events,)})
