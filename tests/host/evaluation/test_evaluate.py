# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m host.evaluate: its answers against a device's, wrong uses one by one."""

import dataclasses
import functools
import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from accel.config import QCLIFConfig
from accel.errors import EXIT_ERROR, EXIT_MISMATCH
from host.data import synthetic
from host.data.datasets import load
from host.evaluate import main
from host.evaluation import trials
from host.evaluation.trials import Trials, decision_steps, running_classes
from host.events.encoder import Encoder
from host.link.link import Link
from host.network.golden import GoldenModel
from host.network.network import Network
from host.network.random_network import random_network
from host.runs import run as runs
from host.runs.synaptic_operations import cost_measures, spread
from host.training.experiment import TEST_SEED
from host.training.objective import wilson_interval
from host.training.tasks import ContextTask, evaluation_batches
from tests.helpers.commands import assert_one_line
from tests.helpers.commands import run as run_command
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.needs import needs_simulator
from tests.helpers.strategies import random_network as extreme_network

EVALUATE = [sys.executable, "-m", "host.evaluate"]

# Recordings of the command's tests: few and short.
SHORT = ("--samples", 4, "--max-steps", 40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with a random network of the default build, once for classes and once for yes and no, and a cache."""
    folder  = tmp_path_factory.mktemp("evaluate")
    encoder = Encoder()
    steps   = [encoder.encode(each.events) for each in synthetic.recordings(2, duration_us=200_000)]
    for name, classes in (("net", synthetic.GESTURES), ("context", ("no", "yes"))):
        random_network(QCLIFConfig(), encoder, steps, classes=classes).save(folder/f"{name}.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QCLIF_CACHE", str(folder/"cache"))
        yield folder


@pytest.fixture
def evaluate(folder, tmp_path, capsys):
    """The command in this process, which spares its imports, and its measures."""
    def command(*options, network="net.npz"):
        code = main([str(option) for option in ("--network", folder/network, "--output-dir", tmp_path, "--json",
            tmp_path/"measures.json", *options)])
        out, err = capsys.readouterr()
        measures = json.loads((tmp_path/"measures.json").read_text()) if code != EXIT_ERROR else None
        return subprocess.CompletedProcess(options, code, out, err), measures
    return command

# The command --------------------------------------------------------------------------------------

def test_golden(folder, tmp_path):
    """Every measure from the recordings again; the plots; tables apart from the JSON on standard output."""
    done = run_command(EVALUATE, "--network", folder/"net.npz", *SHORT, "--output-dir", tmp_path/"new"/"plots",
        "--json", "-")
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)
    assert "accuracy" in done.stderr and "core clocks" not in done.stderr
    network = Network.load(folder/"net.npz")
    samples = list(load("synthetic", folder, "test", samples=4).samples())
    inputs  = [sample.encoded(network.encoder, network.contexts).steps.slice(0, 40) for sample in samples]
    results = GoldenModel(network).run(inputs)
    labels, classes = [sample.label for sample in samples], [result.predicted for result in results]
    hits = sum(a == b for a, b in zip(labels, classes, strict=True))
    assert (measures["samples"], measures["clips"], measures["accuracy"]) == (4, 4, hits/4)
    assert measures["accuracy_interval"] == list(wilson_interval(hits, 4))
    assert measures["majority"] == 0.25
    assert [(row, column) for row in range(11) for column in range(11)
        for _ in range(measures["confusion"][row][column])] == sorted(zip(labels, classes, strict=True))
    expected = cost_measures(network, inputs, [result.spikes for result in results])
    assert {name: measures[name] for name in expected} == expected
    latencies = np.array([decision_steps(running_classes(result.spikes, network.readout)) for result in results])
    assert measures["latency_steps"] == spread(latencies) and measures["latency_ms"] == spread(latencies*5.0)
    assert measures["mismatches"] is None and measures["device"] is None
    assert measures["options"]["dataset"] == "synthetic" and measures["options"]["max_steps"] == 40
    assert measures["files"] == [str(tmp_path/"new"/"plots"/f"net_{name}.png") for name in ("confusion", "elapsed")]
    for file in measures["files"]:
        with Image.open(file) as image:
            assert image.width == 900


def test_context_task(folder, evaluate):
    """Answers of clips, from the samples that a training is tested with."""
    done, measures = evaluate("--task", "context", "--clips", 2, "--cue", "irrelevant", "--mode", "memory",
        "--sequences", 3, "--samples", 11, "--max-steps", 20, network="context.npz")
    assert done.returncode == 0, done.stderr
    network = Network.load(folder/"context.npz")
    task    = ContextTask(load("synthetic", folder, "test", samples=11), network.encoder, 3, "memory", 2, 0.1, True, 20)
    batch   = next(evaluation_batches(task, TEST_SEED))
    inputs  = batch.to_steps()
    results = GoldenModel(network).run(inputs)
    said    = []
    for result, bounds in zip(results, batch.bounds.tolist(), strict=True):
        for start, stop in pairwise(bounds):
            counts = result.spikes.dense(network.neurons)[start:stop].sum(axis=0)
            said.append(int(np.argmax(counts @ network.readout)))
    labels = batch.labels.ravel().tolist()
    pairs  = list(zip(labels, said, strict=True))
    assert (measures["samples"], measures["clips"]) == (3, 6)
    assert measures["accuracy"] == sum(a == b for a, b in pairs)/6
    assert measures["confusion"] == [[pairs.count((a, b)) for b in (0, 1)] for a in (0, 1)]
    assert measures["precision"] == pairs.count((1, 1))/max(1, said.count(1))
    assert measures["recall"] == pairs.count((1, 1))/max(1, labels.count(1))
    assert measures["events"] == sum(len(each.sources) for each in inputs) and measures["active"]["context"] > 0
    assert "memory, 2 clips in a row, cue that is right with probability 0.1" in done.stdout


def test_recordings_that_are_drawn_do_not_change(folder):
    """Equal seeds give equal sequences, other seeds others."""
    task = ContextTask(load("synthetic", folder, "test", samples=11), Encoder(), 4, max_steps=5)
    one, same, other = (Trials.of("x", task, seed) for seed in (0, 0, 1))
    assert one.inputs == same.inputs and one.inputs != other.inputs


def test_a_network_that_names_its_classes_otherwise(folder, tmp_path, evaluate):
    network = dataclasses.replace(Network.load(folder/"net.npz"), classes=[*"ABCDEFGHIJK"])
    network.save(tmp_path/"letters.npz")
    done, measures = evaluate(*SHORT, network=tmp_path/"letters.npz")
    assert done.returncode == 0 and "the network calls them A, B, C" in done.stdout
    assert measures["classes"] == list(synthetic.GESTURES) and measures["network_classes"] == [*"ABCDEFGHIJK"]
    assert "the network calls them" not in evaluate(*SHORT)[0].stdout

# Devices ------------------------------------------------------------------------------------------

ONLY_WITH_A_DEVICE = ("mismatches", "state_mismatches", "first_difference", "core_clocks_per_inference",
    "bound_clocks_per_inference", "core_clocks_over_bound", "device")


def without_device(measures):
    return {name: value for name, value in measures.items() if name not in (*ONLY_WITH_A_DEVICE, "options", "files")}


@pytest.fixture
def firmware(monkeypatch):
    """The firmware, compiled for the host, at the port: its CPU engine runs the network."""
    monkeypatch.setattr("host.evaluate.Link", lambda port, baudrate: Link(FirmwarePort(FirmwareDevice(QCLIFConfig()))))
    monkeypatch.setattr(trials, "execute", functools.partial(runs.execute, engine="cpu"))


def assert_as_golden(done, measures, golden):
    assert done.returncode == 0, done.stderr
    assert (measures["mismatches"], measures["state_mismatches"], measures["first_difference"]) == (0, 0, None)
    assert without_device(measures) == without_device(golden)
    assert measures["device"]["sops"] == measures["sops"]
    assert measures["device"]["rows"] == measures["rows"]
    assert measures["device"]["events"] == measures["events"]
    assert "0 spikes and logits and 0 states differ" in done.stdout


def test_device(firmware, evaluate):
    _, golden = evaluate(*SHORT)
    assert_as_golden(*evaluate(*SHORT, "--engine", "/dev/ttyUSB0"), golden)


def test_sequences_on_a_device(firmware, evaluate):
    options   = ("--task", "context", "--clips", 2, "--sequences", 2, "--samples", 11, "--max-steps", 10)
    _, golden = evaluate(*options, network="context.npz")
    assert_as_golden(*evaluate(*options, "--engine", "/dev/ttyUSB0", network="context.npz"), golden)


def test_device_that_differs(firmware, evaluate, monkeypatch):
    """The exit code and the first difference tell; the measures are still those of what the device gave."""
    _, golden = evaluate(*SHORT)

    def other(network):
        return GoldenModel(dataclasses.replace(network, threshold=np.maximum(1, network.threshold - 9)))
    monkeypatch.setattr("host.network.golden.GoldenModel", other)
    done, measures = evaluate(*SHORT, "--engine", "/dev/ttyUSB0")
    assert done.returncode == EXIT_MISMATCH
    assert measures["mismatches"] > 0 and measures["state_mismatches"] > 0
    assert measures["first_difference"].startswith("synthetic test[0]: first difference at step ")
    assert "first difference at step" in done.stdout and f"{measures['mismatches']} spikes and logits" in done.stdout
    assert without_device(measures) == without_device(golden)


@needs_simulator
def test_simulated_soc(folder, tmp_path, evaluate):
    _, golden = evaluate(*SHORT)
    done = run_command(EVALUATE, "--network", folder/"net.npz", *SHORT, "--engine", "sim", "--output-dir", tmp_path,
        "--json", tmp_path/"sim.json", timeout=600)
    measures = json.loads((tmp_path/"sim.json").read_text())
    assert_as_golden(done, measures, golden)
    assert measures["device"]["config"] == QCLIFConfig().to_dict()
    assert 1 <= measures["core_clocks_over_bound"] <= 1.1
    assert measures["core_clocks_per_inference"] == measures["device"]["core_clocks"]/4

# Wrong uses ---------------------------------------------------------------------------------------

@pytest.mark.parametrize(("options", "words"), [
    (["--network", "nowhere.npz"], ["nowhere.npz"]),
    (["--engine", "/dev/nothing"], ["/dev/nothing"]),
    (["--engine", "gloden"], ["gloden", "socket://HOST:PORT"]),
    (["--dataset", "nmnist", "--split", "train"], ["nmnist", "34x34", "128x128"]),
    (["--dataset", "dvsgesture", "--data", "nowhere"], ["nowhere", "ibmGestureTest"]),
    (["--task", "context", "--samples", 4], ["none of class"]),
    (["--task", "context", "--samples", 11, "--relevance", 2], ["relevance", "2.0"]),
    (["--task", "context", "--samples", 11, "--clips", 10], ["10", "1 to 9"]),
    (["--task", "context", "--samples", 11], ["11 classes", "has 2"]),
    (["--mode", "memory"], ["--mode", "--task context"]),
    (["--step-events", 100], ["--step-events", "--engine sim"]),
    (["--engine", "sim", "--neurons", 100], [200, 100]),
    (["--engine", "sim", "--lanes", 1025], [1025, 1024]),
    (["--seed", -1], [-1]),
    (["--output-dir", "/dev/null"], ["--output-dir", "/dev/null"]),
    (["--json", "nowhere/measures.json"], ["--json", "nowhere"]),
])
def test_wrong_uses(evaluate, options, words):
    done, _ = evaluate(*options)
    assert_one_line(done, *words)


@pytest.fixture
def digits(folder, tmp_path):
    """Options of an evaluation of digits: a network of 10 classes, recordings with labels or without."""
    def options(labels, **changes):
        network = extreme_network(QCLIFConfig(neurons=3, inputs=6, contexts=2))
        encoder = Encoder(sensor_size=(34, 34), grid=(3, 2), polarities=1)
        dataclasses.replace(network, encoder=encoder, **{"readout": np.ones((3, 10), int)} | changes).save(
            folder/"digits.npz")
        events = np.array([(n, n, 1, n) for n in range(30)], [("x", "u2"), ("y", "u2"), ("p", "u1"), ("t", "i8")])
        np.savez(tmp_path/"digits_events.npz", events=events, offsets=np.arange(11)*3, sensor_size=[34, 34],
            **({} if labels is None else {"labels": labels}))
        return ["--dataset", "nmnist", "--data", tmp_path/"digits_events.npz", "--split", "train"]
    return options


def test_digits(digits, evaluate):
    """A recording a class; nobody fires for a class more than for another, so that all are zeros."""
    done, measures = evaluate(*digits(np.arange(10)), network="digits.npz")
    assert done.returncode == 0, done.stderr
    assert measures["accuracy"] == 0.1 and np.array(measures["confusion"])[:, 0].tolist() == [1]*10


@pytest.mark.parametrize(("labels", "changes", "options", "words"), [
    (None, {}, [], ["10 of 10 recordings have no label"]),
    (np.arange(10) - 1, {}, [], ["1 of 10 recordings have no label"]),
    (np.arange(10) + 1, {}, [], ["label 10", "9"]),
    (np.arange(10), {"readout": None}, [], ["digits.npz", "no readout"]),
    (np.arange(10), {"readout": np.ones((3, 3), int)}, [], ["3 classes", "has 10"]),
    (np.arange(10), {}, ["--split", "test"], ["digits_events.npz", "test split is not there"]),
    (np.arange(10), {}, ["--task", "context"], ["2 context sources", "needs 10"]),
    (np.arange(10), {"w_context": np.ones((0, 3), int)}, ["--task", "context", "--cue", "misleading"], ["--cue"]),
])
def test_networks_and_recordings_that_do_not_fit(digits, evaluate, labels, changes, options, words):
    done, _ = evaluate(*digits(labels, **changes), *options, network="digits.npz")
    assert_one_line(done, *words)


def test_network_larger_than_the_build_at_the_port(firmware, digits, evaluate):
    large = {name: np.ones(shape, int) for name, shape in {"w_context": (11, 3)}.items()}
    done, _ = evaluate(*digits(np.arange(10), **large), "--engine", "/dev/ttyUSB0", network="digits.npz")
    assert_one_line(done, "11 contexts", "the build 10")
