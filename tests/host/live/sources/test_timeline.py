# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Times that jump, go back or are out of order, made to go on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.events.event_array import EVENT, TIME_MAX
from host.live.sources.timeline import BACK_US, Timeline, parts

GAP_US = 1_000_000


def events_at(*times):
    """Events at these times, numbered by x."""
    events = np.zeros(len(times), EVENT)
    events["t"] = times
    events["x"] = np.arange(len(times))
    return events


def timeline():
    counts = {}
    return Timeline(GAP_US, counts), counts


@given(st.lists(st.integers(0, GAP_US), min_size=1, max_size=30), st.integers(-TIME_MAX, TIME_MAX - 2**40))
def test_good_times_stay(gaps, start):
    it, counts = timeline()
    events = events_at(*(start + np.cumsum(gaps)))
    for part in np.split(events, [len(gaps)//2]):
        if len(part):
            np.testing.assert_array_equal(it.continued(part), part)
    assert counts == {"jumps": 0, "sorted_events": 0}


def test_disorder_is_sorted():
    it, counts = timeline()
    it.continued(events_at(100))
    found = it.continued(events_at(110, 105, 130, 120, 120))
    assert found["t"].tolist() == [105, 110, 120, 120, 130] and found["x"].tolist() == [1, 0, 3, 4, 2]
    assert counts == {"jumps": 0, "sorted_events": 3}
    # Of the piece before: who puts them to steps says whether they are late.
    assert it.continued(events_at(90, 140))["t"].tolist() == [90, 140] and counts["sorted_events"] == 4


@pytest.mark.parametrize("jump", [-2*GAP_US, GAP_US + 1, 10**12, -10**12, TIME_MAX - 1000])
def test_jumps(jump):
    it, counts = timeline()
    assert it.continued(events_at(0, 10, 10 + jump, 25 + jump))["t"].tolist() == [0, 10, 10, 25]
    assert it.continued(events_at(30 + jump, 0, 7))["t"].tolist() == [30, 30, 37]
    assert counts == {"jumps": 2, "sorted_events": 0}


def test_one_event_of_another_time_moves_no_other():
    it, counts = timeline()
    assert it.continued(events_at(0, 10, 2**50, 20, 30))["t"].tolist() == [0, 10, 10, 10, 20]
    assert counts["jumps"] == 2


def test_a_silence_that_the_wall_clock_saw_is_none():
    it, counts = timeline()
    it.continued(events_at(0))
    assert it.continued(events_at(10**9, 10**9 + 5), passed_us=10**9)["t"].tolist() == [10**9, 10**9 + 5]
    assert counts["jumps"] == 0


def test_after_a_jump_it_is_now():
    it, _ = timeline()
    it.continued(events_at(BACK_US, BACK_US + 60))
    assert it.continued(events_at(0, 5), passed_us=400, now_us=BACK_US + 460)["t"].tolist() == [BACK_US + 460,
        BACK_US + 465]
    # Not before what has been, and not in the midst of a piece.
    assert it.continued(events_at(-10**6, -2*10**6), now_us=400)["t"].tolist() == [BACK_US + 465]*2


def test_how_far_times_may_go_back():
    it, counts = timeline()
    it.continued(events_at(BACK_US + 1))
    assert it.continued(events_at(1))["t"].tolist() == [1] and counts["jumps"] == 0
    it.continued(events_at(BACK_US + 1))
    assert it.continued(events_at(0))["t"].tolist() == [BACK_US + 1] and counts["jumps"] == 1


@given(st.lists(st.integers(-2**62, 2**62), min_size=1, max_size=40), st.lists(st.integers(1, 39), max_size=5))
def test_whatever_comes_goes_on(times, cuts):
    it, _ = timeline()
    found = [it.continued(part) for part in np.split(events_at(*times), sorted(cuts)) if len(part)]
    t = np.concatenate(found)["t"]
    for part in found:
        assert (np.diff(part["t"]) >= 0).all()
    # No step of time is longer than what is believed.
    assert (np.abs(np.diff(t)) <= 40*GAP_US).all()


@given(st.lists(st.integers(0, 3*GAP_US), max_size=40))
def test_parts(gaps):
    events = events_at(*np.cumsum(gaps))
    found  = list(parts(events, GAP_US))
    assert all(part["t"][-1] - part["t"][0] <= GAP_US for part in found)
    np.testing.assert_array_equal(np.concatenate([*found, events[:0]]), events)
