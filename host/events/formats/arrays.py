# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings in numpy files: .npz with one or many, .npy with one."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.npz import NpzArrays
from host.events.event_array import check_division, normalise
from host.events.sample import UNKNOWN, Sample


def read_npy(path: Path) -> Iterator[Sample]:
    """The recording of an .npy file: a structured array (x, y, p, t in us)."""
    try:
        events = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise QCLIFError(f"{path}: not a readable .npy file ({' '.join(str(error).split())}): write it again "
            f"with numpy.save") from error
    if not isinstance(events, np.ndarray):
        raise QCLIFError(f"{path}: an .npz file by its content: rename it")
    yield Sample(path.stem, normalise(events, str(path)))


def read_npz(path: Path) -> Iterator[Sample]:
    """The recordings of an .npz file, in order.

    One: `events`, optional `label`, `context` rows (step, source), `sensor_size`. Many: `events` one recording
    after another, `offsets` (recording i is events[offsets[i]:offsets[i + 1]]), optional `labels`, `context` rows
    (sample, step, source), `sensor_size`.
    """
    file = NpzArrays(path, "recording")
    if "events" not in file:
        raise QCLIFError(f"{path}: array events is missing, there are {', '.join(file) or 'none'}: a recording "
            f"has a structured array events (x, y, p, t)")
    size = file.get("sensor_size")
    size = None if size is None else tuple(_integers(path, "sensor_size", size, 1)[:2].tolist())
    if "offsets" in file:
        yield from _many(path, file, size)
        return
    label = int(_integers(path, "label", file.get("label", np.array(UNKNOWN)), 0))
    yield Sample(path.stem, normalise(file["events"], str(path)), file.get("context"), label, size)


def _many(path: Path, file: NpzArrays, size: tuple[int, int] | None) -> Iterator[Sample]:
    events  = file["events"]
    offsets = _integers(path, "offsets", file["offsets"], 1)
    count   = len(offsets) - 1
    if count < 1:
        raise QCLIFError(f"{path}: {len(offsets)} offsets, at least 2 are needed: write one offset more than there are "
            f"recordings")
    labels = _integers(path, "labels", file.get("labels", np.full(count, UNKNOWN)), 1)
    check_division(offsets, labels, events, str(path))
    context = file.get("context")
    if context is not None:
        context = _integers(path, "context", context, 2)
        if context.shape[1] != 3:
            raise QCLIFError(f"{path}: context has {context.shape[1]} columns: beside offsets, rows (sample, step, "
                f"source) are needed")
        outside = context[(context[:, 0] < 0) | (context[:, 0] >= count), 0]
        if len(outside):
            raise QCLIFError(f"{path}: context names sample {outside[0]}, the limits are 0 to {count - 1}: correct "
                f"the rows")
    for i, (start, stop) in enumerate(pairwise(offsets.tolist())):
        name = f"{path.stem}[{i}]"
        rows = None if context is None else context[context[:, 0] == i, 1:]
        yield Sample(name, normalise(events[start:stop], f"{path}: recording {i}"), rows, int(labels[i]), size)


def _integers(path: Path, name: str, array: np.ndarray, rank: int) -> np.ndarray:
    if array.ndim != rank or array.dtype.kind not in "iu" or (name == "sensor_size" and len(array) < 2):
        raise QCLIFError(f"{path}: {name} is an array {list(array.shape)} of {array.dtype}: integers in {rank} "
            f"dimensions are needed")
    return array.astype(np.int64)
