# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The LiteX peripheral through its registers, over the CSR bus, as software sees it: networks run and are read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import LIMITS, SPACE_STATE, QCLIFConfig
from accel.image import image
from accel.registers import IDENTITY, REGISTER_LAYOUT, SIZES
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS, BRIDGE, REGISTERED_BRIDGE, build_source, drive
from tests.helpers.strategies import configs, inputs_of, networks, random_network

CONTROL = BITS["control"]


@pytest.mark.parametrize("registered, single_port", [(False, False), (True, False), (False, True), (True, True)])
@settings(max_examples=4)
@given(data=st.data(), gap=st.sampled_from([BRIDGE, REGISTERED_BRIDGE]))
def test_network_through_registers(registered, single_port, gap, data):
    """Also with registers behind the memories on LiteX's default bridge, which has none."""
    config  = data.draw(configs(neurons=6, inputs=6, contexts=2, lanes=5))
    network = data.draw(networks(config))
    steps   = data.draw(inputs_of(network, steps=4, events=6))

    def session(dut):
        yield from dut.upload(network, config)
        read_back = []
        for space, address, words in image(network, config):
            read_back += yield from dut.words(space, address, len(words))
        runs = []
        for _ in range(2): # The second run starts from a reset of the state.
            yield from dut.write("control", CONTROL["reset"] | CONTROL["clear_counters"])
            run = []
            for sources in steps:
                spikes = yield from dut.step([build_source(s, network, config) for s in sources])
                states = yield from dut.words(SPACE_STATE, 0, network.neurons)
                run.append((spikes, [s & 0xffff for s in states], [s >> 16 for s in states]))
            runs.append(run)
        counters = {}
        for name in ("steps", "events", "spikes", "overflows"):
            counters[name] = yield from dut.read(f"counter_{name}")
        return read_back, runs, counters, (yield from dut.errors())

    read_back, runs, counters, errors = drive(config, session, registered, single_port, gap)
    reference, expected = Reference(network), []
    for sources in steps:
        spikes = reference.step(sources)
        expected.append((spikes, list(reference.v_a), list(reference.v_s)))
    assert read_back == [int(word) for _, _, words in image(network, config) for word in words]
    assert runs == [expected, expected]
    assert counters == {"steps": len(steps), "events": sum(map(len, steps)),
        "spikes": sum(len(step[0]) for step in expected), "overflows": 0}
    assert errors == set()


def test_version_and_sizes_can_be_read():
    config = QCLIFConfig(neurons=7, inputs=5, contexts=2, lanes=3, weight_bits=5, state_bits=9, current_bits=11,
        step_events=66, spike_fifo=17)

    def session(dut):
        sizes = {}
        for name in SIZES:
            sizes[name] = yield from dut.read(f"size_{name}")
        sizes["now"] = yield from dut.read("neurons")
        return (yield from dut.read("version")), sizes, (yield from dut.read("shifts"))

    version, sizes, shifts = drive(config, session)
    assert sizes.pop("now") == config.neurons
    assert version == IDENTITY << 16 | REGISTER_LAYOUT
    # What the others are for is the link and the firmware.
    assert set(LIMITS) - set(sizes) == {"outputs", "frame_bytes", "frame_window", "uart_fifo"}
    assert sizes == {name: getattr(config, name) for name in sizes}
    assert shifts == 6 << 8


def test_interrupts():
    config  = QCLIFConfig(neurons=3, inputs=4, contexts=1, lanes=2)
    network = random_network(config)

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("ev_enable", 0b111)
        before = (yield dut.qclif.ev.irq)
        yield from dut.write("push", BITS["push"]["last"])
        while not (yield dut.qclif.ev.irq):
            yield
        yield from dut.output()
        pending = yield from dut.read("ev_pending")
        yield from dut.write("ev_pending", 0b010)
        yield
        after = (yield dut.qclif.ev.irq)
        yield from dut.write("pop")                      # There is none.
        return before, pending, after, (yield from dut.read("ev_pending")), (yield dut.qclif.ev.irq)

    assert drive(config, session) == (0, 0b010, 0, 0b100, 1)
