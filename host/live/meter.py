# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How a live run fares: totals, and what the last second was like."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accel.config import QCLIFConfig
from host.live.feed import Machine
from host.runs.synaptic_operations import step_bounds

# Seconds that rates are of.
WINDOW = 1.0


class _Batch(NamedTuple):
    """Steps that were computed together: when they came, how many, and the longest lag of them in seconds."""
    time:  float
    steps: int
    lag:   float


class Meter:
    """Counts steps as they come, and tells what viewers see of it.

    Parameters
    ----------
    neurons : of the network.
    config : of the build, for the bound of a step.

    Attributes
    ----------
    steps, compared, mismatches, lost_steps : totals; lost: sent to a device that was gone before it answered.
    shown, right : steps of which the source tells what they show, one of the network's classes, and those of them after
        which that is the answer.
    seconds : from the first steps to the last ones.
    lags : of the steps so far, in ms, as a histogram of whole ones; the last is for all that are longer.
    """

    # Of the histogram of lags: its bins.
    LAG_MS = 10_000

    def __init__(self, neurons: int, config: QCLIFConfig) -> None:
        self._neurons, self._config = neurons, config
        self.steps = self.compared = self.mismatches = self.lost_steps = self.shown = self.right = 0
        self.lags    = np.zeros(self.LAG_MS, np.int64)
        self.seconds = 0.0
        self._begun: float | None = None
        self._batches: deque[_Batch] = deque()
        # Clocks of the core, their bound and the steps, as of two moments about a second apart.
        self._clocks: deque[tuple[int, int, int]] = deque(maxlen=2)
        self._bound = 0
        # Spikes of the step before, which are rows of the next.
        self._spikes = 0

    def begin(self) -> None:
        """The device begins from reset: without spikes, and perhaps with other counters."""
        self._spikes = 0
        self._clocks.clear()

    def take(self, now: float, inputs: Sequence[np.ndarray], spikes: Sequence[np.ndarray], lags: Sequence[float]
            ) -> None:
        """Steps that were computed: inputs and spikes of each, and the seconds from its end to its spikes."""
        fired = [self._spikes, *map(len, spikes)]
        rows  = np.array([len(sources) for sources in inputs]) + fired[:-1]
        self._bound += int(step_bounds(rows, self._neurons, self._config).sum())
        self._spikes = fired[-1]
        if self._begun is None:
            self._begun = now
        self.steps  += len(inputs)
        self.seconds = now - self._begun
        longest = max(lags)
        self._batches.append(_Batch(now, len(inputs), longest))
        for lag in lags:
            self.lags[min(self.LAG_MS - 1, max(0, int(1000*lag)))] += 1

    def core(self, busy: int) -> None:
        """Clocks for which the core was busy until now, as the device counts them."""
        self._clocks.append((busy, self._bound, self.steps))

    def rates(self, now: float) -> Machine:
        """Steps, and what is of the last second; the rest is as in a new Machine."""
        while self._batches and self._batches[0].time <= now - WINDOW:
            self._batches.popleft()
        busy, bound, steps = np.subtract(self._clocks[-1], self._clocks[0]).tolist() if self._clocks else (0, 0, 0)
        taken = max(1, steps)
        return Machine(
            steps            = self.steps,
            compared         = self.compared,
            mismatches       = self.mismatches,
            steps_per_second = sum(batch.steps for batch in self._batches)/WINDOW,
            lag_ms           = 1000*max((batch.lag for batch in self._batches), default=0.0),
            clocks_per_step  = busy/taken,
            bound_per_step   = bound/taken,
        )

    def lag_percentile(self, share: float) -> float:
        """The lag in whole ms that this share of all steps does not exceed (0 to 1); 0 without steps."""
        total = np.cumsum(self.lags)
        return float(np.searchsorted(total, share*total[-1])) + 1 if total[-1] else 0.0
