# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Streams over sockets of this machine and through pipes, to the steps of a network."""

import os
import socket
import threading

import faery
import numpy as np
import pytest
from faery.events_stream import EVENTS_DTYPE

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.events.reading import Reading
from host.live.sources.live_steps import AHEAD, LiveSteps
from host.live.sources.opening import open_source, open_steps
from host.live.sources.options import SourceOptions
from host.live.sources.sockets import TcpSource, UdpSource
from host.live.sources.source import Piece
from host.live.sources.standard_input import StandardInput
from host.live.sources.wire import BINARY, COMPACT, FORMATS, TEXT
from tests.helpers.live_sources import ENCODER, StandingClock, check_train, encoded, recording

# However late we are, nothing is dropped, and the wall clock ends no step.
FOREVER = {"max_lag_s": 1e6, "grace_s": 1e6}

# Counts that are no loss.
TAKEN = ("steps", "events")

# Turns of 10 ms at most in which somebody else's thread has to act.
TURNS = 3000


@pytest.fixture
def notes():
    return []


@pytest.fixture
def server():
    """Gives an address, and sends what it is told to whoever connects there; then it closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads  = []

    def serve(*parts, reset=False):
        def work():
            with listener.accept()[0] as connection:
                for part in parts:
                    connection.sendall(part)
                if reset:
                    # Closed like this, it is broken off; not before all has been received.
                    connection.recv(1)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return f"tcp:127.0.0.1:{listener.getsockname()[1]}"
    yield serve
    for thread in threads:
        thread.join()
    listener.close()


def taken(steps, count=None, found=()):
    """Steps until there are so many or the source has ended."""
    found = list(found)
    for _ in range(TURNS):
        found += steps.take(100, 0.01)
        if steps.ended or (count is not None and len(found) >= count):
            return found
    raise AssertionError(f"{len(found)} steps, and no more come: {steps.counts}")


def losses(steps):
    """The counts that are not 0 though they should be."""
    return {name: count for name, count in steps.counts.items() if count and name not in TAKEN}

# TCP ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("late", ["drop", "wait"])
def test_tcp_gives_the_steps_of_the_encoder(server, notes, format, late):
    events = recording(1, start_us=10_000)
    data   = encoded(events, format)
    source = TcpSource(server(data[:500], data[500:777], data[777:]), ENCODER, format, notes.append)
    with LiveSteps(source, ENCODER, late, **FOREVER) as steps:
        found = taken(steps)
    check_train(found, ENCODER.encode(events))
    assert not notes and not losses(steps) and steps.counts["events"] == len(events)
    np.testing.assert_array_equal(np.concatenate([step.events for step in found])["t"], events["t"])


def test_a_sender_that_hurries_is_held_up(server, notes):
    """It has sent a minute long before we have played it."""
    events = recording(2, steps=60_000, rate=3)
    data   = encoded(events, BINARY)
    clock  = StandingClock()
    with LiveSteps(TcpSource(server(data), ENCODER, BINARY, notes.append), ENCODER, "wait", 1e6, grace_s=1e6,
            clock=clock) as steps:
        found = []
        while not steps.ended:
            # Time passes only where there are steps to take.
            if not (now := steps.take(1000)):
                clock.pass_by(0.01)
            found += now
            # And what tells the end.
            assert len(steps._pieces) <= AHEAD + 1
    check_train(found, ENCODER.encode(events))
    assert not losses(steps)


def test_a_connection_that_ends_inside_an_event(server, notes):
    events = recording(3)
    data   = encoded(events, BINARY)
    with LiveSteps(TcpSource(server(data[:-1]), ENCODER, BINARY, notes.append), ENCODER, **FOREVER) as steps:
        found = taken(steps)
    check_train(found, ENCODER.encode(events[:-1]))
    assert losses(steps) == {"broken": 1}
    assert len(notes) == 1 and "12 bytes are left at the end, an event has 13" in notes[0]


@pytest.mark.parametrize("late", ["drop", "wait"])
def test_a_connection_that_breaks_is_told_once(server, notes, late):
    events = recording(4)
    source = TcpSource(server(encoded(events, BINARY), reset=True), ENCODER, BINARY, notes.append)
    with LiveSteps(source, ENCODER, late, **FOREVER) as steps:
        found = taken(steps, 19)
        source._socket.send(b"!")
        with pytest.raises(QCLIFError, match="Connection reset by peer: start the server that sends events there"):
            for _ in range(TURNS):
                found += steps.take(100, 0.01)
        check_train(found, ENCODER.encode(events))
        assert steps.ended and steps.take() == []


def test_nobody_serves():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(QCLIFError, match=f"tcp:127.0.0.1:{port}: Connection refused: start the server"):
        open_steps(SourceOptions(f"tcp:127.0.0.1:{port}"), ENCODER)

# UDP ----------------------------------------------------------------------------------------------

def udp(notes, format=BINARY, encoder=ENCODER):
    """A source, and the address where it listens."""
    source = UdpSource("udp:127.0.0.1:0", encoder, format, notes.append)
    return source, source._socket.getsockname()


@pytest.mark.parametrize("format", [BINARY, COMPACT])
def test_udp_takes_what_faery_sends(qclif_data, notes, format):
    path   = sorted((qclif_data/"dvs128_gesture").glob("*.npz"))[0]
    sample = next(read_files([path]))
    events = sample.events[:20_000]
    theirs = np.empty(len(events), EVENTS_DTYPE)
    for name in EVENT.names:
        theirs[name] = events[name]
    source, address = udp(notes, format, Encoder())
    train = Encoder().encode(events)
    with LiveSteps(source, Encoder(), **FOREVER) as steps:
        found = []
        # No faster than it is read: what the system's queue cannot hold would be lost.
        for part in np.array_split(theirs, 100):
            faery.events_stream_from_array(part, (128, 128)).to_udp(address, format=format)
            number = (int(part["t"][-1]) - int(theirs["t"][0]))//Encoder().bin_us
            found  = taken(steps, number, found) if number > len(found) else found
        found = taken(steps, len(train) - 1, found)
    check_train(found, train.slice(0, len(train) - 1))
    assert not notes and not losses(steps)


def test_datagrams_that_are_broken(notes):
    events = recording(5)
    source, address = udp(notes)
    with LiveSteps(source, ENCODER, **FOREVER) as steps, socket.socket(type=socket.SOCK_DGRAM) as sender:
        found = []
        for number, part in enumerate(np.array_split(events, 20)):
            sender.sendto(encoded(part, BINARY) + b"tail"*(number % 2), address)
            sender.sendto(b"", address)
            found = taken(steps, number - 1, found)
        found = taken(steps, 19, found)
    check_train(found, ENCODER.encode(events).slice(0, 19))
    assert losses(steps) == {"broken": 10} and len(notes) == 1
    assert notes[0] == (f"{source.name}: 4 bytes are left at the end, an event has 13 (t64_x16_y16_on8): it is left "
        "out, and counted as broken as all that follow; check the sender, or choose another --wire")


@pytest.mark.parametrize("late, kept", [("drop", 100), ("wait", 2000)])
def test_a_queue_has_a_limit_though_nobody_is_to_drop(notes, late, kept):
    """Who sends datagrams cannot be held up."""
    source, address = udp(notes)
    with LiveSteps(source, ENCODER, late, clock=StandingClock()) as steps, \
            socket.socket(type=socket.SOCK_DGRAM) as sender:
        for second in range(10):
            events = np.zeros(1, EVENT)
            events["t"] = 500_000*second
            sender.sendto(encoded(events, BINARY), address)
        with steps._changed:
            # Of the last event's step, all that are before it are over.
            assert steps._changed.wait_for(lambda: steps._pace._assembler.number == 4500, 30)
        found = steps.take(5000)
        # The step at the limit is just as late as it may be, or by a rounding later.
        assert len(found) in (kept, kept + 1)
        assert [step.number for step in found] == list(range(4500 - len(found), 4500))
        assert steps.counts["dropped_steps"] == 4500 - len(found) and steps.counts["jumps"] == 0


@pytest.mark.skipif(not os.path.exists("/proc/sys/net/core/rmem_max"), reason="only Linux tells what it lost")
def test_datagrams_that_the_system_lost_are_counted(notes):
    source, address = udp(notes)
    source._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(encoded(recording(6, rate=2), BINARY), address)
        pieces = source.pieces()
        got = 0
        while (piece := next(pieces)) is not None:
            got += len(piece.events)//40
        # What was lost is told with the next one that is not.
        sender.sendto(encoded(recording(6, rate=2), BINARY), address)
        assert len(next(pieces).events) == 40
    pieces.close()
    assert 0 < got < 100 and source.counts["lost"] == 100 - got
    assert len(notes) == 1 and "datagrams were lost" in notes[0]


def test_somebody_else_listens():
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(QCLIFError, match=f"udp:127.0.0.1:{port}: Address already in use: choose an address"):
            open_steps(SourceOptions(f"udp:127.0.0.1:{port}"), ENCODER)


def test_a_source_that_is_closed_ends_its_reader(notes):
    source, _ = udp(notes)
    steps = LiveSteps(source, ENCODER)
    steps.close()
    assert not steps._pump._thread.is_alive() and source._socket.fileno() == -1
    steps.close()
    source, _ = udp(notes)
    source.close()
    assert source._socket.fileno() == -1


def test_a_sender_that_hurries_is_closed_in_the_midst(server, notes):
    data  = encoded(recording(2, steps=60_000, rate=3), BINARY)
    steps = LiveSteps(TcpSource(server(data[:600_000]), ENCODER, BINARY, notes.append), ENCODER, "wait",
        clock=StandingClock())
    with steps._changed:
        # The reader is held up, and waits.
        assert steps._changed.wait_for(lambda: len(steps._pieces) == AHEAD, 30)
    steps.close()
    assert not steps._pump._thread.is_alive()

# Standard input -----------------------------------------------------------------------------------

@pytest.mark.parametrize("late", ["drop", "wait"])
@pytest.mark.parametrize("format", FORMATS)
def test_standard_input(notes, late, format):
    events = recording(7)
    reader, writer = os.pipe()
    with LiveSteps(StandardInput(ENCODER, format, notes.append, reader), ENCODER, late, **FOREVER) as steps:
        data = encoded(events, format)
        # A text may lack its last line's end.
        os.write(writer, data[:-1] if format == TEXT else data)
        os.close(writer)
        found = taken(steps)
    os.close(reader)
    check_train(found, ENCODER.encode(events))
    assert not notes and not losses(steps)


def test_standard_input_that_is_none(notes):
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)
    with LiveSteps(StandardInput(ENCODER, TEXT, notes.append, reader), ENCODER) as steps:
        with pytest.raises(QCLIFError, match="standard input: Bad file descriptor: connect a program"):
            for _ in range(TURNS):
                steps.take(100, 0.01)
        assert steps.ended

# A stream that is held to its own time ------------------------------------------------------------

class Stream:
    """A source that gives what a test puts into it, read by the pump's thread."""
    recorded, waits, late, speed, sensor_size, name = False, True, "wait", 1.0, (8, 8), "stream"

    def __init__(self):
        self.counts = {}
        self._given = []
        self._some  = threading.Condition()
        self._open  = True

    def give(self, steps, events):
        """Put events in, and wait until the thread has handed them on."""
        with self._some:
            self._given.append(Piece(events))
            self._some.notify_all()
            self._some.wait_for(lambda: not self._given)
        # Its next reading shows that this one is done.
        with steps._changed:
            assert steps._changed.wait_for(lambda: steps._pieces, 30)

    def pieces(self):
        while True:
            with self._some:
                self._some.wait_for(lambda: self._given or not self._open)
                if not self._given:
                    return
                piece = self._given.pop(0)
                self._some.notify_all()
            yield piece

    def close(self):
        with self._some:
            self._open = False
            self._some.notify_all()


def at(*times_ms):
    events = np.zeros(len(times_ms), EVENT)
    events["t"] = [round(1000*t) for t in times_ms]
    return events


@pytest.fixture
def stream():
    source, clock = Stream(), StandingClock()
    with LiveSteps(source, ENCODER, "wait", 0.1, grace_s=0.002, clock=clock) as steps:
        yield source, steps, clock


def numbers(steps):
    return [(step.number, len(step.events)) for step in steps.take()]


def test_a_silent_stream_has_steps_too(stream):
    source, steps, clock = stream
    assert numbers(steps) == []
    source.give(steps, at(0, 0.5))
    assert numbers(steps) == []
    clock.pass_by(0.0029)
    assert numbers(steps) == []
    clock.pass_by(0.0002)
    assert numbers(steps) == [(0, 2)]
    clock.pass_by(0.003)
    assert numbers(steps) == [(1, 0), (2, 0), (3, 0)]


def test_events_that_come_after_a_silence_are_not_lost(stream):
    source, steps, clock = stream
    source.give(steps, at(0))
    assert numbers(steps) == []
    clock.pass_by(0.0071)
    assert numbers(steps) == [(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)]
    # These come too late for their steps: time goes on with them.
    source.give(steps, at(2, 2.5, 3.5))
    clock.pass_by(0.001)
    assert numbers(steps) == [(5, 2)]
    clock.pass_by(0.0031)
    assert numbers(steps) == [(6, 1), (7, 0), (8, 0)]
    assert losses(steps) == {}


def test_events_out_of_order_over_a_step_are_late(stream):
    source, steps, clock = stream
    source.give(steps, at(0, 1.5))
    assert numbers(steps) == []
    clock.pass_by(0.0011)
    assert numbers(steps) == [(0, 1)]
    # The first is of step 0, which is over; of the two, none is later than the 1.5 ms before.
    source.give(steps, at(0.9, 1.2, 2.5))
    clock.pass_by(0.001)
    assert numbers(steps) == [(1, 2)]
    assert losses(steps) == {"late_events": 1, "sorted_events": 2}


def test_a_jump_of_hours_is_bridged(stream):
    source, steps, clock = stream
    source.give(steps, at(0, 0.5, 3_600_000, 3_600_000.7, 20, 21))
    found = []
    for _ in range(9):
        clock.pass_by(0.001)
        found += numbers(steps)
    # The jumps take no time: 0, 0.5, 0.5, 1.2, 1.2, 2.2 ms.
    assert found[:3] == [(0, 3), (1, 2), (2, 1)]
    assert losses(steps)["jumps"] == 2


def test_a_packet_of_sparse_events_takes_no_memory(stream):
    source, steps, clock = stream
    source.give(steps, at(*range(0, 900_000, 9_000)))
    for _ in range(500):
        clock.pass_by(0.05)
        steps.take(1000)
        assert len(steps._pace._steps) <= 9_001
    assert losses(steps) == {} and steps.counts["events"] == 3


def test_pause_and_single_steps_of_a_silent_stream(stream):
    source, steps, clock = stream
    source.give(steps, at(0, 0.5, 1.5))
    assert numbers(steps) == []
    steps.pause()
    clock.pass_by(100)
    assert numbers(steps) == []
    for expected in [(0, 2), (1, 1), (2, 0), (3, 0)]:
        steps.single()
        assert numbers(steps) == [expected]
    steps.resume()
    source.give(steps, at(4.5, 5.5))
    clock.pass_by(0.0011)
    assert numbers(steps) == [(4, 1)]
    assert losses(steps) == {}


# What is refused ----------------------------------------------------------------------------------

@pytest.mark.parametrize("text, options, error", [
    ("udp:7777", {}, "--source udp:7777: udp:HOST:PORT is needed, with a port from 0 to 65535, as udp:127.0.0.1:7777"),
    ("tcp:localhost:x", {}, "--source tcp:localhost:x: tcp:HOST:PORT is needed"),
    ("udp:127.0.0.1:65536", {}, "with a port from 0 to 65535"),
    ("udp:127.0.0.1:0", {"loop": True}, "--loop has no effect on --source udp:127.0.0.1:0: leave it out, or name a"),
    ("-", {"speed": 2.0}, "--speed has no effect on --source -"),
    ("synthetic", {"wire": TEXT}, "--wire has no effect on --source synthetic: leave it out, or name a stream"),
    ("recording.npz", {"wire": TEXT}, "--wire has no effect on --source recording.npz"),
    ("-", {"reading": Reading(repair_us=5)}, "--repair has no effect on --source -"),
    ("-", {"reading": Reading(sensor_size=(9, 8))}, "-: the sensor has 9x8 pixels, the network is for 8x8: take a"),
])
def test_streams_that_cannot_be_opened(text, options, error):
    with pytest.raises(QCLIFError) as raised:
        open_source(text, SourceOptions(text, **options), ENCODER)
    assert error in str(raised.value) and "\n" not in str(raised.value)


def test_a_stream_of_the_sensor_that_is_told():
    source = open_source("-", SourceOptions("-", reading=Reading(sensor_size=(8, 8))), ENCODER)
    assert isinstance(source, StandardInput) and source.late == "wait"


def test_ipv6():
    try:
        source = open_source("udp:[::1]:0", SourceOptions(), ENCODER)
    except QCLIFError:
        pytest.skip("no IPv6 on this machine")
    assert source.name.startswith("udp:[::1]:") and not source.name.endswith(":0")
    source.close()
