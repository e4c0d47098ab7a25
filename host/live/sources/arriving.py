# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps of a source that gives its events when they happen, and that nobody holds up."""

from collections import deque

import numpy as np

from host.live.sources.assembler import Assembler
from host.live.sources.patience import Patience
from host.live.sources.source import Piece, SourceStep
from host.live.sources.timeline import Timeline, parts

# Silence in the events, in us, that is believed though the wall clock did not see it: in such a source it is a jump
# of the clock, and what it would make of steps would come too late in any case.
GAP_US = 1_000_000


class Arriving:
    """A step is over when an event of a later one comes, or when its time has passed by the wall clock.

    The wall clock knows the source's time by the events that have come: this is at least the time of the last one, and
    goes on with the wall clock. It follows the source where their clocks drift apart. A silent source's step ends
    grace_s after its time has passed, or later where events have lately taken longer, as in batches; those that come
    still later are counted and left out.

    Parameters
    ----------
    assembler : puts the steps together.
    grace_s : seconds that events may take from the sensor to here, in any case; never more than half of limit_s.
    limit_s : steps that wait longer, or are further behind the newest, are dropped and counted.
    counts : of LiveSteps; those of this class are added.

    Attributes
    ----------
    failure : what the source has failed with, told when its steps have ended; or None.
    """
    def __init__(self, assembler: Assembler, grace_s: float, limit_s: float, counts: dict[str, int]) -> None:
        self.failure: Exception | None = None
        counts.update(late_events=0, paused_steps=0, paused_events=0)
        self._assembler = assembler
        self._timeline  = Timeline(GAP_US, counts)
        self._grace_us  = round(grace_s*1e6)
        self._patience  = Patience(self._grace_us, round(limit_s*5e5))
        self._limit_s   = limit_s
        self._counts    = counts
        self._steps: deque[SourceStep] = deque()
        self._paused    = False
        self._over      = False
        # The wall clock when the source's time was 0, and when events came last; the source's time when step 0 began.
        self._zero: int | None = None
        self._last      = 0
        self._origin    = 0

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""
        return self._over and not self._steps

    @property
    def next_s(self) -> float | None:
        """When the open step ends if no more events come; None where it is not known."""
        if self._zero is None or self._over:
            return None
        return (self._zero + self._assembler.end_us + self._patience.us)*1e-6

    def arrived(self, piece: Piece, now: float) -> None:
        """Take events that have come, at least one."""
        now_us = round(now*1e6)
        passed = now_us - self._last
        events = self._timeline.continued(piece.events, passed, None if self._zero is None else now_us - self._zero)
        self._last = now_us
        for part in parts(events, GAP_US):
            self._follow(now_us - int(part["t"][-1]))
            self._patience.came(now_us - self._zero - int(part["t"][0]), now_us)
            self._pass(int(part["t"][0]), now)
            self._queue(self._assembler.push(Piece(self._on_time(part), label=piece.label)), now)

    def over(self, failure: Exception | None = None) -> None:
        """The source has ended or failed: its last step is over."""
        self._queue(self._assembler.finish(), self._last*1e-6)
        self._over   = True
        self.failure = failure

    def take(self, now: float, at_once: bool = False) -> SourceStep | None:
        """The oldest step that is over and does not wait too long."""
        if self._zero is not None and not self._over:
            self._pass(round(now*1e6) - self._zero - self._patience.us, now)
        self._trim(now)
        return self._steps.popleft() if self._steps else None

    def pause(self) -> None:
        """From now on, the newest step alone is kept."""
        self._paused = True

    def resume(self, now: float) -> None:
        """After a pause, all steps are."""
        self._paused = False

    def _on_time(self, events: np.ndarray) -> np.ndarray:
        """Events of steps that are not over."""
        start = self._assembler.start_us
        if start is None:
            self._origin = int(events["t"][0])
            return events
        first = int(np.searchsorted(events["t"], start))
        self._counts["late_events"] += first
        return events[first:]

    def _follow(self, zero: int) -> None:
        """Correct the source's time by its newest event: it cannot be behind it, nor ahead by more than the grace."""
        self._zero = zero if self._zero is None else min(max(self._zero, zero - self._grace_us), zero)

    def _pass(self, until_us: int, now: float) -> None:
        """The source's time is until_us: so many steps are over. No more at once than a memory should hold."""
        while (end := self._assembler.end_us) is not None and end <= until_us:
            self._queue(self._assembler.advance(min(until_us, end + GAP_US)), now)

    def _queue(self, steps: list[SourceStep], now: float) -> None:
        bin_us = self._assembler.bin_us
        for step in steps:
            due = (self._zero + self._origin + (step.number + 1)*bin_us)*1e-6
            self._steps.append(step._replace(due=min(due, now)))
        self._trim(now)

    def _trim(self, now: float) -> None:
        """Drop what waits too long or is too far behind the newest; in a pause all but that."""
        while self._steps and self._is_late(now):
            step, kind = self._steps.popleft(), "paused" if self._paused else "dropped"
            self._counts[f"{kind}_steps"]  += 1
            self._counts[f"{kind}_events"] += len(step.events)

    def _is_late(self, now: float) -> bool:
        """Whether the oldest step is."""
        behind = self._assembler.number - 1 - self._steps[0].number
        if self._paused:
            return behind > 0
        return now - self._steps[0].due > self._limit_s or behind*self._assembler.bin_us > 1e6*self._limit_s
