# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Training in two processes, as torchrun starts them: one speaks and writes, both compute the same network."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from host.common.folders import ROOT
from host.network.network import Network
from tests.helpers.trainings import SMALL, Trigger, save_digits, start, train

TORCHRUN = Path(sys.executable).with_name("torchrun")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    done   = train(folder/"log", *SMALL, "--epochs", 1, "--data", save_digits(folder/"digits.npz"),
        QCLIF_CACHE=str(folder/"cache"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def pair(data, tmp_path):
    """Runs both processes; returns the exit code and the output of each."""
    def run(*options, triggers=(None, None)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        world     = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "QCLIF_CACHE": str(data/"cache")}
        processes = [start(tmp_path/f"{rank}.log", *SMALL, "--data", data/"digits.npz", "--out", tmp_path/"net.npz",
            *options, trigger=triggers[rank], RANK=str(rank), LOCAL_RANK=str(rank), **world) for rank in range(2)]
        for process in processes:
            process.join(60)
            if process.is_alive():
                process.kill()
        return [(process.exitcode, (tmp_path/f"{rank}.log").read_text()) for rank, process in enumerate(processes)]
    return run


def test_torchrun(data, tmp_path):
    done = subprocess.run([TORCHRUN, "--nproc-per-node", "2", "-m", "host.train", *map(str, SMALL), "--data",
        data/"digits.npz", "--out", tmp_path/"net.npz"], capture_output=True, text=True, cwd=ROOT, timeout=120,
        env=os.environ | {"QCLIF_CACHE": str(data/"cache")})
    assert done.returncode == 0, done.stderr
    epochs = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("epoch")]
    assert epochs == ["1/3:", "2/3:", "3/3:"]
    assert done.stdout.count("network") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.csv", "net.npz", "net.png"]
    assert Network.load(tmp_path/"net.npz").neurons == 20


@pytest.mark.parametrize("neuron", ["qclif", "qlif"])
def test_interrupted_and_resumed(pair, tmp_path, neuron):
    """A LIF neuron leaves parameters without a gradient, which processes that share gradients must know."""
    # The second one would not outlive a file that it writes.
    (code, said), (other, silent) = pair("--neuron", neuron, triggers=[None, Trigger(signal.SIGKILL, 1, "whole_file")])
    assert code == other == 0 and "epoch 3/3" in said and silent == "", said + silent
    whole = (tmp_path/"net.npz").read_bytes()
    (tmp_path/"net.npz").unlink()
    # As at a terminal: Ctrl-C goes to both.
    triggers = [Trigger(signal.SIGINT, 2, "_epoch")]*2
    (code, said), (other, silent) = pair("--neuron", neuron, triggers=triggers)
    assert code == other == 130 and silent == "", said + silent
    assert said.splitlines()[1:] == [f"interrupted: the epochs that were done are in {tmp_path/'net.ckpt'}; the same "
        f"command with --resume goes on"]
    (code, said), (other, silent) = pair("--neuron", neuron, "--resume")
    assert code == other == 0 and silent == "", said + silent
    assert (tmp_path/"net.npz").read_bytes() == whole


def test_other_number_of_processes(pair, data, tmp_path):
    """Others draw other numbers: it would not be the same training."""
    pair(triggers=[Trigger(signal.SIGINT, 2, "_epoch")]*2)
    done = train(tmp_path/"log", *SMALL, "--data", data/"digits.npz", "--out", tmp_path/"net.npz", "--resume",
        QCLIF_CACHE=str(data/"cache"))
    assert done.returncode == 2
    assert "net.ckpt: of another training (processes 2, now processes 1)" in done.stderr


@pytest.mark.parametrize("options, text", [
    (["--batch-size", 21], "batch_size is 21, not a multiple of the 2 processes"),
    (["--samples", 1, "--validation", 0], "1 samples for 2 processes"),
    (["--neurons", 0], "neurons is 0"), (["--data", "none"], "none"), (["--init", "none.npz"], "none.npz"),
    (["--device", "cuda:7"], "cuda:7")])
def test_errors_are_said_once(pair, options, text):
    (code, said), (other, silent) = pair(*options)
    assert code == other == 2
    assert said.startswith("error: ") and text in said and said.count("\n") == 1
    assert silent == ""


def test_parts_are_equal_where_a_batch_is_not_full(pair):
    """Of 59 recordings the last one of each epoch is left out, not given to one process."""
    (code, said), (other, silent) = pair("--validation", 0, "--samples", 59, "--batch-size", 100, "--epochs", 1)
    assert code == other == 0, said + silent


def test_one_process_is_lost(pair):
    """The other one does not wait for it for ever, nor ends in a traceback."""
    (code, said), (other, silent) = pair(triggers=[None, Trigger(signal.SIGKILL, 2, "_epoch")])
    assert other == -signal.SIGKILL and code == 2, said + silent
    assert said.splitlines()[-1].startswith("error: another of the processes has ended") and "Traceback" not in said
    (code, said), (other, silent) = pair("--restart", triggers=[Trigger(signal.SIGKILL, 2, "_epoch"), None])
    assert code == -signal.SIGKILL and other == 2 and silent == "", said + silent
