# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs that are run: their logs, what is said of their failures, and that interruptions end them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from targets.tools.process import Finished, check_programs, pipe_through, run_program, version_of


def sh(text, **options):
    return run_program(["sh", "-c", text], **options)


@pytest.mark.parametrize("on_line", [False, True])
def test_both_outputs_are_the_text_and_the_log(tmp_path, on_line):
    lines = []
    done  = sh("echo one; echo two >&2; printf '\\377three'", folder=tmp_path, log=tmp_path/"log",
        on_line=lines.append if on_line else None)
    assert done == Finished(0, "one\ntwo\n\ufffdthree", tmp_path/"log")
    assert (tmp_path/"log").read_bytes().startswith(b"one\ntwo\n")
    assert lines == (["one\n", "two\n", "\ufffdthree"] if on_line else [])
    assert sh("pwd", folder=tmp_path).check("this").strip() == str(tmp_path)


def test_lines_come_while_it_runs(tmp_path):
    """The program goes on only once its line was seen, and is in the log."""
    def on_line(line):
        assert (tmp_path/"log").read_text() == line == "go\n"
        (tmp_path/"seen").touch()

    assert sh(f"echo go; while [ ! -e {tmp_path}/seen ]; do sleep 0.01; done", log=tmp_path/"log",
        on_line=on_line).status == 0


def test_environment(monkeypatch):
    monkeypatch.setenv("QCLIF_OURS", "ours")
    monkeypatch.setenv("QCLIF_OTHER", "other")
    assert sh("echo $QCLIF_OURS $QCLIF_OTHER $QCLIF_NEW", environment={"QCLIF_OURS": None, "QCLIF_NEW": "new"}).text \
        == "other new\n"


@pytest.mark.parametrize("text, reason", (
    ("a\nERROR: no cell `x'\nb\nmake: *** [all] Error 1\n", "ERROR: no cell `x'"),
    ("main.c:3:7: error: expected   ';'\nmake: *** [all] Error 1\n", "main.c:3:7: error: expected ';'"),
    ("%Error-PINMISSING: x.v:3: no pin\n%Error: Exiting\n", "%Error-PINMISSING: x.v:3: no pin"),
    ("[ERROR STA-0164] no file\n", "[ERROR STA-0164] no file"),
    ("error: 1025 neurons: 1 to 1024\n", "1025 neurons: 1 to 1024"),
    ("first\nlast\n\n", "last"),
    ("", "status 3"),
))
def test_what_is_told_of_a_failure(tmp_path, text, reason):
    (tmp_path/"text").write_text(text)
    done = sh("cat text; exit 3", folder=tmp_path, log=tmp_path/"log")
    with pytest.raises(QCLIFError) as caught:
        done.check("building it")
    assert str(caught.value) == f"building it failed: {reason}; its log is {tmp_path}/log"
    assert done.status == 3 and done.text == text


def test_programs_and_folders_that_are_not_there(tmp_path, monkeypatch):
    with pytest.raises(QCLIFError, match=r"^/nowhere/x not found"):
        run_program(["/nowhere/x"])
    with pytest.raises(QCLIFError, match=r"^cannot run true in .*/nowhere: no such folder"):
        run_program(["true"], tmp_path/"nowhere")
    with pytest.raises(QCLIFError, match=r"nowhere/log: cannot be written .* choose another --output-dir"):
        run_program(["true"], log=tmp_path/"nowhere"/"log")
    (tmp_path/"text").write_text("no program")
    with pytest.raises(QCLIFError, match="text: cannot be run"):
        run_program([tmp_path/"text"])
    assert version_of(str(tmp_path/"none")) == version_of("false") == "" != version_of("sh", "-c", "echo 1; echo 2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QCLIFError, match=r"^verilator, sta not found: sudo apt-get install verilator sta$"):
        check_programs(["verilator", "sta"])
    with pytest.raises(QCLIFError, match=r"^g\+\+ not found: sudo apt-get install g\+\+$"):
        check_programs(["g++"], {"no/such.h": "libnosuch-dev"})


def test_data_go_through(tmp_path):
    data = os.urandom(300_000)
    assert pipe_through(["cat"], data) == data
    with pytest.raises(QCLIFError, match=r"^sh failed: told$"):
        pipe_through(["sh", "-c", "cat >/dev/null; echo told >&2; exit 1"], data)
    # It need not read all of them.
    assert pipe_through(["head", "-c", "3"], data) == data[:3]

# Interruption --------------------------------------------------------------------------------------

WAIT = """
import sys
from targets.tools.process import exit_on_sigterm, pipe_through, run_program
exit_on_sigterm()
command = ["sh", "-c", f"sleep 1000 & echo $! > {sys.argv[1]}/child; echo $$ > {sys.argv[1]}/self; wait"]
try:
    if sys.argv[2] == "pipe":
        pipe_through(command, b"")
    else:
        run_program(command, on_line=print if sys.argv[2] == "lines" else None)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number, status", ((signal.SIGINT, 130), (signal.SIGTERM, 143)))
@pytest.mark.parametrize("how", ("log", "lines", "pipe"))
def test_interruptions_leave_nothing_running(tmp_path, number, status, how):
    with subprocess.Popen([sys.executable, "-c", WAIT, tmp_path, how], cwd=ROOT, stderr=subprocess.PIPE) as parent:
        while not (tmp_path/"self").exists() or not (tmp_path/"self").read_text().endswith("\n"):
            assert parent.poll() is None
            time.sleep(0.05)
        parent.send_signal(number)
        _, errors = parent.communicate()
    assert parent.returncode == status and b"Traceback" not in errors
    deadline = time.monotonic() + 20
    for name in ("child", "self"):
        pid = int((tmp_path/name).read_text())
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_an_error_of_who_is_told_the_lines_ends_it(tmp_path):
    def on_line(line):
        raise QCLIFError("enough")

    start = time.monotonic()
    with pytest.raises(QCLIFError, match="enough"):
        sh("echo 1; sleep 1000", on_line=on_line)
    assert time.monotonic() - start < 20
