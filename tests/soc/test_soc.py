# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The whole path: recordings over the UART of the Verilated SoC and its firmware, against the golden model."""

import functools
import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
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


def smaller(config, neurons):
    """The build's sizes with fewer neurons. To load the largest network takes the simulator 10 million clocks."""
    return replace(config, neurons=min(neurons, config.neurons))


@functools.cache
def short_gestures(config):
    """Two recordings of 30 steps and a network, which a SoC that has it from the test before is not sent again."""
    encoder = Encoder()
    samples = [cue(synthetic.record(number, duration_us=150_000), encoder, config, number) for number in range(2)]
    return samples, network_for(config, samples, encoder)


def assert_exact(run):
    assert run.mismatches == 0, [str(each.divergence) for each in run.compared if each.divergence]


def assert_encoders_agree(soc, samples, network):
    """Host and device make the same inputs of the recordings, and so the same result. Returns the runs."""
    with Link(soc.port) as link:
        runs = [execute(link, network, samples, encode=encode) for encode in ("host", "device")]
    for run in runs:
        assert_exact(run)
    assert differences(runs[0].result(), runs[1].result()) == []
    return runs


@pytest.fixture(scope="module")
def boot():
    """Function that boots a configuration, or returns it where it is up."""
    with ExitStack() as stack:
        yield functools.cache(lambda name: stack.enter_context(SimulatedSoC(CONFIGS[name])))


@contextmanager
def awake(soc):
    """Outside of this block the simulator stands still: it would keep a core busy."""
    os.kill(soc.pid, signal.SIGCONT)
    yield soc
    os.kill(soc.pid, signal.SIGSTOP)


@pytest.fixture(scope="module", params=CONFIGS)
def name(request):
    return request.param


@pytest.fixture
def soc(boot, name):
    with awake(boot(name)) as soc:
        yield soc


@pytest.fixture
def default_soc(boot):
    with awake(boot("default")) as soc:
        yield soc


@pytest.fixture
def wide_soc(boot):
    with awake(boot("wide")) as soc:
        yield soc

# Every configuration ------------------------------------------------------------------------------

def test_lockstep(soc):
    """Every spike, logit, V_a and V_s of every step."""
    config = soc.options.config
    samples, network = short_gestures(config)
    with Link(soc.port) as link:
        run = execute(link, network, samples, lockstep=True)
    assert_exact(run)
    assert sum(each.states for each in run.compared) == 2*config.neurons*sum(len(s.steps) for s in samples)
    assert sum(each.run.counters["overflows"] for each in run.compared) == 0


@pytest.mark.parametrize("faults", [{"flip": 1e-3}, {"drop": 1e-3}, {"duplicate": 1e-3, "insert": 1e-3}], ids=str)
def test_faulty_line(soc, faults):
    """A bad line changes no integer of the result; what it costs is counted."""
    samples, network = short_gestures(soc.options.config)
    with Link(soc.port) as link:
        clean = execute(link, network, samples)
    line = FaultyPort(SerialPort(soc.port, DEFAULT_BAUDRATE), Faults(**faults, seed=3))
    with Link(line) as link:
        run = execute(link, network, samples*5)
        assert link.stats.retries > 0
    assert_exact(run)
    assert run.result().neuron.tolist() == clean.result().neuron.tolist()*5


def test_encode_on_the_device(soc):
    samples, network = short_gestures(soc.options.config)
    assert_encoders_agree(soc, samples[:1], network)


def test_engines_agree_and_the_accelerator_is_faster(soc):
    config = smaller(soc.options.config, 64)
    samples, network = short_gestures(config)
    with Link(soc.port) as link:
        runs = {engine: execute(link, network, samples, engine) for engine in ("accel", "cpu")}
    assert_exact(runs["accel"])
    assert_exact(runs["cpu"])
    assert differences(runs["accel"].result(), runs["cpu"].result()) == []
    clocks = {engine: sum(each.run.counters["busy"] for each in run.compared) for engine, run in runs.items()}
    if config.neurons > config.lanes:
        assert clocks["cpu"] >= SPEED_UP*clocks["accel"], clocks

# Real recordings ----------------------------------------------------------------------------------

def check_clocks(run):
    clocks = sum(each.run.counters["busy"] for each in run.compared)
    bound  = sum(each.bound_clocks for each in run.compared)
    steps  = sum(len(each.run.spikes) for each in run.compared)
    assert clocks <= 1.10*bound + 64*steps


@functools.cache
def real_gestures(config, encoder, folder):
    """Encoded recordings, and a network of these sizes for them."""
    samples = [cue(sample, encoder, config, n) for n, sample in enumerate(read_files(sorted(folder.glob("*.npz"))))]
    assert len(samples) == 3
    return samples, network_for(config, samples, encoder)


@pytest.mark.parametrize("lanes", ["default", "wide"])
def test_real_gestures(lanes, request, qclif_data):
    soc = request.getfixturevalue(f"{lanes}_soc")
    samples, network = real_gestures(soc.options.config, Encoder(), qclif_data/"dvs128_gesture")
    with Link(soc.port) as link:
        run = execute(link, network, samples)
    assert_exact(run)
    check_clocks(run)


def test_real_gesture_encoded_on_the_device(default_soc, qclif_data):
    samples, network = real_gestures(default_soc.options.config, Encoder(), qclif_data/"dvs128_gesture")
    assert_encoders_agree(default_soc, samples[:1], network)


@pytest.mark.parametrize("lanes", ["default", "wide"])
def test_real_gesture_in_steps_of_1_ms(lanes, request, qclif_data):
    """The one with the most events."""
    soc = request.getfixturevalue(f"{lanes}_soc")
    encoder = Encoder(bin_us=1000, count_threshold=1)
    samples, network = real_gestures(smaller(soc.options.config, 64), encoder, qclif_data/"dvs128_gesture")
    with Link(soc.port) as link:
        run = execute(link, network, [max(samples, key=lambda sample: len(sample.events))])
    assert_exact(run)
    check_clocks(run)


def test_real_digits(wide_soc, qclif_data):
    config  = smaller(wide_soc.options.config, 64)
    raw     = list(islice(read_files([qclif_data/"nmnist"/"train1000.npz"]), 10))
    encoder = default_encoder(raw[0])
    assert encoder == Encoder(sensor_size=(34, 34), grid=(17, 17), bin_us=10000, count_threshold=2)
    samples = [cue(sample, encoder, config, n) for n, sample in enumerate(raw)]
    for run in assert_encoders_agree(wide_soc, samples, network_for(config, samples, encoder)):
        check_clocks(run)

# What goes wrong between host and device ----------------------------------------------------------

@functools.cache
def one_gesture(config):
    """A recording of 50 steps, and a small network for it."""
    encoder = Encoder()
    samples = [cue(synthetic.record(0, duration_us=250_000), encoder, config)]
    return samples, network_for(smaller(config, 12), samples, encoder)


def test_reset_in_mid_run(default_soc):
    """The device is reset while samples are under way: they are run again, the result is the same."""
    samples, network = one_gesture(default_soc.options.config)
    samples = samples*6
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
    samples, network = one_gesture(default_soc.options.config)
    samples = samples*20
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
    samples, network = one_gesture(default_soc.options.config)
    port    = SerialPort(default_soc.pty, DEFAULT_BAUDRATE)
    port.write(os.urandom(300).replace(b"\0", b"\1"))
    port.close()
    with Link(default_soc.pty) as link:
        run = execute(link, network, samples)
    assert_exact(run)
