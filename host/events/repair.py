# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events that a camera gave slightly out of order, sorted; only where that is asked for."""

import numpy as np

from accel.errors import QCLIFError


def late_by(t: np.ndarray) -> np.ndarray:
    """Microseconds that each time int64 [n] lies before the latest one up to there."""
    return np.maximum.accumulate(t) - t


def repaired(events: np.ndarray, window_us: int, what: str) -> tuple[np.ndarray, int]:
    """Events [n] sorted by t, equal times in their order, and how many of them came late.

    Raises
    ------
    QCLIFError : one came later than the window.
    """
    late  = late_by(events["t"])
    worst = int(late.max(initial=0))
    if worst > window_us:
        raise QCLIFError(f"{what}: event {late.argmax()} comes {worst} us late, --repair sorts within {window_us}: "
            f"give --repair {worst} if such a jump is disorder and no new recording")
    count = int(np.count_nonzero(late))
    return (events[np.argsort(events["t"], kind="stable")] if count else events), count
