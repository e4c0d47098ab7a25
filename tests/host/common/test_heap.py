# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Freed memory goes back to the system."""

import ctypes
import platform
import re
from pathlib import Path

import pytest

from host.common.heap import give_back

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


def test_another_c_library(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()
