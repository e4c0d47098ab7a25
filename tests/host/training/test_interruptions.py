# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Training that is interrupted at any moment and resumed gives the network that it would have given."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from host.common.folders import ROOT
from tests.helpers.trainings import SMALL, Trigger, save_digits, train

INT, TERM, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL


class Place:
    """A folder with recordings, a network to write there, and what an undisturbed training gave."""
    def __init__(self, folder):
        self.folder  = folder
        self.cache   = folder/"cache"
        self.options = [*SMALL, "--data", save_digits(folder/"digits.npz")]
        # The second one counts calls: the first one had recordings to read, which then are in the cache.
        self.train("whole")
        done = self.train("whole", Trigger(INT, 0))
        assert done.returncode == 0, done.stderr
        self.calls = int(done.stderr.split()[-1])
        self.bytes = self.net("whole").read_bytes()
        self.rows  = self.rows_of("whole")

    def net(self, name):
        return self.folder/f"{name}.npz"

    def checkpoint(self, name):
        return self.folder/f"{name}.ckpt"

    def train(self, name, trigger=None, *options, cache=None):
        return train(self.folder/f"{name}.log", *self.options, "--out", self.net(name), *options, trigger=trigger,
            QCLIF_CACHE=str(cache or self.cache))

    def rows_of(self, name):
        """Lines of the history, without the seconds, which come last."""
        return [line.rsplit(",", 1)[0] for line in self.net(name).with_suffix(".csv").read_text().splitlines()]

    def assert_whole(self, name):
        assert self.net(name).read_bytes() == self.bytes
        assert self.rows_of(name) == self.rows
        assert not self.checkpoint(name).exists()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("interruptions"))


def assert_interrupted(done, number):
    """It ended as the signal asks: but for SIGKILL with one line that says what to do."""
    if number == KILL:
        assert done.returncode == -KILL, done.stderr
        return
    assert done.returncode == 130, done.stderr
    # What came out is told before it is written.
    told = ("epoch ", "network ", "training ", "validation ", "test ")
    said = [line for line in done.stderr.splitlines() if not line.startswith(told)
        and "nothing to resume, training begins" not in line]
    assert len(said) == 1 and said[0].startswith("interrupted: "), done.stderr
    assert ("--resume" in said[0]) != ("nothing to resume" in said[0])


@pytest.mark.parametrize("seed", range(2))
def test_any_moment_again_and_again(place, seed):
    """Every life ends by a random signal at a random call, until one is lucky."""
    rng, name, lives = random.Random(seed), f"random{seed}", 0
    while True:
        number = rng.choice([INT, TERM, KILL])
        done   = place.train(name, Trigger(number, rng.randrange(place.calls//4, place.calls)), "--resume")
        lives += 1
        if done.returncode == 0:
            break
        assert_interrupted(done, number)
    assert lives > 2
    place.assert_whole(name)


# Lives of a training: the signal, before which call of which function it comes, and epochs that are kept then. Files
# take their names by replace(): each checkpoint, then the network, its .csv and its .png.
LIVES = {
    "in the first epoch": [(KILL, "normalise", 30, 0), (INT, "calibrate", 1, 0), (TERM, "backward", 2, 0),
        (KILL, "evaluation_batches", 1, 0)],
    "while a checkpoint is written": [(INT, "replace", 1, 0), (KILL, "replace", 2, 1), (TERM, "replace", 1, 1),
        (INT, "replace", 2, 2)],
    "between epochs": [(INT, "_epoch", 2, 1), (KILL, "_keep", 1, 1), (TERM, "_epoch", 2, 2), (INT, "_save", 1, 2)],
    "at the end": [(INT, "write_results", 1, 3), (KILL, "replace", 1, 3), (INT, "replace", 2, 3),
        (TERM, "replace", 3, 3), (INT, "training_measures", 1, 3)],
}


@pytest.mark.parametrize("when", LIVES)
def test_moments(place, when):
    name, before = when.replace(" ", "_"), 0
    for number, function, n, epochs in LIVES[when]:
        done = place.train(name, Trigger(number, n, function), "--resume", cache=place.folder/name)
        assert_interrupted(done, number)
        assert ("nothing to resume, training begins" in done.stderr) == (before == 0)
        assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("epoch")] == [
            f"{epoch}/3:" for epoch in range(before + 1, epochs + 1)]
        assert place.checkpoint(name).exists() == (epochs > 0)
        before = epochs
    done = place.train(name, None, "--resume", cache=place.folder/name)
    assert done.returncode == 0, done.stderr
    place.assert_whole(name)


def test_resuming_without_an_interruption_begins(place):
    done = place.train("fresh", None, "--resume")
    assert done.returncode == 0
    first = done.stderr.splitlines()[0]
    assert first == f"{place.checkpoint('fresh')} is not there: nothing to resume, training begins"
    place.assert_whole("fresh")


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [INT, TERM])
def test_while_recordings_are_made(tmp_path, number):
    """As typed: Ctrl-C at a terminal reaches the processes that make recordings, too, SIGTERM only the first one."""
    cache   = tmp_path/"cache"
    process = subprocess.Popen([sys.executable, "-m", "host.train", "--samples", "500", "--out", tmp_path/"net.npz"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True,
        env=os.environ | {"QCLIF_CACHE": str(cache)})
    wait_for(lambda: any(cache.glob(".*/content/events.npy")))
    (os.killpg if number == INT else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "" and "Traceback" not in err and "Warning" not in err
    assert f"interrupted: {tmp_path/'net.ckpt'} is not there, there is nothing to resume" in err.splitlines()
    # Neither half-made recordings nor processes that make them are left.
    assert not cache.exists() or not list(cache.iterdir())
    wait_for(lambda: subprocess.run(["pgrep", "-s", str(process.pid)], capture_output=True).returncode)


@pytest.mark.parametrize("seconds", [0.3, 1])
def test_ctrl_c_while_modules_are_imported(tmp_path, seconds):
    process = subprocess.Popen([sys.executable, "-m", "host.train", "--out", tmp_path/"net.npz"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"QCLIF_CACHE": tmp_path})
    time.sleep(seconds)
    process.send_signal(INT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (130, -INT)
    assert "Traceback" not in out + err
