# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps at the pace of the source's own times: what is recorded, or can be held up until its time has come."""

from collections import deque
from collections.abc import Callable

from host.live.sources.assembler import Assembler
from host.live.sources.source import Piece, SourceStep

# A source has ended; what else a read gives is a piece, or None where nothing is there yet.
END = object()


class Played:
    """Step n is due at start + (n + 1)*step_s; start moves on where the source is held up or has nothing.

    Parameters
    ----------
    read : the next piece, None or END; never waits.
    assembler : puts them together.
    step_s : seconds of the wall clock that a step takes.
    counts : of LiveSteps.
    """
    def __init__(self, read: Callable[[], object], assembler: Assembler, step_s: float, counts: dict[str, int]) -> None:
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
            if not self._fill(now):
                if not at_once:
                    self._hold(now)
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
        if piece is END:
            self._steps += self._assembler.finish()
            self._read_all = True
        elif isinstance(piece, Piece):
            self._steps += self._assembler.push(piece)
        else:
            return False
        if self._start is None:
            self._start = now
        return True

    def _hold(self, now: float) -> None:
        """The source has nothing, though its time has come: that stands still until it has."""
        late = now - self._due(self._number)
        self._start += late
        self._counts["stalled_us"] += round(late*1e6)
