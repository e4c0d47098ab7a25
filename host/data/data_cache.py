# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event sets and their inputs, kept in the cache: decoded and encoded once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from host.common.cache import cached
from host.common.console import Progress, no_progress
from host.data.batch import Batch
from host.data.batch_encoder import encode
from host.data.event_set import EventSet, checked
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample


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
    QCLIFError : as EventSet.from_samples() and host.common.cache.cached(), and whatever reading the recordings raises.
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
        arrays = {each: np.load(folder/f"{each}.npy", mmap_mode="r") for each in ("events", "offsets", "labels")}
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


def cached_inputs(eventset: EventSet, encoder: Encoder, max_steps: int | None = None,
        progress: Progress = no_progress) -> Batch:
    """Inputs of all recordings of a set, without augmentation.

    Parameters
    ----------
    max_steps : steps from there on are cut; None keeps all.

    Raises
    ------
    QCLIFError : as host.data.batch_encoder.encode() and host.common.cache.cached().
    """
    def write(folder: Path) -> dict[str, object]:
        progress("encode", 0, len(eventset))
        batch = encode(eventset, np.arange(len(eventset)), encoder, max_steps=max_steps)
        progress("encode", len(eventset), len(eventset))
        for each, array in vars(batch).items():
            np.save(folder/f"{each}.npy", array)
        return {}

    key = {"events": eventset.identity, "encoder": encoder.to_dict(), "max_steps": max_steps}
    return Batch(**cached(f"{eventset.name} inputs", key, write, progress)[0])
