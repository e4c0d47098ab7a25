# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Encoding of many recordings at once, against the encoder of one; and what augmentation does to them."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.data import synthetic
from host.data.augment import MIRRORED_GESTURES, Augmentation, draw_changes
from host.data.batch import encode
from host.data.event_set import EventSet
from host.datasets import statistics, tables
from host.events.encoder import ENCODERS, STEPS_MAX, Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from tests.helpers import naive_contract
from tests.helpers.recordings import event_set
from tests.host.events.test_encoder import as_lists, encoders, recordings

SIZE    = 16
ENCODER = Encoder((SIZE, SIZE), (SIZE, SIZE), 2, bin_us=100, count_threshold=1)
CLASSES = ("left", "right", "none")


def set_of(*recordings, size=(SIZE, SIZE), labels=None):
    """Event set of rows (x, y, p, t)."""
    events = [np.array([tuple(row) for row in rows], EVENT) for rows in recordings]
    labels = np.zeros(len(events), np.int64) if labels is None else np.array(labels)
    offsets = np.cumsum([0, *map(len, events)])
    return EventSet("takes", np.concatenate([np.zeros(0, EVENT), *events]), offsets, labels, size, CLASSES)


def encode_all(eventset, encoder=ENCODER, *args, **options):
    return encode(eventset, np.arange(len(eventset)), encoder, *args, **options)


def rng(seed=0):
    return np.random.default_rng(seed)


@st.composite
def sets(draw):
    encoder = draw(encoders())
    return set_of(*(draw(recordings(encoder)).tolist() for _ in range(draw(st.integers(1, 4)))),
        size=encoder.sensor_size), encoder


augmentations = st.builds(Augmentation, shift=st.integers(0, 3), rotate=st.sampled_from([0, 10, 180]),
    zoom=st.sampled_from([0, 0.2]), drop=st.sampled_from([0, 0.3, 1]),
    jitter_us=st.sampled_from([0, 0.5, 40]), stretch=st.sampled_from([0, 0.3, 0.99]), mirror=st.booleans(),
    mirror_labels=st.just((1, 0, 2)))


# Without augmentation -----------------------------------------------------------------------------

@settings(max_examples=200)
@given(sets(), st.data())
def test_encoding_equals_the_encoder(case, data):
    eventset, encoder = case
    indices   = data.draw(st.lists(st.integers(0, len(eventset) - 1), min_size=1, max_size=5))
    max_steps = data.draw(st.none() | st.integers(1, 30))
    batch     = encode(eventset, indices, encoder, max_steps=max_steps)
    wanted    = [encoder.encode(eventset.sample(i).events).slice(0, max_steps or STEPS_MAX) for i in indices]
    assert batch.to_steps() == wanted
    assert batch.length == max(map(len, wanted)) and batch.bounds[:, 0].tolist() == [0]*len(indices)
    assert [array.dtype for array in vars(batch).values()] == [np.int64, np.int32, np.int32, np.int64]


def test_labels_and_order():
    eventset = set_of([(1, 0, 0, 0)], [(2, 0, 0, 0)], [(3, 0, 0, 0)], labels=[2, -1, 0])
    batch    = encode(eventset, [2, 0, 1, 2], ENCODER)
    assert batch.labels.tolist() == [[0], [2], [-1], [0]] and batch.sources.tolist() == [6, 2, 4, 6]
    empty = encode(eventset, [], ENCODER)
    assert (empty.size, empty.length, empty.labels.shape) == (0, 0, (0, 1))


@pytest.mark.parametrize("rows, text", [
    ([], "takes[1]: the recording is empty"), ([(0, 0, 0, 5), (0, 0, 0, 4)], "takes[1]: times go back at event 1"),
    ([(16, 0, 0, 0)], "takes[1]: x of event 0 is 16, the limits are 0 to 15"),
    ([(0, 99, 0, 0)], "takes[1]: y of event 0 is 99"), ([(0, 0, 2, 0)], "takes[1]: p of event 0 is 2"),
    ([(0, 0, 0, 0), (0, 0, 0, 100*STEPS_MAX)], f"takes[1]: {100*STEPS_MAX} us are {STEPS_MAX + 1} steps"),
    ([(0, 0, 0, 0), (0, 0, 0, 2**62)], "takes[1]: "),
])
@pytest.mark.parametrize("augmentation", [None, Augmentation(shift=1, drop=1, jitter_us=1, stretch=0.5)])
def test_bad_recordings(rows, text, augmentation):
    with pytest.raises(QCLIFError) as error:
        encode_all(set_of([(0, 0, 0, 0)], rows), ENCODER, augmentation, rng())
    assert text in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("options, text", [
    ({"max_steps": 0}, "max_steps is 0, at least 1 is needed"),
    ({"encoder": Encoder()}, "takes: recorded with 16x16 pixels, the encoder is for 128x128"),
    ({"augmentation": Augmentation(drop=0.1)}, "no source of random numbers: give rng"),
    ({"augmentation": Augmentation(mirror=True, mirror_labels=(1, 0)), "rng": rng()},
        "mirror_labels names 2 classes, takes has 3"),
    ({"encoder": dataclasses.replace(ENCODER, bin_us=1), "indices": [0]*32}, "cut them with max_steps"),
])
def test_bad_arguments(options, text):
    eventset = set_of([(0, 0, 0, 0), (0, 0, 0, STEPS_MAX - 1)])
    with pytest.raises(QCLIFError, match=text):
        encode(eventset, **{"indices": [0], "encoder": ENCODER} | options)


def test_long_recordings_can_be_cut():
    eventset = set_of([(0, 0, 0, 0), (0, 0, 0, STEPS_MAX - 1)])
    batch    = encode(eventset, [0]*32, dataclasses.replace(ENCODER, bin_us=1), max_steps=3)
    assert as_lists(batch.to_steps()[31]) == [[0], [], []]


# Augmentation -------------------------------------------------------------------------------------

def changed(eventset, encoder, change, seed):
    """Fired sources, one event after another, as the text of Augmentation says it."""
    drawn  = draw_changes(change, len(eventset), len(eventset.events), rng(seed))
    result = []
    for b, sample in enumerate(eventset.samples()):
        (width, height), counts = eventset.sensor_size, {0: Counter()}
        span = int((sample.events["t"][-1] - sample.events["t"][0])*drawn.scales[b])
        for i, (x, y, p, t) in enumerate(sample.events.tolist(), eventset.offsets[b]):
            x = width - 1 - x if drawn.flips[b] else x
            if change.rotate or change.zoom:
                middle = (width - 1)/2 + (height - 1)/2*1j
                turned = complex(*drawn.turns[b])*(x + y*1j - middle)
                x, y   = (int(np.rint(part)) for part in (middle.real + turned.real, middle.imag + turned.imag))
            x, y = x + (width > 1)*drawn.shifts[b, 0], y + (height > 1)*drawn.shifts[b, 1]
            if (change.drop and drawn.dropped[i]) or not (0 <= x < width and 0 <= y < height):
                continue
            t = int((t - int(sample.events["t"][0]))*drawn.scales[b])
            t = min(max(t + (int(np.rint(drawn.jitter[i])) if change.jitter_us else 0), 0), span)
            cell   = (y*encoder.grid[1]//height)*encoder.grid[0] + x*encoder.grid[0]//width
            source = cell*encoder.polarities + (p if encoder.polarities == 2 else 0)
            counts.setdefault(t//encoder.bin_us, Counter())[source] += 1
        result.append([sorted(source for source, count in counts.get(step, {}).items()
            if count >= encoder.count_threshold) for step in range(max(counts) + 1)])
    return result


@settings(max_examples=200)
@given(sets(), augmentations, st.integers(0, 9), st.none() | st.integers(1, 30))
def test_augmentation_equals_reference(case, change, seed, max_steps):
    eventset, encoder = case
    batch  = encode_all(eventset, encoder, change, rng(seed), max_steps)
    wanted = [each[:max_steps] for each in changed(eventset, encoder, change, seed)]
    assert list(map(as_lists, batch.to_steps())) == wanted


def places(batch):
    """(x, y) of the source of each sample that has exactly one."""
    x_y = np.divmod(batch.sources//2, SIZE)
    return np.stack(x_y[::-1], axis=1)


def test_shift_is_uniform_and_of_the_whole_recording():
    eventset = set_of(*[[(7, 8, 1, 0), (9, 4, 0, 100)]]*2000)
    batch    = encode_all(eventset, ENCODER, Augmentation(shift=2), rng())
    x_y      = places(batch).reshape(2000, 2, 2)
    assert (x_y[:, 1] - x_y[:, 0] == [2, -4]).all()
    for axis, centre in ((0, 7), (1, 8)):
        counts = Counter((x_y[:, 0, axis] - centre).tolist())
        assert set(counts) == {-2, -1, 0, 1, 2} and all(300 < count < 500 for count in counts.values())


def test_events_that_leave_the_sensor_are_dropped():
    eventset = set_of(*[[(0, 0, 0, 0), (SIZE - 1, SIZE - 1, 0, 0)]]*300)
    batch    = encode_all(eventset, ENCODER, Augmentation(shift=1), rng())
    fired    = Counter(tuple(steps.sources.tolist()) for steps in batch.to_steps())
    assert fired.keys() == {tuple(2*(y*SIZE + x) for x, y in ((dx, dy), (SIZE - 1 + dx, SIZE - 1 + dy))
        if 0 <= x < SIZE and 0 <= y < SIZE) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}


@pytest.mark.parametrize("size", [(SIZE, 1), (1, SIZE)])
def test_a_single_row_moves_along_itself(size):
    """SHD's units, say: no recording moves across, where all of it would be gone."""
    axis     = size.index(SIZE)
    eventset = set_of(*[[(7*(axis == 0), 7*(axis == 1), 0, 0)]]*200, size=size)
    batch    = encode_all(eventset, Encoder(size, size, 1, 100, 1), Augmentation(shift=2), rng())
    assert len(batch.sources) == 200 and set(batch.sources.tolist()) == {5, 6, 7, 8, 9}


def test_drop():
    eventset = set_of([(i % SIZE, i//SIZE % SIZE, 0, 100*i) for i in range(20_000)])
    batch    = encode_all(eventset, ENCODER, Augmentation(drop=0.3), rng())
    assert abs(len(batch.sources)/20_000 - 0.7) < 0.02
    nothing = encode_all(set_of(*[[(0, 0, 0, 0), (0, 0, 0, 900)]]*2), ENCODER, Augmentation(drop=1), rng())
    assert list(map(as_lists, nothing.to_steps())) == [[[]], [[]]]


def test_jitter():
    # One event at 5000 us between two that mark the ends; steps of 1 us give its time.
    eventset = set_of(*[[(0, 0, 0, 0), (1, 0, 0, 5000), (0, 0, 0, 10_000)]]*2000)
    batch    = encode_all(eventset, dataclasses.replace(ENCODER, bin_us=1), Augmentation(jitter_us=300), rng())
    times    = np.concatenate([steps.indices()[steps.sources == 2] for steps in batch.to_steps()]) - 5000
    assert abs(times.mean()) < 30 and abs(times.std() - 300) < 20
    # The ends move inwards alone.
    assert batch.lengths.max() == 10_001 and (batch.lengths < 10_001).sum() > 800


def test_stretch():
    eventset = set_of(*[[(0, 0, 0, 0), (1, 0, 0, 5000), (0, 0, 0, 10_000)]]*500)
    batch    = encode_all(eventset, dataclasses.replace(ENCODER, bin_us=1), Augmentation(stretch=0.1), rng())
    ends     = batch.lengths - 1
    assert 9000 <= ends.min() < 9100 and 10_900 < ends.max() <= 11_000 and abs(ends.mean() - 10_000) < 150
    middles  = np.concatenate([steps.indices()[steps.sources == 2] for steps in batch.to_steps()])
    assert (abs(ends/2 - middles) <= 1).all()


def test_rotation_and_zoom():
    eventset = set_of(*[[(SIZE - 1, SIZE//2, 0, 0)]]*500, size=(SIZE, SIZE))
    for change, low, high in ((Augmentation(rotate=90), 0, SIZE - 1), (Augmentation(rotate=10), 7, 9)):
        y = places(encode_all(eventset, ENCODER, change, rng()))[:, 1]
        assert (y.min(), y.max()) == (low, high)
    x = places(encode_all(eventset, ENCODER, Augmentation(zoom=0.5), rng()))[:, 0]
    # A half of those that grow leave the sensor at once.
    assert x.min() in (11, 12) and x.max() == SIZE - 1 and len(x) < 300


def test_mirror_changes_side_and_class():
    eventset = set_of(*[[(1, 3, 1, 0)]]*600, labels=[0, 1, 2, -1, 0, 0]*100)
    batch    = encode_all(eventset, ENCODER, Augmentation(mirror=True, mirror_labels=(1, 0, 2)), rng())
    x, y     = places(batch).T
    assert set(zip(x, y, strict=True)) == {(1, 3), (SIZE - 2, 3)} and 240 < (x == 1).sum() < 360
    wanted   = np.where(x == 1, eventset.labels, np.array([1, 0, 2, -1])[eventset.labels])
    np.testing.assert_array_equal(batch.labels[:, 0], wanted)


def test_mirrored_gestures():
    words = {"right": "left", "left": "right", "cw": "ccw", "ccw": "cw"}
    for name, mirrored in zip(synthetic.GESTURES, MIRRORED_GESTURES, strict=True):
        assert synthetic.GESTURES[mirrored].lower() == " ".join(words.get(word, word) for word in name.lower().split())
    # The camera agrees: in a mirror, the arms change places and what x they have from their shoulders changes sign.
    times = np.arange(0, 1, 0.01)
    for gesture in range(1, 7):
        one, other = (synthetic._joints(each, times, rng(5)) for each in (gesture, MIRRORED_GESTURES[gesture]))
        one, other = (joints[:, :, 1:] - joints[:, :, :1] for joints in (one, other))
        np.testing.assert_allclose(one[:, ::-1]*[-1, 1], other, atol=1e-3)


def test_states_decide():
    eventset = set_of([(i % SIZE, i//SIZE % SIZE, 0, 10*i) for i in range(2000)])
    change   = Augmentation(shift=1, drop=0.1, jitter_us=50, stretch=0.1)
    first, same, other = (encode_all(eventset, ENCODER, change, rng(seed)).to_steps() for seed in (1, 1, 2))
    assert first == same != other


@pytest.mark.parametrize("values, text", [
    ({"shift": -1}, "shift is -1: an integer from 0"), ({"shift": 1.5}, "shift is 1.5"), ({"drop": 1.1}, "drop is 1.1"),
    ({"drop": float("nan")}, "drop is nan"), ({"rotate": 181}, "rotate is 181 degrees"), ({"zoom": 1}, "zoom is 1, "),
     ({"jitter_us": -1}, "jitter is -1 us"), ({"stretch": 1}, "stretch is 1"),
    ({"mirror": True}, "the classes do not say what they are in a mirror"),
    ({"mirror_labels": (1, 2, 0)}, "mirroring twice must lead back"),
    ({"mirror_labels": (0, 3)}, "each class needs one"), ({"mirror_labels": (0, 0)}, "each class needs one")])
def test_bad_augmentation(values, text):
    with pytest.raises(QCLIFError, match=text):
        Augmentation(**values)


# Statistics ---------------------------------------------------------------------------------------

def test_statistics():
    eventset = set_of([(0, 0, 0, 0), (0, 0, 0, 1), (5, 0, 0, 2), (0, 0, 1, 350)], [(0, 0, 0, 7)], labels=[1, -1])
    figures  = statistics(eventset, ENCODER, encode_all(eventset))
    assert (figures["recordings"], figures["unlabelled"], figures["events"]) == (2, 1, 5)
    assert figures["classes"] == {"left": 0, "right": 1, "none": 0}
    assert (figures["seconds"], figures["events_per_second"]) == (0, round(5/350e-6))
    assert (figures["inputs"], figures["inputs_used"], figures["silent_steps"]) == (512, 3, 0.4)
    assert figures["steps"] == {"mean": 2.5, "median": 2.5, "p95": 4, "most": 4}
    assert figures["events_per_step"] == {"mean": 1, "median": 1, "p95": 3, "most": 3}
    assert figures["inputs_per_step"] == {"mean": 0.8, "median": 1, "p95": 2, "most": 2}
    cut = statistics(eventset, ENCODER, encode_all(eventset, max_steps=1))
    assert cut["steps"]["most"] == 1 and cut["events_per_step"] == {"mean": 2, "median": 2, "p95": 3, "most": 3}
    assert [table.row_count for table in tables(figures, "takes")] == [3, 4]


# Real recordings ----------------------------------------------------------------------------------

def test_real_recordings(qclif_data):
    gestures = event_set("gestures", read_files(sorted((qclif_data/"dvs128_gesture").glob("*.npz"))),
        synthetic.GESTURES)
    digits   = event_set("digits", read_files([qclif_data/"nmnist"/"train1000.npz"]), "0123456789")
    for eventset in (gestures, digits):
        encoder = ENCODERS[eventset.sensor_size]
        batch   = encode_all(eventset, encoder)
        assert batch.to_steps() == [encoder.encode(sample.events) for sample in eventset.samples()]
        np.testing.assert_array_equal(batch.labels[:, 0], eventset.labels)
    first = gestures.sample(0)
    assert as_lists(encode_all(gestures, Encoder()).to_steps()[0]) == naive_contract.encode(first.events, Encoder())
