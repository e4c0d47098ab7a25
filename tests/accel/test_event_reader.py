# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The reader of events: what it hands to the core, what it refuses, and that the firmware refuses the same."""

import functools
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migen import passive

from accel.config import READER_ERRORS, QCLIFConfig
from accel.dma.event_reader import EventReader
from accel.errors import QCLIFError
from firmware.protocol import ENGINES, ERRORS, pack
from host.link.framing import encode_varints
from host.link.link import Link
from tests.helpers.bus_bench import BusBench
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.simulation import run_simulation

CONFIG = QCLIFConfig(neurons=4, inputs=200, contexts=3, lanes=2, step_events=9)

EVENT, LAST = 1 << 16, 1 << 17

# Reference ----------------------------------------------------------------------------------------

@dataclass
class Transfer:
    """Bytes of memory, and what the reader is told of them."""
    data:     bytes
    steps:    int = 0
    varints:  bool = True
    open:     bool = False
    base:     int = 0x1000
    inputs:   int = CONFIG.inputs
    contexts: int = CONFIG.contexts


@dataclass
class Outcome:
    """(source, event, last) that were handed over, and how it ended."""
    beats:    list = field(default_factory=list)
    error:    str = "none"
    value:    int | None = None
    position: int | None = None


class Refusal(Exception):
    pass


def expected(transfer, fill):
    """What the description of the registers says, read byte by byte; `fill` events are in the step at hand."""
    outcome, at = Outcome(), 0
    known = [*range(transfer.inputs), *range(CONFIG.inputs, CONFIG.inputs + transfer.contexts)]

    def refuse(error, value=None):
        outcome.error, outcome.value, outcome.position = error, value, at
        raise Refusal

    def byte():
        nonlocal at
        if at == len(transfer.data):
            refuse("form")
        at += 1
        return transfer.data[at - 1]

    def varint():
        low = byte()
        return low if low < 128 else low - 128 + 128*byte()

    def words():
        nonlocal fill
        while at < len(transfer.data):
            word = sum(byte() << 8*n for n in range(4))
            if word >> 18:
                refuse("form")
            source = word & 0xffff
            if word & EVENT:
                if source not in known:
                    refuse("source", source)
                if fill == CONFIG.step_events:
                    refuse("events", fill + 1)
                fill += 1
            if word & (EVENT | LAST):
                outcome.beats.append((source if word & EVENT else None, bool(word & EVENT), bool(word & LAST)))
            if word & LAST:
                fill = 0

    def varints():
        nonlocal fill
        for step in range(transfer.steps):
            ends  = not (transfer.open and step == transfer.steps - 1)
            count = varint()
            if fill + count > CONFIG.step_events:
                refuse("events", fill + count)
            source = 0
            for n in range(count):
                source += varint()
                if source not in known:
                    refuse("source", source)
                outcome.beats.append((source, True, ends and n == count - 1))
            if count == 0 and ends:
                outcome.beats.append((None, False, True))
            fill = 0 if ends else fill + count
        if at < len(transfer.data):
            refuse("form")

    before = fill
    try:
        varints() if transfer.varints else words()
        outcome.position = at
    except Refusal:
        pass
    # What was handed over before a refusal stays with the core.
    for _, event, last in outcome.beats:
        before = 0 if last else before + event
    return outcome, before

# Simulation ---------------------------------------------------------------------------------------

class Reader:
    """Transfers, one after the other. `outcomes` of each, in order.

    Parameters
    ----------
    gap : the core takes a beat in one of so many clocks, at random.
    """
    def __init__(self, transfers, waits=0, gap=1, big_endian=False, seed=0):
        self.bench = BusBench(EventReader(CONFIG, big_endian), waits=waits, seed=seed)
        self.transfers, self.gap, self.big_endian = transfers, gap, big_endian
        self.outcomes, self.beats, self.clocks, self.clock, self.ended = [], [], [], 0, 0
        run_simulation(self.bench, [self.drive(), self.bench.serve(), self.core(), self.count()])

    def store(self, transfer):
        bench, at = self.bench, transfer.base - self.bench.base
        bench.memory[:] = bench.random.randbytes(len(bench.memory))
        content = transfer.data
        content = content[:len(bench.memory) - at]
        bench.memory[at:at + len(content)] = content
        if self.big_endian:
            words = [bench.memory[n:n + 4][::-1] for n in range(0, len(bench.memory), 4)]
            bench.memory[:] = b"".join(words)

    def drive(self):
        bench, dut = self.bench, self.bench.dut
        for transfer in self.transfers:
            self.store(transfer)
            self.beats, self.clock = [], 0
            yield from bench.start(base=transfer.base, length=len(transfer.data), inputs=transfer.inputs,
                contexts=transfer.contexts, steps=transfer.steps, varints=transfer.varints, open=transfer.open)
            yield from bench.wait()
            self.clocks.append(self.clock)
            error = list(READER_ERRORS)[(yield dut.error)]
            value = (yield dut.value) if error in ("source", "events") else None
            self.outcomes.append(Outcome(self.beats, error, value, (yield dut.position)))
            for _ in range(bench.random.randrange(3)):
                yield

    @passive
    def core(self):
        """Takes events, and tells how many the step at hand has."""
        source, fill = self.bench.dut.source, 0
        while True:
            ready = self.bench.random.randrange(self.gap) == 0
            yield source.ready.eq(ready)
            yield self.bench.dut.fill.eq(fill)
            yield
            if (yield source.valid) and (yield source.ready):
                event, last = bool((yield source.event)), bool((yield source.last))
                self.beats.append(((yield source.source) if event else None, event, last))
                fill = 0 if last else fill + event
                yield self.bench.dut.fill.eq(fill)

    @passive
    def count(self):
        while True:
            yield
            self.clock += 1
            self.ended += yield self.bench.dut.ended


def outcomes_of(transfers):
    fill, found = 0, []
    for transfer in transfers:
        outcome, fill = expected(transfer, fill)
        found.append(outcome)
    return found


def check(transfers, **kwargs):
    reader = Reader(transfers, **kwargs)
    for transfer, outcome, right in zip(transfers, reader.outcomes, outcomes_of(transfers), strict=True):
        assert outcome == right, transfer
    assert reader.ended == len(transfers)
    return reader

# Payloads -----------------------------------------------------------------------------------------

def encode_steps(steps):
    """As the host does it."""
    data = b""
    for sources in steps:
        differences = [b - a for a, b in zip([0, *sources], sources, strict=False)]
        data += encode_varints([len(sources), *differences])
    return data


sources = st.integers(0, 4) | st.integers(0, CONFIG.sources - 1)
steps_lists = st.lists(st.lists(sources, max_size=CONFIG.step_events).map(sorted), max_size=5)


@st.composite
def varint_transfers(draw):
    """Right ones, and those with a byte changed, cut off or added, a wrong number of steps, or fewer sources."""
    steps = draw(steps_lists)
    data  = bytearray(encode_steps(steps))
    count = len(steps)
    match draw(st.sampled_from(["right", "right", "byte", "cut", "added", "steps", "random"])):
        case "byte" if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255) | st.integers(126, 130))
        case "cut":
            del data[draw(st.integers(0, len(data))):]
        case "added":
            data += draw(st.binary(min_size=1, max_size=3))
        case "steps":
            count = draw(st.integers(0, 7))
        case "random":
            data = draw(st.binary(max_size=12))
    return Transfer(bytes(data), count, True, draw(st.booleans()), draw(st.integers(0x1000, 0x1013)),
        draw(st.sampled_from([CONFIG.inputs, 3, 150])), draw(st.sampled_from([CONFIG.contexts, 0, 1])))


@st.composite
def word_transfers(draw):
    words = draw(st.lists(st.tuples(sources, st.sampled_from([EVENT, EVENT, EVENT | LAST, LAST, 0])), max_size=14))
    data  = bytearray(b"".join((source | flags).to_bytes(4, "little") for source, flags in words))
    match draw(st.sampled_from(["right", "right", "byte", "cut"])):
        case "byte" if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        case "cut":
            del data[draw(st.integers(0, len(data))):]
    return Transfer(bytes(data), draw(st.integers(0, 3)), False, draw(st.booleans()),
        draw(st.integers(0x1000, 0x1013)), draw(st.sampled_from([CONFIG.inputs, 150])))

# Tests --------------------------------------------------------------------------------------------

@settings(max_examples=15)
@given(transfers=st.lists(varint_transfers() | word_transfers(), min_size=1, max_size=6), waits=st.integers(0, 5),
    gap=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_as_described(transfers, waits, gap, seed):
    """Any bytes, good or bad, as the description of the formats says, one transfer after the other."""
    check(transfers, waits=waits, gap=gap, seed=seed)


EXAMPLES = {
    "none":   Transfer(encode_steps([[0, 0, 199], [], [2, 200]]), 3),
    "source": Transfer(encode_steps([[0, 160]]), 1, inputs=150),
    "events": Transfer(encode_steps([[0], range(10)]), 2),
    "form":   Transfer(encode_steps([[0, 1]])[:-1], 1),
    "bus":    Transfer(bytes(8), 20, base=0x10fe),
}


@pytest.mark.parametrize("error", EXAMPLES)
def test_every_error(error):
    assert error in READER_ERRORS
    reader = Reader([EXAMPLES[error], EXAMPLES["none"]])
    assert reader.outcomes[0].error == error
    assert reader.outcomes[1].beats == [(0, True, False), (0, True, False), (199, True, True), (None, False, True),
        (2, True, False), (200, True, True)]


def test_every_error_has_an_example():
    # Those of the camera have theirs in camera/test_raw_events.py.
    assert set(EXAMPLES) | {"column", "row", "settings"} == set(READER_ERRORS)


@pytest.mark.parametrize("base", (0xfffffff8, 0xfffffffd))
def test_the_last_address_is_not_wrapped(base):
    """Bytes behind it are not those of address 0."""
    bench_base = 0x100000000 - 256

    class HighReader(Reader):
        def store(self, transfer):
            self.bench.base = bench_base
            self.bench.memory[:] = bytes(256)

    right = 0x100000000 - base
    reader = HighReader([Transfer(bytes(right), right, base=base), Transfer(bytes(right + 1), right + 1, base=base)])
    assert [(each.error, len(each.beats)) for each in reader.outcomes] == [("none", right), ("bus", right)]
    assert min(reader.bench.accesses) >= bench_base


def test_nothing_else_is_read():
    transfer = Transfer(encode_steps([[1, 2, 3]]), 1, base=0x1003)
    reader = check([transfer])
    assert reader.bench.accesses == [0x1000, 0x1004]
    assert check([Transfer(b"", 0)]).bench.accesses == []


def test_big_endian():
    words = b"".join(word.to_bytes(4, "big") for word in (0x10001, 0x300c8))
    assert Reader([EXAMPLES["none"]], big_endian=True).outcomes[0] == outcomes_of([EXAMPLES["none"]])[0]
    assert Reader([Transfer(words, varints=False)], big_endian=True).outcomes[0].beats == [(1, True, False),
        (200, True, True)]


def test_a_byte_a_clock():
    """Where memory and core keep up, a source of one byte a clock; the rest is the first fetch and the last check."""
    steps  = [list(range(9))]*12
    data   = encode_steps(steps)
    reader = check([Transfer(data, len(steps))])
    assert len(data) <= reader.clocks[0] <= len(data) + 16


def test_a_start_while_busy_changes_nothing():
    bench, beats = BusBench(EventReader(CONFIG), waits=3), []
    bench.memory[:7] = encode_steps([[1], [2], [3], []])

    def drive():
        yield from bench.start(base=0x1000, length=7, inputs=9, contexts=0, steps=4, varints=1, open=0)
        yield from bench.start(base=0x1004, length=1, inputs=1, contexts=3, steps=2, varints=0, open=1)
        yield from bench.wait()
        assert not (yield bench.dut.error)
        for _ in range(50):
            yield
    run_simulation(bench, [drive(), bench.serve(), collect(bench, beats)])
    assert beats == [(1, 1), (2, 1), (3, 1), (0, 1)]


@passive
def collect(bench, beats):
    """Takes all; (source, last)."""
    yield bench.dut.source.ready.eq(1)
    while True:
        yield
        if (yield bench.dut.source.valid):
            beats.append(((yield bench.dut.source.source), (yield bench.dut.source.last)))


@pytest.mark.parametrize("clocks", range(0, 40, 3))
def test_abort(clocks):
    """At any time: nothing more is handed over, the access of the bus is completed, the next transfer is right."""
    bench, beats = BusBench(EventReader(CONFIG), waits=6, seed=clocks), []
    data = encode_steps([[1, 2, 3]]*8)
    bench.memory[:len(data)] = data
    settings = dict(base=0x1000, length=len(data), inputs=200, contexts=0, steps=8, varints=1, open=0)

    def drive():
        yield from bench.start(**settings)
        for _ in range(clocks):
            yield
        yield bench.dut.abort.eq(1)
        yield
        yield bench.dut.abort.eq(0)
        yield
        beats.clear()
        for _ in range(20):
            yield
        assert not beats and not (yield bench.dut.busy) and not (yield bench.dut.done)
        yield from bench.start(**settings)
        yield from bench.wait()
        assert not (yield bench.dut.error)
    run_simulation(bench, [drive(), bench.serve(), collect(bench, beats)])
    assert beats == [(1, 0), (2, 0), (3, 1)]*8

# The firmware -------------------------------------------------------------------------------------

@functools.cache
def firmware():
    return FirmwareDevice(CONFIG)


def answer_of_the_firmware(transfers):
    """What the firmware's own checks, in C, say of the last of some transfers of one sample."""
    device = firmware()
    device.reset()
    link = Link(FirmwarePort(device))
    last = transfers[-1]
    link.request("CONFIGURE", pack("CONFIGURE", engine=ENGINES["cpu"], neurons=1, inputs=last.inputs,
        contexts=last.contexts, outputs=0, apical_shift=0, product_shift=0, network_id=1))
    link.request("BEGIN")
    for transfer in transfers:
        head = b"" if transfer.open else encode_varints([transfer.steps])
        try:
            link.request("PART" if transfer.open else "STEPS", head + transfer.data)
        except QCLIFError as error:
            assert transfer is last
            for name, text in ERRORS.items():
                pattern = re.sub(r"\\{(value|limit)\\}", r"(?P<\1>\\d+)", re.escape(text))
                if found := re.fullmatch("device: " + pattern, str(error)):
                    return name, int(found["value"]), int(found["limit"]) - len(head)*(name == "LENGTH")
            raise
    return None


def answer_of_the_reader(outcome, transfer):
    """The same, of an outcome: error, value and limit as the link tells them."""
    head = 0 if transfer.open else len(encode_varints([transfer.steps]))
    return {
        "none":   None,
        "source": ("SOURCE", outcome.value, transfer.inputs),
        "events": ("EVENTS", outcome.value, CONFIG.step_events),
        "form":   ("LENGTH", head + len(transfer.data), outcome.position),
    }[outcome.error]


@st.composite
def samples(draw):
    """A PART, which is right, or none, and a request that may not be; of the same network."""
    last = draw(varint_transfers())
    if last.open:
        last.steps = 1
    known = [*range(last.inputs), *range(CONFIG.inputs, CONFIG.inputs + last.contexts)]
    part  = draw(st.lists(st.sampled_from(known), min_size=1, max_size=CONFIG.step_events).map(sorted))
    first = Transfer(encode_steps([part]), 1, True, True, inputs=last.inputs, contexts=last.contexts)
    return [first, last] if draw(st.booleans()) else [last]


@settings(max_examples=40)
@given(samples())
def test_the_firmware_says_the_same(transfers):
    reader = Reader(transfers)
    assert all(outcome.error == "none" for outcome in reader.outcomes[:-1])
    assert answer_of_the_reader(reader.outcomes[-1], transfers[-1]) == answer_of_the_firmware(transfers)
