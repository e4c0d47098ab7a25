# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The layout of a run in KLayout: what the program is asked, and what is told where something is missing."""

import pytest

from accel.errors import QCLIFError
from targets.asic.view import view
from targets.asic_freepdk45 import main

GDS = "/a/work/results/mini/top/base/6_final.gds"


@pytest.fixture
def klayout(tmp_path, monkeypatch):
    """A program that writes its arguments to the file that is returned, and ends with a status."""
    def make(status=0):
        program = tmp_path/"my klayout"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/asked"\necho no display >&2\nexit {status}\n')
        program.chmod(0o755)
        monkeypatch.setenv("KLAYOUT_CMD", str(program))
        return tmp_path/"asked"
    monkeypatch.delenv("FREEPDK45_HOME", raising=False)
    monkeypatch.setenv("FLOW_HOME", str(tmp_path/"flow"))
    return make


def test_klayout_has_the_platforms_colours(klayout, tmp_path):
    asked = klayout()
    view({"layout": {"gds": GDS}}, None)
    assert asked.read_text().splitlines() == [GDS]
    (tmp_path/"flow"/"platforms"/"mini").mkdir(parents=True)
    theirs = tmp_path/"flow"/"platforms"/"mini"/"mini.lyp"
    theirs.touch()
    view({"layout": {"gds": GDS}}, tmp_path/"pdk")
    assert asked.read_text().splitlines() == ["-l", str(theirs), GDS]
    (tmp_path/"pdk").mkdir()
    (tmp_path/"pdk"/"own.lyp").touch()
    view({"layout": {"gds": GDS}}, tmp_path/"pdk")
    assert asked.read_text().splitlines() == ["-l", str(tmp_path/"pdk"/"own.lyp"), GDS]


@pytest.mark.parametrize("record", ({}, {"layout": {"command": "sh run.sh"}}, {"layout": {"slack_ns": 1.0}}))
def test_nothing_to_show(klayout, record):
    asked = klayout()
    with pytest.raises(QCLIFError, match="--view: this run has no GDS"):
        view(record, None)
    assert not asked.exists()


def test_klayout_that_fails_or_is_missing(klayout, monkeypatch, tmp_path):
    klayout(1)
    with pytest.raises(QCLIFError, match=f"--view: .*klayout failed: no display; the layout is {GDS}"):
        view({"layout": {"gds": GDS}}, None)
    monkeypatch.delenv("KLAYOUT_CMD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QCLIFError, match=f"klayout not found: sudo apt-get install klayout; the layout is {GDS}"):
        view({"layout": {"gds": GDS}}, None)


@pytest.mark.parametrize("options, words", [
    (["--view"],                                       ["--view", "ends with power", "--until layout"]),
    (["--view", "--until", "layout", "--sweep", "layout"], ["--view", "--sweep"]),
])
def test_it_is_for_one_layout(tmp_path, capsys, options, words):
    assert main(["--output-dir", str(tmp_path), "--design", "neuron", *options]) == 2
    error, = capsys.readouterr().err.splitlines()
    assert all(word in error for word in words), error
