# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What commands write, on disks that are full and to terminals that lack characters: shown first, whole or absent."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host import datasets, evaluate, plot, stream
from host.cli.network_choice import SHIPPED
from host.common.atomic import write_each
from host.common.console import write_json
from host.common.folders import ROOT
from host.data import synthetic
from tests.helpers.commands import assert_one_line, call, file_limit, run
from tests.helpers.firmware_port import FirmwareDevice
from tests.helpers.firmware_servers import tcp

# Bytes of a file on the full disk.
LIMIT = 500

DATASETS = [sys.executable, "-m", "host.datasets"]

# A full disk ---------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def address():
    with tcp(FirmwareDevice(QCLIFConfig(neurons=40, inputs=64, contexts=4))) as address:
        yield address


@pytest.fixture
def commands(address, tmp_path, request):
    """main() of a command, its options, the files that it writes, and a word of what it prints."""
    return {
        "stream": (stream.main, ["--port", f"socket://{address}", "--network", "random", "--engine", "cpu", "--samples",
            1, "--out", tmp_path/"run.npz", "--json", tmp_path/"run.json"], ["run.npz", "run.json"], "exact"),
        "evaluate": (evaluate.main, ["--network", SHIPPED, "--samples", 11, "--output-dir", tmp_path, "--json",
            tmp_path/"a.json"], ["synthetic11_confusion.png", "synthetic11_elapsed.png", "a.json"], "accuracy"),
        "datasets": (datasets.main, ["--samples", 11, "--json", tmp_path/"a.json"], ["a.json"], "events"),
    }[request.param]


@pytest.mark.parametrize("commands", ["stream", "evaluate", "datasets"], indirect=True)
def test_results_on_a_full_disk(commands, tmp_path, monkeypatch):
    """An old file stays as it was, a new one is not begun, and what came out was shown before."""
    main, options, files, word = commands
    # Recordings are cached.
    assert call(main, *options).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == set(files)
    whole = (tmp_path/files[0]).read_bytes()
    for name in files[1:]:
        (tmp_path/name).unlink()
    with file_limit(LIMIT):
        done = call(main, *options)
    assert_one_line(done, *(f"{name}: cannot be written (File too large)" for name in files))
    assert done.returncode == 2 and word in done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {files[0]: whole}


def test_plots_on_a_full_disk(run, tmp_path):
    with file_limit(LIMIT):
        assert_one_line(call(plot.main, run.path, "--output-dir", tmp_path), "run_inputs_0.png", "File too large")
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_full():
    done = run(DATASETS, "--samples", 11, "--json", "/dev/full")
    assert_one_line(done, "/dev/full", "No space left on device")
    assert "events" in done.stdout


def test_standard_output_that_is_full():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*DATASETS, "--samples", "11"], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output") and done.stderr.count("\n") == 1


def test_json_into_a_pipe_and_through_links(tmp_path):
    path = tmp_path/"pipe"
    os.mkfifo(path)
    reader = subprocess.Popen(["cat", path], stdout=subprocess.PIPE)
    write_json({"a": 1}, path)
    assert json.loads(reader.communicate()[0]) == {"a": 1} and path.is_fifo()
    (tmp_path/"link").symlink_to(tmp_path/"target.json")
    write_json({"a": 2}, tmp_path/"link")
    assert (tmp_path/"link").is_symlink() and json.loads((tmp_path/"target.json").read_text()) == {"a": 2}


def test_what_can_be_written_is(tmp_path):
    done = []

    def fail(name):
        raise QCLIFError(f"{name} failed")

    with pytest.raises(QCLIFError, match=r"^a failed; b failed$"):
        write_each(lambda: fail("a"), lambda: done.append(1), lambda: fail("b"), lambda: done.append(2))
    assert done == [1, 2]

# Terminals -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"},
    {"LANG": "C", "LC_ALL": "C"}])
def test_names_that_the_terminal_lacks(tmp_path, environment):
    for number, name in enumerate(("Größe", "東京")):
        (tmp_path/"data"/name).mkdir(parents=True)
        events = synthetic.record(number, duration_us=50_000).events
        np.savez(tmp_path/"data"/name/"a.npz", events=events, sensor_size=(128, 128))
    done = subprocess.run([*DATASETS, "--dataset", "files", "--data", tmp_path/"data", "--json", tmp_path/"a.json"],
        capture_output=True, cwd=ROOT, env=os.environ | environment)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode("latin-1")
    assert b"recordings" in done.stdout and b"2, 0 without a label" in done.stdout
    assert len(json.loads((tmp_path/"a.json").read_text())["classes"]) == 2
    assert any(name in done.stdout for name in (rb"Gro\xdfe", *map("Größe".encode, ("latin-1", "utf-8"))))


def test_names_that_the_system_lacks(tmp_path):
    # Without any of Python's help for this locale, the name is bytes that are no text.
    path = tmp_path/"Größe.npz"
    done = subprocess.run([*DATASETS, "--dataset", "files", "--data", path], capture_output=True, cwd=ROOT,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode == 2 and done.stderr.startswith(b"error: ") and done.stderr.count(b"\n") == 1
