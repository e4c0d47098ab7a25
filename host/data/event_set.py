# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Many recordings as one array of events, with labels; and their division into folds and splits."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import EVENT, check_coordinates, check_division, normalise
from host.events.sample import UNKNOWN, Sample

# The parts of a data set: to train with, and to test with.
SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class EventSet:
    """Labelled recordings of one sensor.

    Parameters
    ----------
    events : array of dtype EVENT [n], one recording after another; may be a memory-mapped file.
    offsets : int64 [S+1], recording i is events[offsets[i]:offsets[i+1]].
    labels : int64 [S], class from 0 up, UNKNOWN (-1) where there is none.
    sensor_size : (W, H) in pixels.

    Raises
    ------
    QCLIFError : offsets that do not ascend from 0 to n, another number of labels than of recordings, or a label
        that is no class.
    """
    name:        str
    events:      np.ndarray
    offsets:     np.ndarray
    labels:      np.ndarray
    sensor_size: tuple[int, int]
    classes:     tuple[str, ...]

    def __post_init__(self) -> None:
        check_division(self.offsets, self.labels, self.events, self.name)
        for i in np.flatnonzero((self.labels < UNKNOWN) | (self.labels >= len(self.classes)))[:1]:
            raise _bad_label(f"{self.name}[{i}]", self.labels[i], self.classes)

    def subset(self, indices: np.ndarray) -> "EventSet":
        """The recordings of these numbers, in their order; a copy unless they follow each other here."""
        indices = check_numbers(indices, len(self), self.name)
        offsets = np.concatenate([[0], np.cumsum(np.diff(self.offsets)[indices])])
        if len(indices) and (np.diff(indices) == 1).all():
            events = self.events[self.offsets[indices[0]]:self.offsets[indices[-1] + 1]]
        else:
            events = np.concatenate([self.events[:0], *(self._events(i) for i in indices)])
        return EventSet(self.name, events, offsets, self.labels[indices], self.sensor_size, self.classes)

    def beginnings(self, share: float) -> "EventSet":
        """The first `share` (above 0, up to 1) of the duration of each recording; a copy."""
        parts = []
        for i in range(len(self)):
            t = self._events(i)["t"]
            parts.append(self._events(i)[:np.searchsorted(t, t[0] + share*(t[-1] - t[0]), side="right")])
        offsets = np.cumsum([0, *map(len, parts)])
        return EventSet(self.name, np.concatenate(parts), offsets, self.labels, self.sensor_size, self.classes)

    def sample(self, i: int) -> Sample:
        """Recording i (0 to S-1); its events are a view."""
        check_numbers([i], len(self), self.name)
        return Sample(f"{self.name}[{i}]", self._events(i), label=int(self.labels[i]), sensor_size=self.sensor_size)

    def samples(self) -> Iterator[Sample]:
        """All recordings, in order."""
        return map(self.sample, range(len(self)))

    @cached_property
    def identity(self) -> str:
        """Hash (hex) of all that the set holds, its name aside: equal recordings have equal identities."""
        content = hashlib.sha256(repr((self.sensor_size, self.classes)).encode())
        for array, dtype in ((self.offsets, np.int64), (self.labels, np.int64), (self.events, EVENT)):
            content.update(np.ascontiguousarray(array, dtype).data.cast("B"))
        return content.hexdigest()

    def _events(self, i: int) -> np.ndarray:
        return self.events[self.offsets[i]:self.offsets[i + 1]]

    def __len__(self) -> int:
        return len(self.labels)


def checked(name: str, samples: Iterable[Sample], classes: Sequence[str]) -> Iterator[Sample]:
    """The recordings, as they can stand in one set: events of dtype EVENT inside of one sensor, labels of classes.

    Raises
    ------
    QCLIFError : a recording is empty or damaged, has events outside of its sensor, no sensor size or another than
        the first one, a label that is no class, or a context of its own; or there is no recording.
    """
    first = None
    for sample in samples:
        first = first or sample
        if sample.sensor_size is None:
            raise QCLIFError(f"{sample.name}: the sensor's size is not known, a set of recordings needs it: save it "
                f"as .npz with sensor_size (width, height) beside the events")
        if sample.sensor_size != first.sensor_size:
            raise QCLIFError("{}: recorded with {}x{} pixels, {} with {}x{}: make one set a sensor".format(sample.name,
                *sample.sensor_size, first.name, *first.sensor_size))
        if not UNKNOWN <= sample.label < len(classes):
            raise _bad_label(sample.name, sample.label, classes)
        if sample.context is not None:
            raise QCLIFError(f"{sample.name}: it has a context of its own ({len(sample.context)} rows), a set of "
                f"events keeps none: encode it with Sample.encoded() and use Batch.from_steps()")
        if sample.events.dtype != EVENT or not len(sample.events):
            sample = Sample(sample.name, normalise(sample.events, sample.name), None, sample.label, sample.sensor_size)
        check_coordinates(sample.events, sample.sensor_size, sample.name)
        yield sample
    if first is None:
        raise QCLIFError(f"{name}: no recordings, at least 1 is needed: give others")


def _bad_label(what: str, label: int, classes: Sequence[str]) -> QCLIFError:
    return QCLIFError(f"{what}: label {label}, the limits are {UNKNOWN} (unknown) to {len(classes) - 1}: correct the "
        f"label, or name all classes")


def check_numbers(indices: np.ndarray, count: int, what: str) -> np.ndarray:
    """Numbers of recordings as int64 [n]; raises QCLIFError where one is not among 0 to count - 1."""
    indices = np.asarray(indices)
    if indices.ndim != 1 or (len(indices) and indices.dtype.kind not in "iu"):
        raise QCLIFError(f"{what}: indices are an array {list(indices.shape)} of {indices.dtype}: integers in one "
            f"dimension are needed (numpy.flatnonzero makes them of booleans)")
    # An index below 0 would count from the end at one array, and not at another.
    for index in indices[(indices < 0) | (indices >= count)][:1]:
        raise QCLIFError(f"{what}: index {index}, the limits are 0 to {count - 1}: choose another")
    return indices.astype(np.int64)


def folds(labels: np.ndarray, k: int, seed: int) -> list[np.ndarray]:
    """k disjoint parts that together are all: each class is spread evenly over them.

    Parameters
    ----------
    labels : integers [S]; equal ones are a class.
    k : number of parts, 2 to S.
    seed : equal arguments give equal parts.

    Returns
    -------
    list of int64 arrays : numbers of the recordings of each part, ascending; sizes differ by one at most, and so
        do those of a class.
    """
    if not 2 <= k <= len(labels):
        raise QCLIFError(f"{k} folds, the limits are 2 to the number of recordings, {len(labels)}: choose another")
    order = _by_class(labels, seed)
    return [np.sort(order[start::k]) for start in range(k)]


def split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Recordings to train with, and those held out: disjoint, together all, each class in both by its share.

    Parameters
    ----------
    labels : integers [S]; equal ones are a class.
    fraction : share of the recordings that is held out, above 0 and below 1; at least one is, and one is not.
    seed : equal arguments give equal parts.

    Returns
    -------
    (train, held_out) : int64 arrays of numbers of recordings, ascending.
    """
    if not 0 < fraction < 1:
        raise QCLIFError(f"fraction {fraction} held out, the limits are above 0 and below 1: choose another")
    if len(labels) < 2:
        raise QCLIFError(f"{len(labels)} recordings to hold some out of, at least 2 are needed: give more")
    count = min(max(round(fraction*len(labels)), 1), len(labels) - 1)
    order = _by_class(labels, seed)
    # Evenly spaced places in the order of classes.
    held  = np.zeros(len(labels), bool)
    held[order[(2*np.arange(count) + 1)*len(labels)//(2*count)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _by_class(labels: np.ndarray, seed: int) -> np.ndarray:
    """Numbers of the recordings class by class, each class shuffled."""
    if seed < 0:
        raise QCLIFError(f"seed {seed}, at least 0 is needed: choose another")
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    return shuffled[np.argsort(np.asarray(labels)[shuffled], kind="stable")]
