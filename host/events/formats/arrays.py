# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings in numpy files: .npz with one or many, .npy with one."""

import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.npz import NpzArrays
from host.events.event_array import check_division
from host.events.formats.columns import column_names, events_of_names, events_of_order
from host.events.formats.found import Found, unpacked_max
from host.events.reading import Reading
from host.events.sample import UNKNOWN


def read_npy(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an .npy file: a structured array of x, y, p and t, or four columns in a known order."""
    try:
        # Mapped, a header that claims more than there is takes no memory.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    # numpy parses the header as Python: what goes wrong there has many names.
    except Exception as error:
        raise QCLIFError(f"{path}: not a readable .npy file ({' '.join(str(error).split())[:200]}): write it again "
            f"with numpy.save") from error
    yield Found(array_events(array, str(path), reading))


def array_events(array: np.ndarray, what: str, reading: Reading) -> np.ndarray:
    """Events of one array: structured [n], or [n, 4]."""
    if array.dtype.names is not None and array.ndim == 1:
        try:
            names = column_names(array.dtype.names)
        except QCLIFError as error:
            raise QCLIFError(f"{what}: {error}") from error
        columns = {name: np.asarray(array[name]) for name in array.dtype.names if name in [each[0] for each in
            names.values()]}
        return events_of_names(columns or dict.fromkeys(array.dtype.names, array), names, what, reading.time_unit)
    if array.dtype.names is None and array.ndim == 2 and array.shape[1] == 4 and array.dtype.kind in "iuf":
        return events_of_order([np.asarray(column) for column in array.T], what, reading.time_unit)
    raise QCLIFError(f"{what}: array {list(array.shape)} of {array.dtype}: a one-dimensional structured array with the "
        f"fields x, y, p and t is needed")


def read_npz(path: Path, reading: Reading) -> Iterator[Found]:
    """The recordings of an .npz file, in order.

    One: `events`, or arrays x, y, p and t; optional `label`, `context` rows (step, source), `sensor_size`. Many:
    `events` one recording after another, `offsets` (recording i is events[offsets[i]:offsets[i + 1]]), optional
    `labels`, `context` rows (sample, step, source), `sensor_size`.
    """
    limits = dict.fromkeys(NpzArrays(path, "recording"), unpacked_max(path.stat().st_size))
    file   = NpzArrays(path, "recording", limits)
    size   = _sensor_size(path, file)
    if "offsets" in file:
        yield from _many(path, file, size, reading)
        return
    label = int(_integers(path, "label", file.get("label", np.array(UNKNOWN)), 0))
    yield Found(_events(path, file, reading), size, label=label, context=file.get("context"))


def _events(path: Path, file: NpzArrays, reading: Reading) -> np.ndarray:
    if "events" in file:
        return array_events(file["events"], str(path), reading)
    try:
        names = column_names(file)
    except QCLIFError as error:
        raise QCLIFError(f"{path}: {error}") from error
    if len(names) < 4:
        raise QCLIFError(f"{path}: array events is missing, there are {', '.join(file) or 'none'}: a recording "
            f"has a structured array events (x, y, p, t), or arrays x, y, p and t")
    columns = {name: file[name] for name, _ in names.values()}
    return events_of_names(columns, names, str(path), reading.time_unit)


def _sensor_size(path: Path, file: NpzArrays) -> tuple[int, int] | None:
    if "sensor_size" in file:
        return tuple(_integers(path, "sensor_size", file["sensor_size"], 1)[:2].tolist())
    if "width" in file and "height" in file:
        return tuple(int(_integers(path, name, file[name], 0)) for name in ("width", "height"))
    return None


def _many(path: Path, file: NpzArrays, size: tuple[int, int] | None, reading: Reading) -> Iterator[Found]:
    offsets = _integers(path, "offsets", file["offsets"], 1)
    count   = len(offsets) - 1
    if count < 1:
        raise QCLIFError(f"{path}: {len(offsets)} offsets, at least 2 are needed: write one offset more than there are "
            f"recordings")
    if "events" not in file:
        raise QCLIFError(f"{path}: array events is missing, there are {', '.join(file)}: beside offsets, a structured "
            f"array events (x, y, p, t) is needed")
    events = file["events"]
    labels = _integers(path, "labels", file.get("labels", np.full(count, UNKNOWN)), 1)
    check_division(offsets, labels, np.atleast_1d(events), str(path))
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
        rows = None if context is None else context[context[:, 0] == i, 1:]
        part = array_events(events[start:stop], f"{path}: recording {i}", reading)
        yield Found(part, size, f"[{i}]", int(labels[i]), rows)


def _integers(path: Path, name: str, array: np.ndarray, rank: int) -> np.ndarray:
    if array.ndim != rank or array.dtype.kind not in "iu" or (name == "sensor_size" and len(array) < 2):
        raise QCLIFError(f"{path}: {name} is an array {list(array.shape)} of {array.dtype}: integers in {rank} "
            f"dimensions are needed")
    return array.astype(np.int64)
