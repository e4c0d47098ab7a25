# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sparse steps and the mapping of events to inputs, against the naive reference and against tonic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.encoder import STEPS_MAX, Encoder, poisson_context
from host.events.formats import read_files
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from tests.helpers import naive_contract

DTYPE = np.dtype([("x", np.int16), ("y", np.int16), ("p", bool), ("t", np.int64)])


def events_of(rows, dtype=DTYPE):
    """Structured array of (x, y, p, t)."""
    return np.array([tuple(row) for row in rows], dtype)


def as_lists(steps):
    return [steps.step(t).tolist() for t in range(len(steps))]


@st.composite
def encoders(draw):
    size = st.integers(1, 40) | st.just(1280)
    return Encoder((draw(size), draw(size)), (draw(st.integers(1, 50)), draw(st.integers(1, 50))),
        draw(st.integers(1, 2)), draw(st.integers(1, 50)), draw(st.integers(1, 4)))


@st.composite
def recordings(draw, encoder):
    width, height = encoder.sensor_size
    # Few pixels and many equal times, so that counts reach their threshold.
    xs = draw(st.lists(st.integers(0, width - 1), min_size=1, max_size=3))
    ys = draw(st.lists(st.integers(0, height - 1), min_size=1, max_size=3))
    times = np.cumsum(draw(st.lists(st.sampled_from([0, 0, 1, 3, encoder.bin_us, 5*encoder.bin_us]), min_size=1,
        max_size=60))) + draw(st.integers(-2**40, 2**40))
    return events_of((draw(st.sampled_from(xs)), draw(st.sampled_from(ys)), draw(st.booleans()), t) for t in times)


# Steps --------------------------------------------------------------------------------------------

@given(st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=8), st.integers(0, 9), st.integers(0, 9))
def test_forms_of_steps_agree(lists, start, stop):
    steps  = SpikeTrain.from_lists(lists)
    counts = np.array([[each.count(source) for source in range(7)] for each in lists]).reshape(-1, 7)
    assert len(steps) == len(lists) and as_lists(steps) == [sorted(each) for each in lists]
    np.testing.assert_array_equal(steps.dense(7), counts)
    assert SpikeTrain.from_dense(counts) == steps
    order = np.random.default_rng(0).permutation(len(steps.sources))
    assert SpikeTrain.from_pairs(steps.indices()[order], steps.sources[order], len(steps)) == steps
    assert steps.peak == max(map(len, lists), default=0)
    if start <= stop and start <= len(lists):
        assert as_lists(steps.slice(start, stop)) == as_lists(steps)[start:stop]


# Events -------------------------------------------------------------------------------------------

@settings(max_examples=200)
@given(st.data())
def test_encoding_equals_reference(data):
    encoder = data.draw(encoders())
    events  = data.draw(recordings(encoder))
    assert as_lists(encoder.encode(events)) == naive_contract.encode(events, encoder)


@pytest.mark.parametrize("size, grid", [((128, 128), (16, 16)), ((34, 34), (17, 17)), ((128, 64), (32, 8))])
def test_encoding_equals_tonic(size, grid):
    from tonic.transforms import Downsample, ToFrame

    rng    = np.random.default_rng(7)
    events = events_of(zip(rng.integers(0, size[0], 4000), rng.integers(0, size[1], 4000),
        rng.integers(0, 2, 4000), np.sort(rng.integers(10**6, 10**6 + 20_500, 4000)), strict=True))
    small  = Downsample(sensor_size=(*size, 2), target_size=grid)(events)
    frames = ToFrame(sensor_size=(*grid, 2), time_window=5000, include_incomplete=True)(small)
    # Frames are [step, polarity, y, x]; sources are in the order y, x, polarity.
    fired  = frames.transpose(0, 2, 3, 1).reshape(len(frames), -1) >= 3
    assert Encoder(size, grid).encode(events) == SpikeTrain.from_dense(fired)


def test_where_tonic_gives_other_integers():
    from tonic.transforms import Downsample, ToFrame

    # Its factor 6/346 is rounded: pixel 173, the first one of 173*6//346 = 3, falls to 2.
    events = events_of([(173, 0, 1, 0), (173, 0, 1, 5000)])
    assert Downsample(sensor_size=(346, 346, 2), target_size=(6, 6))(events)["x"][0] == 2
    steps = Encoder((346, 346), (6, 6), 1, count_threshold=1).encode(events)
    assert as_lists(steps) == [[3], [3]]
    # It drops the last event of a recording that lasts a whole number of windows.
    assert len(ToFrame(sensor_size=(346, 346, 2), time_window=5000, include_incomplete=True)(events)) == 1


def test_orientation_and_polarity_of_sources():
    encoder = Encoder(count_threshold=1)
    for event, source in (((0, 0, 0, 0), 0), ((0, 0, 1, 0), 1), ((8, 0, 0, 0), 2), ((0, 8, 0, 0), 32),
            ((127, 127, 1, 0), 511)):
        assert as_lists(encoder.encode(events_of([event]))) == [[source]]


def test_other_names_and_types_of_fields():
    rows  = [(3, 5, 1, 7), (3, 5, 0, 9)]
    plain = Encoder(count_threshold=1).encode(events_of(rows))
    other = events_of(rows, [("x", np.uint16), ("y", np.uint8), ("on", bool), ("timestamp", np.uint64)])
    assert Encoder(count_threshold=1).encode(other) == plain


@pytest.mark.parametrize("rows, text", [
    ([], "the recording is empty"),
    ([(0, 0, 0, 5), (0, 0, 0, 9), (1, 0, 0, 8)], "times go back at event 2, from 9 to 8 us"),
    ([(0, 0, 0, 0), (128, 0, 0, 0)], "x of event 1 is 128, the limits are 0 to 127"),
    ([(0, -1, 0, 0)], "y of event 0 is -1"),
    ([(0, 0, 2, 0)], "p of event 0 is 2, the limits are 0 to 1: map OFF to 0"),
    ([(0, 0, -1, 0)], "p of event 0 is -1"),
    ([(0, 0, 0, 0), (0, 0, 0, 5000*STEPS_MAX)], f"are {STEPS_MAX + 1} steps of 5000 us, the limit is {STEPS_MAX}"),
])
def test_bad_events(rows, text):
    dtype = [("x", np.int16), ("y", np.int16), ("p", np.int8), ("t", np.int64)]
    with pytest.raises(QCLIFError) as error:
        Encoder().encode(events_of(rows, dtype), what="take 3")
    assert text in str(error.value) and str(error.value).startswith("take 3: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("events, text", [
    (np.zeros((5, 4), np.int64), r"array \[5, 4\] of int64: a one-dimensional structured array"),
    (np.zeros(2, [("x", int), ("y", int), ("t", int)]), "field p is missing, there are x, y, t"),
    (np.zeros(2, [("x", int), ("y", int), ("p", int), ("t", float)]), "field t is of type float64: integers"),
])
def test_events_of_another_form(events, text):
    with pytest.raises(QCLIFError, match=text):
        Encoder().encode(events)


def test_recording_of_another_sensor():
    sample = Sample("digit", events_of([(1, 1, 1, 0)]), sensor_size=(34, 34))
    with pytest.raises(QCLIFError, match="digit: recorded with 34x34 pixels, the network is for 128x128"):
        sample.encoded(Encoder(), 0)


@pytest.mark.parametrize("values, text", [
    ({"grid": (0, 4)}, "grid is 0"), ({"grid": [16]}, r"grid is \[16\]"), ({"sensor_size": 128}, "sensor_size is 128"),
    ({"polarities": 3}, "polarities is 3: an integer from 1 to 2"), ({"bin_us": 0}, "bin_us is 0"),
    ({"bin_us": 5e3}, "bin_us is 5000.0"), ({"count_threshold": True}, "count_threshold is True")])
def test_bad_encoder(values, text):
    with pytest.raises(QCLIFError, match=text):
        Encoder(**values)


@given(encoders())
def test_encoder_round_trip(encoder):
    assert Encoder.from_dict(encoder.to_dict()) == encoder


# Context ------------------------------------------------------------------------------------------

def test_context_rows_are_sources_behind_the_sensory_ones():
    encoder = Encoder((4, 1), (4, 1), 1, bin_us=10, count_threshold=1)
    events  = events_of([(3, 0, 1, 100), (0, 0, 1, 125)])
    context = np.array([[2, 1], [0, 0], [2, 1], [1, 2]])
    assert as_lists(encoder.encode(events, context, 3)) == [[3, 4], [6], [0, 5, 5]]
    assert encoder.encode(events, np.zeros((0, 2), int), 3) == encoder.encode(events)


@pytest.mark.parametrize("context, contexts, text", [
    ([[1, 0]], 2, "step of context row 0 is 1, the limits are 0 to 0"),
    ([[0, 0], [0, 2]], 2, "source of context row 1 is 2, the limits are 0 to 1"),
    ([[0, -1]], None, "source of context row 0 is -1"), ([[-1, 0]], 2, "step of context row 0 is -1"),
    ([[0, 0]], 0, "the limits are none: no context sources"),
    ([[0, 0, 0]], 2, r"context is an array \[1, 3\]"), ([[0.0, 1.0]], 2, "of float64: integer rows")])
def test_bad_context(context, contexts, text):
    with pytest.raises(QCLIFError, match=text):
        Encoder().encode(events_of([(0, 0, 0, 0)]), np.array(context), contexts)


def test_constant_cue_has_its_rates():
    rows   = poisson_context(4000, 2, contexts=4, seed=3)
    counts = np.bincount(rows[:, 1], minlength=4)/(4000*5e-3)
    assert abs(counts[2] - 200) < 10
    assert (abs(np.delete(counts, 2) - 10) < 3).all()
    assert 0 <= rows[:, 0].min() and rows[:, 0].max() < 4000 and (np.diff(rows[:, 0]) >= 0).all()
    # At 200 Hz and 5 ms, counts above one are usual.
    assert len(np.unique(rows, axis=0)) < len(rows)
    np.testing.assert_array_equal(rows, poisson_context(4000, 2, contexts=4, seed=3))
    assert not np.array_equal(rows, poisson_context(4000, 2, contexts=4, seed=4))


@pytest.mark.parametrize("source, contexts, rate, text", [
    (4, 4, 200, "context source 4, the limits are 0 to 3"), (-1, 4, 200, "context source -1"),
    (0, 0, 200, "the network has no context sources"), (0, 1, -5, "context rate is -5"),
    (0, 1, float("nan"), "context rate is nan")])
def test_bad_cue(source, contexts, rate, text):
    with pytest.raises(QCLIFError, match=text):
        poisson_context(10, source, rate, contexts=contexts)


# Real recordings ----------------------------------------------------------------------------------

@pytest.mark.parametrize("encoder", [Encoder(), Encoder(bin_us=1000, count_threshold=1)])
def test_real_gestures(qclif_data, encoder):
    paths = sorted((qclif_data/"dvs128_gesture").glob("*.npz"))
    assert len(paths) == 3
    for sample in read_files(paths):
        steps = sample.encoded(encoder, 10).steps
        assert as_lists(steps) == naive_contract.encode(sample.events, encoder)
        assert 15 <= len(steps.sources)/len(steps) <= 60


def test_real_digits(qclif_data):
    encoder = Encoder((34, 34), (17, 17), bin_us=10_000, count_threshold=2)
    for index, sample in enumerate(read_files([qclif_data/"nmnist"/"train1000.npz"])):
        if index % 97 == 0:
            assert as_lists(sample.encoded(encoder, 0).steps) == naive_contract.encode(sample.events, encoder)
    assert index == 999
