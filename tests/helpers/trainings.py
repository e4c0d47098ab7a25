# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Small trainings for the tests: recordings of ten classes in files, and host.train in processes of its own.

The processes are forked from one that has imported it already: what takes seconds is done once.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from host.events.event_array import EVENT
from tests.helpers.camera_files import nmnist

CLASSES     = 10
SIZE        = 34
DURATION_US = 80_000

# Of the digits that follow, a small network that learns something in three epochs.
SMALL = ["--dataset", "nmnist", "--epochs", 3, "--neurons", 20, "--batch-size", 20, "--learning-rate", 0.05,
    "--shift", 1]

_SERVER = multiprocessing.get_context("forkserver")
# torch would import the second one when training begins.
_SERVER.set_forkserver_preload(["host.train", "torch._dynamo"])


def digit(label, rng, events=240):
    """A recording: each class has its place on the sensor, and noise."""
    column, row = label % 5, label//5
    recording = np.zeros(events, EVENT)
    recording["x"] = np.clip(rng.normal(4 + 6*column, 2.5, events), 0, SIZE - 1)
    recording["y"] = np.clip(rng.normal(9 + 16*row, 2.5, events), 0, SIZE - 1)
    recording["p"] = rng.integers(0, 2, events)
    recording["t"] = np.sort(rng.integers(0, DURATION_US, events))
    return recording


def digits(count, seed=0):
    """Recordings of the classes in turn."""
    rng = np.random.default_rng(seed)
    return [digit(i % CLASSES, rng) for i in range(count)]


def save_digits(path, count=60, seed=0, **changes):
    """One .npz of many recordings: training data without a test split."""
    recordings = digits(count, seed)
    np.savez(path, **{"events": np.concatenate(recordings), "offsets": np.cumsum([0, *map(len, recordings)]),
        "labels": np.arange(count) % CLASSES, "sensor_size": [SIZE, SIZE]} | changes)
    return path


def save_nmnist(folder, train=60, test=30):
    """A folder as tonic's N-MNIST, with both splits."""
    for split, count, seed in (("Train", train, 0), ("Test", test, 1)):
        for number, recording in enumerate(digits(count, seed)):
            place = folder/"NMNIST"/split/str(number % CLASSES)
            place.mkdir(parents=True, exist_ok=True)
            (place/f"{number:05}.bin").write_bytes(nmnist(recording.tolist()))
    return folder


class Trigger:
    """Sends a signal to its own process at the n-th call that host's modules make while they train.

    Parameters
    ----------
    number : of the signal.
    n : from 1 up; 0 only counts.
    name : of the function that is called; None for any.
    """
    def __init__(self, number, n, name=None):
        self.number, self.n, self.name, self.calls, self.trains = number, n, name, 0, False

    def __call__(self, frame, event, arg):
        code = frame.f_code
        if code.co_name == "run" and code.co_filename.endswith("host/train.py") and event in ("call", "return"):
            self.trains = event == "call"
        if not self.trains or "/host/" not in code.co_filename or event not in ("call", "c_call"):
            return
        if self.name in (None, code.co_name if event == "call" else arg.__name__):
            self.calls += 1
            if self.calls == self.n:
                os.kill(os.getpid(), self.number)


def _train(options, log, environment, trigger):
    """What a process does."""
    os.environ.update(environment)
    with open(log, "wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from host.train import main

    sys.setprofile(trigger)
    code = main(options)
    sys.setprofile(None)
    if trigger and not trigger.n:
        print(trigger.calls)
    sys.exit(code)


def start(log, *options, trigger=None, **environment):
    """A process that trains, with both its outputs in a file.

    Parameters
    ----------
    trigger : a Trigger, None for an undisturbed training.
    environment : variables that are set.
    """
    process = _SERVER.Process(target=_train, args=([str(each) for each in options], str(log), environment, trigger))
    process.start()
    return process


def train(log, *options, timeout=120, **changes):
    """Run a training to its end; returns what came out as subprocess.run() does, both outputs in stderr."""
    process = start(log, *options, **changes)
    process.join(timeout)
    if process.is_alive():
        process.kill()
        raise subprocess.TimeoutExpired(options, timeout, Path(log).read_bytes())
    return subprocess.CompletedProcess(options, process.exitcode, "", Path(log).read_text())
