# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The whole path: recordings over the UART of the Verilated SoC and its firmware, against the golden model."""

import os
import threading
import time
from contextlib import ExitStack
from itertools import islice

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import DEFAULT_BAUDRATE
from host.cli.network_choice import default_encoder
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.events.formats import read_files
from host.events.sample import Sample
from host.link.link import Link
from host.link.port import Faults, FaultyPort, SerialPort
from host.network.random_network import random_network
from host.runs.run import execute
from targets.sim.simulator import SimulatedSoC
from tests.helpers.needs import needs_simulator
from tests.helpers.short_run import differences

pytestmark = needs_simulator

CONFIGS = {
    "default": QCLIFConfig(),
    "single":  QCLIFConfig(neurons=1, lanes=1),
    "narrow":  QCLIFConfig(neurons=37, lanes=8, weight_bits=4, state_bits=12, contexts=0),
    "wide":    QCLIFConfig(inputs=578, lanes=32),
}

# Least ratio of clocks, CPU engine to accelerator.
SPEED_UP = 20


def cue(sample, encoder, config, seed=0):
    """The sample with a context cue where the build has contexts, encoded."""
    if config.contexts:
        steps   = len(sample.encoded(encoder, config.contexts).steps)
        context = poisson_context(steps, seed % config.contexts, contexts=config.contexts, bin_us=encoder.bin_us,
            seed=seed)
        sample  = Sample(sample.name, sample.events, context, sample.label, sample.sensor_size)
    return sample.encoded(encoder, config.contexts)


def network_for(config, samples, encoder):
    return random_network(config, encoder, [sample.steps for sample in samples], classes=synthetic.GESTURES)


def short_gestures(config, encoder, count=2):
    return [cue(synthetic.record(number, duration_us=250_000), encoder, config, number) for number in range(count)]


def assert_exact(run):
    assert run.mismatches == 0, [str(each.divergence) for each in run.compared if each.divergence]


def assert_encoders_agree(soc, samples, encoder):
    """Host and device make the same inputs of the recordings, and so the same result. Returns the runs."""
    network = network_for(soc.options.config, samples, encoder)
    with Link(soc.port) as link:
        runs = [execute(link, network, samples, encode=encode) for encode in ("host", "device")]
    for run in runs:
        assert_exact(run)
    assert differences(runs[0].result(), runs[1].result()) == []
    return runs


@pytest.fixture(scope="module")
def boot():
    """Function that boots a configuration; one simulator at a time, for each keeps a core busy."""
    with ExitStack() as stack:
        running = {}

        def start(name):
            if name not in running:
                stack.close()
                running.clear()
                running[name] = stack.enter_context(SimulatedSoC(CONFIGS[name]))
            return running[name]
        yield start


@pytest.fixture(scope="module", params=CONFIGS)
def name(request):
    return request.param


@pytest.fixture
def soc(boot, name):
    return boot(name)


@pytest.fixture
def default_soc(boot):
    return boot("default")


@pytest.fixture
def wide_soc(boot):
    return boot("wide")

# Every configuration ------------------------------------------------------------------------------

def test_lockstep(soc):
    """Every spike, logit, V_a and V_s of every step."""
    config, encoder = soc.options.config, Encoder()
    samples = short_gestures(config, encoder)
    with Link(soc.port) as link:
        run = execute(link, network_for(config, samples, encoder), samples, lockstep=True)
    assert_exact(run)
    assert sum(each.states for each in run.compared) == 2*config.neurons*sum(len(s.steps) for s in samples)
    assert sum(each.run.counters["overflows"] for each in run.compared) == 0


def test_engines_agree_and_the_accelerator_is_faster(soc):
    config, encoder = soc.options.config, Encoder()
    samples = short_gestures(config, encoder)
    network = network_for(config, samples, encoder)
    with Link(soc.port) as link:
        runs = {engine: execute(link, network, samples, engine) for engine in ("accel", "cpu")}
    assert_exact(runs["accel"])
    assert_exact(runs["cpu"])
    assert differences(runs["accel"].result(), runs["cpu"].result()) == []
    clocks = {engine: sum(each.run.counters["busy"] for each in run.compared) for engine, run in runs.items()}
    if config.neurons > config.lanes:
        assert clocks["cpu"] >= SPEED_UP*clocks["accel"], clocks


@pytest.mark.parametrize("faults", [{"flip": 1e-3}, {"drop": 1e-3}, {"duplicate": 1e-3, "insert": 1e-3}], ids=str)
def test_faulty_line(soc, faults):
    """A bad line changes no integer of the result; what it costs is counted."""
    config, encoder = soc.options.config, Encoder()
    samples = short_gestures(config, encoder)
    network = network_for(config, samples, encoder)
    with Link(soc.port) as link:
        clean = execute(link, network, samples)
    line = FaultyPort(SerialPort(soc.port, DEFAULT_BAUDRATE), Faults(**faults, seed=3))
    with Link(line) as link:
        run = execute(link, network, samples*3)
        assert link.stats.retries > 0
    assert_exact(run)
    assert run.result().neuron.tolist() == clean.result().neuron.tolist()*3


def test_encode_on_the_device(soc):
    encoder = Encoder()
    assert_encoders_agree(soc, short_gestures(soc.options.config, encoder, 1), encoder)

# Real recordings ----------------------------------------------------------------------------------

def check_clocks(run):
    clocks = sum(each.run.counters["busy"] for each in run.compared)
    bound  = sum(each.bound_clocks for each in run.compared)
    steps  = sum(len(each.run.spikes) for each in run.compared)
    assert clocks <= 1.10*bound + 64*steps


@pytest.mark.parametrize("encoder", [Encoder(), Encoder(bin_us=1000, count_threshold=1)], ids=["5ms", "1ms"])
@pytest.mark.parametrize("lanes", ["default", "wide"])
def test_real_gestures(lanes, encoder, request, qclif_data):
    soc     = request.getfixturevalue(f"{lanes}_soc")
    config  = soc.options.config
    samples = [cue(sample, encoder, config, n) for n, sample in
        enumerate(read_files(sorted((qclif_data/"dvs128_gesture").glob("*.npz"))))]
    with Link(soc.port) as link:
        run = execute(link, network_for(config, samples, encoder), samples)
    assert len(run.compared) == 3
    assert_exact(run)
    check_clocks(run)


def test_real_digits(wide_soc, qclif_data):
    config  = wide_soc.options.config
    raw     = list(islice(read_files([qclif_data/"nmnist"/"train1000.npz"]), 20))
    encoder = default_encoder(raw[0])
    assert encoder == Encoder(sensor_size=(34, 34), grid=(17, 17), bin_us=10000, count_threshold=2)
    samples = [cue(sample, encoder, config, n) for n, sample in enumerate(raw)]
    for run in assert_encoders_agree(wide_soc, samples, encoder):
        check_clocks(run)


def test_real_gesture_encoded_on_the_device(default_soc, qclif_data):
    encoder = Encoder()
    samples = [cue(sample, encoder, default_soc.options.config) for sample in
        read_files([qclif_data/"dvs128_gesture"/"00_hand_clapping.npz"])]
    assert_encoders_agree(default_soc, samples, encoder)

# What goes wrong between host and device ----------------------------------------------------------

def test_reset_in_mid_run(default_soc):
    """The device is reset while samples are under way: they are run again, the result is the same."""
    config, encoder = default_soc.options.config, Encoder()
    samples = short_gestures(config, encoder, 1)*6
    network = network_for(config, samples[:1], encoder)
    with Link(default_soc.port) as link:
        clean = execute(link, network, samples)
        seen  = []

        def progress(stage, done, total):
            if stage == "time steps" and done > total//2 and not seen:
                seen.append(done)
                default_soc.reset()
        run = execute(link, network, samples, progress=progress)
    assert seen and run.resets == 1
    assert_exact(run)
    assert differences(run.result(), clean.result()) == []


def test_second_client_takes_over(default_soc):
    """The first client is told in one line, the second one's results are exact."""
    config, encoder = default_soc.options.config, Encoder()
    samples = short_gestures(config, encoder, 1)*20
    network = network_for(config, samples[:1], encoder)
    errors  = []

    def first():
        try:
            with Link(default_soc.pty) as link:
                execute(link, network, samples*20)
        except QCLIFError as error:
            errors.append(str(error))
    thread = threading.Thread(target=first)
    thread.start()
    time.sleep(1.0)
    with Link(default_soc.port) as link:
        run = execute(link, network, samples)
    thread.join(60)
    assert_exact(run)
    assert len(errors) == 1 and "\n" not in errors[0]


def test_host_killed_in_mid_frame(default_soc):
    """Half a frame on the line does not disturb the next host."""
    config, encoder = default_soc.options.config, Encoder()
    samples = short_gestures(config, encoder, 1)
    port    = SerialPort(default_soc.pty, DEFAULT_BAUDRATE)
    port.write(os.urandom(300).replace(b"\0", b"\1"))
    port.close()
    with Link(default_soc.pty) as link:
        run = execute(link, network_for(config, samples, encoder), samples)
    assert_exact(run)
