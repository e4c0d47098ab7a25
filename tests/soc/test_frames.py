# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The link's frames in gateware, through registers and memories on a bus, against the host's own framing."""

import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litex.soc.cores.uart import UARTInterface
from litex.soc.interconnect import csr_bus
from migen import Module

from firmware.protocol import CRC, FRAME_RESULTS, OVERHEAD_BYTES
from host.link.framing import Frame, decode_frame, encode_frame
from soc.frames.common import QUEUE
from soc.frames.peripheral import Frames
from soc.frames.receiver import BAD, GOOD, OVERSIZE, FrameReceiver
from soc.frames.sender import FrameSender
from tests.helpers.simulation import run_simulation

FRAME_BYTES, RING_BYTES, SEND_BYTES = 300, 1024, 640
PLAIN, NONE = 1 << 30, FRAME_RESULTS["NONE"]


class Bench(Module):
    """Frames on a 32-bit CSR bus; `phy` is the PHY's side."""
    def __init__(self, ring=RING_BYTES, big_endian=False):
        self.phy, self.big_endian = UARTInterface(), big_endian
        self.submodules.frames = Frames(self.phy, ring, SEND_BYTES, FRAME_BYTES, big_endian)
        self.submodules.bank = csr_bus.CSRBank(self.frames.get_csrs(), bus=csr_bus.Interface(data_width=32))
        self.addresses = {csr.name.removesuffix("0"): n for n, csr in enumerate(self.bank.simple_csrs)}
        self.sent = bytearray()

    def write(self, name, value):
        yield from self.bank.bus.write(self.addresses[name], value)
        yield

    def read(self, name):
        yield from self.bank.bus.read(self.addresses[name])
        yield
        return (yield self.bank.bus.dat_r)

    def receive(self, data, waits=True):
        """Offer bytes as a PHY: one that waits for ready, or one that offers each for a single clock."""
        source = self.phy.source
        for byte in data:
            yield source.data.eq(byte)
            yield source.valid.eq(1)
            yield
            while waits and not (yield source.ready):
                yield
            yield source.valid.eq(0)
            if not waits:
                yield

    def transmit(self, orders, stall):
        """Take bytes as a PHY that is busy `stall` clocks of each, until the zeros of so many orders have come."""
        sink, clock = self.phy.sink, 0
        while self.sent.count(0) < orders:
            yield sink.ready.eq(clock % (stall + 1) == 0)
            yield
            if (yield sink.ready) and (yield sink.valid):
                self.sent.append((yield sink.data))
            clock += 1

    def frame(self):
        """Wait for a frame; (result, its bytes), and take it."""
        while not (word := (yield from self.read("frame"))) & 3:
            pass
        assert (yield from self.read("frame")) == word # Reading changes nothing.
        bus, start, length = self.frames.receiver.bus, word >> 16, word >> 2 & 0x3fff
        data = b""
        for address in range(start//4, start//4 + (length + 3)//4):
            value = yield from bus.read(address)
            data += value.to_bytes(4, "big" if self.big_endian else "little")
        yield from self.write("frame", 0)
        return word & 3, data[:length]

    def store(self, start, data):
        """Write bytes to the memory of what is sent, a byte an access."""
        bus = self.frames.sender.bus
        for n, byte in enumerate(data, start):
            lane = n % 4 ^ (3 if self.big_endian else 0)
            yield from bus.write(n//4, byte << 8*lane, sel=1 << lane)


def drive(bench, *generators):
    """Run generators of the bench; the first one's result."""
    results = []

    def first():
        results.append((yield from generators[0]))
    run_simulation(bench, [first(), *generators[1:]])
    return results[0]


# Zeros; a test of its own has runs without one beyond COBS' block.
payloads = st.one_of(st.binary(max_size=20), st.lists(st.sampled_from([0, 0, 1, 255]), max_size=20).map(bytes))
frames = st.builds(Frame, st.integers(1, 255), st.integers(0, 255), st.integers(0, 65535), payloads)


def body(frame):
    return bytes([frame.type, frame.sequence]) + frame.session.to_bytes(2, "little") + frame.payload


# Runs without a zero beyond COBS' block, and what falls in with the frame's end.
LONG = [Frame(1, 1, 0x101, b"\x07"*length + end) for length, end in ((245, b"\1"), (246, b""), (250, b"\0"))]


@settings(max_examples=5)
@given(sent=st.lists(frames, max_size=4), big_endian=st.booleans())
@example(sent=LONG, big_endian=False)
def test_frames_are_received_as_the_host_made_them(sent, big_endian):
    bench = Bench(big_endian=big_endian)

    def cpu():
        got = []
        for _ in sent:
            got.append((yield from bench.frame()))
        assert (yield from bench.read("frame")) & 3 == NONE
        assert (yield from bench.read("bytes_received")) == len(line)
        assert (yield from bench.read("overflows")) == 0
        return got
    line = b"".join(map(encode_frame, sent))
    assert drive(bench, cpu(), bench.receive(line)) == [(GOOD, body(frame)) for frame in sent]


def verdict(piece):
    """What the host's own decoder and the limits say of the bytes before a zero."""
    if not piece or piece == b"\x01":
        return NONE
    return GOOD if decode_frame(piece) else BAD


def damaged(frame, at, bits):
    return bytes(byte ^ bits if n == at else byte for n, byte in enumerate(encode_frame(frame)))


@settings(max_examples=8)
@given(line=st.one_of(st.lists(st.sampled_from([0, 1, 2, 3, 255]), max_size=80).map(bytes),
    st.builds(damaged, frames, st.integers(0, 40), st.integers(1, 255))))
@example(line=b"\x01\x01\x01\x02")
def test_damaged_frames_are_told_and_take_no_memory(line):
    bench  = Bench()
    line   = line.rstrip(b"\0") + b"\0" # The last one ends.
    expect = [each for piece in line[:-1].split(b"\0") if (each := verdict(piece)) != NONE]
    after  = Frame(1, 2, 3, b"after it")

    def cpu():
        got = []
        for _ in (*expect, after):
            got.append((yield from bench.frame()))
        return got
    got = drive(bench, cpu(), bench.receive(line + encode_frame(after)))
    assert [result for result, _ in got] == [*expect, GOOD]
    assert got[-1][1] == body(after)


@pytest.mark.parametrize("extra", (0, 1, 200))
def test_longest_frame(extra):
    bench = Bench()
    frame = Frame(1, 2, 3, bytes(range(256))[:FRAME_BYTES - OVERHEAD_BYTES] + bytes(extra)
        + b"\x01"*(FRAME_BYTES - OVERHEAD_BYTES - 256))

    def cpu():
        first = yield from bench.frame()
        return first, (yield from bench.frame())
    good = Frame(9, 9, 9, b"")
    assert drive(bench, cpu(), bench.receive(encode_frame(frame) + encode_frame(good))) == (
        (OVERSIZE, b"") if extra else (GOOD, body(frame)), (GOOD, body(good)))


def test_a_full_ring_waits_and_loses_nothing():
    bench = Bench()
    sent  = [Frame(1, n, 0, bytes([n + 1])*200) for n in range(7)]

    def cpu():
        for _ in range(1500):
            yield
        got = []
        for _ in sent:
            got.append((yield from bench.frame()))
        return got
    line = b"".join(map(encode_frame, sent))
    assert drive(bench, cpu(), bench.receive(line)) == [(GOOD, body(frame)) for frame in sent]


def test_lost_bytes_are_counted():
    """A PHY that ignores ready, as LiteX's RS232PHY does, while the CPU takes nothing."""
    bench = Bench()
    sent  = [Frame(1, n, 0, bytes([n + 1])*200) for n in range(6)]
    line  = b"".join(map(encode_frame, sent))

    def cpu():
        yield from bench.receive(line, waits=False)
        lost = yield from bench.read("overflows")
        assert (yield from bench.read("bytes_received")) == len(line) - lost
        # The first ones are kept.
        kept = 0
        while (yield from bench.frame()) == (GOOD, body(sent[kept])):
            kept += 1
            if not (yield from bench.read("frame")) & 3:
                break
        return lost, kept
    lost, kept = drive(bench, cpu())
    assert kept == RING_BYTES//208 and 0 < lost <= len(line) - kept*len(encode_frame(sent[0]))


@settings(max_examples=5)
@given(sent=st.lists(frames, min_size=1, max_size=3), stall=st.integers(0, 3), big_endian=st.booleans())
@example(sent=LONG, stall=0, big_endian=False)
@example(sent=[Frame(1, 0, 0, b"")], stall=3, big_endian=False)
def test_frames_are_sent_as_the_host_reads_them(sent, stall, big_endian):
    bench = Bench(big_endian=big_endian)

    def cpu():
        for n, frame in enumerate(sent):
            start = n % 2*320
            while (yield from bench.read("sent")) & 0xffff < n - 1: # The one before the last lies there.
                pass
            yield from bench.store(start, body(frame))
            yield from bench.write("send", start | len(body(frame)) << 16)
        while (yield from bench.read("sent")) != len(sent):
            pass
        # The last byte of the last frame may still wait for the PHY.
        while (yield bench.phy.sink.valid):
            yield
        yield
        assert (yield from bench.read("bytes_sent")) == len(bench.sent)
    drive(bench, cpu(), bench.transmit(len(sent), stall))
    assert bench.sent == b"".join(map(encode_frame, sent))


def test_plain_bytes():
    bench = Bench()

    def cpu():
        yield from bench.store(8, b"hello, there")
        yield from bench.write("send", 8 | 12 << 16 | PLAIN)
        yield from bench.write("send", 8 | 5 << 16)
    drive(bench, cpu(), bench.transmit(2, 0))
    assert bench.sent.startswith(b"hello, there\0")
    assert bench.sent[13:-1].endswith(CRC.pack(zlib.crc32(b"hello"))) # Nothing of the plain bytes is in it.


def test_too_many_orders_are_refused_and_told():
    bench = Bench()

    def cpu():
        yield from bench.store(0, b"\x05")
        for _ in range(QUEUE + 3):
            yield from bench.write("send", 1 << 16)
        return (yield from bench.read("sent"))
    assert drive(bench, cpu()) == 1 << 16


@pytest.mark.parametrize("start, length", ((0, 0), (0, FRAME_BYTES - 3), (SEND_BYTES - 4, 5), (2, 1), (0xfffc, 8)))
def test_orders_of_what_is_not_there_are_refused_and_told(start, length):
    bench = Bench()

    def cpu():
        yield from bench.write("send", start | length << 16)
        refused = yield from bench.read("sent")
        for _ in range(40):
            yield
        return refused, (yield bench.phy.sink.valid)
    assert drive(bench, cpu()) == (1 << 16, 0)


def test_interrupt_while_there_is_a_frame():
    bench = Bench()

    def cpu():
        yield from bench.write("ev_enable", 1)
        before = yield bench.frames.ev.irq
        yield from bench.receive(encode_frame(Frame(1, 0, 0, b"")))
        for _ in range(8):
            yield
        during = yield bench.frames.ev.irq
        yield from bench.frame()
        for _ in range(4):
            yield
        return before, during, (yield bench.frames.ev.irq)
    assert drive(bench, cpu()) == (0, 1, 0)


def test_refuses_memories_that_are_too_small():
    for module, size in ((FrameReceiver, 600), (FrameReceiver, 512), (FrameSender, 296), (FrameSender, 302)):
        with pytest.raises(ValueError, match=f"memory_bytes is {size}"):
            module(size, FRAME_BYTES)
