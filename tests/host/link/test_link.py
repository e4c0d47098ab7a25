# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The link between the host's code and the compiled firmware, over lines that damage, in a simulated time."""

import dataclasses
import functools
import itertools
import os
import pty
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from firmware.protocol import NAK_REASONS, NOTICES, REQUESTS, RESPONSE, SESSION_STATES
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.device import Device
from host.link.framing import Frame, decode_frame, encode_frame
from host.link.link import DeviceReset, Link
from host.link.port import Faults, SerialPort
from host.link.window import PayloadSize, Request, Window
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.strategies import random_network

CONFIG = QCLIFConfig(neurons=40, inputs=64, contexts=4)

# Each about one in 1000 bytes, and one far worse.
FAULTS = [
    {"flip": 1e-3}, {"drop": 1e-3}, {"duplicate": 1e-3}, {"insert": 1e-3}, {"truncate": 3e-4},
    {"flip": 1e-3, "drop": 1e-3, "duplicate": 1e-3, "insert": 1e-3, "truncate": 1e-4}, {"flip": 5e-3},
]


@functools.cache
def network():
    return random_network(CONFIG, seed=3, style="excited")


@functools.cache
def samples():
    rng = np.random.default_rng(5)
    steps = [[rng.integers(0, 68, rng.integers(0, 30)) for _ in range(60)] for _ in range(12)]
    return [Sample(str(index), steps=SpikeTrain.from_lists(sample)) for index, sample in enumerate(steps)]


@functools.cache
def clean_runs():
    return list(loaded(Link(FirmwarePort(FirmwareDevice(CONFIG)))).run_many(samples()))


def loaded(link):
    device = Device(link)
    device.load(network(), "cpu", network().encoder)
    return device


def assert_clean(runs):
    for run, clean in zip(runs, clean_runs(), strict=True):
        assert run.spikes == clean.spikes
        assert np.array_equal(run.logits, clean.logits)
        assert np.array_equal(run.v_a, clean.v_a) and np.array_equal(run.v_s, clean.v_s)


# Damage -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "-".join(faults) + f"-{max(faults.values())}")
def test_a_bad_line_never_changes_a_result(faults):
    clean_runs()
    port = FirmwarePort(FirmwareDevice(CONFIG), Faults(**faults, seed=1))
    link = Link(port)
    device = loaded(link)
    for _ in range(6):
        assert_clean(device.run_many(samples()))
    assert link.stats.frames > 1000
    assert link.stats.retries > 20
    assert link.stats.crc_errors > 10
    # Mostly repaired at once, not after timeouts.
    assert link.stats.timeouts < 0.15*link.stats.frames


@settings(max_examples=30)
@given(st.builds(Faults, *[st.sampled_from([0, 5e-4, 1.5e-3])]*4, st.sampled_from([0, 1e-4]),
    st.integers(0, 2**32 - 1)))
def test_random_damage(faults):
    port = FirmwarePort(FirmwareDevice(CONFIG), faults)
    link = Link(port, tries=40)
    assert_clean(itertools.chain(loaded(link).run_many(samples()[:3]), clean_runs()[3:]))


def test_a_bad_line_makes_frames_smaller_and_a_good_one_larger_again():
    port = FirmwarePort(FirmwareDevice(CONFIG))
    link = Link(port)
    device = loaded(link)
    usual = link.payload_bytes
    port.faults = Faults(flip=2e-3)
    assert_clean(device.run_many(samples()))
    assert link.payload_bytes <= usual//4
    port.faults = Faults()
    for _ in range(6):
        assert_clean(device.run_many(samples()))
    assert link.payload_bytes == usual


def test_a_clean_line_repeats_nothing():
    link = Link(FirmwarePort(FirmwareDevice(CONFIG)))
    assert_clean(loaded(link).run_many(samples()))
    stats = link.stats
    assert (stats.retries, stats.crc_errors, stats.naks, stats.timeouts) == (0, 0, 0, 0)


def test_framing_overhead():
    """At most 2 bytes an event and 10 % framing at 40 events a step."""
    config = QCLIFConfig()
    link = Link(FirmwarePort(FirmwareDevice(config)))
    device = Device(link)
    device.load(random_network(config, seed=1), "cpu")
    rng = np.random.default_rng(2)
    steps = SpikeTrain.from_lists([rng.choice(512, 40, replace=False) for _ in range(200)])
    before = link.stats.bytes_tx
    device.run(Sample("40", steps=steps))
    assert link.stats.bytes_tx - before <= 1.1*2*40*200


# Window and credits -------------------------------------------------------------------------------

class CountingPort(FirmwarePort):
    """Counts requests and encoded bytes that are not answered."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.flight: dict[int, int] = {}
        self.most_frames = self.most_bytes = 0

    def write(self, data):
        frame = decode_frame(data.strip(b"\0"))
        if frame is not None:
            self.flight[frame.sequence] = len(data)
            self.most_frames = max(self.most_frames, len(self.flight))
            self.most_bytes = max(self.most_bytes, sum(self.flight.values()))
        super().write(data)

    def read(self):
        data = super().read()
        for piece in filter(None, data.split(b"\0")):
            frame = decode_frame(piece)
            if frame is not None and frame.type & RESPONSE and frame.type not in NOTICES.values():
                self.flight.pop(frame.sequence, None)
        return data


@pytest.mark.parametrize("window, fifo", [(2, 2048), (8, 4096), (16, 2048), (5, 16384)])
def test_window_and_credit_are_kept_and_used(window, fifo):
    config = dataclasses.replace(CONFIG, frame_window=window, uart_fifo=fifo)
    port = CountingPort(FirmwareDevice(config))
    device = loaded(Link(port))
    assert port.most_bytes <= fifo//2
    assert_clean(device.run_many(samples()))
    assert port.most_frames <= window
    assert port.most_bytes <= fifo//2
    assert port.most_frames == window or port.most_bytes > fifo//2 - 600


# Session ------------------------------------------------------------------------------------------

def test_a_host_killed_in_mid_frame():
    device = FirmwareDevice(CONFIG)
    loaded(Link(FirmwarePort(device)))
    device.exchange(encode_frame(Frame(REQUESTS["STEPS"], 7, 1, bytes(100)))[:50])
    link = Link(FirmwarePort(device))
    assert link.info.previous and not link.info.sample_open
    assert_clean(loaded(link).run_many(samples()))
    assert link.stats.retries == 0


def test_a_host_killed_in_mid_sample():
    device = FirmwareDevice(CONFIG)
    runs = loaded(Link(FirmwarePort(device))).run_many(samples())
    next(runs)
    link = Link(FirmwarePort(device))
    assert link.info.sample_open
    assert_clean(loaded(link).run_many(samples()))


def test_a_run_given_up_half_way_leaves_the_link_usable():
    link = Link(FirmwarePort(FirmwareDevice(CONFIG)))
    device = loaded(link)
    runs = device.run_many(samples())
    next(runs)
    runs.close()
    assert device.stats()["rx_errors"] == 0
    assert_clean(device.run_many(samples()))


def test_the_network_is_sent_once():
    device = FirmwareDevice(CONFIG)
    assert Device(Link(FirmwarePort(device))).load(network(), "cpu")
    assert not Device(Link(FirmwarePort(device))).load(network(), "cpu")
    assert Device(Link(FirmwarePort(device))).load(random_network(CONFIG, seed=4), "cpu")
    device.reset()
    assert Device(Link(FirmwarePort(device))).load(random_network(CONFIG, seed=4), "cpu")


def test_a_second_client():
    device = FirmwareDevice(CONFIG)
    port = FirmwarePort(device)
    first = loaded(Link(port))
    second = loaded(Link(FirmwarePort(device)))
    with pytest.raises(QCLIFError, match="another program took over the device on firmware"):
        first.run(samples()[0])
    assert_clean(second.run_many(samples()))


def test_device_reset():
    device = FirmwareDevice(CONFIG)
    link = Link(FirmwarePort(device))
    runs = loaded(link).run_many(samples())
    next(runs)
    device.reset()
    with pytest.raises(DeviceReset, match="reset"):
        list(runs)
    link.open()
    assert link.info.networks == {"accel": 0, "cpu": 0}
    assert_clean(loaded(link).run_many(samples()))


def test_nobody_answers():
    class DeadPort(FirmwarePort):
        def write(self, data):
            pass

    port = DeadPort(FirmwareDevice(CONFIG))
    with pytest.raises(QCLIFError, match="no answer from the device on firmware in 10 s: see that"):
        Link(port)
    assert port.closed


def test_a_busy_device_is_waited_for():
    """BUSY holds off the end of the host's patience."""
    device = FirmwareDevice(CONFIG)
    port = FirmwarePort(device)
    link = Link(port, timeout=1.0, tries=3)
    answer, session = device.exchange, link._session
    busy = encode_frame(Frame(NOTICES["BUSY"], 0, session, b""))

    def slow(received):
        for second in range(1, 30):
            port._to_host.append((port.now() + 0.9*second, busy))
        port._to_host.append((port.now() + 27, answer(received)))
        return b""

    device.exchange = slow
    assert len(link.request("STATS")) == 4*len(protocol.STATS)
    assert link.stats.retries == 0


class OtherVersion:
    """A device of another version of the protocol, of whose HELLO nobody here knows more than the beginning."""

    def __init__(self, version, more):
        self.answer = bytes([protocol.OK, version]) + more

    def exchange(self, data):
        hello = decode_frame(data.strip(b"\0"))
        return encode_frame(Frame(hello.type | RESPONSE, 0, hello.session, self.answer))


@pytest.mark.parametrize("version, more", [(0, b""), (0, bytes(100)), (99, b"\xff"), (99, bytes(100))])
def test_a_device_of_another_version_is_refused(version, more):
    port = FirmwarePort(OtherVersion(version, more))
    with pytest.raises(QCLIFError, match=f"protocol version {version}, this host {protocol.PROTOCOL_VERSION}: "):
        Link(port)
    assert port.closed

# The firmware's side, frame by frame --------------------------------------------------------------

class Raw:
    """Frames to the firmware and back, without a Link."""

    def __init__(self, session=5):
        self.device  = FirmwareDevice(CONFIG)
        self.session = session

    def send(self, encoded):
        return [decode_frame(piece) for piece in filter(None, self.device.exchange(encoded).split(b"\0"))]

    def frame(self, kind, sequence=0, payload=b"", session=None):
        return encode_frame(Frame(REQUESTS[kind], sequence, self.session if session is None else session, payload))

    def ask(self, kind, sequence=0, payload=b"", session=None):
        answer, = self.send(self.frame(kind, sequence, payload, session))
        return answer

    def hello(self, nonce=1, session=None):
        return self.ask("HELLO", 0, protocol.pack("NONCE", nonce=nonce), session)


def test_hello_twice_changes_nothing():
    raw = Raw()
    first = raw.hello()
    raw.ask("STATS", 0)
    assert raw.hello() == first
    assert raw.ask("STATS", 1).type == REQUESTS["STATS"] | RESPONSE


def test_hello_of_another_host_with_the_same_session():
    raw = Raw()
    raw.hello(nonce=1)
    raw.ask("STATS", 0)
    raw.hello(nonce=2)
    assert raw.ask("STATS", 1) == Frame(NOTICES["NAK"], 0, 5, bytes([0, NAK_REASONS["GAP"]]))


def test_no_session_after_reset():
    raw = Raw()
    assert raw.ask("STATS", 3) == Frame(NOTICES["SESSION"], 3, 5, bytes([SESSION_STATES["RESET"]]))
    raw.hello(session=6)
    assert raw.ask("STATS", 3) == Frame(NOTICES["SESSION"], 3, 5, bytes([SESSION_STATES["TAKEN"]]))


def test_a_repeated_request_is_answered_and_not_executed():
    raw = Raw()
    raw.hello()
    answers = [raw.ask("STATS", sequence) for sequence in range(20)]
    # STATS counts frames, so that an answer made anew would differ.
    window = CONFIG.frame_window
    for sequence in range(20 - window, 20):
        assert raw.ask("STATS", sequence) == answers[sequence]
    assert raw.ask("STATS", 20 - window - 1).type == NOTICES["NAK"]
    assert raw.ask("STATS", 20).type == REQUESTS["STATS"] | RESPONSE


@pytest.mark.parametrize("window", [2, 3, 16])
def test_sequences_wrap(window):
    raw = Raw()
    raw.device = FirmwareDevice(dataclasses.replace(CONFIG, frame_window=window))
    raw.hello()
    previous = None
    for number in range(600):
        answer = raw.ask("STATS", number & 0xff)
        assert answer.sequence == number & 0xff and answer != previous
        assert raw.ask("STATS", number & 0xff) == answer
        previous = answer


def test_naks():
    raw = Raw()
    raw.hello()
    gap = Frame(NOTICES["NAK"], 0, 5, bytes([0, NAK_REASONS["GAP"]]))
    assert raw.send(raw.frame("STATS", 1) + raw.frame("STATS", 2)) == [gap]
    damaged = bytearray(raw.frame("STATS", 0))
    damaged[3] ^= 1
    crc = Frame(NOTICES["NAK"], 0, 5, bytes([0, NAK_REASONS["CRC"]]))
    assert raw.send(bytes(damaged)) == [crc]
    # The gap that follows was said already.
    assert raw.send(raw.frame("STATS", 1)) == []
    assert len(raw.send(raw.frame("STATS", 0) + raw.frame("STATS", 1))) == 2
    oversize = encode_frame(Frame(REQUESTS["WRITE"], 2, 5, bytes(CONFIG.frame_bytes - 7)))
    assert raw.send(oversize) == [Frame(NOTICES["NAK"], 2, 5, bytes([2, NAK_REASONS["OVERSIZE"]]))]
    largest = encode_frame(Frame(REQUESTS["WRITE"], 2, 5, bytes(CONFIG.frame_bytes - 8)))
    assert raw.send(largest)[0].type == REQUESTS["WRITE"] | RESPONSE
    assert raw.send(b"\0\0\0") == []
    assert raw.send(b"\x05abc\0") == [Frame(NOTICES["NAK"], 3, 5, bytes([3, NAK_REASONS["CRC"]]))]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_noise_never_stops_the_firmware(noise):
    raw = Raw()
    raw.hello()
    for data in noise:
        raw.device.exchange(data)
    answers = raw.send(b"\0" + raw.frame("STATS", 0))
    assert answers[-1].type == REQUESTS["STATS"] | RESPONSE


# Ports --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["/dev/no-such-port", "socket://127.0.0.1:{}", "nonsense://x", ""])
def test_ports_that_do_not_open(name):
    with socket.socket() as taken:
        # Nobody listens on it, and nobody else can.
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(QCLIFError, match="cannot open port") as error:
            Link(name.format(taken.getsockname()[1]))
    assert "\n" not in str(error.value)


def test_port_closed_in_mid_run():
    ours, theirs = pty.openpty()
    port = SerialPort(os.ttyname(theirs), 115200)
    os.write(ours, b"abc")
    port.wait(1)
    assert port.read() == b"abc"
    os.close(theirs)
    os.close(ours)
    with pytest.raises(QCLIFError, match="closed in mid-run"):
        port.wait(1)
        port.read()
    port.close()


def test_a_request_whose_answer_was_lost_is_repeated_when_its_repetition_is_damaged():
    """The device then misses the number behind it: nothing would come before a timeout."""
    window = Window(window=8, credit=4096, size=PayloadSize())
    first, second = (Request(REQUESTS["STATS"], number, b"\1\0") for number in (7, 8))
    window.add(first)
    window.go_back(8)
    assert window.due(0.0) == [first]
    first.due = None
    window.add(second)
    window.go_back(8)
    assert window.due(0.0) == [first, second]
    first.due = second.due = None
    window.go_back(7 + 128)
    assert window.due(0.0) == []
