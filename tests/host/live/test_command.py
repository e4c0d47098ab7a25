# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The command: what is wrong is one line, before anything is built; and the whole of it on the simulated SoC."""

import json
import socket
import subprocess
import sys

import numpy as np
import pytest

from host.common.folders import ROOT
from host.data.synthetic import record
from host.live import __main__ as live
from host.live.views import CUED
from tests.helpers.commands import assert_one_line, call
from tests.helpers.live_command import live_command
from tests.helpers.needs import needs_simulator


@pytest.mark.parametrize(("options", "told"), [
    (("--network", "none.npz"), ["network none.npz: No such file or directory"]),
    (("--watch", 200), ["neuron 200: the limits are 0 to 199"]),
    (("--watch", 1, 2, 3, 4, 5), ["up to 4 neurons"]),
    (("--cue", 0), ["cue '0'", "the network has no context sources"]),
    (("--network", CUED, "--cue", 10), ["cue '10'", "-1 to 9"]),
    (("--network", CUED, "--cue-names", "a"), ["--cue-names has 1 names, the network has 10 context sources"]),
    (("--decay", 16), ["decay is 16", "0 to 15"]),
    (("--folder", "none"), ["--folder none: not a folder"]),
    (("--json", "none/a.json"), ["--json none/a.json"]),
    (("--source", "none.npz"), ["none.npz", "No such file or directory"]),
    (("--speed", 0), ["--speed 0, the limits are"]),
    (("--line-flip", 2), ["a probability from 0 to below 1"]),
    (("--page-port", 70000), ["port of the page is 70000"]),
    (("--port", "/dev/none"), ["cannot open port /dev/none"]),
])
def test_what_is_wrong_is_one_line(options, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_one_line(call(live.main, *options), *told)


def test_another_sensor(tmp_path):
    events = record(0, duration_us=20_000).events
    np.savez(tmp_path/"large.npz", events=events, sensor_size=(346, 260))
    assert_one_line(call(live.main, "--source", tmp_path/"large.npz"), "346x260 pixels, the network is for 128x128",
        "take a network for this sensor")


def test_the_port_of_the_page_is_in_use():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert_one_line(call(live.main, "--page-port", port), str(port), "in use")


@needs_simulator
def test_ctrl_c_is_how_it_ends(tmp_path):
    with live_command("--json", tmp_path/"a.json", "--late", "wait") as run:
        assert run.end() == 0 and "Traceback" not in run.said, run.said
    found = json.loads((tmp_path/"a.json").read_text())
    assert found["mismatches"] == 0 and found["steps"] == found["compared"]


@needs_simulator
def test_a_recording_to_its_end_in_the_terminal(tmp_path):
    """Every step of it, on the simulated SoC, without a page; standard output is no terminal."""
    np.savez(tmp_path/"a.npz", events=record(3, duration_us=500_000).events, sensor_size=(128, 128), label=3)
    done = subprocess.run([sys.executable, "-m", "host.live", "--tui", "--source", tmp_path/"a.npz", "--speed", "10",
        "--late", "wait", "--record", "--folder", tmp_path, "--json", tmp_path/"a.json"], cwd=ROOT, text=True,
        capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path/"a.json").read_text())
    assert found["steps"] == found["compared"] == 100 and not found["mismatches"] + found["source"]["dropped_steps"]
    assert "neurons" in done.stdout and "100 steps" in done.stdout and "ended" in done.stdout
    assert len(list(tmp_path.glob("live-*.npz"))) == 1
