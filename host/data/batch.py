# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Inputs of many recordings side by side, sparse: what a training kernel walks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
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
