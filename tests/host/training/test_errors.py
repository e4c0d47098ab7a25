# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m host.train with what a user can do wrong: one line each, and what was there before is as it was."""

import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from accel.errors import EXIT_ERROR
from host.data.event_set import split
from host.network.network import Network
from host.train import main, write_results
from tests.helpers.commands import assert_one_line
from tests.helpers.commands import run as run_command
from tests.helpers.trainings import CLASSES, SMALL, save_digits


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QCLIF_CACHE", str(folder/"cache"))
        patch.setattr("host.training.results.save", lambda figure, path: None)
        yield save_digits(folder/"digits.npz")


@pytest.fixture
def train(data, tmp_path, capsys):
    """The command in this process; later options replace earlier ones."""
    def run(*options):
        code = main([str(each) for each in (*SMALL, "--data", data, "--out", tmp_path/"net.npz", *options)])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(options, code, out, err)
    return run


def refused(done, *words):
    assert_one_line(done, *words)
    assert done.returncode == EXIT_ERROR
    assert done.stderr.splitlines()[-1].startswith("error:")

# Settings -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, words", [
    (["--neurons", 5000], ["neurons is 5000", "1 to 1024", "--neurons"]),
    (["--neurons", 0], ["neurons is 0", "1 to 1024"]),
    (["--weight-bits", 9], ["weight_bits is 9", "2 to 8", "--weight-bits"]),
    (["--state-bits", 3], ["state_bits is 3", "4 to 16"]),
    (["--epochs", 0], ["epochs is 0", "at least 1", "--epochs"]),
    (["--batch-size", 0], ["batch_size is 0", "at least 1"]),
    (["--learning-rate", 1.5], ["learning_rate is 1.5", "0 to 1"]),
    (["--learning-rate", "nan"], ["learning_rate is nan"]),
    (["--rate-penalty", "inf"], ["rate_penalty is inf", "0 to 1000000"]),
    (["--validation", 1], ["validation is 1.0", "0 to 0.9"]),
    (["--seed", -1], ["seed is -1", "0 to 2147483647"]),
    (["--seed", 2**31], ["seed is 2147483648", "0 to 2147483647"]),
    (["--samples", 10**9], ["samples is 1000000000", "0 to 1000000"]),
    (["--samples", -1], ["samples is -1"]),
    (["--bin-us", 2**31], ["bin_us is 2147483648"]),
    (["--shift", 10**6], ["shift is 1000000"]),
    (["--jitter-us", "inf"], ["jitter is inf us", "0 to 1000000"]),
    (["--drop", 2], ["drop is 2.0", "0 to 1"]),
    (["--patience", 3, "--validation", 0], ["patience is 3", "--validation"]),
    (["--clips", 10, "--task", "context"], ["clips is 10", "1 to 9", "--clips"]),
    (["--clips", 3], ["clips is 3", "classify", "--task context"]),
    (["--no-cued"], ["cued is False", "--task context"]),
    (["--mirror"], ["--mirror with nmnist"]),
    (["--relevance", 2, "--task", "context"], ["relevance is 2.0", "0 to 1"]),
    (["--device", "cuda:7"], ["cuda:7", "--device auto"]),
    (["--device", "gpu"], ["gpu", "--device auto"])])
def test_settings_out_of_their_limits(train, tmp_path, options, words):
    refused(train(*options), *words)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("option", ["--epochs", "--learning-rate"])
def test_settings_that_are_no_numbers(train, capsys, option):
    with pytest.raises(SystemExit) as ended:
        train(option, "many")
    assert ended.value.code == EXIT_ERROR
    assert f"argument {option}: invalid" in capsys.readouterr().err.splitlines()[-1]


def test_wrong_option_as_typed(tmp_path):
    refused(run_command([sys.executable, "-m", "host.train"], "--neurons", 5000), "neurons is 5000")

# Recordings ---------------------------------------------------------------------------------------

def test_folder_without_the_data_set(train, tmp_path):
    refused(train("--data", tmp_path), tmp_path/"NMNIST", "give the folder that holds NMNIST/Train")
    refused(train("--data", tmp_path/"none"), tmp_path/"none")
    refused(train("--dataset", "shd", "--data", tmp_path), "SHD")


@pytest.mark.parametrize("changes, words", [
    ({"labels": np.arange(60) % 10 + 1}, ["label 10", "to 9", "correct the label"]),
    ({"labels": np.arange(60) % 10 - 2}, ["label -2"]),
    ({"labels": np.full(60, -1)}, ["60 of 60 recordings have no label", "0 to 9"]),
    ({"labels": np.where(np.arange(60) == 7, -1, np.arange(60) % 10)}, ["1 of ", "have no label"]),
    ({"labels": np.arange(59) % 10}, ["59 labels for 60 recordings"]),
    ({"labels": np.arange(60)/7}, ["labels", "float64", "integers"]),
    ({"sensor_size": [128, 128]}, ["128x128", "34x34"]),
    ({"offsets": np.array([0, 5])}, ["offsets"]),
    ({"events": np.zeros(4, [("x", int)])}, ["events"])])
def test_damaged_recordings(train, tmp_path, changes, words):
    refused(train("--data", save_digits(tmp_path/"bad.npz", **changes), "--validation", 0), *words)
    assert os.listdir(tmp_path) == ["bad.npz"]


@pytest.mark.parametrize("content", [b"", b"no recordings", b"PK\3\4 no zip"])
def test_files_that_hold_none(train, tmp_path, content):
    (tmp_path/"bad.npz").write_bytes(content)
    refused(train("--data", tmp_path/"bad.npz"), "bad.npz")


def test_too_few_recordings(train, tmp_path):
    refused(train("--samples", 1), "1 recordings to hold some out of, at least 2 are needed")
    assert train("--samples", 1, "--validation", 0, "--epochs", 1).returncode == 0
    # However small the share, one is held out.
    assert train("--samples", 12, "--validation", 1e-6, "--epochs", 1).returncode == 0
    assert train("--batch-size", 10**6, "--epochs", 1).returncode == 0


def test_class_with_a_single_recording(train, tmp_path):
    labels = np.where(np.arange(60) == 0, 9, np.arange(60) % (CLASSES - 1))
    single = save_digits(tmp_path/"single.npz", labels=labels)
    assert train("--data", single, "--epochs", 1).returncode == 0
    refused(train("--data", single, "--task", "context", "--validation", 0.5), "30 recordings", "none of class 9",
        "0 to 9", "--samples", "--validation")


def test_memory_that_is_too_small(train, monkeypatch):
    monkeypatch.setattr("host.training.bptt.kernel.forward", lambda *_: bytearray(2**62))
    refused(train(), "the memory is too small", "--batch-size (now 20)")

# Files --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, words", [
    (["--out", "none/net.npz"], ["--out none/net.npz", "existing folder"]),
    (["--out", "."], ["--out ."]),
    (["--out", "net"], ["--out net", ".npz"]),
    (["--out", "net.pt"], ["--out net.pt", ".npz"]),
    (["--json", "none/net.json"], ["--json none/net.json"]),
    (["--init", "none.npz"], ["none.npz"]),
    (["--neuron", "clif"], ["net.npz", "clif neurons", "--json"]),
    (["--neuron", "qlif", "--task", "context"], ["net.npz", "qlif neurons with a cue", "--json"]),
    (["--neuron", "lif", "--init", "some.npz"], ["--init some.npz", "lif neurons"])])
def test_files_that_cannot_be(train, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    refused(train(*options), *words)
    assert not os.listdir(tmp_path)


def test_resuming_needs_a_name(data, capsys):
    for option in ("--resume", "--restart"):
        assert main([option]) == EXIT_ERROR
        assert capsys.readouterr().err.startswith("error: --resume and --restart are about NET.ckpt")


def test_network_of_other_sizes_to_start_from(train, tmp_path):
    assert train("--epochs", 1).returncode == 0
    refused(train("--init", tmp_path/"net.npz", "--neurons", 21), "20 neurons, this one 21")
    (tmp_path/"net.npz").write_bytes(b"PK")
    refused(train("--init", tmp_path/"net.npz"), "net.npz")

# Checkpoints --------------------------------------------------------------------------------------

def interrupt(monkeypatch, train, *options, epochs=1):
    """A training that is interrupted after its first epoch, or in it."""
    def stop(self, stage, *_):
        if epochs or stage == "training":
            raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(f"host.train.TrainingDisplay.{'epoch_done' if epochs else '__call__'}", stop)
        done = train(*options)
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted: the epochs that were done are in ") == bool(epochs)


def test_interrupted_training_is_not_begun_anew_by_mistake(train, tmp_path, monkeypatch):
    interrupt(monkeypatch, train)
    before = (tmp_path/"net.ckpt").read_bytes()
    refused(train(), "net.ckpt", "--resume goes on, --restart begins anew")
    assert (tmp_path/"net.ckpt").read_bytes() == before
    # Only an error leaves it; once training has begun anew, it is no more.
    refused(train("--restart", "--data", "none"), "none")
    assert (tmp_path/"net.ckpt").read_bytes() == before
    interrupt(monkeypatch, train, "--restart", "--seed", 1, epochs=0)
    assert not (tmp_path/"net.ckpt").exists()
    assert train("--restart").returncode == 0
    assert not (tmp_path/"net.ckpt").exists()


@pytest.mark.parametrize("options, words", [
    (["--seed", 1], ['"seed": 0, now "seed": 1']), (["--epochs", 4], ['"epochs": 3, now "epochs": 4']),
    (["--learning-rate", 0.01], ["0.05", "0.01"]), (["--samples", 40], ['"samples": 0, now "samples": 40'])])
def test_checkpoint_of_other_settings(train, tmp_path, monkeypatch, options, words):
    interrupt(monkeypatch, train)
    before = (tmp_path/"net.ckpt").read_bytes()
    refused(train("--resume", *options), "net.ckpt: of another training", "--restart", *words)
    assert os.listdir(tmp_path) == ["net.ckpt"] and (tmp_path/"net.ckpt").read_bytes() == before


@pytest.mark.parametrize("part", [0, 1])
def test_checkpoint_of_other_recordings(train, tmp_path, monkeypatch, part):
    """Also where only those differ that are held out."""
    interrupt(monkeypatch, train)
    chosen = split(np.arange(60) % CLASSES, 0.1, 0)[part][0]
    labels = np.arange(60) % CLASSES
    other  = save_digits(tmp_path/"other.npz")
    events = np.load(other)["events"]
    events["x"][chosen*240] ^= 1
    refused(train("--resume", "--data", save_digits(other, events=events, labels=labels)), "of another training",
        ("recordings ", "validation ")[part])


def test_checkpoint_of_another_start(train, tmp_path, monkeypatch):
    assert train("--epochs", 1).returncode == 0
    os.rename(tmp_path/"net.npz", tmp_path/"one.npz")
    network = Network.load(tmp_path/"one.npz")
    network.threshold[0] += 1
    network.save(tmp_path/"two.npz")
    interrupt(monkeypatch, train, "--init", tmp_path/"one.npz")
    refused(train("--resume", "--init", tmp_path/"two.npz"), "of another training", "--init")
    refused(train("--resume"), "of another training", "now --init none")
    assert train("--resume", "--init", tmp_path/"one.npz").returncode == 0


def test_damaged_checkpoint(train, tmp_path, monkeypatch):
    interrupt(monkeypatch, train)
    damaged = bytearray((tmp_path/"net.ckpt").read_bytes())
    damaged[len(damaged)//2] ^= 1
    (tmp_path/"net.ckpt").write_bytes(damaged)
    refused(train("--resume"), "net.ckpt: damaged", "--restart")
    assert train("--restart").returncode == 0

# A full disk --------------------------------------------------------------------------------------

@pytest.fixture
def limit():
    """Sets the most bytes that a file can have, as a full disk would; none where it is left out."""
    def set_limit(size=resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    yield set_limit
    set_limit()


def test_disk_is_full(train, tmp_path, monkeypatch, limit):
    """While the checkpoint is written, the network and the scores: what was there stays, and training goes on."""
    assert train().returncode == 0
    whole = (tmp_path/"net.npz").read_bytes()
    limit(2000)
    refused(train(), "net.ckpt: cannot be written (File too large)")
    limit()
    assert (tmp_path/"net.npz").read_bytes() == whole and not (tmp_path/"net.ckpt").exists()

    interrupt(monkeypatch, train)
    (tmp_path/"net.npz").write_bytes(b"an earlier network")
    before = (tmp_path/"net.ckpt").read_bytes()
    limit(2000)
    refused(train("--resume"), "net.ckpt: cannot be written (File too large)")
    limit()
    assert (tmp_path/"net.ckpt").read_bytes() == before and (tmp_path/"net.npz").read_bytes() == b"an earlier network"

    # The checkpoint is written, the smaller network is not.
    with monkeypatch.context() as patch:
        patch.setattr("host.train.write_results", lambda *args: (limit(2000), write_results(*args)))
        done = train("--resume")
        refused(done, "net.npz: cannot be written (File too large)")
        # What came out was told before.
        assert "kept: " in done.stdout
    limit()
    assert (tmp_path/"net.npz").read_bytes() == b"an earlier network"
    assert train("--resume").returncode == 0
    assert (tmp_path/"net.npz").read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {"net.npz", "net.csv"}
