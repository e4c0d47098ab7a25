# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The examples of host/README.md run as they stand there, with the compiled firmware in place of a board."""

import functools
import re
import subprocess
import sys

import numpy as np

import host.link.session
import host.runs.run
from accel.config import QCLIFConfig
from host.common.folders import ROOT
from host.data import synthetic
from host.events.encoder import Encoder
from host.link.link import Link
from host.network.random_network import random_network
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort


def test_python_examples(tmp_path, monkeypatch, capsys):
    readme   = (ROOT/"host"/"README.md").read_text()
    recording, live = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    config   = QCLIFConfig(neurons=20)
    events   = synthetic.record(3, duration_us=50_000).events
    random_network(config, Encoder(), [Encoder().encode(events)], classes=synthetic.GESTURES).save(tmp_path/"net.npz")
    # The decoder of the file is not what the example is about.
    np.savez(tmp_path/"recording.npz", events=events, sensor_size=(128, 128))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(host.link, "Link", lambda port, baudrate=0: Link(FirmwarePort(FirmwareDevice(config))))
    # The firmware has no accelerator here.
    monkeypatch.setattr(host.runs.run, "execute", functools.partial(host.runs.run.execute, engine="cpu"))
    monkeypatch.setattr(host.link.session, "Session", functools.partial(host.link.session.Session, engine="cpu"))
    names = {}
    exec(recording.replace("recording.aedat4", "recording.npz"), names)
    run, = names["run"].compared
    assert len(run.golden.spikes.sources) > 0
    assert capsys.readouterr().out == f"0 [{run.golden.logits!r}]\n"
    names["source"] = [run.run.inputs.step(t) for t in range(len(run.run.inputs))]
    exec(live, names)
    assert capsys.readouterr().out == f"{len(run.run.inputs)} 0\n"


def test_files_of_networks_and_recordings_need_no_torch():
    """Seconds that a program with another engine need not wait for."""
    code = "import sys, host.events, host.link, host.network; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
