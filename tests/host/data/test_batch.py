# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Batches: every form of the same inputs agrees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.data.batch import Batch
from host.events.spike_train import SpikeTrain
from tests.helpers.recordings import clips_batch

SOURCES = 5

step_lists = st.lists(st.lists(st.lists(st.integers(0, SOURCES - 1), max_size=4), max_size=6), min_size=1, max_size=5)


def steps_of(lists):
    return [SpikeTrain.from_lists(each) for each in lists]


@given(step_lists)
def test_forms_agree(lists):
    steps = steps_of(lists)
    batch = Batch.from_steps(steps, np.arange(len(steps)) - 1)
    assert (batch.size, batch.length, batch.labels.shape[1]) == (len(lists), max(map(len, lists)), 1)
    assert batch.to_steps() == steps and batch.lengths.tolist() == [len(each) for each in lists]
    assert [array.dtype for array in vars(batch).values()] == [np.int64, np.int32, np.int32, np.int64]
    assert len(batch.offsets) == batch.size*batch.length + 1
    assert batch.labels.tolist() == [[i - 1] for i in range(len(lists))]
    dense = batch.dense(SOURCES)
    assert dense.shape == (batch.length, batch.size, SOURCES) and dense.dtype == np.int32
    for b, each in enumerate(steps):
        np.testing.assert_array_equal(dense[:len(each), b], each.dense(SOURCES))
        assert not dense[len(each):, b].any()


def test_clips():
    steps = steps_of([[[0], [1, 1], []], [[2]]])
    batch = clips_batch(steps, [[4, 5], [6, -1]], [[0, 2, 3], [0, 1, 1]])
    assert batch.labels.shape[1] == 2 and batch.lengths.tolist() == [3, 1] and batch.to_steps() == steps


def test_empty_batch():
    batch = Batch.from_steps([], [])
    assert (batch.size, batch.length, batch.labels.shape[1]) == (0, 0, 1)
    assert batch.to_steps() == [] and batch.dense(3).shape == (0, 0, 3)


def test_dense_needs_all_sources():
    with pytest.raises(QCLIFError, match="source 3, the limits are 0 to 2"):
        Batch.from_steps(steps_of([[[3]], [[0]]]), [0, 0]).dense(3)
