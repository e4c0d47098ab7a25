# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps of a source when they are due: who is late, what is dropped, and the user's pause."""

import threading

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.live.sources.assembler import Assembler
from host.live.sources.clock import Clock
from host.live.sources.played import END, Played
from host.live.sources.source import WAIT, EventSource, SourceStep

# Seconds that a step may wait before it is late.
MAX_LAG_S = 0.1


class LiveSteps:
    """The steps of a source, each when its time has come.

    A source that is recorded is played: step n is due (n + 1)*bin_us/speed after the first one began. Where steps
    wait longer than max_lag_s, `drop` drops them whole, and `wait` lets the source's time stand still until they are
    taken. What was lost and how long the source was held up is in `counts`; nothing grows with time.

    Parameters
    ----------
    source : is closed with these steps.
    encoder : of the network.
    late : "drop" or "wait"; None: as the source has it.
    max_lag_s : seconds that a step may wait after it is due.
    clock : the wall clock.

    Attributes
    ----------
    counts : since the beginning: `steps` and `events` taken; `dropped_steps`, `dropped_events` that waited too long;
        `waited_us` that the source was held up for us, `stalled_us` that it had nothing to play; and those of the
        source.
    """
    def __init__(self, source: EventSource, encoder: Encoder, late: str | None = None, max_lag_s: float = MAX_LAG_S,
            clock: Clock | None = None) -> None:
        self.source    = source
        self.late      = late or source.late
        self.max_lag_s = max_lag_s
        self._clock    = clock or Clock()
        self._changed  = threading.Condition()
        self._paused   = False
        self._singles  = 0
        self._error: Exception | None = None
        self._counts   = dict.fromkeys(("steps", "events", "dropped_steps", "dropped_events", "waited_us",
            "stalled_us"), 0)
        self._pieces   = source.pieces()
        self._pace     = Played(self._read, Assembler(encoder), encoder.bin_us*1e-6/source.speed, self._counts)

    def __enter__(self) -> "LiveSteps":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        return self._counts | self.source.counts

    @property
    def paused(self) -> bool:
        """Whether pause() holds the source."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""
        return self._pace.ended and self._error is None

    def take(self, most: int = 64, wait_s: float = 0.0) -> list[SourceStep]:
        """Steps that are due, oldest first.

        Parameters
        ----------
        most : how many at most.
        wait_s : seconds to wait for the first one.

        Returns
        -------
        None of them after wait_s, or where the source has ended.

        Raises
        ------
        QCLIFError : the source has failed, which is told once.
        """
        with self._changed:
            now   = self._clock.now()
            until = now + wait_s
            while True:
                steps = self._due_steps(now, most)
                if steps or self.ended or now >= until:
                    return steps
                later = self._pace.next_s
                self._clock.wait(self._changed, until - now if later is None or self._paused or later <= now
                    else min(until, later) - now)
                now = self._clock.now()

    def pause(self) -> None:
        """No more steps, but by single()."""
        with self._changed:
            self._paused = True

    def single(self) -> None:
        """While paused: the next step is due at once."""
        with self._changed:
            if self._paused:
                self._singles += 1
                self._changed.notify_all()

    def resume(self) -> None:
        """Go on from where pause() held the source."""
        with self._changed:
            if self._paused:
                self._paused, self._singles = False, 0
                self._pace.resume(self._clock.now())
                self._changed.notify_all()

    def close(self) -> None:
        """Let go of the source."""
        self.source.close()

    def _read(self) -> object:
        return next(self._pieces, END)

    def _due_steps(self, now: float, most: int) -> list[SourceStep]:
        found: list[SourceStep] = []
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            while len(found) < most and (not self._paused or self._singles):
                step = self._next(now)
                if step is None:
                    break
                self._singles = max(0, self._singles - 1)
                found.append(step)
        except QCLIFError as failure:
            # First what came before it.
            if not found:
                raise
            self._error = failure
        self._counts["steps"]  += len(found)
        self._counts["events"] += sum(len(step.events) for step in found)
        return found

    def _next(self, now: float) -> SourceStep | None:
        """The oldest step that is due and not late, or is made so."""
        while (step := self._pace.take(now, at_once=self._paused)) is not None:
            lag = now - step.due - self.max_lag_s
            if lag <= 0 or self._paused:
                return step
            if self.late == WAIT:
                self._pace.slow_down(lag)
                return step._replace(due=step.due + lag)
            self._counts["dropped_steps"]  += 1
            self._counts["dropped_events"] += len(step.events)
        return None
