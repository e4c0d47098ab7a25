# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memory that was freed, back to the system."""

import contextlib
import ctypes


def give_back() -> None:
    """Return what is free in the C library's heap to the system: glibc keeps it, in pieces, so that a program that runs
    for days seems to grow with each large thing that it once had. Where there is no such function, nothing is done."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
