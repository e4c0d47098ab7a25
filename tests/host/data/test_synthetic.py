# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The synthetic event camera: reproducible, of real cameras' rates, and its gestures differ."""

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.data.synthetic import GESTURES, SIZE, record, recordings
from host.events.encoder import Encoder
from host.events.event_array import normalise


@pytest.mark.parametrize("gesture", range(len(GESTURES)))
def test_rates_of_each_gesture(gesture):
    sample = record(gesture, seed=5)
    steps  = sample.encoded(Encoder(), 0).steps
    assert sample.label == gesture and sample.sensor_size == (SIZE, SIZE)
    assert 30_000 <= len(sample.events) <= 170_000
    assert len(steps) == 200
    assert 10 <= len(steps.sources)/len(steps) <= 60
    assert 0.4 < sample.events["p"].mean() < 0.6
    assert normalise(sample.events)["t"][-1] < 1_000_000


def test_same_seed_same_events():
    np.testing.assert_array_equal(record(3, 1, 100_000).events, record(3, 1, 100_000).events)
    assert len(record(3, 1, 100_000).events) != len(record(3, 2, 100_000).events)


def test_recordings_go_through_the_gestures():
    samples = list(recordings(13, seed=2, duration_us=20_000))
    assert [sample.label for sample in samples] == [*range(11), 0, 1]
    assert len({sample.name for sample in samples}) == 13
    np.testing.assert_array_equal(samples[3].events, record(3, 5, 20_000).events)


def test_arms_move_on_their_side():
    # The subject faces the camera: its right arm is on the left of the picture.
    right, left = (record(gesture, 1).events["x"] for gesture in (1, 2))
    assert np.median(right) < SIZE/2 < np.median(left)


def test_turning_arms_differ_in_direction():
    def turn(gesture):
        """Mean signed turn of the centre of activity about the shoulder, a 20 ms step."""
        sample = record(gesture, 1)
        active = Encoder(bin_us=20_000, count_threshold=8).encode(sample.events).dense(512).reshape(-1, 16, 16, 2)
        y, x   = np.mgrid[:16, :16]
        weight = active.sum(axis=3)
        total  = np.maximum(1, weight.sum(axis=(1, 2)))
        centre = (weight*(x + 1j*y)).sum(axis=(1, 2))/total - (46 + 48j)/8
        return np.angle(centre[1:]/centre[:-1]).mean()

    assert turn(3)*turn(4) < 0


def test_gestures_have_the_datasets_names():
    from tonic.datasets import DVSGesture

    assert [name.lower() for name in GESTURES] == [name.lower() for name in DVSGesture.classes]


@pytest.mark.parametrize("gesture, duration, text", [
    (11, 1_000_000, "gesture 11, the limits are 0 to 10"), (-1, 1_000_000, "gesture -1"),
    (0, 9_999, "duration 9999 us"), (0, 10**8, "duration 100000000 us")])
def test_arguments_out_of_range(gesture, duration, text):
    with pytest.raises(QCLIFError, match=text):
        record(gesture, 0, duration)
