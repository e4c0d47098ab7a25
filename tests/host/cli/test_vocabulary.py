# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""One vocabulary of data sets and splits in all commands, and the words of before."""

import argparse

import pytest

from host import datasets, evaluate, plot, stream, train
from host.cli.options import add_recording_args, read_samples
from host.data.datasets import NAMES, PUBLISHED, SYNTHETIC
from host.training.settings import add_settings_args
from tests.helpers.commands import call

COMMANDS = {"stream": (stream.main, ["--port", "loop://"]), "plot": (plot.main, ["run.npz"]),
    "evaluate": (evaluate.main, ["--network", "net.npz"]), "datasets": (datasets.main, []), "train": (train.main, [])}

# Recordings and where tonic's folder has them, by split: a digit of N-MNIST each.
SPLITS = {"train": ("Train", 3), "test": ("Test", 7)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One event of N-MNIST in each split."""
    folder = tmp_path_factory.mktemp("data")
    for place, digit in SPLITS.values():
        (folder/"NMNIST"/place/str(digit)).mkdir(parents=True)
        (folder/"NMNIST"/place/str(digit)/"00001.bin").write_bytes(bytes([1, 2, 0x80, 0, digit]))
    return folder


def read(*options):
    parser = argparse.ArgumentParser()
    add_recording_args(parser.add_argument_group())
    return read_samples(parser.parse_args(list(map(str, options)), argparse.Namespace(samples=None)))


@pytest.mark.parametrize("options, split", [([], "train"), (["--split", "train"], "train"),
    (["--split", "test"], "test"), (["--split", "TEST"], "test"), (["--test-split"], "test")])
@pytest.mark.parametrize("name", ["nmnist", "NMNIST", "NMnist"])
def test_old_and_new_words_of_recordings(data, name, options, split):
    sample, = read("--dataset", name, "--data", data, *options)
    assert sample.label == SPLITS[split][1]


@pytest.mark.parametrize("options, label", [(["--dataset", "nmnist"], 3),
    (["--dataset", "NMNIST", "--split", "test"], 7), (["--dataset", "Nmnist", "--test-split"], 7)])
def test_old_and_new_words_of_data_sets(data, tmp_path, options, label, monkeypatch):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path))
    done = call(datasets.main, "--data", data, *options)
    assert done.returncode == 0, done.stderr
    assert f"{label} 1" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_one_vocabulary(command):
    main, needed = COMMANDS[command]
    text = " ".join(call(main, "--help").stdout.split())
    assert "nmnist" in text and "dvsgesture" in text and "shd" in text
    for old in ("NMNIST", "DVSGesture", "SHD", "--test-split"):
        assert old not in text
    assert ("--split {train,test}" in text) == (command != "train")
    unknown = call(main, *needed, "--dataset", "cifar")
    assert unknown.returncode == 2 and "invalid choice: 'cifar'" in unknown.stderr
    assert all(name in unknown.stderr for name in (SYNTHETIC, *PUBLISHED))


@pytest.mark.parametrize("name", NAMES)
def test_names_in_capitals_to_train_with(name):
    parser = argparse.ArgumentParser()
    add_settings_args(parser)
    assert parser.parse_args(["--dataset", name.upper()]).dataset == name
    assert {each.lower() for each in NAMES} == set(NAMES)
