# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run on the Verilated SoC: every spike, state and logit is the golden model's."""

import dataclasses

import numpy as np
import pytest

from accel.config import QCLIFConfig
from firmware.protocol import DEFAULT_BAUDRATE
from host.common.folders import ROOT
from host.data import synthetic
from host.events.encoder import poisson_context
from host.events.sample import Sample
from host.link.device import Device
from host.link.link import DeviceReset, Link
from host.link.port import Faults, FaultyPort, SerialPort
from host.link.session import Session
from host.network.network import Network
from host.network.random_network import random_network
from host.network.stream import GoldenStream
from targets.sim.simulator import SimulatedSoC
from tests.helpers.needs import needs_simulator

pytestmark = needs_simulator

CONFIG  = QCLIFConfig()
NETWORK = Network.load(ROOT/"host"/"networks"/"synthetic11.npz")
WATCH   = (28, 66, 0, 199, 67)


@pytest.fixture(scope="module")
def soc():
    with SimulatedSoC(CONFIG) as soc:
        yield soc


def gesture(number=3, duration_us=1_000_000):
    """Events from time 0 on, and the steps that they give."""
    sample = synthetic.record(number, duration_us=duration_us)
    events = sample.events.copy()
    events["t"] -= events["t"][0]
    return events, steps_of(dataclasses.replace(sample, events=events).encoded(NETWORK.encoder, NETWORK.contexts))


def steps_of(sample):
    return [sample.steps.step(t) for t in range(len(sample.steps))]


def assert_as_golden(batch, steps, golden, watch=()):
    expected = golden.run(steps)
    assert [each.tolist() for each in batch.spikes] == [each.spikes.tolist() for each in expected]
    assert [each.tolist() for each in batch.inputs] == [np.asarray(each).tolist() for each in steps]
    assert batch.logits.tolist() == expected[-1].logits.tolist()
    assert batch.v_a.tolist() == expected[-1].v_a[list(watch)].tolist()
    assert batch.v_s.tolist() == expected[-1].v_s[list(watch)].tolist()


def run_in_pieces(live, golden, steps, seed=0):
    """Steps in pieces of 1 to 12, with a reset in their middle."""
    rng = np.random.default_rng(seed)
    at = number = 0
    while at < len(steps):
        piece = steps[at:at + int(rng.choice([1, 1, 2, 5, 12]))]
        at   += len(piece)
        assert_as_golden(live.run(piece), piece, golden, live.watch)
        number += 1
        if number == 20:
            live.reset()
            golden.reset()


@pytest.mark.parametrize("decay", [0, 5])
def test_steps(soc, decay):
    _, steps = gesture()
    with Link(soc.port) as link, Session(Device(link), NETWORK, decay) as live:
        live.watch = WATCH
        run_in_pieces(live, GoldenStream(NETWORK, decay), steps)
        counted, told = live.counters(), live.stats()
    assert counted["steps"] == told["steps"] == len(steps)
    assert counted["events"] == sum(map(len, steps))
    assert counted["overflows"] == 0 and told["naks"] == 0


@pytest.mark.parametrize("faults", [{"flip": 1e-3}, {"drop": 1e-3}, {"duplicate": 1e-3, "insert": 1e-3}], ids=str)
def test_a_faulty_line(soc, faults):
    _, steps = gesture(1)
    with Link(FaultyPort(SerialPort(soc.port, DEFAULT_BAUDRATE), Faults(**faults, seed=3))) as link:
        with Session(Device(link), NETWORK) as live:
            live.watch = WATCH
            run_in_pieces(live, GoldenStream(NETWORK, 5), steps)
        assert link.stats.retries > 0


@pytest.mark.parametrize("engine", ["accel", "cpu"])
def test_a_smaller_network_with_contexts(soc, engine):
    encoder = NETWORK.encoder
    sample  = synthetic.record(2, duration_us=200_000)
    context = poisson_context(40, 1, rate_hz=100, contexts=3, seed=1)
    sample  = Sample("cued", sample.events, context, sample.label, sample.sensor_size).encoded(encoder, 3)
    network = random_network(QCLIFConfig(neurons=40, contexts=3), encoder, [sample.steps], classes=("a", "b"), rate=0.1)
    with Link(soc.port) as link, Session(Device(link), network, 3, engine) as live:
        live.watch = (39, 1)
        run_in_pieces(live, GoldenStream(network, 3), steps_of(sample))


def test_raw_events(soc):
    """In pieces that end anywhere: the encoder of the gateware goes on where it was."""
    events, steps = gesture(5, 300_000)
    rng, golden, until, done = np.random.default_rng(1), GoldenStream(NETWORK, 5), 0, 0
    with Link(soc.port) as link, Session(Device(link), NETWORK, encode="device") as live:
        live.watch = WATCH
        while done < len(steps) - 1:
            end   = until + int(rng.integers(1, 20_000))
            batch = live.run_events(events[(events["t"] >= until) & (events["t"] < end)], None, end)
            until = end
            if batch.spikes:
                # After the recording there is silence.
                expected = (steps + [[]]*4)[done:done + len(batch.spikes)]
                assert_as_golden(batch, expected, golden, live.watch)
            done += len(batch.spikes)
        live.reset()
        golden.reset()
        assert_as_golden(live.run_events([], None, until + 50_000), [[]]*((until + 50_000)//5000 - until//5000), golden,
            live.watch)


def test_a_reset_of_the_soc(soc):
    with Link(soc.port) as link:
        live = Session(Device(link), NETWORK)
        live.run([[1, 2, 3]])
        soc.reset()
        with pytest.raises(DeviceReset):
            for _ in range(1000):
                live.run([[1, 2, 3]])
        link.open()
        with Session(Device(link), NETWORK) as live:
            assert_as_golden(live.run([[1, 2, 3]]*10), [[1, 2, 3]]*10, GoldenStream(NETWORK, 5))
