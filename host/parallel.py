#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Work side by side in processes, one a core."""

import signal
from collections.abc import Iterable, Iterator

from joblib import Parallel, parallel_config


def _leave_interrupts() -> None:
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def side_by_side(calls: Iterable[object], jobs: int, ordered: bool = True) -> Iterator[object]:
    """Results of calls, as they come.

    Parameters
    ----------
    calls : of joblib.delayed().
    jobs : processes; each keeps to one core.
    ordered : in the order of the calls; else of whoever is ready first.
    """
    with parallel_config("loky", inner_max_num_threads=1, initializer=_leave_interrupts):
        parallel = Parallel(jobs, return_as="generator" if ordered else "generator_unordered")
    return parallel(calls)
