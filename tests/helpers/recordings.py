# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sets and batches of recordings that tests make up."""

import dataclasses

import numpy as np

from host.data.batch import Batch
from host.data.event_set import EventSet, checked
from host.events.spike_train import SpikeTrain


def event_set(name, samples, classes):
    """A set of recordings, in their order, checked as those of files are."""
    chosen  = list(checked(name, samples, classes))
    offsets = np.cumsum([0, *(len(sample.events) for sample in chosen)])
    labels  = np.array([sample.label for sample in chosen], np.int64)
    return EventSet(name, np.concatenate([sample.events for sample in chosen]), offsets.astype(np.int64), labels,
        chosen[0].sensor_size, tuple(classes))


def clips_batch(steps, labels, bounds):
    """A batch of one spike train a sample, of K clips each: labels [B, K], bounds [B, K+1]."""
    batch = Batch.from_steps(steps, np.zeros(len(steps)))
    return dataclasses.replace(batch, labels=np.asarray(labels, np.int64), bounds=np.asarray(bounds, np.int32))


def joined(trains):
    """Spike trains one after another."""
    return SpikeTrain.from_lists(train.step(t) for train in trains for t in range(len(train)))
