# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The golden model step by step, for a run without end: one network, no batch, numpy alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError
from host.network.network import Network
from host.network.neuron import saturated, update
from host.network.readout import RunningLogits

# Rows that a sum of 32 bits holds, of weights of 8 bits, with a bias.
_ROWS_MAX = 2**23


class GoldenStep(NamedTuple):
    """What the network does in a step: neurons that fired, int32, ascending; V_a and V_s [N] and the logits [O], int32,
    after it."""
    spikes: np.ndarray
    v_a:    np.ndarray
    v_s:    np.ndarray
    logits: np.ndarray


class GoldenStream:
    """The integers of GoldenModel, in some 0.05 ms a step of 200 neurons.

    Only rows of sources that fire are added up, and those of neurons that fired, as the accelerator does.

    Parameters
    ----------
    decay : of the readout, see RunningLogits.

    Raises
    ------
    QCLIFError : a logit could leave 32 bits with this decay.

    Examples
    --------
    >>> golden = GoldenStream(network, decay=5)
    >>> for step in golden.run([[3, 17], [], [3]]):
    ...     print(step.spikes, step.logits)
    """

    def __init__(self, network: Network, decay: int = 0) -> None:
        self.network = network
        # A row for each source, then for each neuron: its weights to all somas, then to all apical compartments.
        n, i, c = network.neurons, network.inputs, network.contexts
        self._rows = np.zeros((i + c + n, 2*n), np.int32)
        self._rows[:i, :n]      = network.w_sensory
        self._rows[i:i + c, n:] = network.w_context
        self._rows[i + c:, :n]  = network.w_recurrent_soma
        self._rows[i + c:, n:]  = network.w_recurrent_apical
        self._bias = np.concatenate([network.bias_soma, network.bias_apical]).astype(np.int32)
        # As in GoldenModel: the largest product is i_s*V_a, to which V_s is added.
        self._dtype = np.int32 if network.current_bits + network.state_bits <= 31 else np.int64
        self.leak_apical, self.leak_soma, self.threshold = (array.astype(self._dtype)
            for array in (network.leak_apical, network.leak_soma, network.threshold))
        self._logits = RunningLogits(network, decay)
        self.reset()

    def reset(self) -> None:
        """As before the first step: V_a = V_s = z = 0, logits 0."""
        self._v_a = self._v_s = np.zeros(self.network.neurons, self._dtype)
        self._fired = np.zeros(0, np.intp)
        self._logits.reset()

    def run(self, steps: Sequence[Sequence[int] | np.ndarray]) -> list[GoldenStep]:
        """Go on by these steps: of each its sources, context k as inputs + k, one that came c times as often.

        Raises
        ------
        QCLIFError : a source that the network does not have, too many of them, or a logit beyond 32 bits.
        """
        return [self._step(np.asarray(step, np.intp)) for step in steps]

    def _step(self, sources: np.ndarray) -> GoldenStep:
        net     = self.network
        limit   = net.inputs + net.contexts
        if len(sources):
            if int(sources.min()) < 0 or int(sources.max()) >= limit:
                bad = next(int(source) for source in sources if not 0 <= source < limit)
                raise QCLIFError(f"source {bad}, the network has 0 to {limit - 1}: encode the events with the "
                    "network's encoder")
            if len(sources) + net.neurons >= _ROWS_MAX:
                raise QCLIFError(f"a step has {len(sources)} events: their sum is not exact; split the step")
        rows = np.concatenate([sources, self._fired + limit])
        sums = np.add.reduce(self._rows[rows], axis=0, dtype=np.int32) + self._bias
        n    = net.neurons
        i_s  = saturated(sums[:n], net.current_bits).astype(self._dtype, copy=False)
        i_a  = saturated(sums[n:] >> net.apical_shift, net.current_bits).astype(self._dtype, copy=False)
        self._v_a, self._v_s, fired = update(self, i_s, i_a, self._v_a, self._v_s)
        self._fired = np.flatnonzero(fired)
        return GoldenStep(self._fired.astype(np.int32), self._v_a.astype(np.int32, copy=False),
            self._v_s.astype(np.int32, copy=False), self._logits.step(self._fired))
