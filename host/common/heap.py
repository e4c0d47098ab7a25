# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memory that is no longer used, back to the system."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator


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
