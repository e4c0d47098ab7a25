# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Stages of the FreePDK45 flow: done once for what they depend on, and never half."""

import os
import pickle
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from targets.asic import flow
from targets.asic.stages import DONE, stage
from targets.tools import builds as sources_of_modules

MODULE = "targets.asic.platform.tiling"


@pytest.fixture(autouse=True)
def builds(tmp_path, monkeypatch):
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path))
    return tmp_path


class Work:
    """Counts how often it is done."""
    def __init__(self, result=42):
        self.times, self.result = 0, result

    def __call__(self, folder):
        assert not any(folder.iterdir())
        self.times += 1
        (folder/"file").write_text("content")
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def test_done_once_for_the_same_inputs():
    work  = Work()
    first = stage("synth", MODULE, int, ["a", 1], work)
    again = stage("synth", MODULE, int, ["a", 1], work)
    other = stage("synth", MODULE, int, ["a", 2], work)
    assert work.times == 2
    assert (first.cached, again.cached, other.cached) == (False, True, False)
    assert first.key == again.key != other.key and first.result == again.result == 42
    assert again.folder == first.folder and again.seconds == first.seconds
    assert (again.folder/"file").read_text() == "content"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), QCLIFError("no"), MemoryError()])
def test_what_was_interrupted_is_done_again_from_an_empty_folder(error):
    with pytest.raises(type(error)):
        stage("synth", MODULE, int, [], Work(error))
    work = Work()
    assert not stage("synth", MODULE, int, [], work).cached and work.times == 1


def test_what_was_damaged_or_moved_is_done_again(tmp_path, monkeypatch):
    work = Work()
    done = stage("synth", MODULE, int, [], work)
    content = (done.folder/DONE).read_bytes()
    (done.folder/DONE).write_bytes(content[:-3])
    assert not stage("synth", MODULE, int, [], work).cached
    (done.folder/DONE).write_bytes(b"")
    assert not stage("synth", MODULE, int, [], work).cached
    os.rename(tmp_path/"asic", tmp_path/"elsewhere")
    (tmp_path/"other").mkdir()
    os.rename(tmp_path/"elsewhere", tmp_path/"other"/"asic")
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"other"))
    assert not stage("synth", MODULE, int, [], work).cached
    assert work.times == 4


@dataclass(frozen=True)
class Part:
    """A part of a result."""
    name:  str
    limit: float | None = None


@dataclass(frozen=True)
class Result:
    """A result with all that those of the flow's stages have."""
    file:   Path
    parts:  tuple[Part, ...]
    places: dict[str, tuple[int, int]]
    slack:  float
    other:  Path | None = None


RESULT = Result(Path("/a/netlist.v"), (Part("a", 0.1 + 0.2), Part("b")), {"ä": (-1, 2**40)}, 1e-300)


def test_a_result_is_read_back_as_it_was():
    stage("synth", MODULE, Result, [], Work(RESULT))
    again = stage("synth", MODULE, Result, [], Work())
    assert again.cached and again.result == RESULT and type(again.result.parts[0]) is Part


@pytest.mark.parametrize("content", [
    pickle.dumps(("folder", RESULT, 1.0)),
    b'["FOLDER", {"file": "/a", "parts": [], "places": {}, "slack": "none"}, 1.0]',
    b'["FOLDER", {"file": 1, "parts": [], "places": {}, "slack": 0}, 1.0]',
    b'["FOLDER", {"file": "/a"}, 1.0]',
    b'["FOLDER", null, 1.0]',
    b"[]",
])
def test_what_is_no_such_result_is_done_again(content):
    done = stage("synth", MODULE, Result, [], Work(RESULT))
    (done.folder/DONE).write_bytes(content.replace(b"FOLDER", str(done.folder).encode()))
    again = stage("synth", MODULE, Result, [], Work(RESULT))
    assert not again.cached and again.result == RESULT


def test_a_result_that_could_not_be_read_back_is_refused():
    with pytest.raises(TypeError, match="set_iterator in the result of a stage"):
        stage("synth", MODULE, Result, [], Work(iter(set())))
    assert not stage("synth", MODULE, Result, [], Work(RESULT)).cached


def test_two_at_once_do_it_once():
    work, results, said = Work(), [], []
    inside, waits, finish = threading.Event(), threading.Event(), threading.Event()

    def slow(folder):
        inside.set()
        finish.wait()
        return work(folder)

    first = threading.Thread(target=lambda: results.append(stage("synth", MODULE, int, [], slow)))
    first.start()
    inside.wait()
    second = threading.Thread(target=lambda: results.append(stage("synth", MODULE, int, [], work,
        lambda text: (said.append(text), waits.set()))))
    second.start()
    waits.wait()
    finish.set()
    first.join()
    second.join()
    assert work.times == 1 and sorted(done.cached for done in results) == [False, True]
    assert said == ["waiting for another process that does the same"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere: run the tests as an ordinary user")
def test_a_folder_that_is_not_writable(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(QCLIFError, match="QCLIF_BUILD_DIR"):
        stage("synth", MODULE, int, [], Work())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path/"asic").touch()
    with pytest.raises(QCLIFError, match="QCLIF_BUILD_DIR"):
        stage("synth", MODULE, int, [], Work())

# Source code ---------------------------------------------------------------------------------------

def test_the_stages_of_the_flow_follow_the_source_of_their_work():
    for function, used in ((flow.generate, "accel/core.py"), (flow.synthesise, "targets/asic/synth/recipes.py"),
            (flow.time, "targets/liberty/expression.py"), (flow.simulate, "targets/netlist/support.cpp"),
            (flow.estimate, "targets/liberty/power.py"), (flow.run_layout, "targets/asic/layout/results.py")):
        assert sources_of_modules.ROOT/used in sources_of_modules._sources(function.__module__)
