# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The tutorial of host/live/README.md, as it stands there: each command, in its order, on the simulated SoC.

It takes a minute or two, as it does for who follows it: the SoC simulates 5,400 steps, and a network is trained in
between.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap

import numpy as np

from host.cli.network_choice import SHIPPED
from host.common.folders import ROOT
from host.data.synthetic import record
from host.events.formats import read_files
from tests.helpers.needs import needs_simulator

README = ROOT/"host"/"live"/"README.md"


def section(title):
    return README.read_text().split(f"## {title}")[1].split("\n## ")[0]


@needs_simulator
def test_from_a_camera_to_a_network_of_ones_own(tmp_path):
    commands = re.findall(r"^    (.+)$", section("Ten minutes"), re.MULTILINE)
    assert len(commands) == 6
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in commands:
        words = [sys.executable if word == "python" else word for word in shlex.split(command)]
        done  = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    for name in ("Hand clapping", "Right hand wave", "Arm roll"):
        clips = list(read_files(sorted((tmp_path/"own"/name).glob("*.npz"))))
        assert len(clips) == 12 and all(len(clip.events) > 500 for clip in clips)
    # It tells three gestures apart far more often than chance would.
    answer = re.search(r"in ([\d.]+)% of (\d+) steps", done.stderr)
    assert float(answer[1]) > 60 and int(answer[2]) == 1800, done.stderr
    assert "1800 compared, 0 mismatches" in done.stderr


@needs_simulator
def test_the_session_in_python(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", section("In Python"), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    shutil.copy(SHIPPED, "net.npz")
    np.savez("recording.npz", events=record(8, duration_us=300_000).events, sensor_size=(128, 128))
    exec(textwrap.dedent(code), {})
    lines = re.findall(r"^(\d+) \[[^]]*\] (.+)$", capsys.readouterr().out, re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(60)) and lines[-1][1] == "Air drums"
