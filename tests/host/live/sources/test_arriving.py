# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events that come when they happen: which step they are in, when it is over, and what comes too late for it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.live.sources.arriving import GAP_US, Arriving
from host.live.sources.assembler import Assembler
from host.live.sources.source import Piece

# Steps of 10 ms, a source for each pixel.
ENCODER = Encoder((8, 8), (8, 8), polarities=1, bin_us=10_000, count_threshold=1)

GRACE_S, LIMIT_S = 0.005, 0.1


class Camera:
    """Events of one pixel at a time, and a wall clock in ms since the camera's time was 0."""

    def __init__(self, limit_s=LIMIT_S, encoder=ENCODER):
        self.counts = {"dropped_steps": 0, "dropped_events": 0}
        self.steps  = Arriving(Assembler(encoder), GRACE_S, limit_s, self.counts)

    def events(self, at, *times_ms):
        """Events of pixel (0, 0), (1, 0), ... at these ms, which come at the ms `at`."""
        events = np.array([(n % 8, 0, 1, round(1000*t)) for n, t in enumerate(times_ms)], EVENT)
        self.steps.arrived(Piece(events), 1000 + at*1e-3)

    def take(self, at):
        """(number, sources, due in ms) of the steps there are."""
        found = []
        while (step := self.steps.take(1000 + at*1e-3)) is not None:
            found.append((step.number, step.sources.tolist(), round((step.due - 1000)*1e3, 3)))
        return found

    def told(self):
        """The counts that are not 0."""
        return {name: count for name, count in self.counts.items() if count}

# When a step is over ------------------------------------------------------------------------------

def test_nothing_before_the_first_event():
    camera = Camera()
    assert camera.steps.next_s is None and camera.take(10_000) == []


def test_an_event_of_a_later_step_ends_it():
    camera = Camera()
    camera.events(0, 0)
    camera.events(9, 9)
    assert camera.take(9) == []
    camera.events(11, 10.5, 11)
    # The step was over at 10 ms, and an event of 11 ms was here at 11 ms.
    assert camera.take(11) == [(0, [0], 10.0)]
    assert not camera.told()


def test_the_wall_clock_ends_it_where_the_camera_is_silent():
    camera = Camera()
    camera.events(2, 0)
    # Time 0 was here at 2 ms.
    assert camera.steps.next_s == pytest.approx(1000 + (2 + 10)*1e-3 + GRACE_S)
    assert camera.take(16.9) == []
    assert camera.take(17.1) == [(0, [0], 12.0)]
    assert camera.take(49) == [(1, [], 22.0), (2, [], 32.0), (3, [], 42.0)]
    assert not camera.told()


def test_events_within_the_grace_are_in_time():
    camera = Camera()
    camera.events(0, 0)
    assert camera.take(14.9) == []
    camera.events(14.9, 9.9)
    camera.events(15, 15)
    assert camera.take(15) == [(0, [0], 10.0)]
    assert not camera.told()


def test_what_comes_later_is_counted():
    camera = Camera()
    camera.events(0, 0)
    assert len(camera.take(36)) == 3
    camera.events(37, 28, 29, 36)
    camera.events(46, 46)
    assert [(number, sources) for number, sources, _ in camera.take(46)] == [(3, [2])]
    assert camera.told() == {"late_events": 2}


@settings(max_examples=200)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_in_time_gives_the_steps_of_the_encoder(gaps, seed):
    times  = np.cumsum(gaps)
    rng    = np.random.default_rng(seed)
    events = np.zeros(len(times), EVENT)
    events["t"] = 1000*times
    events["x"] = rng.integers(0, 8, len(times))
    camera, found = Camera(1e9), []
    for event in events:
        at = 1000 + event["t"]*1e-6 + rng.uniform(0, GRACE_S)
        for _ in range(3):
            # Somebody looks now and then.
            if (step := camera.steps.take(at - rng.uniform(0, 1e-3))) is not None:
                found.append(step)
        camera.steps.arrived(Piece(events[:0].copy() if event is None else event.reshape(1)), at)
    camera.steps.over()
    while (step := camera.steps.take(1e6)) is not None:
        found.append(step)
    train = ENCODER.encode(events)
    assert [step.sources.tolist() for step in found] == [train.step(t).tolist() for t in range(len(train))]
    assert camera.steps.ended and camera.counts["late_events"] == 0
    np.testing.assert_array_equal(np.concatenate([step.events for step in found]), events)

# Clocks that drift --------------------------------------------------------------------------------

@pytest.mark.parametrize("drift", [0.95, 1.0, 1.05])
def test_clocks_that_drift_apart(drift):
    """A camera's clock that is 5 % wrong: after 10 s it is half a second off."""
    camera, found = Camera(), 0
    for ms in range(0, 10_000, 2):
        camera.events(ms + 0.5, ms*drift)
        found += len(camera.take(ms + 0.6))
    assert found == pytest.approx(10_000*drift/10, abs=2)
    assert not camera.told()
    # A silence is seen in time.
    assert len(camera.take(10_100)) in (9, 10)


def test_batches_are_waited_for():
    """Events that come 40 ms at once, as TCP gathers them."""
    camera, found = Camera(), []
    camera.events(0, 0)
    assert camera.take(1) == []
    camera.events(40, *range(40))
    for batch in range(1, 100):
        for ms in range(40):
            found += camera.take(40*batch + ms)
        camera.events(40*batch + 40, *range(40*batch, 40*batch + 40))
    assert not camera.told() and [number for number, _, _ in found] == list(range(395))
    # When they no longer come in batches, a silence is seen soon again.
    for ms in range(4000, 45_000, 2):
        camera.events(ms, ms)
        camera.take(ms)
    assert camera.take(45_018)[-1][2] == 45_010 and not camera.told()


def test_after_a_stall_it_is_in_time_again():
    camera = Camera()
    for ms in range(100):
        camera.events(ms, ms)
    assert len(camera.take(100)) == 9
    assert len(camera.take(1106)) == 10 and camera.counts["dropped_steps"] == 91
    for ms in range(100, 1200):
        # All that came in between comes at once.
        camera.events(max(ms, 1107), ms)
    assert camera.counts["late_events"] == 1000
    assert [number for number, _, _ in camera.take(1200)] == list(range(110, 119))
    assert len(camera.take(1300)) == 9

# Jumps --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000, -5_000])
def test_a_jump_of_the_clock_is_bridged(jump_ms):
    camera = Camera()
    for ms in range(30):
        camera.events(ms, ms + 10_000)
    for ms in range(30, 60):
        camera.events(ms, ms + 10_000 + jump_ms)
    assert [number for number, _, _ in camera.take(60)] == list(range(5))
    assert camera.told() == {"jumps": 1}


def test_an_hour_of_silence_is_an_hour_of_steps():
    camera = Camera()
    camera.events(0, 0)
    hour = 3_600_000
    camera.events(hour, hour)
    assert len(camera.take(hour)) == 10 and not camera.counts["jumps"]
    assert camera.counts["dropped_steps"] == hour//10 - 10


def test_a_packet_of_sparse_events_takes_no_memory():
    """Each of them makes a second of steps."""
    encoder = Encoder((8, 8), (8, 8), polarities=1, bin_us=1000, count_threshold=1)
    camera  = Camera(encoder=encoder)
    camera.events(0, *range(0, 1000*8, GAP_US//1000))
    assert len(camera.steps._steps) <= 100
    assert camera.counts["dropped_steps"] + len(camera.take(0)) == 7000


def test_a_clock_that_runs_backwards():
    camera = Camera()
    for ms in range(100):
        camera.events(ms, 1000*(100 - ms))
    assert camera.counts["jumps"] == 99 and len(camera.take(99)) == 9

# Who is late, and a pause -------------------------------------------------------------------------

def test_steps_that_wait_too_long_are_dropped():
    camera = Camera()
    for ms in range(400):
        camera.events(ms, ms)
        assert len(camera.steps._steps) <= 11
    assert camera.counts["dropped_steps"] == 29 and camera.counts["dropped_events"] == 290
    assert [number for number, _, _ in camera.take(400)] == list(range(30, 39))
    assert camera.counts["dropped_steps"] == 30


def test_in_a_pause_the_newest_step_is_kept():
    camera = Camera()
    for ms in range(25):
        camera.events(ms, ms)
    camera.steps.pause()
    for ms in range(25, 500):
        camera.events(ms, ms)
    assert camera.take(500) == [(48, [0], 490.0)] and camera.take(501) == []
    assert camera.told() == {"paused_steps": 48, "paused_events": 480}
    camera.steps.resume(1.5)
    for ms in range(500, 530):
        camera.events(ms, ms)
    assert [number for number, _, _ in camera.take(530)] == [49, 50, 51]
