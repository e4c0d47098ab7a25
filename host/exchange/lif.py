# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Networks of leaky integrate-and-fire neurons in real numbers, and what they do step by step."""

from dataclasses import dataclass

import numpy as np

# What happens to the potential of a neuron that fires: set to v_reset (NIR's definition), lowered by the threshold,
# or lowered by the threshold in the next step after the leak (snntorch's default).
V_RESET, SUBTRACT, SUBTRACT_LATE = "v_reset", "subtract", "subtract-late"
RESETS = (V_RESET, SUBTRACT, SUBTRACT_LATE)


@dataclass(frozen=True, eq=False)
class LIFLayer:
    """A population: its neurons, and the weights that lead to it. All float64, potentials relative to rest (v_leak).

    Parameters
    ----------
    name, kind : node and type in the graph it came from.
    weights : [sources, n], rise of the potential for a spike of the input or of the layer before.
    recurrent : [n, n], likewise for its own spikes of the step before; rows are sources.
    bias : [n], rise in every step.
    decay : [n], share of the potential that is left after a step, 0 to 1.
    threshold, reset : [n].
    synapse_decay : [n], share of the synaptic current that is left after a step; 0 without a synaptic filter.
    """
    name:          str
    kind:          str
    weights:       np.ndarray
    recurrent:     np.ndarray
    bias:          np.ndarray
    decay:         np.ndarray
    threshold:     np.ndarray
    reset:         np.ndarray
    synapse_decay: np.ndarray

    @property
    def neurons(self) -> int:
        """Number of neurons n."""
        return len(self.threshold)

    def run(self, inputs: np.ndarray, reset: str) -> tuple[np.ndarray, np.ndarray]:
        """Spikes bool [T, n] and potentials [T, n] after each step, for inputs [T, sources] and one of RESETS."""
        drive      = inputs @ self.weights + self.bias
        spikes     = np.zeros(drive.shape, bool)
        potentials = np.zeros(drive.shape)
        u, current, fired = (np.zeros(self.neurons) for _ in range(3))
        for t, total in enumerate(drive):
            total   = total + fired @ self.recurrent
            current = self.synapse_decay*current + (1 - self.synapse_decay)*total
            u       = self.decay*u + current
            if reset == SUBTRACT_LATE:
                u = u - fired*self.threshold
            above = u > self.threshold
            if reset == V_RESET:
                u = np.where(above, self.reset, u)
            elif reset == SUBTRACT:
                u = u - above*self.threshold
            spikes[t], potentials[t] = above, u
            fired = above.astype(float)
        return spikes, potentials


@dataclass(frozen=True, eq=False)
class LIFNetwork:
    """Layers one after another, and a readout of the last one's spikes.

    Parameters
    ----------
    layers : each fed by the one before, the first by the I inputs.
    input_shape : (I,), or (polarities, H, W); rows of the first layer's weights are in the contract's order.
    readout : [n of the last layer, O], or None.
    readout_bias : [O], added in every step.
    readout_decay : [O], leak of the readout's integrator; 1 sums.
    dt : seconds of a step.
    """
    layers:        list[LIFLayer]
    input_shape:   tuple[int, ...]
    readout:       np.ndarray | None
    readout_bias:  np.ndarray
    readout_decay: np.ndarray
    dt:            float

    @property
    def neurons(self) -> int:
        """Number of neurons N, of all layers."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def inputs(self) -> int:
        """Number of inputs I."""
        return len(self.layers[0].weights)

    def gather(self, name: str) -> np.ndarray:
        """A field of the layers' neurons, [N] over all layers."""
        return np.concatenate([getattr(layer, name) for layer in self.layers])

    def delayed(self, spikes: np.ndarray) -> np.ndarray:
        """Spikes bool [T, N] of run() as one recurrent pool has them: each layer a step after the one before it."""
        late   = np.zeros_like(spikes)
        layers = np.repeat(np.arange(len(self.layers)), [layer.neurons for layer in self.layers])
        for steps in range(min(len(self.layers), len(spikes))):
            late[steps:, layers == steps] = spikes[:len(spikes) - steps, layers == steps]
        return late

    def run(self, counts: np.ndarray, reset: str = V_RESET) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Run from rest.

        Parameters
        ----------
        counts : spikes of the inputs, [T, I].
        reset : one of RESETS.

        Returns
        -------
        Spikes bool [T, N] and potentials [T, N] of all layers after each step, a layer's spikes being the next one's
        inputs in the same step; and logits [O]: the readout's output, summed over the steps.
        """
        inputs, spikes, potentials = counts.astype(float), [], []
        for layer in self.layers:
            fired, u = layer.run(inputs, reset)
            inputs   = fired.astype(float)
            spikes.append(fired)
            potentials.append(u)
        logits = np.zeros(0) if self.readout is None else self._logits(inputs)
        return np.concatenate(spikes, axis=1), np.concatenate(potentials, axis=1), logits

    def _logits(self, spikes: np.ndarray) -> np.ndarray:
        level = total = np.zeros(self.readout.shape[1])
        for values in spikes @ self.readout + self.readout_bias:
            # An integrator that does not leak has its whole sum at the end, any other a sum of its levels.
            level = self.readout_decay*level + values
            total = total + level
        return np.where(self.readout_decay == 1, level, total)
