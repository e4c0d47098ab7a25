# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The flow scripts' container: what Docker is asked, by a stand-in that runs it here, and what is told without it."""

import json
import os
import shlex
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.asic.layout.layout import LayoutInputs, run
from targets.asic.layout.tools import layout_tools, missing_tool
from targets.asic_freepdk45 import main
from tests.helpers.builds import fresh_builds
from tests.helpers.flow_scripts import stand_in_for
from tests.helpers.needs import needs_asic


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """Makes a program docker of these shell commands; it writes its arguments to the file that is returned."""
    def make(commands, version="echo 27.5"):
        programs = tmp_path/"bin"
        programs.mkdir(exist_ok=True)
        (programs/"docker").write_text(f'#!/bin/sh\nif [ "$1" = version ]; then\n{version}\nexit\nfi\n'
            f'printf "%s\\n" "$@" > {tmp_path}/asked\nwhile [ $# -gt 2 ]; do shift; done\n{commands}\n')
        (programs/"docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        return tmp_path/"asked"
    return make


@pytest.fixture
def inputs(tmp_path):
    """A folder whose script makes the figures of a layout."""
    logs = tmp_path/"layout"/"work"/"logs"/"nangate45"/"top"/"base"
    logs.mkdir(parents=True)
    (tmp_path/"layout"/"run.sh").write_text(f"echo '{{}}' > {logs}/5_2_route.json\n"
        f"echo '{{\"finish__timing__setup__ws\": 1.5}}' > {logs}/6_report.json\n")
    return LayoutInputs(tmp_path/"layout", "nangate45", "top", None, {}, docker=True)


def test_what_docker_is_asked(inputs, docker, monkeypatch):
    monkeypatch.delenv("OR_IMAGE", raising=False)
    asked  = docker('exec "$@"')
    folder = inputs.folder
    assert missing_tool(docker=True) is None and run(inputs).slack_ns == 1.5
    words = asked.read_text().splitlines()
    assert ["docker", *words] == inputs.program == shlex.split(inputs.command)
    assert words[:2] == ["run", "--rm"] and words[-3:] == ["openroad/orfs:latest", "sh", str(folder/"run.sh")]
    # The layout's folder, and nothing else of ours, where it is; what it writes is ours.
    assert [word for word in words if word.startswith("--volume")] == [f"--volume={folder}:{folder}"]
    assert f"--user={os.getuid()}:{os.getgid()}" in words
    assert "--env=FLOW_HOME=/OpenROAD-flow-scripts/flow" in words
    monkeypatch.setenv("OR_IMAGE", "mine:1")
    assert inputs.program[-3] == "mine:1" and layout_tools(docker=True) == {"orfs": "mine:1"}


def test_docker_that_does_not_answer(inputs, docker):
    docker("exit 9", "echo Cannot connect to the Docker daemon >&2; exit 1")
    with pytest.raises(QCLIFError) as error:
        run(inputs)
    told = str(error.value)
    assert "docker: Cannot connect to the Docker daemon: start it" in told and told.endswith(inputs.command)
    assert "\n" not in told


def test_no_docker(inputs, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_tool(docker=True) == "docker not found: sudo apt-get install docker.io"


def test_it_is_for_the_layout(tmp_path, capsys):
    assert main(["--output-dir", str(tmp_path), "--design", "neuron", "--orfs-docker"]) == 2
    error, = capsys.readouterr().err.splitlines()
    assert "--orfs-docker" in error and "--until layout" in error


@needs_asic
def test_the_command(pdk, tmp_path, monkeypatch, capsys, docker):
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(fresh_builds(tmp_path/"build")))
    home = stand_in_for(tmp_path/"flow", monkeypatch)
    for name in ("FLOW_HOME", "OPENROAD_EXE"):
        monkeypatch.delenv(name)

    def laid_out():
        code = main(["--design", "neuron", "--until", "layout", "--orfs-docker", "--output-dir", str(tmp_path/"out"),
            "--json", str(tmp_path/"run.json")])
        errors = capsys.readouterr().err
        assert code == 0, errors
        return json.loads((tmp_path/"run.json").read_text()), "".join(errors.split())

    docker("exit 9", "exit 1")
    record, _ = laid_out()
    command   = record["layout"]["command"]
    assert shlex.split(command)[:2] == ["docker", "run"] and any(command in note for note in record["notes"])
    asked = docker(f'exec env FLOW_HOME={home} OPENROAD_EXE=/bin/true "$@"')
    record, shown = laid_out()
    assert record["layout"]["slack_ns"] == 3.5 and record["tools"]["orfs"].startswith("openroad/orfs")
    # It is shown before it runs, with all that it is asked.
    assert "docker" + "".join(asked.read_text().split()) in shown
    assert Path(record["layout"]["gds"]).is_file()
