# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The readout of the contract: logits of a whole sample, or of a window that fades, in 32-bit integers."""

import numpy as np

from accel.errors import QCLIFError, check_integer
from firmware.protocol import DECAY_MAX
from host.network.network import Network


def readout_logits(counts: np.ndarray, readout: np.ndarray | None) -> np.ndarray:
    """Logits int32 [O] of the spike counts [N] of a sample and a readout int32 [N, O]; [0] without one. Raises
    QCLIFError where a logit does not fit 32 bits.
    """
    if readout is None:
        return np.zeros(0, np.int32)
    return _in_32_bits(counts.astype(np.int64) @ readout.astype(np.int64))


def check_decay(network: Network, decay: int) -> None:
    """Raise QCLIFError where `decay` is not one, or a logit of this network could leave 32 bits with it.

    In a step a logit changes by a sum s of at most B = max_o sum_n |readout[n, o]| and by what it loses. L - lost(L)
    never falls where L rises, and at L = 2**k*B + 2**(k-1) - 1 and at L = -2**k*B - 2**(k-1) exactly B is lost: a logit
    that begins at 0 stays between the two, and L + 2**(k-1), which is shifted, below 2**k*(B + 1). With k = 0 nothing
    is lost, and how far a logit goes depends on the sample.
    """
    check_integer("decay", decay, 0, DECAY_MAX)
    if decay and network.outputs:
        most = int(np.abs(network.readout.astype(np.int64)).sum(axis=0).max())
        if most + 1 > 2**(31 - decay):
            raise QCLIFError(f"decay is {decay}, and the weights of one output add up to {most}: its logit could leave "
                f"32 bits; the limit is {2**(31 - decay) - 1}, scale the readout down or choose a smaller decay")


class RunningLogits:
    """Logits step by step.

    Parameters
    ----------
    decay : k of the contract, 0 to DECAY_MAX: how long a window is, in steps as a power of two; 0 sums up for ever.

    Raises
    ------
    QCLIFError : see check_decay().
    """

    def __init__(self, network: Network, decay: int) -> None:
        check_decay(network, decay)
        self._readout = np.zeros((network.neurons, 0), np.int64) if network.readout is None else \
            network.readout.astype(np.int64)
        self._decay = decay
        self.reset()

    def reset(self) -> None:
        """All logits 0."""
        self._logits = np.zeros(self._readout.shape[1], np.int64)

    def step(self, spikes: np.ndarray) -> np.ndarray:
        """Logits int32 [O] after a step in which these neurons fired. Raises QCLIFError where one, of decay 0, does not
        fit 32 bits.
        """
        if self._decay:
            self._logits = self._logits - ((self._logits + (1 << (self._decay - 1))) >> self._decay)
        if len(spikes):
            self._logits = self._logits + self._readout[spikes].sum(axis=0)
        return self._logits.astype(np.int32) if self._decay else _in_32_bits(self._logits)


def _in_32_bits(logits: np.ndarray) -> np.ndarray:
    narrow = logits.astype(np.int32)
    bad    = np.flatnonzero(logits != narrow)
    if len(bad):
        raise QCLIFError(f"logit {bad[0]} is {logits[bad[0]]}, the limits are those of 32 bits: shorten the "
            f"recording or scale the readout down")
    return narrow
