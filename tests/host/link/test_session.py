# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run against the firmware compiled for the host: every integer that comes back is the golden model's."""

import ctypes
import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from firmware.protocol import DECAY_MAX, WATCH_MAX
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link import counters
from host.link.counters import CounterPolls, EndlessCounters
from host.link.device import Device
from host.link.link import DeviceReset, Link
from host.link.port import Faults
from host.link.session import Session
from host.network.stream import GoldenStream
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.naive_contract import encode
from tests.helpers.strategies import random_network

BUILD  = QCLIFConfig(neurons=40, inputs=20, contexts=3)
BUILDS = [
    BUILD,
    # Answers of a step or two, a step in parts, and no room for logits beside spikes.
    QCLIFConfig(neurons=40, inputs=140, contexts=3, frame_bytes=128),
    QCLIFConfig(neurons=12, inputs=10, contexts=3, outputs=40, frame_bytes=128),
    QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1, outputs=3, step_events=8),
    QCLIFConfig(neurons=130, inputs=140, contexts=2, state_bits=16, current_bits=20, frame_window=2),
]


def excited(config, seed=0, sizes=None, outputs=None):
    network = random_network(config, seed, "excited", sizes, product_shift=3)
    if network.neurons == 1:
        # Chance would let it be silent.
        network = dataclasses.replace(network, bias_soma=np.array([60]), bias_apical=np.array([60]),
            leak_apical=np.array([50]), leak_soma=np.array([3]), threshold=np.array([90]))
        network.validate()
    # Few enough for the longest window.
    network = dataclasses.replace(network, readout=network.readout//3)
    if outputs:
        readout = np.random.default_rng(seed).integers(-900, 900, (network.neurons, outputs), np.int32)
        network = dataclasses.replace(network, readout=readout)
    return network


def linked(config=BUILD, faults=None):
    return Link(FirmwarePort(FirmwareDevice(config), faults))


def steps_for(network, count, seed=0, most=64):
    """Steps of few sources and of many, of which the build may have a limit."""
    rng     = np.random.default_rng(seed)
    sources = network.inputs + network.contexts
    return [np.flatnonzero(rng.random(sources) < rng.choice([0, 0.05, 0.3]))[:most].astype(np.int32)
        for _ in range(count)]


def assert_as_golden(batch, steps, golden, watch):
    """Returns how many neurons fired."""
    expected = golden.run(steps)
    assert [each.tolist() for each in batch.spikes] == [each.spikes.tolist() for each in expected]
    assert [each.tolist() for each in batch.inputs] == [np.asarray(each).tolist() for each in steps]
    if expected:
        assert batch.logits.tolist() == expected[-1].logits.tolist()
        assert batch.v_a.tolist() == expected[-1].v_a[list(watch)].tolist()
        assert batch.v_s.tolist() == expected[-1].v_s[list(watch)].tolist()
    assert {array.dtype for array in (*batch.spikes, batch.logits, batch.v_a, batch.v_s)} == {np.dtype(np.int32)}
    return sum(map(len, batch.spikes))


# Steps --------------------------------------------------------------------------------------------

def run_at_random(link, network, decay, count, seed=0):
    """`count` steps in pieces, with resets, other neurons to watch, and pauses; what the session counted."""
    rng    = np.random.default_rng(seed)
    golden = GoldenStream(network, decay)
    steps  = steps_for(network, count, seed, link.info.config.step_events)
    fired  = resets = 0
    with Session(Device(link), network, decay, "cpu") as live:
        while steps:
            chance = rng.random()
            if chance < 0.03:
                live.reset()
                golden.reset()
                resets += 1
            elif chance < 0.1:
                live.watch = rng.integers(0, network.neurons, rng.choice([0, 1, 2, 5, WATCH_MAX, 30])).tolist()
            piece = steps[:int(rng.choice([0, 1, 1, 2, 7, 40]))]
            del steps[:len(piece)]
            fired += assert_as_golden(live.run(piece), piece, golden, live.watch)
        counted = live.counters()
    assert fired > count/10 and resets
    assert (counted["steps"], counted["spikes"]) == (count, fired)
    return counted


@pytest.mark.parametrize("decay", [0, 1, 5, DECAY_MAX])
@pytest.mark.parametrize("config", BUILDS, ids=lambda config: f"{config.neurons}-{config.frame_bytes}")
def test_every_integer_is_the_golden_models(config, decay):
    run_at_random(linked(config), excited(config, decay, outputs=config.outputs if config.outputs == 40 else None),
        decay, 1000, seed=decay)


def test_a_network_smaller_than_the_build():
    """Its contexts have other numbers there."""
    config = QCLIFConfig(neurons=60, inputs=30, contexts=5)
    run_at_random(linked(config), excited(config, sizes=(23, 17, 2)), 5, 500)


@pytest.mark.parametrize("faults", [{"flip": 1e-3}, {"drop": 1e-3}, {"duplicate": 1e-3, "insert": 1e-3},
    {"truncate": 1e-3}], ids=str)
def test_a_line_with_faults(faults):
    link = linked(faults=Faults(**faults, seed=5))
    run_at_random(link, excited(BUILD), 5, 3000)
    assert link.stats.retries > 20


def test_steps_of_a_source():
    network = excited(BUILD)
    golden  = GoldenStream(network, 5)
    steps   = steps_for(network, 200)
    with Session(Device(linked()), network, engine="cpu") as live:
        taken = []
        for number, (spikes, logits) in enumerate(live.steps(taken.append(step) or step for step in steps)):
            assert len(taken) == number + 1
            expected, = golden.run([steps[number]])
            assert spikes.tolist() == expected.spikes.tolist() and logits.tolist() == expected.logits.tolist()
    assert len(taken) == len(steps)


def test_sources_in_any_order():
    network = excited(BUILD)
    with Session(Device(linked()), network, engine="cpu") as live:
        batch = live.run([[5, 2, 22, 2], (), np.array([7, 1])])
        assert_as_golden(batch, [[2, 2, 5, 22], [], [1, 7]], GoldenStream(network, 5), ())


def test_a_network_without_classes():
    network = dataclasses.replace(excited(BUILD), readout=None)
    with Session(Device(linked()), network, engine="cpu") as live:
        live.watch = (3,)
        for _ in range(3):
            batch = live.run([[1, 2, 3]])
            assert batch.logits.shape == (0,) and batch.v_a.shape == (1,)


def test_nothing_grows():
    network = excited(BUILD)
    steps   = steps_for(network, 200)
    with Session(Device(linked()), network, engine="cpu") as live:
        live.watch = (1, 2)
        def run(rounds):
            for _ in range(rounds):
                for step in steps:
                    live.run([step])
        run(2)
        tracemalloc.start()
        run(2)
        before, _ = tracemalloc.get_traced_memory()
        run(8)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert after - before < 20_000


def test_the_device_takes_recordings_as_before():
    """A session leaves no window behind, nor anything at the end of answers."""
    network = excited(BUILD)
    device  = Device(linked())
    steps   = SpikeTrain.from_lists(steps_for(network, 60))
    sample  = Sample("x", steps=steps)
    device.load(network, "cpu")
    before = device.run(sample)
    with Session(device, network, 3, "cpu") as live:
        live.watch = (1,)
        live.run([[1, 2]])
    device.load(network, "cpu")
    after = device.run(sample)
    assert after.spikes == before.spikes and after.logits.tolist() == before.logits.tolist()


# Raw events ---------------------------------------------------------------------------------------

ENCODERS = [Encoder((34, 34), (3, 2), 2, 1000, 2), Encoder((10, 8), (10, 2), 1, 700, 1),
    Encoder((640, 480), (2, 5), 1, 5000, 1)]


@settings(max_examples=60)
@given(st.data())
def test_raw_events(data):
    """Steps come back when their end has passed, whatever pieces events come in; time goes on without them."""
    encoder  = data.draw(st.sampled_from(ENCODERS))
    contexts = data.draw(st.integers(0, 3))
    config   = QCLIFConfig(neurons=12, inputs=20, contexts=3, frame_bytes=data.draw(st.sampled_from([0, 128])))
    base     = QCLIFConfig(neurons=12, inputs=encoder.inputs, contexts=contexts)
    network  = dataclasses.replace(excited(base), encoder=encoder)
    decay    = data.draw(st.integers(0, DECAY_MAX))
    rng      = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    steps    = data.draw(st.integers(1, 30))
    events   = np.zeros(int(rng.integers(0, 150)), EVENT)
    pixels   = rng.integers(0, encoder.sensor_size, (5, 2))
    events["x"], events["y"] = pixels[rng.integers(0, 5, len(events))].T
    events["p"] = rng.integers(0, 2, len(events))
    events["t"] = np.sort(rng.integers(0, steps*encoder.bin_us, len(events)))
    rows     = rng.integers(0, [steps, max(1, contexts)], (int(rng.integers(0, 12)) if contexts else 0, 2))
    resets   = data.draw(st.booleans())

    golden = GoldenStream(network, decay)
    inputs, until = [], 0
    with Session(Device(linked(config)), network, decay, "cpu", encode="device") as live:
        live.watch = (2, 0)
        while until < steps*encoder.bin_us:
            # To anywhere, to the end of a step, to where it was before.
            until_us = int(rng.choice([until + rng.integers(0, 3*encoder.bin_us),
                (until//encoder.bin_us + 1)*encoder.bin_us]))
            piece = events[(events["t"] >= until) & (events["t"] < until_us)]
            # Each as soon as its step is there.
            begun = -(-np.array([until, until_us])//encoder.bin_us)
            batch = live.run_events(piece, rows[(rows[:, 0] >= begun[0]) & (rows[:, 0] < begun[1])], until_us)
            until = until_us
            assert len(inputs) + len(batch.inputs) == until//encoder.bin_us
            assert_as_golden(batch, batch.inputs, golden, live.watch)
            inputs += [each.tolist() for each in batch.inputs]
            if resets and rng.random() < 0.3 and until % encoder.bin_us == 0:
                live.reset()
                golden.reset()
    assert inputs == expected_inputs(events, rows, encoder, len(inputs))


def expected_inputs(events, rows, encoder, steps):
    """What fires in each step, with contexts, ascending: each step by itself, as a recording of its own."""
    found = []
    for step in range(steps):
        own = events[events["t"]//encoder.bin_us == step]
        sources = encode(own, encoder)[0] if len(own) else []
        found.append(sorted(sources + [encoder.inputs + int(k) for s, k in rows if s == step]))
    return found


def test_a_reset_in_the_middle_of_a_step_forgets_its_beginning():
    encoder = Encoder((10, 8), (10, 2), 1, 4000, 1)
    network = dataclasses.replace(excited(BUILD, sizes=(12, 20, 3)), encoder=encoder)
    golden  = GoldenStream(network, 5)
    def event(x, t):
        return np.array([(x, 0, 1, t)], EVENT)
    with Session(Device(linked()), network, engine="cpu", encode="device") as live:
        assert live.run_events(event(1, 100), None, 5500).inputs[0].tolist() == [1]
        live.run_events(event(2, 5600), np.array([[1, 0]]), 6100)
        live.reset()
        batch = live.run_events(event(3, 7900), np.array([[1, 2], [2, 1]]), 12_000)
        assert_as_golden(batch, [[3, 22], [21]], golden, ())


def test_days_of_silence():
    """Times of any size, and no step is lost or added."""
    encoder = Encoder((640, 480), (10, 2), 1, 60_000_000, 1)
    network = dataclasses.replace(excited(BUILD, sizes=(12, 20, 3)), encoder=encoder)
    golden  = GoldenStream(network, 5)
    day     = 86_400*10**6
    with Session(Device(linked()), network, engine="cpu", encode="device") as live:
        for number in range(1, 3):
            last  = np.array([(64*number, 0, 1, number*day - 1)], EVENT)
            batch = live.run_events(last, None, number*day)
            assert_as_golden(batch, [[]]*(day//encoder.bin_us - 1) + [[number]], golden, ())


@pytest.mark.parametrize("until, events, context, text", [
    (1999, [], None, "until 1999 us were announced after those until 2000 us"),
    (5000, [(1, 1, 0, 1999)], None, "an event has t 1999 us, the limits are 2000 to 4999"),
    (5000, [(1, 1, 0, 2000), (1, 1, 0, 5000)], None, "an event has t 5000 us, the limits are 2000 to 4999"),
    (5000, [(10, 1, 0, 2000)], None, "x of event 0 is 10"), (5000, [(1, 8, 0, 2000)], None, "y of event 0 is 8"),
    (5000, [(1, 1, 0, 4000), (1, 1, 0, 3000)], None, "times go back"),
    (5000, [], [[1, 0]], "context row of step 1, which has ended: the first that has not is 2"),
    (5000, [], [[5, 0]], "step of context row 0 is 5, the limits are 0 to 4"),
    (5000, [], [[4, 3]], "source of context row 0 is 3, the limits are 0 to 2"),
])
def test_events_that_are_refused(until, events, context, text):
    """Before anything of them is sent: the session goes on."""
    network = dataclasses.replace(excited(BUILD, sizes=(12, 20, 3)), encoder=Encoder((10, 8), (10, 2), 1, 1000, 1))
    golden  = GoldenStream(network, 5)
    with Session(Device(linked()), network, engine="cpu", encode="device") as live:
        assert_as_golden(live.run_events([], None, 2000), [[], []], golden, ())
        with pytest.raises(QCLIFError, match=text):
            live.run_events(np.array(events, EVENT), context and np.array(context), until)
        assert_as_golden(live.run_events([], np.array([[4, 1]]), 5000), [[], [], [21]], golden, ())


# What goes wrong ----------------------------------------------------------------------------------

@pytest.mark.parametrize("steps, text", [
    ([[1], [-1, 3]], "step 1 has source -1, the network has 0 to 22"), ([[3, 23]], "step 0 has source 23, the network"),
    ([[1]*65], "step 0 has 65 events, the build holds 64: build with --step-events 65"),
])
def test_steps_that_are_refused(steps, text):
    """Before anything of them is sent: the session goes on."""
    network = excited(BUILD)
    golden  = GoldenStream(network, 5)
    with Session(Device(linked()), network, engine="cpu") as live:
        assert_as_golden(live.run([[1, 2]]), [[1, 2]], golden, ())
        with pytest.raises(QCLIFError, match=text):
            live.run(steps)
        assert_as_golden(live.run([[3]]), [[3]], golden, ())


def test_an_error_ends_the_sample_and_a_reset_begins_it_anew():
    network = excited(BUILD)
    link    = linked()
    with Session(Device(link), network, engine="cpu") as live:
        live.run([[1, 2]]*50)
        live.counters()
        with pytest.raises(QCLIFError, match="a request of 1 bytes"):
            link.request("STEPS", b"\x01")
        with pytest.raises(QCLIFError, match="request type 8 came too early"):
            live.run([[3]]*300)
        for again in (lambda: live.run([[3]]), lambda: next(live.steps([[3]]))):
            with pytest.raises(QCLIFError, match=r"an error has ended the session's sample: call reset\(\)"):
                again()
        live.idle()
        assert live.counters()["steps"] == 50
        live.reset()
        assert_as_golden(live.run([[3], [4, 5]]), [[3], [4, 5]], GoldenStream(network, 5), ())
        assert live.counters()["steps"] == 52


def test_an_exception_in_the_block_is_not_hidden():
    network = excited(BUILD)
    device  = FirmwareDevice(BUILD)
    with pytest.raises(DeviceReset), Session(Device(Link(FirmwarePort(device))), network, engine="cpu") as live:
        live.run([[1]])
        device.reset()
        live.run([[1]])


def test_a_device_that_was_reset_takes_another_session():
    network = excited(BUILD)
    device  = FirmwareDevice(BUILD)
    link    = Link(FirmwarePort(device))
    live    = Session(Device(link), network, engine="cpu")
    live.run([[1]]*5)
    device.reset()
    with pytest.raises(DeviceReset):
        live.run([[1]])
    live.close()
    link.open()
    with Session(Device(link), network, engine="cpu") as live:
        assert_as_golden(live.run([[1]]*5), [[1]]*5, GoldenStream(network, 5), ())


def test_an_interrupt_in_mid_run():
    """Requests are under way then: their answers are nobody's."""
    network = excited(BUILD)
    link    = linked()
    live    = Session(Device(link), network, engine="cpu")
    receive = link._receive
    def interrupted(encoded):
        link._receive = receive
        raise KeyboardInterrupt
    link._receive = interrupted
    with pytest.raises(KeyboardInterrupt):
        live.run([[1]]*500)
    with pytest.raises(QCLIFError, match="an error has ended"):
        live.run([[1]])
    live.reset()
    assert_as_golden(live.run([[1, 2]]*20), [[1, 2]]*20, GoldenStream(network, 5), ())


def test_refusals():
    network = excited(BUILD)
    device  = Device(linked())
    with pytest.raises(QCLIFError, match="encode is 'gpu': host or device"):
        Session(device, network, engine="cpu", encode="gpu")
    with pytest.raises(QCLIFError, match="decay is 16: an integer from 0 to 15 is needed"):
        Session(device, network, 16, "cpu")
    loud = dataclasses.replace(network, readout=np.full((40, 3), 2**24, np.int32))
    with pytest.raises(QCLIFError, match="its logit could leave 32 bits"):
        Session(device, loud, 5, "cpu")
    with pytest.raises(QCLIFError, match="the network has 41 neurons"):
        Session(device, excited(QCLIFConfig(neurons=41)), engine="cpu")
    with Session(device, network, engine="cpu") as live:
        for neuron in (-1, 40, "a"):
            with pytest.raises(QCLIFError, match="watched neuron"):
                live.watch = (0, neuron)
        assert live.watch == ()
        with pytest.raises(QCLIFError, match=r"does not encode on the device: call run\(\)"):
            live.run_events([], None, 1000)
    with Session(device, network, engine="cpu", encode="device") as live, \
            pytest.raises(QCLIFError, match=r"does not encode on the host: call run_events\(\)"):
        live.run([[1]])


def test_sums_that_leave_32_bits_are_told():
    network = dataclasses.replace(excited(BUILD), readout=np.full((40, 3), 2**26, np.int32))
    with Session(Device(linked()), network, 0, "cpu") as live, pytest.raises(QCLIFError, match="logit 0 is"):
        for _ in range(1000):
            live.run([[1, 2, 3]])


# Counters -----------------------------------------------------------------------------------------

@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2), max_size=20))
def test_counters_never_wrap(grown):
    counted = EndlessCounters(("a", "b"))
    counted.begin(np.array([2**32 - 5, 7], "<u4").tobytes())
    at = np.array([2**32 - 5, 7])
    for growth in grown:
        at = (at + growth) % 2**32
        counted.take(at.astype("<u4").tobytes())
    assert counted.totals() == dict(zip("ab", np.sum(grown or [[0, 0]], axis=0).tolist(), strict=True))


def test_counters_of_the_device_that_wrap():
    """Its clock, and what it counts since boot, start near their end and go around."""
    network = excited(BUILD)
    device  = FirmwareDevice(BUILD)
    clocks  = ctypes.c_uint32.in_dll(device._library, "library_clocks")
    stats   = (ctypes.c_uint32*len(protocol.STATS)).in_dll(device._library, "stats")
    stats[:] = [2**32 - 3]*len(protocol.STATS)
    link    = Link(FirmwarePort(device))
    with Session(Device(link), network, engine="cpu") as live:
        for _ in range(3):
            live.run([[1, 2]]*10)
            clocks.value += 2**31
            live.counters()
        live.reset()
        clocks.value += 2**32 - 1000
        live.run([[1]]*7)
        counted, told = live.counters(), live.stats()
    assert 0 < counted["soc_clocks"] - 3*2**31 - 2**32 + 1000 < 100_000
    assert (counted["steps"], counted["events"]) == (37, 67)
    assert (told["steps"], told["cpu_steps"], told["pump_events"]) == (37, 37, 67)
    assert all(value < 10_000 for name, value in told.items())


def test_counters_are_asked_for_before_they_can_wrap_twice(monkeypatch):
    """After a time, also while nothing is run, and after weights."""
    network = excited(BUILD)
    link    = linked()
    asked   = []
    take    = EndlessCounters.take
    monkeypatch.setattr(EndlessCounters, "take", lambda self, answer: (asked.append(self), take(self, answer)))
    with Session(Device(link), network, engine="cpu") as live:
        live.idle()
        live.run([[1]]*3)
        assert not asked
        link._port._now += counters._POLL_SECONDS
        live.idle()
        live.idle()
        assert len(asked) == 2
        link._port._now += counters._POLL_SECONDS
        live.run([[1]]*3)
        live.run([[1]]*3)
        assert len(asked) == 4
        monkeypatch.setattr(counters, "_POLL_WEIGHTS", 2*40*40*300)
        live.run([[]]*1000)
        # Not more than 300 steps between two.
        assert 4 + 2*3 <= len(asked) <= 4 + 2*5


def test_polls_are_as_frequent_as_the_clock_asks_for():
    now   = 0.0
    polls = CounterPolls(1, 2**30, lambda: now)
    now   = 0.99
    assert not list(polls.due())
    now = 1.0
    assert [kind for kind, *_ in polls.due()] == ["COUNTERS", "STATS"]
    assert not list(polls.due())
