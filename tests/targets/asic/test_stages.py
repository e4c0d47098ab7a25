#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Stages of the FreePDK45 flow: done once for what they depend on, and never half."""

import os
import sys
import threading

import pytest

from accel.errors import QCLIFError
from targets.asic import stages
from targets.asic.stages import DONE, stage
from targets.tools.builds import source_digest

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
    first = stage("synth", MODULE, ["a", 1], work)
    again = stage("synth", MODULE, ["a", 1], work)
    other = stage("synth", MODULE, ["a", 2], work)
    assert work.times == 2
    assert (first.cached, again.cached, other.cached) == (False, True, False)
    assert first.key == again.key != other.key and first.result == again.result == 42
    assert again.folder == first.folder and again.seconds == first.seconds
    assert (again.folder/"file").read_text() == "content"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), QCLIFError("no"), MemoryError()])
def test_what_was_interrupted_is_done_again_from_an_empty_folder(error):
    with pytest.raises(type(error)):
        stage("synth", MODULE, [], Work(error))
    work = Work()
    assert not stage("synth", MODULE, [], work).cached and work.times == 1


def test_what_was_damaged_or_moved_is_done_again(tmp_path, monkeypatch):
    work = Work()
    done = stage("synth", MODULE, [], work)
    content = (done.folder/DONE).read_bytes()
    (done.folder/DONE).write_bytes(content[:-3])
    assert not stage("synth", MODULE, [], work).cached
    (done.folder/DONE).write_bytes(b"")
    assert not stage("synth", MODULE, [], work).cached
    os.rename(tmp_path/"asic", tmp_path/"elsewhere")
    (tmp_path/"other").mkdir()
    os.rename(tmp_path/"elsewhere", tmp_path/"other"/"asic")
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"other"))
    assert not stage("synth", MODULE, [], work).cached
    assert work.times == 4


def test_two_at_once_do_it_once():
    work, results, said = Work(), [], []
    inside, waits, finish = threading.Event(), threading.Event(), threading.Event()

    def slow(folder):
        inside.set()
        finish.wait()
        return work(folder)

    first = threading.Thread(target=lambda: results.append(stage("synth", MODULE, [], slow)))
    first.start()
    inside.wait()
    second = threading.Thread(target=lambda: results.append(stage("synth", MODULE, [], work,
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
        stage("synth", MODULE, [], Work())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path/"asic").touch()
    with pytest.raises(QCLIFError, match="QCLIF_BUILD_DIR"):
        stage("synth", MODULE, [], Work())

# Source code ---------------------------------------------------------------------------------------

@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A small repository in the place of this one; what a module reads is told from its text alone."""
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    source_digest.cache_clear()
    yield lambda name, text: (tmp_path.joinpath(*name.split("/")[:-1]).mkdir(parents=True, exist_ok=True),
        tmp_path.joinpath(*name.split("/")).write_text(text), source_digest.cache_clear())
    source_digest.cache_clear()


def test_the_key_follows_all_that_is_imported(sources):
    sources("pkg/__init__.py", "")
    sources("pkg/a.py", "import sys\nfrom pkg import b\n")
    sources("pkg/b.py", "def late():\n    from other.c import thing\n")
    sources("other/c.py", "thing = 1\n")
    sources("other/d.py", "")
    before = source_digest("pkg.a")
    sources("other/d.py", "changed = 1\n")
    assert source_digest("pkg.a") == before
    sources("other/c.py", "thing = 2\n")
    after = source_digest("pkg.a")
    assert after != before
    sources("other/harness.cpp", "int main();\n")
    assert source_digest("pkg.a") != after


def test_modules_of_others_are_not_followed():
    paths = {str(path) for path in stages._sources("targets.asic.platform.tiling")}
    assert any(path.endswith("targets/asic/platform/macros.py") for path in paths)
    assert not any(path.startswith(sys.prefix) for path in paths)
