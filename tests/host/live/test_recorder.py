# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of a live run: whoever bins one gets the steps that the network was given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.live import recorder
from host.live.recorder import Recorder, Recordings

ENCODER = Encoder(sensor_size=(8, 4), grid=(4, 2), polarities=2, bin_us=100, count_threshold=1)


def step_events(begin, offsets, pixel=0):
    """Events of a step that begins at a time, so many us later each."""
    events = np.zeros(len(offsets), EVENT)
    events["t"] = begin + np.sort(offsets)
    events["x"] = (pixel + np.arange(len(offsets))) % 8
    events["p"] = np.arange(len(offsets)) % 2
    return events


@settings(max_examples=50)
@given(steps=st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=4), st.lists(st.integers(0, 2), max_size=3)),
    min_size=1, max_size=8), begin=st.integers(0, 10**9), gap=st.integers(0, 5))
def test_a_replay_has_the_same_steps(tmp_path_factory, steps, begin, gap):
    """Also where steps were dropped in between: times of the source jump, those of the recording do not."""
    path  = tmp_path_factory.mktemp("recorder")/"a.npz"
    taken = Recorder(path, ENCODER.bin_us, ENCODER.sensor_size)
    whole = []
    for number, (offsets, context) in enumerate(steps):
        events = step_events(begin + (number + gap*(number > 2))*ENCODER.bin_us, offsets, number)
        taken.take(events, np.sort(np.array(context, np.int64)))
        if whole or offsets:
            sources = ENCODER.encode(events).sources if offsets else np.zeros(0, np.int32)
            whole.append((sources.tolist(), sorted(context)))
    if not taken.begun:
        with pytest.raises(QCLIFError, match="no events to record"):
            taken.save()
        return
    taken.save()
    sample, = read_files([path])
    while not whole[-1][0]:
        # A recording ends with its last event.
        whole.pop()
    train = ENCODER.encode(sample.events, sample.context, 3)
    assert [train.step(t).tolist() for t in range(len(train))] == \
        [sources + [ENCODER.inputs + each for each in cued] for sources, cued in whole]


def test_clips_follow_one_another(tmp_path):
    recordings = Recordings(tmp_path, ENCODER.bin_us, ENCODER.sensor_size, clip_steps=3)
    recordings.start()
    begins = []
    for number in range(7):
        events = step_events(number*100, [5, 7])
        begins.append(recordings.begins_with(events))
        recordings.take(events, np.zeros(0, np.int64))
    assert begins == [True, False, False, True, False, False, True] and recordings.path
    recordings.stop()
    recordings.wait()
    assert not recordings.path and recordings.notice().startswith("recorded ") and not recordings.notice()
    samples = list(read_files(sorted(tmp_path.glob("live-*.npz"), key=lambda path: path.stat().st_mtime_ns)))
    assert [int(sample.events["t"][-1])//100 + 1 for sample in samples] == [3, 3, 1]
    assert samples[0].sensor_size == ENCODER.sensor_size


def test_a_recording_ends_where_memory_does(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "EVENTS_MAX", 5)
    recordings = Recordings(tmp_path, ENCODER.bin_us, ENCODER.sensor_size)
    recordings.start()
    for number in range(3):
        recordings.take(step_events(number*100, [1, 2]), np.zeros(0, np.int64))
    recordings.wait()
    assert not recordings.path and "recorded" in recordings.notice()


def test_what_cannot_be_written_is_told(tmp_path):
    recordings = Recordings(tmp_path/"none", ENCODER.bin_us, ENCODER.sensor_size)
    recordings.start()
    recordings.take(step_events(0, [1]), np.zeros(0, np.int64))
    recordings.stop()
    recordings.wait()
    assert "No such file or directory" in recordings.notice()
