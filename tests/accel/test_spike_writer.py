# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The writer of spikes: the words in memory, no byte beyond the buffer, and what ends a transfer."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migen import passive

from accel.config import WRITER_ERRORS, QCLIFConfig
from accel.dma.spike_writer import SpikeWriter
from tests.helpers.bus_bench import BusBench
from tests.helpers.simulation import run_simulation

CONFIG = QCLIFConfig(neurons=200)
BASE, SIZE = 0x1000, 256
SPIKE, LAST, VALID = 1 << 16, 1 << 17, 1 << 18


@dataclass
class Buffer:
    """Of a transfer, with the steps to be written to it."""
    steps:  int
    base:   int = BASE
    length: int = SIZE


def words_of(steps):
    """Of the steps' spikes: `last` with the last of them, or alone."""
    words = []
    for spikes in steps:
        beats = [neuron | SPIKE | VALID for neuron in spikes] or [VALID]
        beats[-1] |= LAST
        words += beats
    return words


class Writer:
    """Spikes of a core, and buffers for them, one after the other.

    Attributes
    ----------
    outcomes : (error, steps left, words in the buffer) of each buffer.
    ended : pulses of it.
    """
    def __init__(self, steps, buffers, waits=0, gap=1, seed=0):
        self.bench = BusBench(SpikeWriter(CONFIG), BASE, SIZE, waits, seed)
        self.words, self.buffers, self.gap = words_of(steps), buffers, gap
        self.outcomes, self.taken, self.ended = [], 0, 0
        run_simulation(self.bench, [self.drive(), self.bench.serve(), self.core(), self.count()])

    def drive(self):
        bench, dut = self.bench, self.bench.dut
        for buffer in self.buffers:
            before = bench.random.randbytes(SIZE)
            bench.memory[:] = before
            yield from bench.start(base=buffer.base, length=buffer.length, steps=buffer.steps)
            yield from bench.wait()
            count, at = (yield dut.count), buffer.base - BASE
            written = bytes(bench.memory[at:at + 4*count])
            assert bench.memory[:at] == before[:at] and bench.memory[at + 4*count:] == before[at + 4*count:]
            self.outcomes.append((list(WRITER_ERRORS)[(yield dut.error)], (yield dut.left),
                [int.from_bytes(written[n:n + 4], "little") for n in range(0, len(written), 4)]))
            # Without a buffer nothing is taken.
            taken = self.taken
            for _ in range(3):
                yield
            assert self.taken == taken

    @passive
    def core(self):
        sink = self.bench.dut.sink
        while self.taken < len(self.words):
            word = self.words[self.taken]
            offered = self.bench.random.randrange(self.gap) == 0
            yield sink.valid.eq(offered)
            yield sink.neuron.eq(word & 0xffff)
            yield sink.spike.eq(word & SPIKE != 0)
            yield sink.last.eq(word & LAST != 0)
            yield
            while offered and not (yield sink.ready):
                yield
            self.taken += offered
        yield sink.valid.eq(0)

    @passive
    def count(self):
        while True:
            yield
            self.ended += yield self.bench.dut.ended


def expected(steps, buffers):
    """What goes into each buffer: as much as fits, while there are steps for it."""
    words, outcomes = words_of(steps), []
    for buffer in buffers:
        written, left = [], buffer.steps
        while left and len(written) < buffer.length//4:
            written.append(words.pop(0))
            left -= written[-1] & LAST != 0
        outcomes.append(("full" if left else "none", left, written))
    return outcomes


@st.composite
def runs(draw):
    """Steps, and buffers for all of them: of each as many steps as are left or fewer."""
    steps = draw(st.lists(st.lists(st.integers(0, CONFIG.neurons - 1), max_size=6, unique=True).map(sorted),
        min_size=1, max_size=6))
    buffers, left = [], len(steps)
    while left and len(buffers) < 8:
        length = draw(st.integers(0, 40) | st.just(SIZE))
        buffer = Buffer(draw(st.integers(0, left)), BASE + 4*draw(st.integers(0, (SIZE - length)//4)), length)
        buffers.append(buffer)
        left = len(steps) - sum(each.steps - rest for each, (_, rest, _) in
            zip(buffers, expected(steps, buffers), strict=True))
    return steps, buffers


@settings(max_examples=15)
@given(run=runs(), waits=st.integers(0, 5), gap=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_words_in_memory(run, waits, gap, seed):
    """Buffer by buffer, all that the core says and nothing beyond a buffer's end."""
    writer = Writer(*run, waits, gap, seed)
    assert writer.outcomes == expected(*run)
    assert writer.ended == len(run[1])


EXAMPLES = {
    "none": Buffer(3),
    "full": Buffer(3, length=11),
    "bus":  Buffer(3, base=BASE + SIZE - 8),
    "base": Buffer(3, base=BASE + 2),
}


@pytest.mark.parametrize("error", EXAMPLES)
def test_every_error(error):
    steps  = [[0, 199], [], [7]]
    writer = Writer(steps, [EXAMPLES[error]])
    words  = words_of(steps)
    left, written, taken = {"none": (0, 4, 4), "full": (2, 2, 2), "bus": (1, 2, 3), "base": (3, 0, 0)}[error]
    assert writer.outcomes == [(error, left, words[:written])]
    assert writer.taken == taken


def test_every_error_has_an_example():
    assert set(EXAMPLES) == set(WRITER_ERRORS)


def test_the_last_address_is_not_wrapped():
    bench = BusBench(SpikeWriter(CONFIG), base=0xffffff00)

    def drive():
        yield bench.dut.sink.valid.eq(1)
        yield from bench.start(base=0xfffffff8, length=16, steps=3)
        yield from bench.wait()
        assert list(WRITER_ERRORS)[(yield bench.dut.error)] == "bus" and (yield bench.dut.count) == 2
    run_simulation(bench, [drive(), bench.serve()])
    assert bench.accesses == [0xfffffff8, 0xfffffffc]


@pytest.mark.parametrize("clocks", range(0, 24, 3))
def test_abort(clocks):
    """At any time: nothing more is taken, the access of the bus is completed, the next transfer is right."""
    bench, taken = BusBench(SpikeWriter(CONFIG), waits=6, seed=clocks), []

    def drive():
        sink = bench.dut.sink
        yield sink.valid.eq(1)
        yield sink.spike.eq(1)
        yield sink.neuron.eq(5)
        yield from bench.start(base=BASE, length=SIZE, steps=3)
        for _ in range(clocks):
            yield
        yield bench.dut.abort.eq(1)
        yield
        yield bench.dut.abort.eq(0)
        yield
        before = len(taken)
        for _ in range(12):
            yield
        assert len(taken) == before and not (yield bench.dut.busy) and not (yield bench.dut.done)
        bench.memory[:] = bytes(SIZE)
        yield sink.last.eq(1)
        yield from bench.start(base=BASE + 4, length=8, steps=2)
        yield from bench.wait()
        assert not (yield bench.dut.error)

    @passive
    def watch():
        while True:
            yield
            if (yield bench.dut.sink.ready):
                taken.append(1)
    run_simulation(bench, [drive(), bench.serve(), watch()])
    word = (5 | SPIKE | LAST | VALID).to_bytes(4, "little")
    assert bench.memory == bytes(4) + 2*word + bytes(SIZE - 12)
