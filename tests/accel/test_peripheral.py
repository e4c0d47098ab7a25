# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The LiteX peripheral through its registers, over the CSR bus, as software sees it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litex.soc.interconnect import csr_bus
from migen import Module, run_simulation

from accel.config import SPACE_SHIFT, SPACE_STATE, QCLIFConfig
from accel.image import image
from accel.peripheral import QCLIF
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import configs, inputs_of, networks, random_network

EVENT, LAST           = 1 << 16, 1 << 17
SPIKE, POP_LAST, VALID = 1 << 16, 1 << 17, 1 << 18
READY, BUSY, OUTPUT   = 1, 2, 4
RESET, CLEAR_ERRORS, CLEAR_COUNTERS = 1, 2, 4
FULL, UNKNOWN, PUSH, MEMORY = 1, 2, 4, 8


class Registers(Module):
    """The peripheral on a 32-bit CSR bus, accessed by register name as fast as LiteX's bridge.

    That is every second clock, every third one with registers behind the memories and in the bridge.
    """
    def __init__(self, config, registered=False):
        self.registered       = registered
        self.submodules.qclif = QCLIF(config, registered)
        csrs = self.qclif.get_csrs()
        self.submodules.bank = csr_bus.CSRBank(csrs, bus=csr_bus.Interface(data_width=32))
        # A storage of one word is called name0.
        self.addresses = {csr.name.removesuffix("0"): n for n, csr in enumerate(self.bank.simple_csrs)}

    def write(self, name, value):
        yield from self.bank.bus.write(self.addresses[name], int(value))
        yield
        if self.registered:
            yield

    def read(self, name):
        yield from self.bank.bus.read(self.addresses[name])
        yield
        value = yield self.bank.bus.dat_r
        if self.registered:
            yield
        return value

    def upload(self, network, config):
        for space, address, words in image(network, config):
            yield from self.write("address", space << SPACE_SHIFT | address)
            for word in words:
                yield from self.write("data", word)
        yield from self.write("neurons", network.neurons)
        yield from self.write("shifts", network.apical_shift | network.product_shift << 8)

    def step(self, sources):
        """Push a step, return its spikes."""
        while not (yield from self.read("status")) & READY:
            pass
        for source in sources:
            yield from self.write("push", source | EVENT)
        yield from self.write("push", LAST)
        return (yield from self.output())

    def output(self):
        spikes = []
        while True:
            beat = yield from self.read("pop")
            if beat & VALID:
                if beat & SPIKE:
                    spikes.append(beat & 0xffff)
                if beat & POP_LAST:
                    return spikes


def drive(config, generator, registered=False):
    """Run generator(registers) and return what it returned."""
    dut, result = Registers(config, registered), []

    def run():
        result.append((yield from generator(dut)))
    run_simulation(dut, run())
    return result[0]


def build_source(source, network, config):
    return source if source < network.inputs else config.inputs + source - network.inputs


@pytest.mark.parametrize("registered", (False, True))
@settings(max_examples=12)
@given(data=st.data())
def test_network_through_registers(registered, data):
    config  = data.draw(configs(neurons=6, inputs=6, contexts=2, lanes=5))
    network = data.draw(networks(config))
    steps   = data.draw(inputs_of(network, steps=4, events=6))

    def session(dut):
        yield from dut.upload(network, config)
        read_back = []
        for space, address, words in image(network, config):
            yield from dut.write("address", space << SPACE_SHIFT | address)
            for _ in words:
                read_back.append((yield from dut.read("data")))
        runs = []
        for _ in range(2): # The second run starts from a reset of the state.
            yield from dut.write("control", RESET | CLEAR_COUNTERS)
            run = []
            for sources in steps:
                spikes = yield from dut.step([build_source(s, network, config) for s in sources])
                yield from dut.write("address", SPACE_STATE << SPACE_SHIFT)
                states = []
                for _ in range(network.neurons):
                    states.append((yield from dut.read("data")))
                run.append((spikes, [s & 0xffff for s in states], [s >> 16 for s in states]))
            runs.append(run)
        counters = {}
        for name in ("steps", "events", "spikes", "overflows"):
            counters[name] = yield from dut.read(f"counter_{name}")
        return read_back, runs, counters, (yield from dut.read("errors"))

    read_back, runs, counters, errors = drive(config, session, registered)
    reference, expected = Reference(network), []
    for sources in steps:
        spikes = reference.step(sources)
        expected.append((spikes, list(reference.v_a), list(reference.v_s)))
    assert read_back == [int(word) for _, _, words in image(network, config) for word in words]
    assert runs == [expected, expected]
    assert counters == {"steps": len(steps), "events": sum(map(len, steps)),
        "spikes": sum(len(step[0]) for step in expected), "overflows": 0}
    assert errors == 0


@pytest.fixture
def silent():
    """A build and a network that never fires."""
    config  = QCLIFConfig(neurons=3, inputs=4, contexts=1, lanes=2, step_events=3)
    network = random_network(config)
    for name in ("w_sensory", "w_context", "bias_soma", "bias_apical"):
        setattr(network, name, np.zeros_like(getattr(network, name)))
    return config, network


def test_errors_are_sticky_counted_and_cleared(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        seen = []
        for source in (0, 1, 2, 3):                      # One more than step_events.
            yield from dut.write("push", source | EVENT)
        seen.append((yield from dut.read("errors")))
        yield from dut.write("push", config.sources | EVENT)
        yield from dut.write("push", 0xffff | EVENT | LAST) # Folded to the stream's width it would be a source.
        seen.append((yield from dut.read("errors")))
        yield from dut.output()
        overflows = yield from dut.read("counter_overflows")
        yield from dut.write("control", CLEAR_ERRORS)
        seen.append((yield from dut.read("errors")))
        return seen, overflows

    assert drive(config, session) == ([FULL, FULL | UNKNOWN, 0], 3)


def test_push_while_not_ready_is_flagged(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        # With the output never read, steps pile up until nothing is taken any more.
        pushed = waits = 0
        while waits < 20:
            if (yield from dut.read("status")) & READY:
                yield from dut.write("push", LAST)
                pushed, waits = pushed + 1, 0
            waits += 1
        yield from dut.write("push", LAST)
        errors = yield from dut.read("errors")
        ends = 0
        while ends < pushed:
            yield from dut.output()
            ends += 1
        return errors, (yield from dut.read("status")), (yield from dut.read("counter_stalls")) > 0

    assert drive(config, session) == (PUSH, READY, True)


def test_memory_access_while_busy_is_flagged_and_does_nothing(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("address", 0)
        before = yield from dut.read("data")
        yield from dut.write("address", 0)
        yield from dut.write("push", LAST)
        busy = (yield from dut.read("status")) & BUSY
        yield from dut.write("data", ~before & 0xff)
        errors = [(yield from dut.read("errors"))]
        yield from dut.output()
        yield from dut.write("control", CLEAR_ERRORS)
        yield from dut.write("address", 0)
        errors.append((yield from dut.read("errors")))
        return busy, errors, (yield from dut.read("data")) == before

    assert drive(config, session) == (BUSY, [MEMORY, 0], True)


def test_interrupts(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("ev_enable", 0b111)
        before = (yield dut.qclif.ev.irq)
        yield from dut.write("push", LAST)
        while not (yield dut.qclif.ev.irq):
            yield
        yield from dut.output()
        pending = yield from dut.read("ev_pending")
        yield from dut.write("ev_pending", 0b010)
        yield
        return before, pending, (yield dut.qclif.ev.irq)

    assert drive(config, session) == (0, 0b010, 0)
