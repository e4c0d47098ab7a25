# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memory that is no longer used goes back to the system."""

import ctypes
import gc
import platform
import re
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from host.common.folders import ROOT
from host.common.heap import give_back, give_back_at_once, settled

MIB = 1024

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library, as Debian has it")


def own_kib():
    return int(re.search(r"^Private_Dirty: +(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)[1])


@needs_glibc
def test_what_is_free_between_things_that_stay_is_given_back():
    give_back()
    before  = own_kib()
    # Too small for a mapping of their own.
    blocks  = [bytearray(100_000) for _ in range(1000)]
    largest = own_kib()
    kept    = blocks[::10]
    del blocks
    give_back()
    assert largest - before > 90*MIB and own_kib() - before < 20*MIB
    assert len(kept) == 100


# A large piece was freed once, then there are many of a middle size, every tenth of which stays.
MANY = """
import re
from pathlib import Path
from host.common.heap import give_back_at_once
if {at_once}:
    give_back_at_once()
large  = bytearray(20_000_000)
del large
blocks = [bytearray(400_000) for _ in range(100)]
kept   = blocks[::10]
del blocks
text = Path("/proc/self/smaps_rollup").read_text()
print(int(re.search(r"^Private_Dirty: +(\\d+)", text, re.MULTILINE)[1]))
"""


@needs_glibc
def test_what_is_free_is_given_back_at_once():
    later, at_once = (int(subprocess.run([sys.executable, "-c", MANY.format(at_once=at_once)], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout) for at_once in (False, True))
    assert later - at_once > 25*MIB


def test_another_c_library(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()
    give_back_at_once()


class Knot:
    """Refers to itself, as a task that failed and its error do to each other."""
    def __init__(self):
        self.itself = self


@pytest.fixture
def collector_off():
    """It runs when it is asked alone."""
    gc.disable()
    yield
    gc.enable()


def test_objects_that_refer_to_each_other_go(collector_off):
    made = weakref.ref(Knot())
    assert made() is not None
    give_back()
    assert made() is None


def test_what_is_there_is_not_looked_at_again(collector_off):
    before = weakref.ref(Knot())
    kept   = Knot()
    with settled():
        assert before() is None and gc.get_freeze_count() > 1000
        stays = weakref.ref(kept)
        del kept
        made = weakref.ref(Knot())
        give_back()
        assert stays() is not None and made() is None
    give_back()
    assert stays() is None and gc.get_freeze_count() == 0
