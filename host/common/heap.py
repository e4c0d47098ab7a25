# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memory that is no longer used, back to the system."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

# Bytes from which on a piece is a mapping of its own, and of a free end of the heap that goes back: glibc's values at
# the start of a program, which it raises with each larger piece that is freed.
THRESHOLD = 128*1024


def give_back_at_once() -> None:
    """From now on, and for the whole program, what is freed goes back to the system where that is possible.

    Large pieces are mappings of their own for ever, and all threads share one heap, where what one of them has freed
    serves another: in Python they do not run at the same time. Other C libraries are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_M_MMAP_THRESHOLD, THRESHOLD), (_M_TRIM_THRESHOLD, THRESHOLD), (_M_ARENA_MAX, 1)):
            mallopt(parameter, value)


def give_back() -> None:
    """Return what nobody needs to the system, so that a program that runs for days does not grow.

    Objects that refer to each other, as tasks and their errors do, wait for the collector, which looks at all of them
    only when they are many. What was freed, glibc keeps in pieces, so that a program seems to grow with each large
    thing that it once had; where there is no such function, that is left out.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """While the block lasts, the collector looks only at what is made in it: modules and all that was made before are
    most of the objects, and stay. It takes less than a millisecond then."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
