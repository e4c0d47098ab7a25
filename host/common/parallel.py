# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Work side by side in processes, one a core."""

import signal
import warnings
from collections.abc import Iterable, Iterator

from joblib import Parallel, parallel_config


def side_by_side(calls: Iterable[object], jobs: int, ordered: bool = True) -> Iterator[object]:
    """Results of calls, as they come; to be called by the main thread.

    Ctrl-C reaches all processes of a terminal: it is for the first one, which ends the others.

    Parameters
    ----------
    calls : functions with their arguments, as joblib.delayed() makes them.
    ordered : whether results come in the order of the calls, not in that of their ends.

    Examples
    --------
    >>> list(side_by_side((delayed(pow)(2, n) for n in range(4)), jobs=2))
    [1, 2, 4, 8]
    """
    # What an interruption leaves undone is no news to who interrupts.
    warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning, r"joblib\.parallel")
    with parallel_config("loky", inner_max_num_threads=1):
        parallel = Parallel(jobs, return_as="generator" if ordered else "generator_unordered")
    # The call starts the processes, which ignore SIGINT for ever.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return parallel(calls)
    finally:
        signal.signal(signal.SIGINT, before)
