# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events as bytes: wherever the stream is cut, whatever is broken in it."""

import faery
import numpy as np
import pytest
from faery.events_stream import EVENTS_DTYPE
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.event_array import EVENT, TIME_MAX
from host.live.sources.wire import BINARY, COMPACT, FORMATS, LINE_MAX, PATIENCE, RECORDS, TEXT, Wire
from tests.helpers.live_sources import encoded

SIZE = (1280, 720)


def wire(format, size=SIZE):
    """A decoder, its counts and its notes."""
    counts, notes = {}, []
    return Wire(format, size, "it", counts, notes.append), counts, notes


@st.composite
def event_lists(draw, top=2**40):
    start = draw(st.integers(0, top))
    rows  = draw(st.lists(st.tuples(st.integers(0, SIZE[0] - 1), st.integers(0, SIZE[1] - 1), st.integers(0, 1),
        st.integers(0, 2000)), max_size=40))
    events = np.array(rows, EVENT)
    events["t"] = start + np.cumsum(events["t"])
    return events


@settings(max_examples=300)
@given(st.data(), st.sampled_from(FORMATS))
def test_any_cutting_gives_the_same_events(data, format):
    events = data.draw(event_lists(2**32 - 10_000 if format == COMPACT else 2**40))
    stream = encoded(events, format)
    cuts   = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    it, counts, notes = wire(format)
    found = [it.stream(stream[low:high]) for low, high in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    np.testing.assert_array_equal(np.concatenate([*found, it.end()]), events)
    assert counts == {"broken": 0, "outside_events": 0} and not notes


def test_names_are_those_of_faery():
    for name in (BINARY, COMPACT):
        assert faery.enums.validate_udp_format(name) == name


@pytest.mark.parametrize("format", FORMATS)
def test_messages_stand_alone(format):
    events = np.array([(1, 2, 1, 10), (3, 4, 0, 20), (5, 6, 1, 30)], EVENT)
    data   = encoded(events, format)
    it, counts, notes = wire(format)
    cut = len(data) - (1 if format != TEXT else 3)
    found = [it.messages([data[:cut]]), it.messages([data])]
    np.testing.assert_array_equal(found[0], events[:2])
    np.testing.assert_array_equal(found[1], events)
    assert counts["broken"] == len(notes) == 1 and notes[0].startswith("it: ") and "check the sender" in notes[0]


def test_records_are_those_of_faery():
    """What faery sends, byte for byte."""
    assert RECORDS[BINARY].itemsize == EVENTS_DTYPE.itemsize
    rng    = np.random.default_rng(1)
    events = np.zeros(1000, EVENT)
    for name, high in (("x", 1280), ("y", 720), ("p", 2), ("t", 2**40)):
        events[name] = rng.integers(0, high, len(events))
    events["t"].sort()
    theirs = np.empty(len(events), EVENTS_DTYPE)
    for name in EVENT.names:
        theirs[name] = events[name]
    np.testing.assert_array_equal(wire(BINARY)[0].stream(theirs.tobytes()), events)


def test_times_of_32_bits_go_on():
    t = np.array([2**32 - 5, 2**32 - 1, 2**32 + 3, 2**32 + 2, 2**33 - 2**30, 2**33 - 1, 2**33 + 1])
    events = np.zeros(len(t), EVENT)
    events["t"] = t
    it = wire(COMPACT)[0]
    found = np.concatenate([it.messages([encoded(events[n:n + 1], COMPACT)]) for n in range(3)] +
        [it.messages([encoded(events[3:], COMPACT)])])
    np.testing.assert_array_equal(np.diff(found["t"]), np.diff(t))


@pytest.mark.parametrize("text, rows", [
    (b"t,x,y,p\n10,1,2,1\n20 3 4 0\n", [(1, 2, 1, 10), (3, 4, 0, 20)]),
    (b"# made by hand\n\n 10; 1;2 ;1 \r\n20\t3\t4\t-1", [(1, 2, 1, 10), (3, 4, 0, 20)]),
    (b"t,x@1280,y@720,on\n10,1,2,1\n20,3,4,0\n", [(1, 2, 1, 10), (3, 4, 0, 20)]),
    (b"-10,1,2,1\n+20,3,4,0\n", [(1, 2, 1, -10), (3, 4, 0, 20)]),
])
def test_text_that_is_read(text, rows):
    it, counts, notes = wire(TEXT)
    np.testing.assert_array_equal(np.concatenate([it.stream(text), it.end()]), np.array(rows, EVENT))
    assert counts["broken"] == 0 and not notes


def test_text_of_another_sensor():
    with pytest.raises(QCLIFError, match="it: the sensor has 346x260 pixels, the network is for 1280x720"):
        wire(TEXT)[0].stream(b"t,x@346,y@260,on\n10,1,2,1\n")


def test_text_that_faery_writes(capfd):
    theirs = np.array([(10, 1, 2, True), (20, 3, 4, False)], EVENTS_DTYPE)
    faery.events_stream_from_array(theirs, SIZE).to_stdout()
    it, counts, _ = wire(TEXT)
    found = it.messages([capfd.readouterr().out.encode()])
    np.testing.assert_array_equal(found, np.array([(1, 2, 1, 10), (3, 4, 0, 20)], EVENT))
    assert counts["broken"] == 0


@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5", "1,2,3,2", "1.5,2,3,1", "x,2,3,1", f"{2**63},2,3,1",
    f"{TIME_MAX + 1},2,3,1", "x,y,p,t", "t,x,y", "t,x,y,p", "\xff\x00", "1,2,3,-2", "a"*(LINE_MAX + 1)])
def test_a_broken_line_is_left_out(line):
    it, counts, notes = wire(TEXT)
    data  = f"10,1,2,1\n{line}\n20,3,4,0\n{line}\n".encode("latin-1")
    found = [it.stream(data[n:n + 50]) for n in range(0, len(data), 50)]
    np.testing.assert_array_equal(np.concatenate(found), np.array([(1, 2, 1, 10), (3, 4, 0, 20)], EVENT))
    assert counts["broken"] == 2 and len(notes) == 1 and "\n" not in notes[0]


def test_a_line_without_end_takes_no_memory():
    it, counts, _ = wire(TEXT)
    for _ in range(100):
        assert not len(it.stream(b"1"*10_000))
        assert len(it._left) <= LINE_MAX
    assert it.stream(b"\n7,1,1,1\n")["t"].tolist() == [7] and counts["broken"] == 1


def test_broken_records_are_left_out():
    events = np.array([(1, 2, 2, 10), (3, 4, 0, 20), (5, 6, 255, 30), (1, 1, 1, TIME_MAX + 1)], EVENT)
    it, counts, notes = wire(BINARY)
    np.testing.assert_array_equal(it.stream(encoded(events, BINARY)), events[1:2])
    assert counts["broken"] == 3 and len(notes) == 1
    assert "a record with t = 10 and on = 2 is no event (t64_x16_y16_on8): it is left out" in notes[0]


@pytest.mark.parametrize("format", FORMATS)
def test_events_outside_of_the_sensor(format):
    events = np.array([(7, 3, 1, 10), (8, 3, 0, 20), (0, 4, 0, 30), (2, 2, 1, 40)], EVENT)
    it, counts, notes = wire(format, (8, 4))
    np.testing.assert_array_equal(it.messages([encoded(events, format)]), events[[0, 3]])
    assert counts["outside_events"] == 2
    assert notes == ["it: an event at (8, 3) lies outside of the sensor, 8x4 pixels: it is left out, and counted as "
        "all that follow; take a network for this sensor"]


@pytest.mark.parametrize("data, format", [(b"7,1,1,5\n"*PATIENCE, TEXT), (b"7,1,1,1\n"*2*PATIENCE, BINARY),
    (encoded(np.array([(500, 0, 0, 1)]*PATIENCE, EVENT), COMPACT), COMPACT)])
def test_another_format_or_sensor_is_told(data, format):
    it = wire(format, (128, 128))[0]
    with pytest.raises(QCLIFError, match=f"records is an event of {format} in a sensor of 128x128 pixels: choose"):
        it.stream(data)
