#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The commands as a new user types them, wrong ones most of all: one clear line, exit code, nothing left running."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from accel.config import QCLIFConfig
from host.common.folders import ROOT
from host.events.event_array import EVENT
from host.runs.result import Result
from tests.helpers.networks import random_network

STREAM = [sys.executable, str(ROOT/"host"/"stream.py")]
SIM    = [sys.executable, "-m", "targets.sim", "--non-interactive"]

needs_tools = pytest.mark.skipif(not (shutil.which("verilator") and shutil.which("riscv64-unknown-elf-gcc")),
    reason="needs Verilator and a RISC-V compiler: ./qclif setup")


def run(command, *options, timeout=300):
    return subprocess.run([*command, *map(str, options)], capture_output=True, text=True, timeout=timeout, cwd=ROOT)


def assert_one_line(done, *words):
    """Failed with one line for the user, which holds these words."""
    assert done.returncode not in (0, None)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert str(word) in errors[0]


def children(pattern):
    """Processes of this user whose command line holds the pattern."""
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found if int(pid) != os.getpid()]


@pytest.fixture
def recording(tmp_path):
    """Writes events (x, y, p, t) to a file and returns its path."""
    def write(rows, name="recording.npz"):
        events = np.array(rows, EVENT) if len(rows) else np.zeros(0, EVENT)
        np.savez(tmp_path/name, events=events, sensor_size=(128, 128))
        return tmp_path/name
    return write


@pytest.fixture(scope="module")
def served():
    """The port of a SoC that python -m targets.sim --serve keeps up."""
    process = subprocess.Popen([*SIM, "--serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=ROOT)
    ports = []
    while len(ports) < 2:
        line = process.stdout.readline()
        assert line, "--serve has ended"
        if "--port" in line:
            ports.append(line.split()[-1])
    yield ports
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    process.stdout.close()

# Recordings and networks --------------------------------------------------------------------------

def test_missing_recording():
    assert_one_line(run(SIM, "--events", "nowhere.npz"), "nowhere.npz")


def test_unknown_type(tmp_path):
    (tmp_path/"a.txt").write_text("no events")
    assert_one_line(run(SIM, "--events", tmp_path/"a.txt"), "a.txt", ".aedat4")


def test_empty_recording(recording):
    assert_one_line(run(SIM, "--events", recording([])), "recording.npz")


def test_times_that_go_back(recording):
    assert_one_line(run(SIM, "--events", recording([(1, 1, 0, 500), (1, 1, 0, 400)])), 500, 400)


def test_pixel_outside_of_the_sensor(recording):
    assert_one_line(run(SIM, "--events", recording([(128, 1, 0, 0), (1, 1, 0, 400)])), 128)


def test_missing_dataset(tmp_path):
    assert_one_line(run(SIM, "--dataset", "NMNIST", "--data", tmp_path), tmp_path)


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
        assert_one_line(run(SIM, "--network", tmp_path/name, "--events", events), name, *words)


@pytest.mark.parametrize(("option", "value"), [("--neurons", 1025), ("--lanes", 0), ("--weight-bits", 9),
    ("--inputs", 5000), ("--contexts", 65), ("--state-bits", 3)])
def test_sizes_out_of_range(option, value):
    assert_one_line(run(SIM, option, value), value)


def test_context_that_the_network_lacks():
    assert_one_line(run(SIM, "--network", "random", "--samples", 1, "--context", 10), 10, 9)

# Ports --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("port", ["/dev/nothing", "socket://127.0.0.1:1", "nonsense://x"])
def test_port_that_is_not_there(port):
    assert_one_line(run(STREAM, "--port", port, "--samples", 1), port)


@needs_tools
def test_both_ports_and_result_files(served, tmp_path):
    """Socket and pty, host and device encoder, a damaged line: the same result file, figures that fit."""
    runs = {
        "socket": ["--port", served[0]],
        "pty":    ["--port", served[1]],
        "device": ["--port", served[0], "--encode", "device"],
        "flip":   ["--port", served[0], "--line-flip", "0.001"],
        "drop":   ["--port", served[1], "--line-drop", "0.001"],
    }
    figures = {}
    for name, options in runs.items():
        done = run(STREAM, *options, "--network", "random", "--samples", 2, "--context", 1, "--out",
            tmp_path/f"{name}.npz", "--json", tmp_path/f"{name}.json")
        assert done.returncode == 0, done.stdout + done.stderr
        figures[name] = json.loads((tmp_path/f"{name}.json").read_text())
        assert (tmp_path/f"{name}.npz").read_bytes() == (tmp_path/"socket.npz").read_bytes()
        assert figures[name]["mismatches"] == figures[name]["state_mismatches"] == 0
    assert figures["flip"]["link"]["retries"] > 0 and figures["drop"]["link"]["retries"] > 0
    clean = figures["socket"]
    assert clean["samples"] == 2 and clean["steps"] == 400
    assert clean["spikes"] == len(Result.load(tmp_path/"socket.npz").neuron)
    assert clean["cpu_clocks_per_byte_rx"] <= 60 and clean["cpu_clocks_per_byte_tx"] <= 60
    assert clean["core_clocks"] <= 1.10*clean["bound_clocks"] + 64*clean["steps"]
    assert figures["device"]["cpu_clocks_per_raw_event"] <= 80


@needs_tools
def test_network_larger_than_the_build(served, tmp_path):
    random_network(QCLIFConfig(neurons=201, inputs=6, contexts=1)).save(tmp_path/"large.npz")
    assert_one_line(run(STREAM, "--port", served[0], "--network", tmp_path/"large.npz", "--samples", 1), 201, 200)


def test_network_larger_than_the_sizes_given(tmp_path):
    random_network(QCLIFConfig(neurons=20, inputs=6, contexts=1)).save(tmp_path/"large.npz")
    assert_one_line(run(SIM, "--network", tmp_path/"large.npz", "--neurons", 19), 20, 19)


@needs_tools
def test_port_closed_in_mid_run():
    """The simulator dies under a running stream."""
    with subprocess.Popen([*SIM, "--serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT) as serving:
        port = next(line for line in serving.stdout if "socket" in line).split()[-1]
        stream = subprocess.Popen([*STREAM, "--port", port, "--samples", "400"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=ROOT)
        time.sleep(15)
        assert stream.poll() is None
        serving.kill()
        out, err = stream.communicate(timeout=120)
    assert_one_line(subprocess.CompletedProcess(stream.args, stream.returncode, out, err), port)


@needs_tools
@pytest.mark.parametrize("seconds", [0.5, 2, 5, 9])
def test_ctrl_c_at_any_time(seconds):
    before  = children("obj_dir/Vsim")
    process = subprocess.Popen([*SIM, "--samples", "200"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT), err
    assert "Traceback" not in out + err
    time.sleep(0.5)
    assert set(children("obj_dir/Vsim")) <= set(before)


@needs_tools
def test_simulator_goes_with_its_parent():
    """Even where targets.sim is killed without a chance to clean up."""
    before = children("obj_dir/Vsim")
    with subprocess.Popen([*SIM, "--serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT) as process:
        next(line for line in process.stdout if "socket" in line)
        assert set(children("obj_dir/Vsim")) > set(before)
        process.kill()
    deadline = time.monotonic() + 20
    while set(children("obj_dir/Vsim")) > set(before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert set(children("obj_dir/Vsim")) <= set(before)
