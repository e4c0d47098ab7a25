# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Counters of the device that go on for ever: it has 32 bits of each, modulo which they are told."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from firmware import protocol
from host.link.step_coder import StepRequest

# Bytes and values of a counter in answers.
_WORD   = np.dtype("<u4")
_MODULO = 2**(8*_WORD.itemsize)

# They are asked for before one can have gone on by half of what it holds: by the clock, at the latest after so many
# seconds, and by the weights that steps can have added at most.
_POLL_SECONDS = 10.0
_POLL_CLOCKS  = _MODULO//4
_POLL_WEIGHTS = _MODULO//2


class EndlessCounters:
    """The sums of counters that are told again and again, before one of them can have wrapped twice.

    Parameters
    ----------
    names : in the order of the answer.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names  = names
        self._totals = [0]*len(names)
        self._last   = [0]*len(names)

    def begin(self, answer: bytes | None = None) -> None:
        """They go on from 0, or from what an answer tells; sums stay."""
        self._last = [0]*len(self._names) if answer is None else np.frombuffer(answer, _WORD).tolist()

    def take(self, answer: bytes) -> None:
        """Add what was counted since the answer before."""
        values = np.frombuffer(answer, _WORD).tolist()
        self._totals = [total + (value - last) % _MODULO
            for total, value, last in zip(self._totals, values, self._last, strict=True)]
        self._last = values

    def totals(self) -> dict[str, int]:
        """The sums, by name."""
        return dict(zip(self._names, self._totals, strict=True))


class CounterPolls:
    """The device's counters of a sample and of all it does, and when they are to be asked for.

    Parameters
    ----------
    neurons : N of the network.
    clock_hz : of the device; a simulated one goes slower.
    now : seconds.

    Attributes
    ----------
    counters, stats : EndlessCounters of protocol.COUNTERS and protocol.STATS.
    """

    def __init__(self, neurons: int, clock_hz: int, now: Callable[[], float]) -> None:
        self.counters = EndlessCounters(protocol.COUNTERS)
        self.stats    = EndlessCounters(protocol.STATS)
        self._neurons = neurons
        self._period  = min(_POLL_SECONDS, _POLL_CLOCKS/clock_hz)
        self._now     = now
        self._polled  = now()
        self._weights = 0

    def due(self, payload: bytes = b"", steps: int = 0) -> Iterator[StepRequest]:
        """Requests of both, where it is time, before a request of such a payload that ends so many steps."""
        # An event takes a byte at least; it has one row of weights, and a spike two.
        weights = self._neurons*(len(payload) + 2*steps*self._neurons)
        if self._now() >= self._polled + self._period or self._weights + weights > _POLL_WEIGHTS:
            self._polled, self._weights = self._now(), 0
            yield "COUNTERS", b"", self.counters.take
            yield "STATS", b"", self.stats.take
        self._weights += weights
