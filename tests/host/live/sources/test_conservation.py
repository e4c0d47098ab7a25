# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Whatever a source gives and however late anyone is: each event is in a step once, or counted as lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.event_array import EVENT, TIME_MAX
from host.live.sources.arriving import Arriving
from host.live.sources.assembler import Assembler
from host.live.sources.played import END, PlayedStream
from host.live.sources.source import Piece
from host.live.sources.wire import FORMATS, Wire
from tests.helpers.live_sources import ENCODER

# Times of a clock that runs, with some disorder, that stands, jumps a little, or is mad.
GAPS = st.integers(0, 3000) | st.integers(-2000, 2000) | st.just(0) | st.integers(-3*10**6, 3*10**6) | \
    st.integers(-2**40, 2**40)


@st.composite
def acts(draw):
    """Pieces of events, and waits in us between them."""
    t, found = draw(st.integers(-TIME_MAX//2, TIME_MAX//2)), []
    for _ in range(draw(st.integers(1, 20))):
        if draw(st.booleans()):
            found.append(draw(st.integers(0, 30_000) | st.integers(0, 300_000)))
            continue
        times = t + np.cumsum(draw(st.lists(GAPS, min_size=1, max_size=20)))
        t     = int(times[-1])
        events = np.zeros(len(times), EVENT)
        events["t"] = times
        events["x"] = draw(st.integers(0, 7))
        found.append(events)
    return found


def check_steps(steps):
    numbers = [step.number for step in steps]
    assert numbers == sorted(set(numbers))
    for step in steps:
        counts = np.bincount(ENCODER.sources_of(step.events), minlength=ENCODER.inputs)
        assert step.sources.tolist() == np.flatnonzero(counts >= ENCODER.count_threshold).tolist()
        assert (np.diff(step.events["t"]) >= 0).all()


@settings(max_examples=200)
@given(acts(), st.sampled_from([0.0, 0.01, 0.1, 2.0]), st.lists(st.sampled_from(["take", "pause", "resume"]),
    max_size=20))
def test_events_that_arrive(acts, limit_s, users):
    counts = {"dropped_steps": 0, "dropped_events": 0}
    pace   = Arriving(Assembler(ENCODER), 0.005, limit_s, counts)
    now_us, given_, found = 10**9, 0, []
    for number, act in enumerate(acts):
        if isinstance(act, int):
            now_us += act
        else:
            given_ += len(act)
            pace.arrived(Piece(act), now_us*1e-6)
        assert len(pace._steps) <= 1000*limit_s + 2
        match users[number:number + 1]:
            case ["take"]:
                while (step := pace.take(now_us*1e-6)) is not None:
                    found.append(step)
                    assert step.due <= now_us*1e-6
            case ["pause"]:
                pace.pause()
            case ["resume"]:
                pace.resume(now_us*1e-6)
    pace.over()
    while (step := pace.take(now_us*1e-6)) is not None:
        found.append(step)
    check_steps(found)
    assert pace.ended
    assert given_ == sum(len(step.events) for step in found) + counts["dropped_events"] + counts["late_events"] + \
        counts["paused_events"]


@settings(max_examples=50)
@given(acts())
def test_events_of_a_stream_that_is_held(acts):
    counts = {"waited_us": 0, "stalled_us": 0}
    given_, found, now_us = [], [], 10**9
    pace = PlayedStream(lambda: given_.pop(0) if given_ else None, Assembler(ENCODER), 0.001, 0.005, counts)
    total = sum(len(act) for act in acts if not isinstance(act, int))

    def take():
        while (step := pace.take(now_us*1e-6)) is not None:
            found.append(step)

    for act in acts:
        if isinstance(act, int):
            now_us += act
            take()
        else:
            given_.append(Piece(act))
    given_.append(END)
    while not pace.ended:
        now_us += 10**6
        take()
        assert len(pace._steps) <= 10_001
    check_steps(found)
    assert [step.number for step in found] == list(range(len(found)))
    assert total == sum(len(step.events) for step in found) + counts["late_events"]


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=200), max_size=20), st.sampled_from(FORMATS), st.booleans())
def test_any_bytes(parts, format, messages):
    wire = Wire(format, (8, 8), "it", {}, str)
    for part in parts:
        events = wire.messages([part, part]) if messages else wire.stream(part)
        assert events.dtype == EVENT and (events["x"] < 8).all() and (events["p"] <= 1).all()
        assert (np.abs(events["t"]) <= TIME_MAX).all()


@pytest.mark.parametrize("format", FORMATS)
def test_noise_is_refused_in_the_end(format):
    wire = Wire(format, (8, 8), "it", {}, str)
    rng  = np.random.default_rng(0)
    with pytest.raises(QCLIFError, match="choose another --wire"):
        for _ in range(1000):
            # Coordinates that no sensor has, and lines that have no numbers.
            wire.stream((rng.integers(0, 256, 100, np.uint8) | 0x40).tobytes() + b"\n")
