# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Inputs of many recordings side by side, sparse, as a training kernel walks them; with random changes or without."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numba import njit

from accel.errors import QCLIFError
from host.data.augment import NONE, Augmentation, draw_changes, mirrored_labels
from host.data.event_set import EventSet, check_numbers
from host.events.encoder import STEPS_MAX, Encoder
from host.events.spike_train import SpikeTrain


@dataclass(frozen=True, eq=False)
class Batch:
    """Steps of B samples, padded to T steps each, of K clips each (1 for plain classification).

    Parameters
    ----------
    offsets : int64 [B*T+1], row b*T + t (step t of sample b) is sources[offsets[row]:offsets[row+1]].
    sources : int32 [n], ascending inside a row: sensory source j is j, context k is I + k; one that comes c times
        has the count c.
    bounds : int32 [B, K+1], clip k of sample b is its steps bounds[b,k] to bounds[b,k+1]-1. bounds[b,0] is 0 and
        bounds[b,K] the sample's length, up to T; steps from there to T are padding without sources.
    labels : int64 [B, K], class of each clip, -1 where unknown.
    """
    offsets: np.ndarray
    sources: np.ndarray
    bounds:  np.ndarray
    labels:  np.ndarray

    @classmethod
    def from_counts(cls, counts: np.ndarray, sources: np.ndarray, bounds: np.ndarray, labels: np.ndarray) -> "Batch":
        """Make a batch of the number of sources in each step [B, T], and the sources in order of sample, then step."""
        offsets = np.zeros(counts.size + 1, np.int64)
        np.cumsum(counts.ravel(), out=offsets[1:])
        return cls(offsets, sources, bounds, labels)

    @classmethod
    def from_steps(cls, steps: Sequence[SpikeTrain], labels: np.ndarray) -> "Batch":
        """Make a batch of one spike train and one label [B] a sample, each of its own length."""
        lengths = np.array([len(each) for each in steps], np.int32)
        counts  = np.zeros((len(steps), int(lengths.max(initial=0))), np.int64)
        for row, each in zip(counts, steps, strict=True):
            row[:len(each)] = np.diff(each.offsets)
        sources = np.concatenate([np.zeros(0, np.int32), *(each.sources for each in steps)])
        bounds  = np.stack([np.zeros_like(lengths), lengths], axis=1)
        return cls.from_counts(counts, sources, bounds, np.asarray(labels, np.int64)[:, None])

    @property
    def size(self) -> int:
        """Samples B."""
        return len(self.bounds)

    @property
    def length(self) -> int:
        """Steps T of each sample, padding included."""
        return (len(self.offsets) - 1)//self.size if self.size else 0

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each sample without padding, int32 [B]."""
        return self.bounds[:, -1]

    def to_steps(self) -> list[SpikeTrain]:
        """One spike train a sample, each of the sample's own length; sources are views."""
        rows = SpikeTrain(self.offsets, self.sources)
        return [rows.slice(sample*self.length, sample*self.length + length)
            for sample, length in enumerate(self.lengths.tolist())]

    def dense(self, sources: int) -> np.ndarray:
        """Counts int32 [T, B, sources]; raises QCLIFError where a source is not below that number."""
        if self.sources.max(initial=-1) >= sources:
            raise QCLIFError(f"batch: source {self.sources.max()}, the limits are 0 to {sources - 1}: ask for more "
                f"sources")
        counts = SpikeTrain(self.offsets, self.sources).dense(sources)
        return np.ascontiguousarray(counts.reshape(self.size, self.length, sources).swapaxes(0, 1))

# Encoder ------------------------------------------------------------------------------------------

# Steps of a batch, padding included: 1 GiB of counts and 2 GiB of offsets.
ROWS_MAX = 2**28


def encode(eventset: EventSet, indices: np.ndarray, encoder: Encoder, augmentation: Augmentation | None = None,
        rng: np.random.Generator | None = None, max_steps: int | None = None) -> Batch:
    """Inputs of a network for many recordings; without augmentation exactly those of Encoder.encode().

    Parameters
    ----------
    indices : numbers of the B recordings.
    rng : source of the changes; equal states give equal batches. Needed with an augmentation.
    max_steps : steps from there on are cut; None keeps all.

    Returns
    -------
    Batch : one clip a recording. Steps count from the recording's first event, dropped or not, to its last one that
        is left; a recording without any left has one step without sources.

    Raises
    ------
    QCLIFError : a recording that Encoder.encode() would refuse, another sensor than the encoder's, max_steps below 1.
    """
    change  = NONE if augmentation is None else augmentation
    indices = check_numbers(indices, len(eventset), eventset.name)
    if change != NONE and rng is None:
        raise QCLIFError("augmentation: no source of random numbers: give rng, a numpy.random.Generator")
    if eventset.sensor_size != encoder.sensor_size:
        raise QCLIFError("{}: recorded with {}x{} pixels, the encoder is for {}x{}: take an encoder for this "
            "sensor".format(eventset.name, *eventset.sensor_size, *encoder.sensor_size))
    if max_steps is not None and max_steps < 1:
        raise QCLIFError(f"max_steps is {max_steps}, at least 1 is needed: give more, or None for no limit")
    starts, stops = eventset.offsets[indices], eventset.offsets[indices + 1]
    for i in indices[starts == stops][:1]:
        _refuse(eventset, i, encoder)

    # One layout and one protection for all sets: one compilation of the kernel.
    events = np.asarray(eventset.events).view()
    events.flags.writeable = False
    spans  = events["t"][stops - 1] - events["t"][starts]
    for i in indices[(spans < 0) | (spans//encoder.bin_us >= STEPS_MAX)][:1]:
        _refuse(eventset, i, encoder)
    drawn = draw_changes(change, len(indices), int((stops - starts).sum()), rng)
    spans = (spans*drawn.scales).astype(np.int64) if change.stretch else spans

    most   = STEPS_MAX if max_steps is None else max_steps
    length = int(min((spans//encoder.bin_us).max(initial=-1) + 1, most))
    if len(indices)*length > ROWS_MAX:
        raise QCLIFError(f"{eventset.name}: {len(indices)} recordings of up to {length} steps are more than "
            f"{ROWS_MAX} steps in one batch: cut them with max_steps, or encode fewer at once")
    (width, height), (grid_width, grid_height) = encoder.sensor_size, encoder.grid
    # Across a single row of units nothing can move: all would leave it.
    drawn.shifts[:, [width == 1, height == 1]] = 0
    columns = (np.arange(width)*grid_width//width*encoder.polarities).astype(np.int32)
    rows    = (np.arange(height)*grid_height//height*grid_width*encoder.polarities).astype(np.int32)
    counts  = np.zeros((len(indices), length), np.int32)
    lengths = np.empty(len(indices), np.int64)
    sources = np.empty(int((stops - starts).sum())//encoder.count_threshold, np.int32)
    used, bad = _encode(events["x"], events["y"], events["p"], events["t"], starts, stops, spans, *drawn, columns,
        rows, encoder.inputs, encoder.polarities, encoder.bin_us, encoder.count_threshold, most, counts, sources,
        lengths)
    if bad >= 0:
        _refuse(eventset, indices[bad], encoder)
    bounds = np.stack([np.zeros_like(lengths), lengths], axis=1).astype(np.int32)
    return Batch.from_counts(counts[:, :lengths.max(initial=0)], sources[:used].copy(), bounds,
        mirrored_labels(eventset, indices, drawn.flips, change)[:, None])


def _refuse(eventset: EventSet, i: int, encoder: Encoder) -> NoReturn:
    """Raise what Encoder.encode() finds wrong with recording i."""
    encoder.encode(eventset.sample(i).events, what=f"{eventset.name}[{i}]")
    raise AssertionError(f"{eventset.name}[{i}] is in order")


@njit(cache=True)
def _encode(x, y, p, t, starts, stops, spans, scales, shifts, turns, flips, dropped, jitter, columns, rows, inputs,
        polarities, bin_us, threshold, most, counts, sources, lengths):
    """Fill counts [B, T], sources [used] and lengths [B]; returns (used, first bad recording of the batch or -1)."""
    width, height = len(columns), len(rows)
    longest = 0
    for b in range(len(starts)):
        longest = max(longest, stops[b] - starts[b])
    source = np.empty(longest, np.int32)                   # of each event that counts
    step   = np.empty(longest, np.int32)
    bucket = np.empty(longest, np.int32)                   # the sources, ordered by step
    ends   = np.empty(counts.shape[1] + 1, np.int64)       # of each step's part of the bucket
    tally  = np.zeros(inputs, np.int32)
    used, event = 0, 0
    for b in range(len(starts)):
        start, first, before = starts[b], t[starts[b]], t[starts[b]]
        length = min(spans[b]//bin_us + 1, most)
        ends[:length + 1] = 0
        kept, last = 0, 0
        for i in range(start, stops[b]):
            time, px, py, sign = t[i], np.int64(x[i]), np.int64(y[i]), np.int64(p[i])
            if time < before or px < 0 or px >= width or py < 0 or py >= height or sign < 0 or sign > 1:
                return used, b
            before = time
            number = event + i - start
            if len(dropped) and dropped[number]:
                continue
            if flips[b]:
                px = width - 1 - px
            if len(turns):
                dx, dy = px - (width - 1)/2, py - (height - 1)/2
                px = np.int64(np.rint((width - 1)/2 + turns[b, 0]*dx - turns[b, 1]*dy))
                py = np.int64(np.rint((height - 1)/2 + turns[b, 1]*dx + turns[b, 0]*dy))
            px += shifts[b, 0]
            py += shifts[b, 1]
            if px < 0 or px >= width or py < 0 or py >= height:
                continue
            elapsed = time - first
            if scales[b] != 1:
                elapsed = np.int64(elapsed*scales[b])
            if len(jitter):
                elapsed += np.int64(np.rint(jitter[number]))
            at   = min(max(elapsed, 0), spans[b])//bin_us
            last = max(last, at)
            if at < length:
                source[kept] = columns[px] + rows[py] + (sign if polarities == 2 else 0)
                step[kept]   = at
                ends[at + 1] += 1
                kept += 1
        event += stops[b] - start
        lengths[b] = min(last + 1, length)
        for at in range(length):
            ends[at + 1] += ends[at]
        # Filling moves the end of the step before to the end of its own part.
        for i in range(kept):
            bucket[ends[step[i]]] = source[i]
            ends[step[i]] += 1
        begin = 0
        for at in range(lengths[b]):
            row = used
            for i in range(begin, ends[at]):
                tally[bucket[i]] += 1
                if tally[bucket[i]] == threshold:
                    sources[used] = bucket[i]
                    used += 1
            for i in range(begin, ends[at]):
                tally[bucket[i]] = 0
            sources[row:used].sort()
            counts[b, at] = used - row
            begin = ends[at]
    return used, -1
