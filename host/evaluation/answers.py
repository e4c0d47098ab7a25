# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The answers of a network, clip by clip, and the course that each of them took."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from host.events.spike_train import SpikeTrain


def running_classes(spikes: SpikeTrain, readout: np.ndarray) -> np.ndarray:
    """The class after each step, int64 [T]: the first maximum of the logits so far.

    Parameters
    ----------
    spikes : neurons that fired.
    readout : int32 [N, O].
    """
    # Weighted step by step, then summed up: exact in 64 bits.
    weighted = np.zeros((len(spikes), readout.shape[1]), np.int64)
    np.add.at(weighted, spikes.indices(), readout[spikes.sources])
    return weighted.cumsum(axis=0).argmax(axis=1)


def decision_steps(course: np.ndarray) -> int:
    """Steps until the decision is stable, 1 to T: the class [T] after that step never changes again."""
    changes = np.flatnonzero(course[1:] != course[:-1])
    return int(changes[-1]) + 2 if len(changes) else 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to clips: one a recording, or several a sequence of the context task.

    Parameters
    ----------
    labels : int64 [clips].
    courses : running_classes() of each clip, of at least one step; its last class is the answer.
    """
    labels:  np.ndarray
    courses: Sequence[np.ndarray]

    @classmethod
    def of(cls, spikes: Sequence[SpikeTrain], bounds: np.ndarray, labels: np.ndarray, readout: np.ndarray) -> "Answers":
        """The answers in the spikes of B samples, whose clips have bounds [B, K+1] and labels [B, K] as in a Batch."""
        courses = [running_classes(sample.slice(start, stop), readout)
            for sample, steps in zip(spikes, bounds.tolist(), strict=True)
            for start, stop in pairwise(steps)]
        return cls(labels.ravel(), courses)

    @property
    def predictions(self) -> np.ndarray:
        """The answers, int64 [clips]."""
        return np.array([course[-1] for course in self.courses])

    @property
    def latencies(self) -> np.ndarray:
        """decision_steps() of each clip, int64 [clips]."""
        return np.array([decision_steps(course) for course in self.courses])

    def accuracy_over_time(self) -> np.ndarray:
        """Accuracy if one had stopped after 1, 2 ... T steps, float64 [T]; a shorter clip keeps its answer."""
        right = np.zeros((len(self.courses), max(map(len, self.courses))), bool)
        for row, course, label in zip(right, self.courses, self.labels, strict=True):
            row[:len(course)] = course == label
            row[len(course):] = course[-1] == label
        return right.mean(axis=0)
