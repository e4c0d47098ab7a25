# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Networks of leaky integrate-and-fire neurons in real numbers, and what they do step by step."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

# What happens to the potential of a neuron that fires: set to v_reset (NIR's definition), lowered by the threshold,
# or lowered by the threshold in the next step after the leak (snntorch's default).
V_RESET, SUBTRACT, SUBTRACT_LATE = "v_reset", "subtract", "subtract-late"
RESETS = (V_RESET, SUBTRACT, SUBTRACT_LATE)


@dataclass(frozen=True)
class Population:
    """Some of a network's neurons that came from one node.

    Parameters
    ----------
    name, kind : node and type in the graph it came from.
    own : its neurons among all, a slice.
    depth : most populations that a spike of the input passes, each in the same step, before it comes here.
    """
    name:  str
    kind:  str
    own:   slice
    depth: int

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return self.own.stop - self.own.start


@dataclass(frozen=True, eq=False)
class LIFNetwork:
    """Populations of neurons, and a readout of their spikes. All float64, potentials relative to `rest`.

    Parameters
    ----------
    populations : a spike reaches a later one in the same step, its own and earlier ones in the next.
    sensory : [I, N], rise of the potential for a spike of an input.
    recurrent : [N, N], likewise for a spike of a neuron; rows are sources.
    bias : [N], rise in every step.
    decay : [N], share of the potential that is left after a step, 0 to 1.
    threshold, reset : [N].
    synapse_decay : [N], share of the synaptic current that is left after a step; 0 without a synaptic filter.
    input_shape : (I,), or (polarities, H, W): how the rows of `sensory` are counted, in C order.
    readout : [N, O], or None.
    readout_bias : [O], added in every step.
    readout_decay : [O], leak of the readout's integrator; 1 sums.
    dt : seconds of a step.
    remarks, warnings : how the graph was read, a line each; the latter may be wrong.
    """
    populations:   list[Population]
    sensory:       np.ndarray
    recurrent:     np.ndarray
    bias:          np.ndarray
    decay:         np.ndarray
    threshold:     np.ndarray
    reset:         np.ndarray
    synapse_decay: np.ndarray
    input_shape:   tuple[int, ...]
    readout:       np.ndarray | None
    readout_bias:  np.ndarray
    readout_decay: np.ndarray
    dt:            float
    remarks:       list[str] = field(default_factory=list)
    warnings:      list[str] = field(default_factory=list)

    @property
    def neurons(self) -> int:
        """Number of neurons N, of all populations."""
        return len(self.threshold)

    @property
    def inputs(self) -> int:
        """Number of inputs I."""
        return len(self.sensory)

    @property
    def depth(self) -> int:
        """Steps by which the last spikes come later in one pool."""
        return max(each.depth for each in self.populations)

    def with_inputs(self, order: np.ndarray) -> "LIFNetwork":
        """The same network, its inputs counted anew: order [I] names the present row of each."""
        return dataclasses.replace(self, sensory=self.sensory[order])

    def delayed(self, spikes: np.ndarray) -> np.ndarray:
        """Spikes bool [T, N] of run() as one recurrent pool has them: each population `depth` steps later."""
        late = np.zeros_like(spikes)
        for each in self.populations:
            kept = max(len(spikes) - each.depth, 0)
            late[len(spikes) - kept:, each.own] = spikes[:kept, each.own]
        return late

    def run(self, counts: np.ndarray, reset: str = V_RESET) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Run from rest.

        Parameters
        ----------
        counts : spikes of the inputs, [T, I].
        reset : one of RESETS.

        Returns
        -------
        Spikes bool [T, N] and potentials [T, N] of all neurons after each step; and logits [O]: the readout's output,
        summed over the steps.
        """
        drive      = counts.astype(float) @ self.sensory + self.bias
        spikes     = np.zeros(drive.shape, bool)
        potentials = np.zeros(drive.shape)
        u, current, fired = (np.zeros(self.neurons) for _ in range(3))
        hears = [(each.own, self.recurrent[:, each.own].any()) for each in self.populations]
        for t, total in enumerate(drive):
            before = fired.copy()
            for own, recurrent in hears:
                # Of populations further in front, `fired` has the spikes of this step already.
                arrived      = total[own] + (fired @ self.recurrent[:, own] if recurrent else 0)
                left         = self.synapse_decay[own]
                current[own] = left*current[own] + (1 - left)*arrived
                level        = self.decay[own]*u[own] + current[own]
                if reset == SUBTRACT_LATE:
                    level = level - before[own]*self.threshold[own]
                above = level > self.threshold[own]
                if reset == V_RESET:
                    level = np.where(above, self.reset[own], level)
                elif reset == SUBTRACT:
                    level = level - above*self.threshold[own]
                u[own], fired[own] = level, above
            spikes[t], potentials[t] = fired > 0, u
        logits = np.zeros(0) if self.readout is None else self._logits(spikes.astype(float))
        return spikes, potentials, logits

    def _logits(self, spikes: np.ndarray) -> np.ndarray:
        level = total = np.zeros(self.readout.shape[1])
        for values in spikes @ self.readout + self.readout_bias:
            # An integrator that does not leak has its whole sum at the end, any other a sum of its levels.
            level = self.readout_decay*level + values
            total = total + level
        return np.where(self.readout_decay == 1, level, total)
