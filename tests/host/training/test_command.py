# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m host.train: what it writes is what the accelerator would give, and the same whenever it is made."""

import csv
import json
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from host.data.batch import encode
from host.data.datasets import load
from host.data.event_set import split
from host.events.encoder import ENCODERS
from host.network.golden import GoldenModel
from host.network.network import Network
from host.train import main
from host.training.architecture import NEURONS
from host.training.experiment import TEST_SEED
from host.training.tasks import ContextTask, evaluation_batches
from tests.helpers.commands import run as run_command
from tests.helpers.trainings import CLASSES, SMALL, save_nmnist

CONTEXT = [*SMALL, "--task", "context", "--sequences", 40]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Recordings of ten classes, and a cache that the trainings share."""
    folder = save_nmnist(tmp_path_factory.mktemp("data"), train=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QCLIF_CACHE", str(folder/"cache"))
        yield folder


@pytest.fixture
def trained(data, tmp_path, capsys, monkeypatch):
    """Trains in this process, which spares its imports, and without the plot; returns the JSON."""
    monkeypatch.setattr("host.training.results.save", lambda figure, path: None)

    def train(*options, name="net", out=True):
        written = ["--out", tmp_path/f"{name}.npz"] if out else []
        code = main([str(each) for each in [*options, "--data", data, "--json", tmp_path/f"{name}.json", *written]])
        assert code == 0, capsys.readouterr().err
        return json.loads((tmp_path/f"{name}.json").read_text())
    return train


def history(path):
    with open(path, newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def golden(network, batch):
    """Right answers of one clip a sample, and spikes a neuron and step."""
    results = GoldenModel(network).run(batch.to_steps())
    right   = [result.predicted == label for result, label in zip(results, batch.labels[:, 0], strict=True)]
    spikes  = sum(len(result.spikes.sources) for result in results)
    return right, spikes, int(batch.lengths.sum())*network.neurons

# Classification -----------------------------------------------------------------------------------

def test_as_typed(data, tmp_path):
    """Without a terminal: lines of epochs, and the table."""
    done = run_command([sys.executable, "-m", "host.train"], *SMALL, "--data", data, "--out", tmp_path/"net.npz",
        "--json", "-")
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)
    network = Network.load(tmp_path/"net.npz")
    assert (network.neurons, network.inputs, network.contexts, network.outputs) == (20, 578, 0, CLASSES)
    assert network.classes == [str(digit) for digit in range(CLASSES)]
    assert network.encoder == ENCODERS[34, 34]
    rows = history(tmp_path/"net.csv")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert measures["epochs"] == 3 and measures["samples"] == 90
    with Image.open(tmp_path/"net.png") as image:
        assert image.width == 900
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.csv", "net.npz", "net.png"]
    lines = done.stderr.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["epoch", f"{epoch}/3:"] for epoch in (1, 2, 3)]
    table = "\n".join(lines[3:])
    for row, text in (("test", f"{100*measures['test']['accuracy']:.1f} % of 30"), ("written", "net.png"),
            ("validation", f"{100*measures['best']['val_accuracy']:.1f} %"), ("network", "20 qclif neurons")):
        assert any(line.startswith(row) and text in line for line in lines), table


@pytest.mark.parametrize("options", [[], ["--weight-bits", 4, "--state-bits", 4], ["--neuron", "qlif"],
    ["--max-steps", 5, "--bin-us", 5000, "--count-threshold", 1], ["--leak", "fixed"]])
def test_scores_are_the_golden_models(data, tmp_path, trained, options):
    """Integers: nothing is left of the difference between training and accelerator."""
    measures = trained(*SMALL, *options)
    network = Network.load(tmp_path/"net.npz")
    test    = load("nmnist", data, "test")
    assert network.encoder.to_dict() == measures["encoder"]
    batch   = encode(test, np.arange(len(test)), network.encoder, max_steps=measures["settings"]["max_steps"] or None)
    right, spikes, chances = golden(network, batch)
    assert spikes > 0
    assert measures["test"]["accuracy"] == np.mean(right)
    assert measures["test"]["rate"] == spikes/chances
    assert measures["test"]["answers"] == 30 and measures["test"]["majority"] == 0.1


def test_validation_is_of_recordings_that_are_held_out(data, tmp_path, trained):
    """Recomputed with the network that was written, which is that of the best epoch."""
    measures = trained(*SMALL, "--epochs", 6, "--validation", 0.2, "--learning-rate", 0.3, "--seed", 2)
    rows    = history(tmp_path/"net.csv")
    best    = max(rows, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert measures["best"] == best
    train      = load("nmnist", data, "train")
    kept, held = split(train.labels, 0.2, 2)
    assert measures["samples"] == len(kept) == 80
    network = Network.load(tmp_path/"net.npz")
    right, spikes, chances = golden(network, encode(train, held, network.encoder))
    assert best["val_accuracy"] == np.mean(right)
    assert best["val_rate"] == spikes/chances


def test_without_validation_the_last_epoch_is_kept(data, tmp_path, trained):
    measures = trained(*SMALL, "--validation", 0)
    rows    = history(tmp_path/"net.csv")
    assert measures["best"] == rows[-1] and measures["samples"] == 100
    assert not any(name.startswith("val_") for name in rows[0])


def test_equal_seeds_give_equal_networks(tmp_path, trained):
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        trained(*SMALL, "--epochs", 1, "--seed", seed, name=name)
    one, two, other = ((tmp_path/f"{name}.npz").read_bytes() for name in ("one", "two", "other"))
    assert one == two != other


def test_nothing_but_the_seed_is_drawn_from(tmp_path, trained):
    """Whatever else this process draws."""
    networks = []
    for state in (0, 1):
        np.random.seed(state)
        torch.manual_seed(state)
        trained(*SMALL, "--epochs", 1, "--jitter-us", 100, "--stretch", 0.1)
        networks.append((tmp_path/"net.npz").read_bytes())
    assert networks[0] == networks[1]


def test_patience(trained):
    """Steps too small to change an integer: nothing gets better after the first epoch."""
    measures = trained(*SMALL, "--epochs", 9, "--patience", 2, "--learning-rate", 1e-7, out=False)
    assert measures["epochs"] == 3 and measures["best"]["epoch"] == 1


def test_training_learns(trained):
    measures = trained(*SMALL, "--epochs", 8, out=False)
    low, high = measures["test"]["accuracy_interval"]
    assert 0.3 < low < measures["test"]["accuracy"] <= high


def test_from_8_bits_to_4(tmp_path, trained):
    trained(*SMALL, name="wide")
    trained(*SMALL, "--epochs", 1, "--learning-rate", 1e-7, "--weight-bits", 4, "--state-bits", 4, "--init",
        tmp_path/"wide.npz", name="small")
    wide, small = (Network.load(tmp_path/f"{name}.npz") for name in ("wide", "small"))
    assert (small.weight_bits, small.state_bits) == (4, 4)
    for name in ("w_sensory", "w_recurrent_soma", "w_recurrent_apical", "bias_soma", "bias_apical"):
        # A hundredth for what the steps of the optimiser moved.
        near = np.abs(getattr(small, name) - np.minimum(getattr(wide, name)/16, 7)) <= 0.51
        assert near.all(), name


@pytest.mark.parametrize("neuron", [name for name, kind in NEURONS.items() if not kind.on_accelerator])
def test_neurons_without_a_network_file(tmp_path, trained, neuron):
    measures = trained(*SMALL, "--neuron", neuron, out=False)
    assert measures["test"]["answers"] == 30 and measures["settings"]["neuron"] == neuron
    assert [path.name for path in tmp_path.iterdir()] == ["net.json"]

# Context ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [[], ["--mode", "memory", "--clips", 3], ["--clips", 2, "--no-cued"],
    ["--relevance", 0.1]])
def test_context_task(data, tmp_path, trained, options):
    """Clip by clip against the golden model, whose state goes on from clip to clip."""
    measures = trained(*CONTEXT, *options)
    settings = measures["settings"]
    network  = Network.load(tmp_path/"net.npz")
    assert network.contexts == (10 if settings["cued"] else 0) and network.classes == ["no", "yes"]
    task = ContextTask(load("nmnist", data, "test"), network.encoder, 40, settings["mode"], settings["clips"],
        settings["relevance"], settings["cued"])
    right, yes, hits, said, spikes, chances = 0, 0, 0, 0, 0, 0
    for batch in evaluation_batches(task, TEST_SEED):
        for result, bounds, labels in zip(GoldenModel(network).run(batch.to_steps()), batch.bounds, batch.labels,
                strict=True):
            fired    = result.spikes.dense(network.neurons)
            spikes  += fired.sum()
            chances += fired.size
            for (start, stop), label in zip(pairwise(bounds), labels, strict=True):
                answer = int(np.argmax(fired[start:stop].sum(axis=0) @ network.readout))
                right += answer == label
                yes   += label
                said  += answer
                hits  += answer and label
    clips = 40*settings["clips"]
    assert measures["test"]["answers"] == clips and measures["test"]["accuracy"] == right/clips
    assert measures["test"]["rate"] == spikes/chances
    assert measures["test"]["recall"] == hits/yes and measures["test"]["precision"] == hits/max(1, said)
    assert measures["test"]["majority"] == max(yes, clips - yes)/clips


@pytest.mark.parametrize("neuron", ["qlif", "lif"])
def test_context_at_the_soma_of_lif_neurons(trained, neuron):
    measures = trained(*CONTEXT, "--neuron", neuron, out=False)
    assert measures["test"]["answers"] == 40


def test_help_names_every_option_and_default(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for part in ("--patience N", "(0 to 0.9; default: 0.1)", "the same command with --resume", "(default: none)",
            "(1 to 1024; default: 200)", "0.1 for 90 to 110 %"):
        assert part in text
