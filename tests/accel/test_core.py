# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core against the naive reference: spikes, states, counters and clocks, step by step."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import PROTECTIONS, QCLIFConfig
from accel.image import image
from tests.helpers.core_bench import CoreBench
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import configs, inputs_of, networks, random_network

# Clocks of a step beyond the bound: filling and draining the pipelines.
STEP_OVERHEAD = 64


def expect(network, steps):
    """Spikes, states and rows of each step by the reference."""
    reference, spikes, states, rows = Reference(network), [], [], []
    for sources in steps:
        rows.append(len(sources) + (len(spikes[-1]) if spikes else 0))
        spikes.append(reference.step(sources))
        states.append((list(reference.v_a), list(reference.v_s)))
    return spikes, states, rows


@settings(max_examples=40)
@given(data=st.data(), sink_gap=st.integers(0, 2), source_gap=st.integers(0, 3), registered=st.booleans(),
    single_port=st.booleans(), protect=st.sampled_from(list(PROTECTIONS)), frugal=st.booleans())
def test_core(data, sink_gap, source_gap, registered, single_port, protect, frugal):
    config  = data.draw(configs())
    network = data.draw(networks(config))
    steps   = data.draw(inputs_of(network))
    spikes, states, rows = expect(network, steps)
    bench = CoreBench(network, config, steps, with_states=data.draw(st.booleans()), sink_gap=sink_gap,
        source_gap=source_gap, registered=registered, single_port=single_port, protect=protect,
        frugal=frugal)
    assert bench.faults == {"corrected": 0, "uncorrected": 0}
    assert bench.spikes == spikes
    if bench.with_states:
        assert bench.states == states
    groups = -(-network.neurons//config.lanes)
    events = sum(len(step) for step in steps)
    assert bench.pulses["steps"]     == len(steps)
    assert bench.pulses["events"]    == events
    assert bench.pulses["rows"]      == sum(rows)
    assert bench.pulses["sops"]      == network.neurons*(2*sum(rows) - events)
    assert bench.pulses["spikes"]    == sum(len(step) for step in spikes)
    assert bench.pulses["overflows"] == 0
    bound = sum(groups*max(n, config.update_clocks) for n in rows)
    assert bench.pulses["busy"] - bench.pulses["stalls"] <= bound + STEP_OVERHEAD*len(steps)


@settings(max_examples=15)
@given(data=st.data(), registered=st.booleans(), single_port=st.booleans(),
    protect=st.sampled_from(list(PROTECTIONS)))
def test_memory_reads_back(data, registered, single_port, protect):
    config  = data.draw(configs())
    network = data.draw(networks(config))
    bench   = CoreBench(network, config, [[]], readback=True, registered=registered,
        single_port=single_port, protect=protect)
    assert bench.readback == [int(word) for _, _, words in image(network, config) for word in words]


def test_registers_take_two_clocks_a_step():
    config  = QCLIFConfig(neurons=6, inputs=12, contexts=2, lanes=2)
    network = random_network(config)
    steps   = [[0, 5, 13], [], [1, 2, 3, 12], [7]]
    plain, registered = (CoreBench(network, config, steps, with_states=True, registered=each) for each in (False, True))
    assert registered.spikes == plain.spikes
    assert registered.pulses["busy"] == plain.pulses["busy"] + 2*len(steps)


def test_memories_of_one_port_take_no_clock():
    config  = QCLIFConfig(neurons=6, inputs=12, contexts=2, lanes=2)
    network = random_network(config)
    steps   = [[0, 5, 13], [], [1, 2, 3, 12], [7]]
    two, one = (CoreBench(network, config, steps, with_states=True, single_port=each) for each in (False, True))
    assert (one.spikes, one.states, one.pulses) == (two.spikes, two.states, two.pulses)


@settings(max_examples=25)
@given(data=st.data(), clocks=st.integers(1, 80), source_gap=st.integers(0, 3), registered=st.booleans(),
    frugal=st.booleans())
def test_reset_drops_whatever_is_in_work(data, clocks, source_gap, registered, frugal):
    config  = data.draw(configs())
    network = data.draw(networks(config))
    steps   = data.draw(inputs_of(network))
    fresh, reset = (CoreBench(network, config, steps, with_states=True, source_gap=source_gap, registered=registered,
        aborted_after=each, frugal=frugal) for each in (0, clocks))
    assert (reset.spikes, reset.states) == (fresh.spikes, fresh.states)
    for name in ("steps", "events", "rows", "sops", "spikes", "overflows"):
        assert reset.pulses[name] == fresh.pulses[name]


def test_frugal_takes_no_clock():
    config  = QCLIFConfig(neurons=6, inputs=12, contexts=2, lanes=2)
    network = random_network(config, style="extreme")
    steps   = [[0, 5, 13], [], list(range(14)), [1, 2, 3, 12], [7]]
    plain, frugal = (CoreBench(network, config, steps, with_states=True, frugal=each) for each in (False, True))
    assert (frugal.spikes, frugal.states, frugal.pulses) == (plain.spikes, plain.states, plain.pulses)


def test_every_source_at_once():
    config  = QCLIFConfig(neurons=5, inputs=60, contexts=4, lanes=2)
    network = random_network(config)
    steps   = [list(range(64))]*3 + [[]] + [list(range(64))]
    bench   = CoreBench(network, config, steps)
    assert bench.spikes == expect(network, steps)[0]
    assert bench.pulses["overflows"] == 0


def test_too_many_events_are_flagged_and_counted():
    config  = QCLIFConfig(neurons=3, inputs=4, contexts=0, lanes=2, step_events=4)
    network = random_network(config)
    steps   = [[0, 1, 2, 3, 0, 1], [1]]
    bench   = CoreBench(network, config, steps)
    assert bench.pulses["overflows"] == 2
    assert bench.spikes == expect(network, [[0, 1, 2, 3], [1]])[0] # The first ones are computed.
