# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Times of a source that nobody has checked, made such that they go on: without jumps, in order."""

from collections.abc import Iterator

import numpy as np

from host.events.repair import late_by

# Cameras and networks give events out of order by less; times that go back further are those of a clock that began
# anew, as that of a sender that plays a recording again.
BACK_US = 100_000


class Timeline:
    """Continues the times of a source across the jumps of its clock.

    A jump is a time that goes back by more than BACK_US, or forward by more than gap_us beyond what the wall clock saw
    pass: an event after a jump comes at once after the one before it, or now, whichever is later. What comes at once
    is sorted.

    Parameters
    ----------
    gap_us : longest silence that is believed though the wall clock did not see it.
    counts : its `jumps`, and `sorted_events`, that came after a later one, are counted up.
    """
    def __init__(self, gap_us: int, counts: dict[str, int]) -> None:
        self._gap_us = gap_us
        self._counts = counts
        # Of the last event: its own time, and what that was made; and the latest of all.
        self._raw: int | None = None
        self._last   = 0
        self._latest = 0
        counts.update(jumps=0, sorted_events=0)

    def continued(self, events: np.ndarray, passed_us: int = 0, now_us: int | None = None) -> np.ndarray:
        """Events [n] of dtype EVENT, n > 0, with times that go on, in order.

        Parameters
        ----------
        passed_us : what the wall clock saw pass since the events before.
        now_us : the source's time by the wall clock, where it is known.
        """
        raw = events["t"]
        if self._raw is None:
            self._raw = self._last = self._latest = int(raw[0])
        steps = np.diff(raw, prepend=np.int64(self._raw))
        jumps = (steps < -BACK_US) | (steps > self._gap_us)
        jumps[0] = steps[0] < -BACK_US or steps[0] > self._gap_us + passed_us
        if jumps.any():
            self._counts["jumps"] += int(np.count_nonzero(jumps))
            if jumps[0] and now_us is not None:
                self._last = max(self._last, now_us)
            steps[jumps] = 0
        self._raw  = int(raw[-1])
        times      = self._last + np.cumsum(steps)
        self._last = int(times[-1])
        late = int(np.count_nonzero(late_by(np.concatenate([[self._latest], times]))))
        self._latest = max(self._latest, int(times.max()))
        events = events.copy()
        events["t"] = times
        if late:
            self._counts["sorted_events"] += late
            events = events[np.argsort(times, kind="stable")]
        return events

    def move(self, us: int) -> None:
        """All that follows comes so much later."""
        self._last   += us
        self._latest += us


def parts(events: np.ndarray, most_us: int) -> Iterator[np.ndarray]:
    """Ordered events in parts, none of which spans more than most_us."""
    low = 0
    while low < len(events):
        high = int(np.searchsorted(events["t"], events["t"][low] + most_us, side="right"))
        yield events[low:high]
        low = high
