# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The commands as a new user types them, wrong ones most of all: one clear line, exit code, nothing left running.

Where nothing but the answer matters, they run in this process, which has imported what takes them seconds.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from accel.config import QCLIFConfig
from host import stream as host_stream
from host.common.folders import ROOT
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.network.random_network import random_network as calibrated_network
from host.runs.result import Result
from targets.sim import __main__ as targets_sim
from targets.sim.simulator import SimulatedSoC
from tests.helpers.commands import assert_one_line, call, run
from tests.helpers.needs import needs_simulator
from tests.helpers.strategies import random_network

STREAM = [sys.executable, str(ROOT/"host"/"stream.py")]
SIM    = [sys.executable, "-m", "targets.sim", "--non-interactive"]

def sim(*options):
    """targets.sim in this process."""
    return call(targets_sim.main, "--non-interactive", *options)


def stream(*options):
    """host/stream.py in this process."""
    return call(host_stream.main, *options)


def start(command, *options, mark="", **streams):
    """A command in a process of its own; all that it starts bears the mark."""
    return subprocess.Popen([*command, *options], text=True, cwd=ROOT, env=os.environ | {"QCLIF_TEST": mark}, **streams)


def marked(mark):
    """Command lines of the processes that still run and bear the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"QCLIF_TEST={mark}\0".encode() in (folder/"environ").read_bytes():
                found.append((folder/"cmdline").read_text())
        except OSError: # It has ended, or is another user's.
            continue
    return found


@pytest.fixture
def recording(tmp_path):
    """Writes events (x, y, p, t) to a file and returns its path."""
    def write(rows, name="recording.npz"):
        events = np.array(rows, EVENT) if len(rows) else np.zeros(0, EVENT)
        np.savez(tmp_path/name, events=events, sensor_size=(128, 128))
        return tmp_path/name
    return write

@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """File of a network for synthetic recordings. The default one of the build takes the simulator seconds to load."""
    path  = tmp_path_factory.mktemp("small")/"small.npz"
    steps = Encoder().encode(synthetic.record(0).events)
    calibrated_network(QCLIFConfig(neurons=16), Encoder(), [steps], classes=synthetic.GESTURES).save(path)
    return path

# Recordings and networks --------------------------------------------------------------------------

def test_missing_recording():
    assert_one_line(run(SIM, "--events", "nowhere.npz"), "nowhere.npz")


def test_unknown_type(tmp_path):
    (tmp_path/"a.txt").write_text("no events")
    assert_one_line(sim("--events", tmp_path/"a.txt"), "a.txt", "AEDAT 4")


def test_empty_recording(recording):
    assert_one_line(sim("--events", recording([])), "recording.npz")


def test_times_that_go_back(recording):
    assert_one_line(sim("--events", recording([(1, 1, 0, 500), (1, 1, 0, 400)])), 500, 400)


def test_pixel_outside_of_the_sensor(recording):
    assert_one_line(sim("--events", recording([(128, 1, 0, 0), (1, 1, 0, 400)])), 128)


def test_missing_dataset(tmp_path):
    assert_one_line(sim("--dataset", "NMNIST", "--data", tmp_path), tmp_path)


def test_network_files(tmp_path, recording):
    events  = recording([(1, 1, 0, n*100) for n in range(200)])
    network = random_network(QCLIFConfig(neurons=4, inputs=6, contexts=1))
    network.save(tmp_path/"good.npz")
    arrays = dict(np.load(tmp_path/"good.npz"))
    np.savez(tmp_path/"shape.npz", **arrays | {"threshold": arrays["threshold"][:3]})
    np.savez(tmp_path/"value.npz", **arrays | {"w_sensory": arrays["w_sensory"] + 1000})
    (tmp_path/"broken.npz").write_bytes(b"PK not a zip")
    for name, words in {"missing.npz": [], "shape.npz": ["threshold", "[3]", "[4]"],
            "value.npz": ["w_sensory", -128, 127], "broken.npz": []}.items():
        assert_one_line(sim("--network", tmp_path/name, "--events", events), name, *words)


@pytest.mark.parametrize(("option", "value"), [("--neurons", 1025), ("--lanes", 0), ("--weight-bits", 9),
    ("--inputs", 5000), ("--contexts", 65), ("--state-bits", 3)])
def test_sizes_out_of_range(option, value):
    assert_one_line(sim(option, value), value)


def test_context_that_the_network_lacks():
    assert_one_line(sim("--network", "random", "--samples", 1, "--context", 10), 10, 9)

# Ports --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("port", ["/dev/nothing", "socket://127.0.0.1:1", "nonsense://x"])
def test_port_that_is_not_there(port):
    assert_one_line(stream("--port", port, "--samples", 1), port)


def test_a_port_that_is_not_there_seen_from_outside():
    assert_one_line(run(STREAM, "--port", "/dev/nothing", "--samples", 1), "/dev/nothing")


def test_network_larger_than_the_sizes_given(tmp_path):
    random_network(QCLIFConfig(neurons=20, inputs=6, contexts=1)).save(tmp_path/"large.npz")
    assert_one_line(sim("--network", tmp_path/"large.npz", "--neurons", 19), 20, 19)


@needs_simulator
def test_port_closed_in_mid_run(small):
    """The simulator dies under a running stream, when the network has arrived and recordings are under way."""
    with SimulatedSoC(QCLIFConfig()) as soc:
        client = start(STREAM, "--port", soc.port, "--network", small, "--samples", "40", stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        # More than the network takes.
        while soc.counters.received < 25_000:
            assert client.poll() is None, client.communicate()
            time.sleep(0.05)
        os.kill(soc.pid, signal.SIGKILL)
        out, err = client.communicate(timeout=120)
    assert_one_line(subprocess.CompletedProcess(client.args, client.returncode, out, err), soc.port)


@needs_simulator
@pytest.mark.parametrize("seconds", [0.5, 2, 4, 7])
def test_ctrl_c_at_any_time(seconds, small):
    mark    = str(uuid.uuid4())
    process = start(SIM, "--network", small, "--samples", "200", mark=mark, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    time.sleep(seconds)
    assert marked(mark)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT), err
    assert "Traceback" not in out + err
    time.sleep(0.5)
    assert not marked(mark)


@needs_simulator
def test_simulator_goes_with_its_parent():
    """Even where targets.sim is killed without a chance to clean up."""
    mark = str(uuid.uuid4())
    with start(SIM, "--serve", mark=mark, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        next(line for line in process.stdout if "socket" in line)
        assert any("obj_dir/Vsim" in command for command in marked(mark))
        process.kill()
    deadline = time.monotonic() + 20
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not marked(mark)

# A SoC that stays up, last: as long as it is there, it keeps a core busy --------------------------

@pytest.fixture(scope="module")
def served():
    """The port of a SoC that python -m targets.sim --serve keeps up."""
    process = start(SIM, "--serve", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ports   = []
    while len(ports) < 2:
        line = process.stdout.readline()
        assert line, "--serve has ended"
        if "--port" in line:
            ports.append(line.split()[-1])
    yield ports
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors


@needs_simulator
def test_both_ports_and_result_files(served, small, tmp_path):
    """Socket and pty, host and device encoder, a damaged line: the same result file, numbers that fit.

    Slow: each of the five is a stream through the simulated SoC.
    """
    runs = {
        "socket": ["--port", served[0]],
        "pty":    ["--port", served[1]],
        "device": ["--port", served[0], "--encode", "device"],
        "flip":   ["--port", served[0], "--line-flip", "0.001"],
        "drop":   ["--port", served[1], "--line-drop", "0.001"],
    }
    numbers = {}
    for name, options in runs.items():
        done = stream(*options, "--network", small, "--samples", 2, "--context", 1, "--out",
            tmp_path/f"{name}.npz", "--json", tmp_path/f"{name}.json")
        assert done.returncode == 0, done.stdout + done.stderr
        numbers[name] = json.loads((tmp_path/f"{name}.json").read_text())
        assert (tmp_path/f"{name}.npz").read_bytes() == (tmp_path/"socket.npz").read_bytes()
        assert numbers[name]["mismatches"] == numbers[name]["state_mismatches"] == 0
    assert numbers["flip"]["link"]["retries"] > 0 and numbers["drop"]["link"]["retries"] > 0
    clean = numbers["socket"]
    assert clean["samples"] == 2 and clean["steps"] == 400
    assert clean["spikes"] == len(Result.load(tmp_path/"socket.npz").neuron)
    assert clean["cpu_clocks_per_byte_rx"] <= 60 and clean["cpu_clocks_per_byte_tx"] <= 60
    assert clean["core_clocks"] <= 1.10*clean["bound_clocks"] + 64*clean["steps"]
    assert numbers["device"]["cpu_clocks_per_raw_event"] <= 80


@needs_simulator
def test_network_larger_than_the_build(served, tmp_path):
    network = random_network(QCLIFConfig(neurons=201, contexts=1))
    # For the recordings, which are looked at first.
    network.encoder = Encoder()
    network.save(tmp_path/"large.npz")
    assert_one_line(stream("--port", served[0], "--network", tmp_path/"large.npz", "--samples", 1), 201, 200)
