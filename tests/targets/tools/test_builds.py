# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What builds share: whole folders or none, locks between processes, and what digests follow."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from targets.tools import builds
from targets.tools.builds import made_once, read_record, source_digest, write_record

# Folders -------------------------------------------------------------------------------------------

def test_a_folder_is_made_once(tmp_path):
    def make(folder):
        assert not any(folder.iterdir())
        (folder/"file").write_text("content")
        made.append(folder)

    made = []
    for _ in range(2):
        assert made_once(tmp_path/"a"/"key", make) == tmp_path/"a"/"key"
    assert (tmp_path/"a"/"key"/"file").read_text() == "content"
    assert len(made) == 1 and not made[0].exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), QCLIFError("no")])
def test_what_was_interrupted_is_made_again_from_an_empty_folder(tmp_path, error):
    def fail(folder):
        (folder/"half").touch()
        raise error

    with pytest.raises(type(error)):
        made_once(tmp_path/"key", fail)
    assert not (tmp_path/"key").exists()
    # Of an error, the log stays for the user; of an interruption, nothing.
    assert (tmp_path/".key.part"/"half").exists() == isinstance(error, QCLIFError)
    made_once(tmp_path/"key", lambda folder: (folder/"whole").touch())
    assert [path.name for path in (tmp_path/"key").iterdir()] == ["whole"] and not (tmp_path/".key.part").exists()


MAKE = """
import sys
from pathlib import Path
from targets.tools.builds import made_once
from targets.tools.process import run_program
def make(folder):
    (folder/sys.argv[2]).touch()
    run_program(["sh", "-c", f"while [ ! -e {sys.argv[1]}.go ]; do sleep 0.05; done"])
made_once(Path(sys.argv[1]), make, lambda stage: print(stage, flush=True))
"""


def maker(folder, name):
    """A process that makes a folder, with a file of this name in it, and is ready when there is a file folder.go."""
    return subprocess.Popen([sys.executable, "-c", MAKE, folder, name], cwd=ROOT, text=True, stdout=subprocess.PIPE)


@pytest.mark.parametrize("killed", [False, True])
def test_two_processes_take_turns(tmp_path, killed):
    """Also where the first is killed: what it has left running keeps others out."""
    with maker(tmp_path/"key", "first") as first:
        while not (tmp_path/".key.part"/"first").exists():
            assert first.poll() is None
            time.sleep(0.01)
        if killed:
            # By now the program that it waits for is running.
            while not Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text():
                time.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            first.wait()
        with maker(tmp_path/"key", "second") as second:
            assert second.stdout.readline() == "waiting for another process that does the same\n"
            (tmp_path/"key.go").touch()
    assert second.returncode == 0 and (first.returncode == 0) != killed
    assert [path.name for path in (tmp_path/"key").iterdir()] == ["second" if killed else "first"]


def test_two_threads_make_it_once(tmp_path):
    def slow(folder):
        made.append(folder)
        time.sleep(0.2)

    made    = []
    threads = [threading.Thread(target=made_once, args=(tmp_path/"key", slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path/"a").touch()
    with pytest.raises(QCLIFError, match=r"^cannot write to .*/a: .*; choose another --output-dir, or set QCLIF_BUILD"):
        made_once(tmp_path/"a"/"key", lambda folder: None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere: run the tests as an ordinary user")
def test_a_folder_that_is_not_writable(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(QCLIFError, match="Permission denied; choose another --output-dir"):
        made_once(tmp_path/"key", lambda folder: None)


def test_records(tmp_path):
    write_record(tmp_path/"build.json", {"a": 1})
    assert read_record(tmp_path/"build.json") == {"a": 1}
    for damaged in ("", "{", "3", "null"):
        (tmp_path/"build.json").write_text(damaged)
        assert read_record(tmp_path/"build.json") == {}
    assert read_record(tmp_path/"none") == {}

# Source code ---------------------------------------------------------------------------------------

@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A small repository in the place of this one; what a module reads is told from its text alone."""
    monkeypatch.setattr(builds, "ROOT", tmp_path)
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
    sources("more/deep/a.c", "int a;\n")
    with_folder = source_digest("pkg.a", "more")
    sources("more/deep/a.c", "int b;\n")
    assert source_digest("pkg.a", "more") != with_folder
    sources("more/notes.md", "text\n")
    assert source_digest("pkg.a", "more") != with_folder != source_digest("pkg.a")


def test_the_gateware_of_a_simulator_depends_on_what_it_is_made_of():
    """Neither host nor tools; of the firmware, whose C is not followed, what says how large its memories are."""
    paths = {path.relative_to(ROOT) for path in builds._sources("targets.sim.elaborate")}
    rooms = {str(path.parent) for path in paths}
    assert rooms == {"accel", "accel/camera", "accel/dma", "firmware", "soc", "soc/frames", "targets/sim"}
    assert Path("firmware/main.c") not in paths
    assert Path("accel/core.py") in paths and Path("targets/sim/soc.py") in paths


def test_modules_of_others_are_not_followed():
    paths = {str(path) for path in builds._sources("targets.asic.platform.tiling")}
    assert any(path.endswith("targets/asic/platform/macros.py") for path in paths)
    assert not any(path.startswith(sys.prefix) for path in paths)
