# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The contract once more, in plain Python integers and deliberately naive: what the tests compare with."""

from collections.abc import Iterable, Sequence

from host.events.encoder import Encoder
from host.network.network import Network


def sat(value: int, bits: int) -> int:
    """Clip to a signed number of bits."""
    return min(max(value, -2**(bits - 1)), 2**(bits - 1) - 1)


def clip(value: int, low: int, high: int) -> int:
    """Clip to low and high."""
    return min(max(value, low), high)


class Reference:
    """The network, neuron by neuron and synapse by synapse.

    Attributes
    ----------
    v_a, v_s : lists of N states after the last step.
    i_s, i_a : lists of N sums of the last step, before any saturation.
    spikes : neurons that fired in the last step, ascending.
    """
    def __init__(self, network: Network) -> None:
        self.network = network
        # Python integers: numpy's would wrap.
        for name, array in network.arrays().items():
            setattr(self, name, array.tolist())
        self.reset()

    def reset(self) -> None:
        """All states 0, no spikes."""
        self.v_a    = [0]*self.network.neurons
        self.v_s    = [0]*self.network.neurons
        self.i_s    = [0]*self.network.neurons
        self.i_a    = [0]*self.network.neurons
        self.spikes = []

    def step(self, sources: Iterable[int]) -> list[int]:
        """One step with these sources (context k at I + k; one may come more than once): the spiking neurons."""
        net     = self.network
        sources = [int(source) for source in sources]
        v_max   = 2**net.state_bits - 1
        fired   = []
        for n in range(net.neurons):
            i_s = self.bias_soma[n]
            i_a = self.bias_apical[n]
            for source in sources:
                if source < net.inputs:
                    i_s += self.w_sensory[source][n]
                else:
                    i_a += self.w_context[source - net.inputs][n]
            for m in self.spikes:
                i_s += self.w_recurrent_soma[m][n]
                i_a += self.w_recurrent_apical[m][n]
            self.i_s[n], self.i_a[n] = i_s, i_a

            i_s = sat(i_s, net.current_bits)
            i_a = sat(i_a >> net.apical_shift, net.current_bits)
            v_a = clip(max(self.v_a[n] - self.leak_apical[n], 0) + i_a, 0, v_max)
            d   = (i_s*v_a) >> net.product_shift
            v_s = clip(max(self.v_s[n] - self.leak_soma[n], 0) + d, 0, v_max)
            if v_s >= self.threshold[n]:
                fired.append(n)
                v_s -= self.threshold[n]
            self.v_a[n], self.v_s[n] = v_a, v_s
        self.spikes = fired
        return fired

    def logits(self, spikes: Iterable[Sequence[int]], decay: int = 0) -> list[int]:
        """Logits [O] of the spikes of a sample, step by step, after the last one."""
        logits = [0]*self.network.outputs
        for step in spikes:
            for o in range(self.network.outputs):
                if decay:
                    # To the nearest integer, halves up, in integers: // is the floor.
                    logits[o] -= (logits[o] + 2**(decay - 1))//2**decay
                for n in step:
                    logits[o] += self.readout[n][o]
        return logits


def encode(events: Iterable[Sequence[int]], encoder: Encoder) -> list[list[int]]:
    """Sources of each step, ascending, of events (x, y, p, t) as records or tuples in this order."""
    events = [tuple(map(int, event)) for event in events]
    (width, height), (grid_width, grid_height) = encoder.sensor_size, encoder.grid
    first, last = events[0][3], events[-1][3]
    counts = [{} for _ in range((last - first)//encoder.bin_us + 1)]
    for x, y, p, t in events:
        gx     = x*grid_width//width
        gy     = y*grid_height//height
        source = (gy*grid_width + gx)*encoder.polarities + (p if encoder.polarities == 2 else 0)
        step   = counts[(t - first)//encoder.bin_us]
        step[source] = step.get(source, 0) + 1
    return [sorted(source for source, count in step.items() if count >= encoder.count_threshold)
        for step in counts]
