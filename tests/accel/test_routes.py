# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Streams and memory in the place of the registers: one at a time, the others wait or are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migen import Module, passive

from accel.config import QCLIFConfig
from accel.dma.registers import dma_registers
from accel.registers import registers
from tests.accel.test_event_reader import encode_steps
from tests.helpers.bus_bench import BusBench
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS, Registers, build_source
from tests.helpers.simulation import run_simulation
from tests.helpers.strategies import configs, inputs_of, networks, random_network

POP   = BITS["pop"]
START = BITS["reader_start"]
DONE, BUSY, ERROR_SHIFT = BITS["reader_status"]["done"], BITS["reader_status"]["busy"], 4

EVENTS_AT, SPIKES_AT = 0x1000, 0x2000


class Peripheral(Module):
    """The peripheral with streams and DMA on a CSR bus, and a memory at each of its masters."""
    def __init__(self, config, waits=0, seed=0, **kwargs):
        self.submodules.registers = Registers(config, with_streams=True, with_dma=True, **kwargs)
        self.qclif  = self.registers.qclif
        self.events = BusBench(None, EVENTS_AT, 512, waits, seed, self.qclif.reader.bus)
        self.spikes = BusBench(None, SPIKES_AT, 512, waits, seed, self.qclif.writer.bus)

    def read_steps(self, steps, network, config):
        """Hand steps in memory to the reader."""
        registers = self.registers
        data = encode_steps([sorted(build_source(source, network, config) for source in step) for step in steps])
        self.events.memory[:len(data)] = data
        yield from registers.write("reader_base", EVENTS_AT)
        yield from registers.write("reader_length", len(data))
        yield from registers.write("reader_network", network.inputs | network.contexts << 16)
        yield from registers.write("reader_start", len(steps) | START["varints"])

    def write_steps(self, steps, length=512):
        """Let the writer take the spikes of so many steps."""
        yield from self.registers.write("writer_base", SPIKES_AT)
        yield from self.registers.write("writer_length", length)
        yield from self.registers.write("writer_start", steps)

    def wait(self, name):
        while (yield from self.registers.read(f"{name}_status")) & BUSY:
            pass
        return (yield from self.registers.read(f"{name}_status")) >> ERROR_SHIFT


def drive(dut, *generators):
    """Run the first one with all others beside it; return what it returned."""
    result = []

    def run():
        result.append((yield from generators[0]))
    run_simulation(dut, [run(), *generators[1:], dut.events.serve(), dut.spikes.serve()])
    return result[0]


def reference(network, steps):
    model = Reference(network)
    return [model.step(sources) for sources in steps]


@pytest.fixture
def small():
    config = QCLIFConfig(neurons=3, inputs=4, contexts=1, lanes=2, step_events=5, spike_fifo=8)
    return config, random_network(config, 3, "excited")

# Memory -------------------------------------------------------------------------------------------

@settings(max_examples=4)
@given(data=st.data())
def test_a_recording_from_memory_to_memory(data):
    """Events and spikes of all steps, without a push or a pop; the spikes are those of the contract."""
    config  = data.draw(configs(neurons=6, inputs=6, contexts=2, lanes=5))
    network = data.draw(networks(config))
    steps   = [sorted(step) for step in data.draw(inputs_of(network, steps=5, events=6))]
    dut     = Peripheral(config, data.draw(st.integers(0, 3)), data.draw(st.integers(0, 99)))

    def session():
        yield from dut.registers.upload(network, config)
        yield from dut.write_steps(len(steps))
        yield from dut.read_steps(steps, network, config)
        assert (yield from dut.wait("writer")) == 0 and (yield from dut.wait("reader")) == 0
        count = yield from dut.registers.read("writer_count")
        assert not (yield from dut.registers.errors())
        return [int.from_bytes(dut.spikes.memory[4*n:4*n + 4], "little") for n in range(count)]

    spikes = [[]]
    for word in drive(dut, session()):
        assert word & POP["valid"]
        if word & POP["spike"]:
            spikes[-1].append(word & POP["neuron"])
        if word & POP["last"]:
            spikes.append([])
    assert spikes == [*reference(network, steps), []]


def test_more_steps_than_the_core_holds_are_read_while_software_takes_the_spikes(small):
    config, network = small
    steps = [[n % 4] for n in range(20)]
    dut   = Peripheral(config)

    def session():
        yield from dut.registers.upload(network, config)
        yield from dut.read_steps(steps, network, config)
        spikes = []
        for _ in steps:
            spikes.append((yield from dut.registers.output()))
        assert (yield from dut.wait("reader")) == 0
        return spikes, (yield from dut.registers.errors())

    assert drive(dut, session()) == (reference(network, steps), set())


def test_nothing_else_is_taken_while_a_transfer_is_busy(small):
    """A push, a pop and another start are refused and flagged, and the transfers go on."""
    config, network = small
    steps = [[0], [1], [2]]*5
    dut   = Peripheral(config, waits=9)

    def session():
        registers = dut.registers
        yield from registers.upload(network, config)
        yield from dut.write_steps(len(steps))
        yield from dut.read_steps(steps, network, config)
        assert not (yield from registers.read("status")) & BITS["status"]["ready"]
        flags = []
        for name, value in (("reader_start", 1), ("reader_start", 1 << 30), ("push", BITS["push"]["last"]),
                ("pop", 0), ("writer_start", 1), ("reader_status", 0)):
            yield from registers.write(name, value)
            flags.append((yield from registers.errors()))
            yield from registers.write("control", BITS["control"]["clear_errors"])
        yield from dut.wait("writer")
        return flags, (yield from registers.read("counter_steps")), (yield from registers.read("writer_left"))

    flags, *counts = drive(dut, session())
    assert flags == [{"reader"}, {"reader", "reserved"}, {"push"}, {"pop"}, {"writer"}, {"read_only"}]
    assert counts == [len(steps), 0]


@pytest.mark.parametrize("clocks", range(0, 120, 17))
def test_reset_ends_transfers(small, clocks):
    config, network = small
    steps = [[0, 1], [1], [2]]
    dut   = Peripheral(config, waits=4)

    def session():
        registers = dut.registers
        yield from registers.upload(network, config)
        yield from dut.write_steps(len(steps))
        yield from dut.read_steps(steps, network, config)
        yield from registers.clocks(clocks)
        yield from registers.write("control", BITS["control"]["reset"] | BITS["control"]["clear_counters"])
        yield from registers.clocks(24)
        for name in ("reader", "writer"):
            assert (yield from registers.read(f"{name}_status")) == 0
        assert (yield from registers.read("status")) == BITS["status"]["ready"]
        spikes = []
        for step in steps:
            spikes.append((yield from registers.step(step)))
        return spikes, (yield from registers.errors())

    assert drive(dut, session()) == (reference(network, steps), set())


def test_interrupts_and_a_memory_that_refuses(small):
    config, network = small
    dut = Peripheral(config)

    def session():
        registers = dut.registers
        yield from registers.upload(network, config)
        yield from registers.write("ev_enable", 0b11000)
        yield from dut.read_steps([[0]], network, config)
        while not (yield dut.qclif.ev.irq):
            yield
        pending = [(yield from registers.read("ev_pending")) & 0b11000]
        yield from registers.write("ev_pending", 0b01000)
        yield from dut.write_steps(1)
        while not (yield dut.qclif.ev.irq):
            yield
        pending.append((yield from registers.read("ev_pending")) & 0b11000)
        errors = [(yield from registers.errors())]
        yield from registers.write("reader_base", 0x8000)
        yield from registers.write("reader_start", 1)
        assert (yield from dut.wait("reader")) == 4
        errors.append((yield from registers.errors()))
        return pending, errors

    assert drive(dut, session()) == ([0b01000, 0b10000], [set(), {"reader"}])

# Streams ------------------------------------------------------------------------------------------

@passive
def offer(sink, beats, clock=None):
    """Beats (source, event, last) of other gateware."""
    for source, event, last in beats:
        yield sink.valid.eq(1)
        yield sink.source.eq(source)
        yield sink.event.eq(event)
        yield sink.last.eq(last)
        yield
        while not (yield sink.ready):
            yield
    yield sink.valid.eq(0)
    while True:
        yield


@passive
def take(source, spikes):
    """Spikes for other gateware, step by step."""
    step = []
    while True:
        yield source.ready.eq(1)
        yield
        if (yield source.valid):
            if (yield source.spike):
                step.append((yield source.neuron))
            if (yield source.last):
                spikes.append(step)
                step = []


def test_streams(small):
    """They wait until they are chosen; then the registers are refused, and the other way round."""
    config, network = small
    steps = [[0, 1], [], [2, 4], [3]]
    beats = [beat for step in steps for beat in [*((source, 1, 0) for source in step), (0, 0, 1)]]
    dut, streamed = Peripheral(config), []

    def session():
        registers = dut.registers
        yield from registers.upload(network, config)
        first = yield from registers.step(steps[0])
        assert (yield from registers.read("counter_steps")) == 1 and not streamed
        yield from registers.write("streams", BITS["streams"]["sink"] | BITS["streams"]["source"])
        flags = []
        for name, value in (("push", BITS["push"]["last"]), ("pop", 0), ("reader_start", 0), ("writer_start", 1)):
            yield from registers.write(name, value)
            flags.append((yield from registers.errors()))
            yield from registers.write("control", BITS["control"]["clear_errors"])
        while len(streamed) < len(steps):
            yield
        assert (yield from registers.read("streams")) == 3
        yield from registers.write("streams", 0)
        last = yield from registers.step(steps[0])
        return first, last, flags, (yield from registers.errors())

    first, last, *flags = drive(dut, session(), offer(dut.qclif.sink, beats), take(dut.qclif.source, streamed))
    assert [first, *streamed, last] == reference(network, [steps[0], *steps, steps[0]])
    assert flags == [[{"push"}, {"pop"}, {"reader"}, {"writer"}], set()]


def test_events_of_a_stream_are_checked(small):
    config, network = small
    dut = Peripheral(config)

    def session():
        registers = dut.registers
        yield from registers.upload(network, config)
        yield from registers.write("streams", BITS["streams"]["sink"])
        yield from registers.output()
        return (yield from registers.errors()), (yield from registers.read("counter_overflows"))

    beats = [(n % 5, 1, 0) for n in range(6)] + [(7, 1, 0), (0, 0, 1)]
    assert drive(dut, session(), offer(dut.qclif.sink, beats)) == ({"full", "unknown"}, 2)

# Builds -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("streams, dma, camera", [(False, False, False), (True, False, False), (False, True, False),
    (True, True, False), (False, True, True)])
def test_features(small, streams, dma, camera):
    """Each register has one place in all builds that have it, and a build says what it has."""
    config, _ = small
    bench = Registers(config, with_streams=streams, with_dma=dma, with_camera=camera)
    names = [*(register.name for register in registers(config)), "ev_status", "ev_pending", "ev_enable",
        *(register.name for register in dma_registers(config, camera=True))]
    assert bench.addresses == {name: n for n, name in enumerate(names[:names.index("reader_base") if not dma else
        names.index("fired") if not camera else None])}
    found = []

    def session():
        found.append((yield from bench.read("features")))
        yield from bench.write("streams", 3)
        found.append((yield from bench.read("streams")))
        found.append((yield from bench.errors()))
    run_simulation(bench, session())
    assert found == [streams | dma << 1 | camera << 2, 3*streams, set() if streams else {"read_only"}]
