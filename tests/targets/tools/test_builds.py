#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What builds share: whole folders or none, locks between processes, and what digests follow."""

import os
import signal
import subprocess
import sys
import threading
import time

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
import sys, time
from pathlib import Path
from targets.tools.builds import made_once
from targets.tools.process import run_program
def make(folder):
    (folder/sys.argv[2]).touch()
    run_program(["sleep", sys.argv[3]])
made_once(Path(sys.argv[1]), make, lambda stage: print(stage, flush=True))
"""


def maker(folder, name, seconds):
    return subprocess.Popen([sys.executable, "-c", MAKE, folder, name, str(seconds)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE)


def wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_processes_make_it_once(tmp_path):
    with maker(tmp_path/"key", "first", 1) as first:
        wait_for(tmp_path/".key.part"/"first")
        with maker(tmp_path/"key", "second", 0) as second:
            assert second.communicate()[0] == "waiting for another process that does the same\n"
    assert first.returncode == second.returncode == 0
    assert [path.name for path in (tmp_path/"key").iterdir()] == ["first"]


def test_what_a_killed_process_left_running_keeps_others_out(tmp_path):
    with maker(tmp_path/"key", "first", 3) as first:
        wait_for(tmp_path/".key.part"/"first")
        time.sleep(0.3)
        first.send_signal(signal.SIGKILL)
    with maker(tmp_path/"key", "second", 0) as second:
        assert second.communicate()[0] == "waiting for another process that does the same\n"
    assert [path.name for path in (tmp_path/"key").iterdir()] == ["second"]


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


def test_modules_of_others_are_not_followed():
    paths = {str(path) for path in builds._sources("targets.asic.platform.tiling")}
    assert any(path.endswith("targets/asic/platform/macros.py") for path in paths)
    assert not any(path.startswith(sys.prefix) for path in paths)
