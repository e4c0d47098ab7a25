# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sets of recordings: what they hold, what they refuse, and how they are divided."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.data.batch import encode
from host.data.event_set import folds, split
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample
from tests.helpers.recordings import event_set

ROWS = [[(1, 2, 1, 5), (3, 0, 0, 9)], [(0, 0, 0, 7)], [(2, 2, 1, 1), (2, 2, 1, 1), (0, 1, 0, 4)], [(3, 3, 0, 0)]]


def sample(rows, label=0, size=(4, 4), name="take", **fields):
    return Sample(name, np.array(rows, EVENT), label=label, sensor_size=size, **fields)


def example(labels=(2, 0, -1, 1)):
    return event_set("takes", map(sample, ROWS, labels), ("a", "b", "c"))


def rows_of(eventset):
    return [each.events.tolist() for each in eventset.samples()]


labels_lists = st.lists(st.integers(-1, 4), min_size=2, max_size=60).map(np.array)


# Content ------------------------------------------------------------------------------------------

def test_recordings_come_back():
    eventset = example()
    assert len(eventset) == 4 and rows_of(eventset) == ROWS
    assert eventset.offsets.tolist() == [0, 2, 3, 6, 7] and eventset.labels.tolist() == [2, 0, -1, 1]
    assert (eventset.sensor_size, eventset.classes) == ((4, 4), ("a", "b", "c"))
    third = eventset.sample(2)
    assert (third.name, third.label, third.sensor_size) == ("takes[2]", -1, (4, 4))


@pytest.mark.parametrize("indices", [[], [3], [0, 1, 2, 3], [1, 2], [2, 0], [1, 1], [3, 2, 1]])
def test_subset(indices):
    part = example().subset(np.array(indices, int))
    assert rows_of(part) == [ROWS[i] for i in indices]
    assert part.labels.tolist() == [(2, 0, -1, 1)[i] for i in indices]
    assert part.offsets[0] == 0 and part.offsets[-1] == len(part.events)


def test_identity_is_the_content():
    one = example()
    assert one.identity == dataclasses.replace(example(), name="others").identity
    assert one.identity == one.subset(np.arange(4)).identity and len(one.identity) == 64
    events = one.events.copy()
    events["t"][3] += 1
    others = [example((2, 0, 0, 1)), one.subset(np.array([1, 0, 2, 3])), dataclasses.replace(one, events=events),
        dataclasses.replace(one, offsets=np.array([0, 1, 3, 6, 7])), dataclasses.replace(one, sensor_size=(5, 4)),
        dataclasses.replace(one, classes=("a", "b", "d"))]
    assert len({each.identity for each in [one, *others]}) == 7


def test_other_types_of_fields_are_taken():
    events = np.array(ROWS[0], [("x", "<i2"), ("y", "<i2"), ("p", "?"), ("t", "<i8")])
    eventset = event_set("takes", [Sample("a", events, sensor_size=(4, 4))], ())
    assert eventset.events.dtype == EVENT and rows_of(eventset) == ROWS[:1]


@pytest.mark.parametrize("second, text", [
    (sample(ROWS[1], size=(5, 4)), "take: recorded with 5x4 pixels, first with 4x4: make one set a sensor"),
    (sample(ROWS[1], size=None), "take: the sensor's size is not known"),
    (sample(ROWS[1], 3), "take: label 3, the limits are -1 (unknown) to 2: correct the label, or name all classes"),
    (sample(ROWS[1], -2), "take: label -2, the limits are -1"),
    (sample([]), "take: the recording is empty"),
    (sample([(0, 4, 0, 0)]), "take: y of event 0 is 4, the limits are 0 to 3"),
    (sample(ROWS[1], context=np.array([[0, 1]])), "take: it has a context of its own (1 rows)"),
])
def test_what_a_set_refuses(second, text):
    with pytest.raises(QCLIFError) as error:
        event_set("takes", [sample(ROWS[0], name="first"), second], ("a", "b", "c"))
    assert text in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("values, text", [
    ({"offsets": np.array([0, 2, 3, 6, 8])}, "takes: offsets must ascend from 0 to the number of events, 7"),
    ({"offsets": np.array([1, 2, 3, 6, 7])}, "offsets must ascend"),
    ({"offsets": np.array([0, 3, 2, 6, 7])}, "offsets must ascend"),
    ({"labels": np.array([0, 3, 0, 0])}, r"takes\[1\]: label 3, the limits are -1 .unknown. to 2"),
    ({"labels": np.zeros(3, int)}, "takes: 3 labels for 4 recordings"),
])
def test_fields_that_do_not_match(values, text):
    with pytest.raises(QCLIFError, match=text):
        dataclasses.replace(example(), **values)


@pytest.mark.parametrize("indices, text", [
    ([0, 4], "index 4, the limits are 0 to 3"), ([-1], "index -1, the limits are 0 to 3"),
    ([True, False, True, True], r"indices are an array \[4\] of bool"), ([1.0], "of float64"),
    ([[0]], r"indices are an array \[1, 1\]")])
def test_bad_indices(indices, text):
    encoder = Encoder((4, 4), (4, 4))
    for take in (example().subset, lambda numbers: encode(example(), numbers, encoder)):
        with pytest.raises(QCLIFError, match=text):
            take(indices)


def test_set_of_nothing():
    with pytest.raises(QCLIFError, match="takes: no recordings, at least 1 is needed"):
        event_set("takes", [], ("a",))


# Division -----------------------------------------------------------------------------------------

def counts(labels):
    return np.array([(labels == label).sum() for label in range(-1, 5)])


@given(labels_lists, st.data())
def test_folds_are_disjoint_complete_and_even(labels, data):
    k     = data.draw(st.integers(2, len(labels)))
    parts = folds(labels, k, 3)
    assert len(parts) == k and sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for values in ([len(part) for part in parts], *np.transpose([counts(labels[part]) for part in parts])):
        assert max(values) - min(values) <= 1
    assert all((np.diff(part) > 0).all() for part in parts)


@given(labels_lists, st.floats(0.001, 0.999))
def test_split_is_disjoint_complete_and_by_class(labels, fraction):
    train, held = split(labels, fraction, 3)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(len(labels)))
    assert len(train) >= 1 and len(held) >= 1 and abs(len(held) - fraction*len(labels)) <= 1
    share = counts(labels)*len(held)/len(labels)
    assert (abs(counts(labels[held]) - share) < 1).all()


def test_seeds_decide():
    labels = np.arange(60) % 3
    for divide in (lambda seed: folds(labels, 4, seed)[0], lambda seed: split(labels, 0.3, seed)[1]):
        assert divide(1).tolist() == divide(1).tolist() != divide(2).tolist()


@pytest.mark.parametrize("divide, text", [
    (lambda: folds(np.zeros(3), 1, 0), "1 folds, the limits are 2 to the number of recordings, 3"),
    (lambda: folds(np.zeros(3), 4, 0), "4 folds"),
    (lambda: split(np.zeros(3), 0, 0), "fraction 0 held out, the limits are above 0 and below 1"),
    (lambda: split(np.zeros(3), 1, 0), "fraction 1"),
    (lambda: split(np.zeros(3), float("nan"), 0), "fraction nan"),
    (lambda: split(np.zeros(3), 0.5, -1), "seed -1, at least 0 is needed"),
    (lambda: split(np.zeros(1), 0.5, 0), "1 recordings to hold some out of, at least 2 are needed"),
])
def test_impossible_divisions(divide, text):
    with pytest.raises(QCLIFError, match=text):
        divide()
