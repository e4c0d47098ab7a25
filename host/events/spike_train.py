# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Spikes of a recording by time step, sparse: what goes into a network and what comes out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """Sparse spikes, step by step.

    Parameters
    ----------
    offsets : int64 [T+1], step t is sources[offsets[t]:offsets[t+1]].
    sources : int32 [n], ascending inside a step. As input of a network: sensory source j is j, context k is
        I + k, and a source that comes c times has the count c. As output: neurons, each at most once.

    Examples
    --------
    >>> train = SpikeTrain.from_lists([[3, 1], [], [1]])
    >>> len(train), train.step(0).tolist(), train.dense(4).tolist()
    (3, [1, 3], [[0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
    """
    offsets: np.ndarray
    sources: np.ndarray

    @classmethod
    def from_lists(cls, steps: Iterable[Sequence[int]]) -> "SpikeTrain":
        """Make a spike train of one sequence of sources a step, in any order."""
        parts = [np.sort(np.asarray(step, np.int32)) for step in steps]
        offsets = np.cumsum([0] + [len(part) for part in parts])
        sources = np.concatenate(parts) if parts else []
        return cls(offsets.astype(np.int64), np.asarray(sources, np.int32))

    @classmethod
    def from_pairs(cls, steps: np.ndarray, sources: np.ndarray, length: int) -> "SpikeTrain":
        """Make one of the step [n] (0 to length - 1) and the source [n] of each spike, in any order."""
        order   = np.lexsort((sources, steps))
        offsets = np.zeros(length + 1, np.int64)
        np.cumsum(np.bincount(steps, minlength=length), out=offsets[1:])
        return cls(offsets, np.asarray(sources, np.int32)[order])

    @classmethod
    def from_dense(cls, counts: np.ndarray) -> "SpikeTrain":
        """Make one of counts [T, sources] (booleans or integers from 0 up)."""
        counts = np.asarray(counts)
        steps, sources = np.nonzero(counts)
        repeats = counts[steps, sources].astype(np.int64)
        return cls.from_pairs(np.repeat(steps, repeats), np.repeat(sources, repeats), len(counts))

    def dense(self, size: int) -> np.ndarray:
        """Counts int32 [T, size]."""
        keys = self.indices().astype(np.int64)*size + self.sources
        return np.bincount(keys, minlength=len(self)*size).astype(np.int32).reshape(len(self), size)

    def indices(self) -> np.ndarray:
        """Step of each spike, int32 [n]."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))

    def step(self, t: int) -> np.ndarray:
        """View of the sources of step t (0 to T-1)."""
        return self.sources[self.offsets[t]:self.offsets[t + 1]]

    def slice(self, start: int, stop: int) -> "SpikeTrain":
        """Steps start to stop - 1, cut at the last one."""
        stop    = min(stop, len(self))
        offsets = self.offsets[start:stop + 1]
        return SpikeTrain(offsets - offsets[0], self.sources[offsets[0]:offsets[-1]])

    def difference(self, other: "SpikeTrain") -> np.ndarray:
        """Spikes that two trains do not have equally often.

        Returns
        -------
        int64 [n, 4], ascending: step, source, and how often this train has the spike and how often the other does.
        """
        size  = 1 + max(int(each.sources.max(initial=0)) for each in (self, other))
        keys  = [each.indices().astype(np.int64)*size + each.sources for each in (self, other)]
        place, spike = np.unique(np.concatenate(keys), return_inverse=True)
        times = [np.bincount(each, minlength=len(place)) for each in np.split(spike, [len(keys[0])])]
        table = np.stack([*np.divmod(place, size), *times], axis=1)
        return table[times[0] != times[1]]

    @property
    def peak(self) -> int:
        """Most spikes of a step; 0 where there is none."""
        return int(np.diff(self.offsets).max(initial=0))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpikeTrain) and (np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.sources, other.sources))

    __hash__ = None
