# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps of a source when they are due: who is late, what is dropped, and the user's pause."""

import threading
from collections import deque

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.live.sources.arriving import Arriving
from host.live.sources.assembler import Assembler
from host.live.sources.clock import Clock
from host.live.sources.played import END, Played, PlayedStream
from host.live.sources.pump import Pump
from host.live.sources.source import WAIT, EventSource, Piece, SourceStep

# Seconds that a step may wait before it is late, and that events may take from the sensor to here.
MAX_LAG_S = 0.1
GRACE_S   = 0.02

# Seconds that steps of a source that does not wait may wait, where nothing else is late.
QUEUE_S = 2.0

# Pieces of a stream that are read before their time has come.
AHEAD = 4


class LiveSteps:
    """The steps of a source, each when its time has come.

    A source that is recorded is played: step n is due (n + 1)*bin_us/speed after the first one began. One that is not
    gives events when they happen: a step is due when the source's time, as the wall clock knows it, has passed its end.

    Where steps wait longer than max_lag_s, `drop` drops them whole. `wait` lets the source's time stand still until
    they are taken; streams that can be held up are played at the pace of their own times then. Of those that cannot,
    steps that wait longer than QUEUE_S (or max_lag_s, if that is more) are dropped. What was lost and how long the
    source was held up is in `counts`; nothing grows with time.

    Parameters
    ----------
    source : is closed with these steps.
    encoder : of the network.
    late : "drop" or "wait"; None: as the source has it.
    max_lag_s : seconds that a step may wait after it is due.
    grace_s : seconds that events may take from the sensor to here: a silent source's step ends so much later, or as
        much as events have lately taken, up to half of max_lag_s.
    clock : the wall clock.

    Attributes
    ----------
    counts : since the beginning.
        `steps`, `events` : taken.
        `dropped_steps`, `dropped_events` : waited too long.
        `waited_us`, `stalled_us` : the source was held up for us; it had nothing to play.
        Of sources that are not recorded: `late_events` came after the end of their step; `jumps` of its clock, across
        which the time goes on; `sorted_events` came slightly out of order; `paused_steps`, `paused_events` passed by
        in a pause, where the source could not be held up.
        And those of the source, as `outside_events` and `broken`.
    """
    def __init__(self, source: EventSource, encoder: Encoder, late: str | None = None, max_lag_s: float = MAX_LAG_S,
            *, grace_s: float = GRACE_S, clock: Clock | None = None) -> None:
        self.source   = source
        self.late     = late or source.late
        self._clock   = clock or Clock()
        self._changed = threading.Condition()
        self._paused  = False
        self._singles = 0
        self._closed  = False
        self._counts  = dict.fromkeys(("steps", "events", "dropped_steps", "dropped_events", "waited_us",
            "stalled_us"), 0)
        self._waits   = self.late == WAIT and source.waits
        self._limit_s = max_lag_s if self._waits or self.late != WAIT else max(max_lag_s, QUEUE_S)
        self._pieces: deque[object] = deque()
        self._pump: Pump | None = None
        assembler = Assembler(encoder)
        step_s    = encoder.bin_us*1e-6/source.speed
        if source.recorded:
            self._source_pieces = source.pieces()
            self._pace = Played(self._play, assembler, step_s, self._counts)
        elif self._waits:
            self._pace = PlayedStream(self._read, assembler, step_s, grace_s, self._counts)
            self._pump = Pump(source, self._keep, self._end_stream)
        else:
            self._pace = Arriving(assembler, grace_s, self._limit_s, self._counts)
            self._pump = Pump(source, self._arrive, self._end_arrivals)

    def __enter__(self) -> "LiveSteps":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        return self._counts | self.source.counts

    @property
    def paused(self) -> bool:
        """Whether pause() holds the steps back."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""
        return self._pace.ended and self._pace.failure is None

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
        QCLIFError : the source has failed, which is told once, after the steps before it.
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
            self._pace.pause()

    def single(self) -> None:
        """While paused: one step more is due at once; of a source that cannot be held up, the newest."""
        with self._changed:
            if self._paused:
                self._singles += 1
                self._changed.notify_all()

    def resume(self) -> None:
        """Go on: where pause() held the source, or with what happens now."""
        with self._changed:
            if self._paused:
                self._paused, self._singles = False, 0
                self._pace.resume(self._clock.now())
                self._changed.notify_all()

    def close(self) -> None:
        """Let go of the source."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._pump is None:
            self.source.close()
        else:
            self._pump.close()

    def _due_steps(self, now: float, most: int) -> list[SourceStep]:
        found: list[SourceStep] = []
        while len(found) < most and (not self._paused or self._singles):
            step = self._next(now)
            if step is None:
                break
            self._singles = max(0, self._singles - 1)
            found.append(step)
        if not found and self._pace.ended and self._pace.failure is not None:
            failure, self._pace.failure = self._pace.failure, None
            raise failure
        self._counts["steps"]  += len(found)
        self._counts["events"] += sum(len(step.events) for step in found)
        return found

    def _next(self, now: float) -> SourceStep | None:
        """The oldest step that is due and not late, or is made so."""
        while (step := self._pace.take(now, at_once=self._paused)) is not None:
            lag = now - step.due - self._limit_s
            if lag <= 0 or self._paused:
                return step
            if self._waits:
                self._pace.slow_down(lag)
                return step._replace(due=step.due + lag)
            self._counts["dropped_steps"]  += 1
            self._counts["dropped_events"] += len(step.events)
        return None

    def _play(self) -> object:
        """The next piece of a source that is recorded."""
        try:
            return next(self._source_pieces, END)
        except QCLIFError as failure:
            return failure

    def _read(self) -> object:
        """The next piece of a stream that was kept."""
        if not self._pieces:
            return None
        self._changed.notify_all()
        return self._pieces.popleft()

    # By the pump's thread -------------------------------------------------------------------------

    def _arrive(self, piece: Piece) -> None:
        with self._changed:
            self._pace.arrived(piece, self._clock.now())
            self._changed.notify_all()

    def _end_arrivals(self, failure: Exception | None) -> None:
        with self._changed:
            self._pace.over(failure)
            self._changed.notify_all()

    def _keep(self, piece: Piece) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._pieces) < AHEAD or self._closed)
            self._pieces.append(piece)
            self._changed.notify_all()

    def _end_stream(self, failure: Exception | None) -> None:
        with self._changed:
            self._pieces.append(failure or END)
            self._changed.notify_all()
