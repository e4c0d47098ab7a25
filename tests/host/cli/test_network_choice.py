# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Which network a run takes: the file's, the one that comes with the program, or a random one."""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from accel.config import QCLIFConfig, add_config_args, config_from_args
from accel.errors import QCLIFError
from host import stream
from host.cli import network_choice
from host.cli.network_choice import SHIPPED, choose_network, given_network, preferred_sizes
from host.cli.options import add_run_args
from host.data import synthetic
from host.data.datasets import load
from host.events.encoder import Encoder
from host.link.link import Link
from host.network.golden import GoldenModel
from host.network.network import Network, network_id
from host.network.random_network import random_network
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort

NEURONS, CONTEXTS = 12, 2


@pytest.fixture(scope="module")
def gesture():
    return synthetic.record(3, duration_us=100_000)


@pytest.fixture
def shipped(tmp_path, monkeypatch, gesture):
    """A small network in the place of the one that comes with the program."""
    encoder = Encoder()
    network = random_network(QCLIFConfig(neurons=NEURONS, contexts=CONTEXTS), encoder, [encoder.encode(gesture.events)],
        classes=synthetic.GESTURES)
    monkeypatch.setattr(network_choice, "SHIPPED", tmp_path/"shipped.npz")
    network.save(network_choice.SHIPPED)
    return network


def parsed(*options):
    parser = argparse.ArgumentParser()
    add_run_args(parser)
    add_config_args(parser)
    return parser.parse_args([str(option) for option in options])


def chosen(samples, *options, build=None):
    """The choice of targets.sim: in the build that it would make, or in another one."""
    args   = parsed(*options)
    config = build or config_from_args(args, **preferred_sizes(given_network(args), samples))
    return choose_network(args, samples, config)


def is_random(choice):
    return choice.name.startswith("random, of seed ")


@pytest.mark.parametrize("options", [[], ["--lanes", 32], ["--seed", 5], ["--step-events", 2000], ["--outputs", 20],
    ["--neurons", NEURONS], ["--contexts", CONTEXTS], ["--context", CONTEXTS - 1], ["--bin-us", 5000]], ids=str)
def test_the_shipped_network_is_the_default(shipped, gesture, options):
    choice = chosen([gesture], *options)
    assert network_id(choice.network) == network_id(shipped)
    assert choice.name == "shipped, trained; it comes with the program"


def test_the_default_build_runs_it(shipped, gesture):
    assert preferred_sizes(None, [gesture]) == {"inputs": 512}
    assert config_from_args(parsed(), **preferred_sizes(None, [gesture])) == QCLIFConfig()


@pytest.mark.parametrize("options", [["--network", "random"], ["--neurons", 20], ["--neurons", NEURONS - 1],
    ["--inputs", 600], ["--contexts", 5], ["--weight-bits", 4], ["--state-bits", 12], ["--current-bits", 14],
    ["--outputs", 10], ["--context", CONTEXTS], ["--bin-us", 1000], ["--count-threshold", 1]], ids=str)
def test_options_that_ask_for_another(shipped, gesture, options):
    args   = parsed(*options)
    choice = chosen([gesture], *options)
    assert is_random(choice)
    assert choice.network.neurons == (args.neurons or QCLIFConfig.neurons)
    assert choice.network.encoder.bin_us == (args.bin_us or 5000)


@pytest.mark.parametrize("build", [QCLIFConfig(neurons=NEURONS - 1), QCLIFConfig(state_bits=9), QCLIFConfig(outputs=3)],
    ids=["neurons", "state_bits", "outputs"])
def test_a_build_that_cannot_run_it(shipped, gesture, build):
    """A device that is there already, as at a port of host/stream.py."""
    assert is_random(chosen([gesture], build=build))
    assert not is_random(chosen([gesture], build=QCLIFConfig(neurons=300)))


def test_recordings_of_another_sensor(shipped, gesture):
    """A sensor that is not named is asked for: its events do not tell how large it is."""
    small = gesture.events[(gesture.events["x"] < 34) & (gesture.events["y"] < 34)]
    assert is_random(chosen([dataclasses.replace(gesture, events=small, sensor_size=(34, 34))]))
    with pytest.raises(QCLIFError, match="the sensor's size is not known: give --sensor-size W H"):
        chosen([dataclasses.replace(gesture, events=small, sensor_size=None)])


def test_recordings_with_contexts_that_it_lacks(shipped, gesture):
    """One among others is enough."""
    within, beyond = (dataclasses.replace(gesture, context=np.array([[0, 0], [3, source]]))
        for source in (CONTEXTS - 1, CONTEXTS))
    assert not is_random(chosen([gesture, within]))
    assert is_random(chosen([gesture, within, beyond]))


def test_without_the_file_it_is_random(monkeypatch, gesture):
    monkeypatch.setattr(network_choice, "SHIPPED", Path("nowhere.npz"))
    assert is_random(chosen([gesture]))


def test_a_network_of_ones_own(shipped, gesture, tmp_path):
    mine = dataclasses.replace(shipped, threshold=shipped.threshold - shipped.threshold//2)
    mine.save(tmp_path/"mine.npz")
    choice = chosen([gesture], "--network", tmp_path/"mine.npz", "--bin-us", 2000)
    assert choice.name == str(tmp_path/"mine.npz") and choice.network.encoder.bin_us == 2000
    np.testing.assert_array_equal(choice.network.threshold, mine.threshold)
    assert preferred_sizes(mine, []) == {"neurons": NEURONS, "inputs": 512, "contexts": CONTEXTS, "weight_bits": 8,
        "state_bits": 8, "current_bits": 12, "outputs": 16}
    with pytest.raises(QCLIFError, match="12 neurons, the build 11"):
        chosen([gesture], "--network", tmp_path/"mine.npz", build=QCLIFConfig(neurons=11))


def test_a_file_that_is_called_random(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("random", "wb") as file:
        np.savez(file, **np.load(network_choice.SHIPPED))
    assert given_network(parsed("--network", "random")) is None
    assert given_network(parsed("--network", tmp_path/"random")).neurons == NEURONS


@pytest.mark.parametrize(("options", "name"), [([], "shipped, trained; it comes with the program"),
    (["--network", "random", "--seed", "7"], "random, of seed 7: its classes mean nothing")])
def test_stream_names_the_network(shipped, tmp_path, monkeypatch, capsys, options, name):
    monkeypatch.setattr(stream, "open_link", lambda *_: Link(FirmwarePort(FirmwareDevice(QCLIFConfig(neurons=20)))))
    code = stream.main(["--port", "x", "--samples", "1", "--engine", "cpu", "--json", str(tmp_path/"run.json"),
        *options])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert name in out
    figures = json.loads((tmp_path/"run.json").read_text())
    assert figures["network_name"] == name
    assert figures["network"]["neurons"] == (20 if options else NEURONS)


@pytest.mark.skipif(not SHIPPED.is_file(), reason=f"no {SHIPPED.name}: the program is not complete")
def test_the_network_that_comes_with_the_program(tmp_path, monkeypatch):
    """It runs on the default build, and knows the gestures."""
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path))
    network = Network.load(SHIPPED)
    samples = list(load("synthetic", tmp_path, "test", samples=22).samples())
    assert network_id(chosen(samples).network) == network_id(network)
    assert network.classes == list(synthetic.GESTURES)
    results = GoldenModel(network).run([sample.encoded(network.encoder, network.contexts).steps for sample in samples])
    hits    = sum(result.predicted == sample.label for result, sample in zip(results, samples, strict=True))
    assert hits > len(samples)/2
