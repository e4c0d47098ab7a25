# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps at the pace of the source's own times: what is recorded, or can be held up until its time has come."""

from collections import deque
from collections.abc import Callable

import numpy as np

from host.live.sources.assembler import Assembler
from host.live.sources.source import Piece, SourceStep
from host.live.sources.timeline import Timeline, parts

# A source has ended; what else a read gives is a piece, or None where nothing is there yet.
END = object()

# Silence in the events of a stream, in us, that is believed though it is read ahead of its time; longer, it is a jump.
GAP_US = 10_000_000

# No more of a stream is encoded at once.
PART_US = 1_000_000


class Played:
    """Step n is due at start + (n + 1)*step_s; start moves on where the source is held up or has nothing.

    Parameters
    ----------
    read : the next piece, None, END, or what the source has failed with, an exception; never waits.
    assembler : puts them together.
    step_s : seconds of the wall clock that a step takes.
    counts : of LiveSteps.

    Attributes
    ----------
    failure : what the source has failed with, told when its steps have ended; or None.
    """
    def __init__(self, read: Callable[[], object], assembler: Assembler, step_s: float, counts: dict[str, int]) -> None:
        self.failure: Exception | None = None
        self._read      = read
        self._assembler = assembler
        self._step_s    = step_s
        self._counts    = counts
        self._start: float | None = None
        self._steps: deque[SourceStep] = deque()
        self._read_all  = False

    @property
    def ended(self) -> bool:
        """Whether no step will come any more."""
        return self._read_all and not self._steps

    @property
    def next_s(self) -> float | None:
        """When the next step is due; None where it is not known."""
        return None if self._start is None else self._due(self._number)

    def take(self, now: float, at_once: bool = False) -> SourceStep | None:
        """The oldest step, if it is over and due; or made due at once."""
        if self._start is None and not self._fill(now):
            return None
        if not at_once and self._due(self._number) > now:
            return None
        while not self._steps and not self._read_all:
            if not self._fill(now) and not self._nothing(now, at_once):
                return None
        if not self._steps:
            return None
        if at_once:
            self._start = now - (self._number + 1)*self._step_s
        step = self._steps.popleft()
        return step._replace(due=self._due(step.number))

    def slow_down(self, seconds: float) -> None:
        """The source is held up for so long."""
        self._start += seconds
        self._counts["waited_us"] += round(seconds*1e6)

    def pause(self) -> None:
        """The source's time stands still; nothing of it is read."""

    def resume(self, now: float) -> None:
        """After a pause: the next step begins now."""
        if self._start is not None:
            self._start = now - self._number*self._step_s

    @property
    def _number(self) -> int:
        """Of the step that is taken next."""
        return self._steps[0].number if self._steps else self._assembler.number

    def _due(self, number: int) -> float:
        return self._start + (number + 1)*self._step_s

    def _fill(self, now: float) -> bool:
        """Read once; whether there was something."""
        piece = self._read()
        if piece is None:
            return False
        if not isinstance(piece, Piece):
            self._steps += self._assembler.finish()
            self._read_all = True
            self.failure   = None if piece is END else piece
        else:
            self._steps += self._take_in(piece)
        if self._start is None:
            self._start = now
        return True

    def _take_in(self, piece: Piece) -> list[SourceStep]:
        """The steps that are over with a piece."""
        return self._assembler.push(piece)

    def _nothing(self, now: float, at_once: bool) -> bool:
        """The source has nothing, though its time has come: that stands still until it has. Whether a step is over."""
        if not at_once:
            late = now - self._due(self._number)
            self._start += late
            self._counts["stalled_us"] += round(late*1e6)
        return False


class PlayedStream(Played):
    """What comes over a pipe and can be held up there: it never gets ahead of its own time.

    Where nothing comes grace_s after its time, the source is silent; should its events only have been late, its time
    goes on from there: none is lost.

    Parameters
    ----------
    grace_s : seconds that events may take from the sensor to here.
    """
    def __init__(self, read: Callable[[], object], assembler: Assembler, step_s: float, grace_s: float,
            counts: dict[str, int]) -> None:
        counts.update(late_events=0)
        super().__init__(read, assembler, step_s, counts)
        self._timeline = Timeline(GAP_US, counts)
        self._grace_s  = grace_s
        # Parts of what was read, and whether steps are over since then that no event ended.
        self._parts: deque[Piece] = deque()
        self._silent = False

    def _fill(self, now: float) -> bool:
        if self._parts:
            self._steps += self._assembler.push(self._parts.popleft())
            return True
        return super()._fill(now)

    def _take_in(self, piece: Piece) -> list[SourceStep]:
        start  = self._assembler.start_us
        events = self._timeline.continued(piece.events)
        behind = 0 if start is None else start - int(events["t"][0])
        if self._silent and behind > 0:
            self._timeline.move(behind)
            events["t"] += behind
        elif behind > 0:
            late = int(np.searchsorted(events["t"], start))
            self._counts["late_events"] += late
            events = events[late:]
        self._silent = False
        self._parts.extend(Piece(part, label=piece.label) for part in parts(events, PART_US))
        return []

    def _nothing(self, now: float, at_once: bool) -> bool:
        if not at_once and now < self._due(self._number) + self._grace_s:
            return False
        self._steps += self._assembler.advance(self._assembler.end_us)
        self._silent = True
        return True
