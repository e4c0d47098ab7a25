# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings that are played: every step once, when it is due, and who waits when somebody is late."""

import argparse
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.data.synthetic import GESTURES, record
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.events.reading import Reading
from host.live.sources.gestures import FIRST_SEED, GESTURE_US, VARIANTS, packed, playlist, unpacked
from host.live.sources.live_steps import LiveSteps
from host.live.sources.opening import open_source, open_steps
from host.live.sources.options import SourceOptions, add_source_args, source_from_args
from host.live.sources.source import Piece
from host.live.sources.synthetic import SyntheticCamera
from tests.helpers.live_sources import ENCODER, StandingClock, check_train, recording


@pytest.fixture
def play(tmp_path):
    """Makes a file of arrays, and LiveSteps of it with a clock."""
    def open_file(events, late=None, max_lag_s=0.1, encoder=ENCODER, contexts=None, classes=(), arrays=None, **options):
        path = tmp_path/"recording.npz"
        np.savez(path, events=events, sensor_size=encoder.sensor_size, **arrays or {})
        clock  = StandingClock()
        source = open_source(str(path), SourceOptions(**options), encoder, contexts, classes)
        return LiveSteps(source, encoder, late, max_lag_s, clock=clock), clock
    return open_file


def all_steps(steps, seconds=1000.0):
    """Every step until the end, taken when it is due."""
    found = []
    while not steps.ended:
        found += steps.take(most=1, wait_s=seconds)
    return found

# Every step, once ---------------------------------------------------------------------------------

@pytest.mark.parametrize("late", ["drop", "wait"])
def test_a_file_gives_the_steps_of_the_encoder(play, late):
    events = recording(0)
    steps, _ = play(events, late)
    found = all_steps(steps)
    check_train(found, ENCODER.encode(events))
    assert [step.number for step in found] == list(range(20))
    np.testing.assert_array_equal(np.concatenate([step.events for step in found]), events)
    assert steps.take(wait_s=5) == []
    assert steps.counts == dict.fromkeys(steps.counts, 0) | {"steps": 20, "events": 600}


@pytest.mark.parametrize("gesture", ["0", "4", "9"])
def test_real_recordings(qclif_data, gesture):
    path   = next((qclif_data/"dvs128_gesture").glob(f"*{gesture}*.npz"))
    sample = next(read_files([path]))
    with LiveSteps(open_source(str(path), SourceOptions(), Encoder(), classes=GESTURES), Encoder(),
            clock=StandingClock()) as steps:
        found = all_steps(steps)
    check_train(found, Encoder().encode(sample.events))
    assert {step.label for step in found} == {GESTURES[sample.label]}


def test_many_recordings_in_a_file_and_again(play):
    parts   = [recording(seed, steps=3 + seed) for seed in range(4)]
    offsets = np.cumsum([0, *map(len, parts)])
    steps, _ = play(np.concatenate(parts), arrays={"offsets": offsets, "labels": np.array([2, 0, 1, 2])},
        classes=("zero", "one"), loop=True)
    trains = [ENCODER.encode(part) for part in parts]*2
    found  = [step for _ in range(2*(3 + 4 + 5 + 6)) for step in steps.take(1, 1000.0)]
    assert [step.number for step in found] == list(range(36)) and not steps.ended
    for train, label in zip(trains, ("2", "zero", "one", "2")*2, strict=True):
        head, found = found[:len(train)], found[len(train):]
        check_train(head, train)
        assert {step.label for step in head} == {label}


def test_context_of_a_file(play):
    events = recording(1)
    rows   = np.array([[3, 1], [0, 2], [3, 0], [3, 1], [19, 0]])
    steps, _ = play(events, contexts=3, arrays={"context": rows})
    found = all_steps(steps)
    train = ENCODER.encode(events, rows)
    assert [np.concatenate([step.sources, step.context]).tolist() for step in found] == [
        train.step(t).tolist() for t in range(len(train))]


def test_a_long_silence_is_played(play):
    events = np.array([(0, 0, 0, 0), (1, 1, 1, 3_000_000)], EVENT)
    steps, _ = play(events)
    found = all_steps(steps)
    check_train(found, ENCODER.encode(events))
    assert found[-1].due == pytest.approx(found[0].due + 3.0)

# When they are due --------------------------------------------------------------------------------

@pytest.mark.parametrize("speed", [1, 0.25, 8])
def test_steps_come_when_they_are_due(play, speed):
    steps, clock = play(recording(2), speed=speed)
    begin = clock.now()
    assert steps.take() == []
    for number in range(20):
        clock.pass_by(0.0009/speed)
        assert steps.take() == []
        clock.pass_by(0.0001/speed)
        clock.pass_by(1e-9)
        step, = steps.take()
        assert (step.number, step.due) == (number, pytest.approx(begin + (number + 1)*0.001/speed))


def test_several_at_once_oldest_first(play):
    steps, clock = play(recording(2))
    steps.take()
    clock.pass_by(0.0075)
    assert [step.number for step in steps.take(3)] == [0, 1, 2]
    assert [step.number for step in steps.take(9)] == [3, 4, 5, 6]
    assert [step.number for step in steps.take(9, 0.0004)] == []
    assert [step.number for step in steps.take(9, 0.0004)] == [7]


@settings(max_examples=60)
@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=40))
def test_who_drops_loses_only_what_is_late(delays):
    events = recording(3, steps=100)
    for late in ("drop", "wait"):
        clock = StandingClock()
        steps = LiveSteps(Recorded(events), ENCODER, late, 0.005, clock=clock)
        found = []
        for delay in [*delays, *[0.001]*200]:
            clock.pass_by(delay)
            taken = steps.take(4)
            found += taken
            assert all(-1e-6 <= clock.now() - step.due <= 0.005 + 1e-6 for step in taken)
        numbers = [step.number for step in found]
        assert numbers == sorted(set(numbers)) and steps.ended
        whole = ENCODER.encode(events)
        assert all(step.sources.tolist() == whole.step(step.number).tolist() for step in found)
        counts = steps.counts
        assert counts["steps"] + counts["dropped_steps"] == 100
        assert counts["events"] + counts["dropped_events"] == len(events)
        assert counts["waited_us" if late == "drop" else "dropped_steps"] == 0


def test_how_long_a_source_was_held_up():
    clock = StandingClock()
    steps = LiveSteps(Recorded(recording(3)), ENCODER, "wait", 0.0055, clock=clock)
    steps.take()
    clock.pass_by(0.0205)
    # Step 0 is due after 1 ms, and 19.5 ms late: 14 too many. So it is 6.5 ms, and steps 0 to 5 are due.
    assert [step.number for step in steps.take()] == list(range(6))
    assert steps.counts["waited_us"] == 14_000
    clock.pass_by(0.0006)
    assert [step.number for step in steps.take()] == [6]


class Recorded:
    """A source of one piece."""
    recorded, waits, late, speed, sensor_size, name = True, True, "drop", 1.0, (8, 8), "array"

    def __init__(self, *events, after=None):
        self.counts = {}
        self._events, self._after = events, after

    def pieces(self):
        for events in self._events:
            yield events if events is None else Piece(events)
        if self._after:
            raise self._after

    def close(self):
        pass


def test_the_time_of_a_source_with_nothing_stands_still():
    events = recording(4)
    clock  = StandingClock()
    steps  = LiveSteps(Recorded(events[:300], None, None, None, events[300:]), ENCODER, "drop", 0.005, clock=clock)
    found  = []
    for _ in range(60):
        clock.pass_by(0.001)
        found += steps.take()
    check_train(found, ENCODER.encode(events))
    assert steps.counts["dropped_steps"] == 0 and steps.ended


def test_an_error_comes_after_the_steps_before_it_and_once():
    events = recording(5)
    clock  = StandingClock()
    steps  = LiveSteps(Recorded(events, after=QCLIFError("it broke: mend it")), ENCODER, "wait", 1.0, clock=clock)
    steps.take()
    clock.pass_by(0.5)
    found = steps.take(99)
    check_train(found, ENCODER.encode(events))
    assert not steps.ended
    with pytest.raises(QCLIFError, match="it broke: mend it"):
        steps.take()
    assert steps.ended and steps.take() == []

# Pause --------------------------------------------------------------------------------------------

def test_pause_and_single_steps(play):
    steps, clock = play(recording(6))
    steps.take()
    clock.pass_by(0.0035)
    assert [step.number for step in steps.take()] == [0, 1, 2]
    steps.pause()
    clock.pass_by(60)
    assert steps.paused and steps.take(9, 1.0) == []
    steps.single()
    steps.single()
    now = clock.now()
    assert [(step.number, step.due) for step in steps.take(9)] == [(3, pytest.approx(now)), (4, pytest.approx(now))]
    assert steps.take(9, 1.0) == []
    steps.resume()
    steps.single()
    assert not steps.paused and steps.take() == []
    clock.pass_by(0.00101)
    assert [step.number for step in steps.take()] == [5]
    assert steps.counts["dropped_steps"] == 0 and steps.counts["waited_us"] == 0


def test_single_steps_to_the_end(play):
    events = recording(7)
    steps, _ = play(events)
    steps.pause()
    found = []
    while not steps.ended:
        steps.single()
        found += steps.take()
    check_train(found, ENCODER.encode(events))

# The synthetic camera -----------------------------------------------------------------------------

def test_gestures_are_recorded_ahead_and_play_in_order():
    camera, clock = SyntheticCamera(Encoder(), seed=5), StandingClock()
    with LiveSteps(camera, Encoder(), "drop", 0.1, clock=clock) as steps:
        found = []
        while len(found) < 1300:
            clock.pass_by(0.005)
            taken  = steps.take()
            found += taken
            if not taken:
                # The recorder gets on better when nobody turns round and round.
                camera._bank._thread.join(0.005)
    assert steps.counts["dropped_steps"] == 0
    keys   = [key for key, _ in zip(playlist(5), range(3), strict=False)]
    events = np.concatenate([unpacked(packed(*key, 5), number*GESTURE_US) for number, key in enumerate(keys)])
    train  = Encoder().encode(events)
    check_train(found, train.slice(0, len(found)))
    shown  = [step.label for step in found]
    assert shown[100] == GESTURES[keys[0][0]] and shown[700] == GESTURES[keys[1][0]]


def test_what_is_packed_is_not_lost():
    sample = record(8, FIRST_SEED + 4*VARIANTS + 1, GESTURE_US)
    np.testing.assert_array_equal(unpacked(packed(8, 1, 4), 0), sample.events)


def test_playlists():
    def first(seed, count):
        return [key for key, _ in zip(playlist(seed), range(count), strict=False)]

    assert first(1, 99) == first(1, 99) != first(2, 99)
    for seed in range(20):
        keys = first(seed, 99)
        for start in range(0, 99, 11):
            assert {gesture for gesture, _ in keys[start:start + 11]} == set(range(11))
        assert all(a[0] != b[0] for a, b in pairwise(keys))
        assert len(set(keys[:33])) == len(set(keys)) == 33


def test_a_recorder_that_dies_is_told():
    camera = SyntheticCamera(Encoder())
    camera._bank._process.kill()
    with LiveSteps(camera, Encoder(), "drop", 0.1, clock=(clock := StandingClock())) as steps, \
            pytest.raises(QCLIFError, match="the process that records gestures ended with status -9: start again"):
        while not steps.ended:
            clock.pass_by(0.005)
            steps.take()

# What is refused ----------------------------------------------------------------------------------

@pytest.mark.parametrize("text, options, error", [
    ("synthetic", {"speed": 2.0}, "--speed has no effect on --source synthetic: leave it out, or name a file"),
    ("synthetic:9", {}, "synthetic:9: No such file or directory: check the path"),
    ("synthetic", {"loop": True}, "--loop has no effect on --source synthetic"),
    ("synthetic", {"reading": Reading(sensor_size=(128, 128))}, "--sensor-size has no effect on --source synthetic"),
    ("synthetic", {}, "synthetic camera, seed 0: the sensor has 128x128 pixels, the network is for 8x8"),
    ("no/such/file.aedat4", {}, "no/such/file.aedat4: No such file or directory: check the path"),
])
def test_sources_that_cannot_be_opened(text, options, error):
    with pytest.raises(QCLIFError) as raised:
        open_steps(SourceOptions(text, **options), ENCODER)
    assert error in str(raised.value) and "\n" not in str(raised.value)


def test_another_sensor_and_another_context(play):
    other = Encoder((9, 8), (8, 8))
    with pytest.raises(QCLIFError, match="the sensor has 9x8 pixels, the network is for 8x8: take a network for this"):
        path = play(recording(0), encoder=other)[0].source.name
        open_steps(SourceOptions(path), ENCODER)
    with pytest.raises(QCLIFError, match=r"source of context row 0 is 3, the limits are 0 to 2"):
        play(recording(0), contexts=3, arrays={"context": np.array([[0, 3]])})


@pytest.mark.parametrize("words, error", [
    (["--speed", "0"], "--speed 0, the limits are 0.001 to 1000"),
    (["--speed", "nan"], "--speed nan, the limits"),
    (["--max-lag", "-1"], "--max-lag -1, the limits are 0 to 60000"),
    (["--grace", "1e9"], "--grace 1e+09, the limits are 0 to 60000"),
])
def test_values_out_of_their_limits(words, error):
    parser = argparse.ArgumentParser()
    add_source_args(parser)
    with pytest.raises(QCLIFError) as raised:
        source_from_args(parser.parse_args(words))
    assert error in str(raised.value)


def test_options_of_the_command_line():
    parser = argparse.ArgumentParser()
    add_source_args(parser)
    words = ("--source - --speed 2 --loop --late wait --max-lag 50 --grace 5 --wire text --seed 3 "
        "--gestures 7 1 7 --sensor-size 34 34").split()
    assert source_from_args(parser.parse_args(words)) == SourceOptions("-", 2.0, True, "wait", 0.05, 0.005, "text", 3,
        (7, 1), Reading(sensor_size=(34, 34)))
    assert source_from_args(parser.parse_args([])) == SourceOptions()


@pytest.mark.parametrize("shown", [(7,), (4, 2)])
def test_gestures_that_are_asked_for(shown):
    rounds = [gesture for (gesture, _), _ in zip(playlist(5, shown), range(4*len(shown)), strict=False)]
    assert set(rounds) == set(shown)
    assert len(shown) == 1 or all(a != b for a, b in pairwise(rounds))
    steps = LiveSteps(open_source("synthetic", SourceOptions(gestures=shown), Encoder()), Encoder(), "wait",
        clock=StandingClock())
    with steps:
        labels = set()
        while len(labels) < len(shown):
            labels |= {step.label for step in steps.take(64, 1.0)}
    assert labels == {GESTURES[gesture] for gesture in shown}
    with pytest.raises(QCLIFError, match="--gestures has no effect on --source a"):
        open_source("a.npz", SourceOptions(gestures=shown), Encoder())
