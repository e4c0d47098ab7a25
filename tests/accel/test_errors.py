# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How commands end: with a code and at most one line, whatever becomes of standard output."""

import os
import subprocess
import sys

import pytest

from host.common.folders import ROOT

PROGRAM = """
import sys
from accel.errors import QCLIFError, guarded

def work():
    print({text!r}*{times})
    return 7

sys.exit(guarded(work))
"""


def shown(text, encoding, times=1, **options):
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(text=text, times=times)], stderr=subprocess.PIPE,
        cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": encoding}, **{"stdout": subprocess.PIPE} | options)
    return done.returncode, (done.stdout or b"").decode(encoding), done.stderr.decode()


@pytest.mark.parametrize("text, encoding, expected", [
    ("Gr\u00f6\u00dfe \u2013 5 \u00b5m \u2026", "ascii", r"Gro\xdfe - 5 um ..."),
    ("Gr\u00f6\u00dfe \u2013 5 \u00b5m \u2026", "latin-1", "Gr\u00f6\u00dfe - 5 \u00b5m ..."),
    ("Gr\u00f6\u00dfe \u2013 5 \u00b5m \u2026", "utf-8", "Gr\u00f6\u00dfe \u2013 5 \u00b5m \u2026"),
    ("東京", "ascii", r"\u6771\u4eac"), ("\u280b", "ascii", "*"), ("a\udcffb", "utf-8", r"a\udcffb"),
    ("🦜", "cp437", r"\U0001f99c"), ("\u00bd \u00d7 \u00b2", "ascii", "1/2 x 2")])
def test_any_text_in_any_encoding(text, encoding, expected):
    status, out, err = shown(text, encoding)
    assert (status, err) == (7, "")
    assert out == expected + "\n"


@pytest.mark.parametrize("times", [1, 1_000_000])
def test_standard_output_on_a_full_disk(times):
    with open("/dev/full", "w") as full:
        status, _, err = shown("x", "utf-8", times, stdout=full)
    assert status == 2
    assert err == "error: standard output, or a file, cannot be written (No space left on device): make room, or let " \
        "it go elsewhere\n"


def test_no_standard_output():
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", PROGRAM.format(text="x", times=1)],
        capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (7, b"")


@pytest.mark.parametrize("output, status, out, err", [
    ("/dev/full", 2, "", "error: --output /dev/full: No space left on device: choose another file\n"),
    ("Gr\u00f6\u00dfe.v", 0, "Gro\\xdfe.v: module qclif_core\n", ""),
    ("/none/core.v", 2, "", "error: --output /none/core.v: No such file or directory: choose another file\n")])
def test_a_command_of_the_core(tmp_path, output, status, out, err):
    done = subprocess.run([sys.executable, "-m", "accel.verilog", "--neurons", "4", "--inputs", "4", "--output",
        output], capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "ascii",
        "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_other_errors_of_the_system_are_not_hidden():
    done = subprocess.run([sys.executable, "-c", "from accel.errors import guarded; guarded(lambda: open('/none/a'))"],
        capture_output=True, cwd=ROOT)
    assert done.returncode == 1 and b"FileNotFoundError" in done.stderr
