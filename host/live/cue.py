# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The context of a live run: a cue that viewers switch on and off."""

import numpy as np

from host.events.encoder import BACKGROUND_HZ, CUE_HZ

NONE = -1


class Cue:
    """Poisson spikes of a network's context sources, as poisson_context() gives them to recordings.

    Parameters
    ----------
    contexts : sources of the network.
    bin_us : microseconds of a step.
    source : the one that is cued from the beginning; NONE: silence.
    seed : equal seeds give equal spikes.

    Attributes
    ----------
    source : the context source that is cued now, or NONE.
    """

    def __init__(self, contexts: int, bin_us: int, source: int = NONE, seed: int = 0) -> None:
        self.source  = source
        self._cued   = CUE_HZ*bin_us*1e-6
        self._rates  = np.full(contexts, BACKGROUND_HZ*bin_us*1e-6)
        self._random = np.random.default_rng(seed)

    def step(self) -> np.ndarray:
        """Context sources int64 [n] that spike in one step, 0 to C - 1, ascending, one a spike."""
        if self.source == NONE:
            return np.zeros(0, np.int64)
        rates = self._rates.copy()
        rates[self.source] = self._cued
        counts = self._random.poisson(rates)
        return np.repeat(np.arange(len(counts)), counts)
