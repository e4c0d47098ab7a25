# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The golden model: the contract's network as a torch module, in exact integers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.network import ARRAYS, Network, predicted
from host.network.neuron import saturated, update
from host.network.readout import readout_logits

# Integers below these are exact in the floating-point sums.
EXACT_FLOAT32 = 2**24
EXACT_FLOAT64 = 2**53

# Most integers of a chunk of time in one tensor, and most samples run side by side.
CHUNK_SIZE    = 2**23
BATCH_SAMPLES = 64


class State(NamedTuple):
    """V_a, V_s (integers) and z (0 or 1, floating-point) between two steps, [B, N] each."""
    v_a: torch.Tensor
    v_s: torch.Tensor
    z:   torch.Tensor


@dataclass(frozen=True, eq=False)
class GoldenResult:
    """Answer of the network to one sample.

    Parameters
    ----------
    spikes : neurons that fired, step by step.
    logits : int32 [O].
    v_a, v_s : uint16 [T, N] after each step, None where not asked for.
    """
    spikes: SpikeTrain
    logits: np.ndarray
    v_a:    np.ndarray | None = None
    v_s:    np.ndarray | None = None

    @property
    def predicted(self) -> int:
        """The class: the first maximum of the logits; -1 without a readout."""
        return predicted(self.logits)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: a step is too short to share, and on a busy machine threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class GoldenModel(torch.nn.Module):
    """The network of the contract, batched, on CPU or CUDA, the same integers everywhere.

    Matrix products run in floating point of a width in which every partial sum is an exact integer: float32
    on the CPU where the sums allow it, else float64. TF32 and other reduced precisions never take part.
    """
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        for name in ARRAYS:
            if name != "readout":
                self.register_buffer(name, torch.tensor(getattr(network, name)))
        # The largest product is i_s*V_a, to which V_s is added.
        self.dtype = torch.int32 if network.current_bits + network.state_bits <= 31 else torch.int64

    @property
    def device(self) -> torch.device:
        """Where the model runs, as .to(device) put it."""
        return self.bias_soma.device

    # Steps ----------------------------------------------------------------------------------------

    def forward(self, counts: torch.Tensor, states: bool = False
            ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Run a batch from reset.

        Parameters
        ----------
        counts : event counts [T, B, I + C], non-negative integers.

        Returns
        -------
        Spikes bool [T, B, N]; with states also V_a and V_s, integers [T, B, N].
        """
        outputs, _ = self._advance(counts.to(self.device), self._reset(counts.shape[1]))
        return outputs if states else outputs[0]

    def _reset(self, batch: int) -> State:
        v = torch.zeros(batch, self.network.neurons, dtype=self.dtype, device=self.device)
        return State(v, v, v)

    @one_thread()
    def _advance(self, counts: torch.Tensor, state: State
            ) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], State]:
        """Run counts [T, B, I + C] on from a state: (spikes, V_a, V_s) of each step, and the last state."""
        net = self.network
        # Input currents of all steps at once; only the recurrent ones need the steps one by one.
        dtype    = self._exact_dtype(counts)
        sensory, context = counts.to(dtype).split([net.inputs, net.contexts], dim=2)
        soma     = sensory @ self.w_sensory.to(dtype) + self.bias_soma
        apical   = context @ self.w_context.to(dtype) + self.bias_apical
        currents = torch.cat([soma, apical], dim=2)
        recurrent = torch.cat([self.w_recurrent_soma, self.w_recurrent_apical], dim=1).to(dtype)

        v_a, v_s, z = state.v_a, state.v_s, state.z.to(dtype)
        spikes, apicals, somas = [], [], []
        for current in currents:
            # int64 holds any sum; what is left after the two sat() fits the model's own type.
            i_s, i_a = (current + z @ recurrent).to(torch.int64).split(net.neurons, dim=1)
            i_s = saturated(i_s, net.current_bits).to(self.dtype)
            i_a = saturated(i_a >> net.apical_shift, net.current_bits).to(self.dtype)

            v_a, v_s, fired = update(self, i_s, i_a, v_a, v_s)
            z = fired.to(dtype)
            spikes.append(fired)
            apicals.append(v_a)
            somas.append(v_s)
        if not spikes:
            empty = v_a.new_zeros((0, *v_a.shape))
            return (empty.bool(), empty, empty), state
        return (torch.stack(spikes), torch.stack(apicals), torch.stack(somas)), State(v_a, v_s, z)

    def _exact_dtype(self, counts: torch.Tensor) -> torch.dtype:
        """Floating-point type in which every partial sum of these counts is exact."""
        events = int(counts.sum(dim=2, dtype=torch.int64).max()) if counts.numel() else 0
        bound  = (events + self.network.neurons + 1) << (self.network.weight_bits - 1)
        if bound > EXACT_FLOAT64:
            raise QCLIFError(f"a step has {events} events: their sum is not exact; split the step")
        # Also where the caller lets torch round float32 products on the CPU.
        reduced = self.device.type != "cpu" or torch.get_float32_matmul_precision() != "highest"
        return torch.float64 if reduced or bound > EXACT_FLOAT32 else torch.float32

    # Samples --------------------------------------------------------------------------------------

    @torch.no_grad()
    def run(self, samples: Sequence[SpikeTrain], states: bool = False) -> list[GoldenResult]:
        """Run each sample from reset; in batches and chunks of time that bound the memory. Raises QCLIFError for a
        source that the network does not have, or a logit beyond 32 bits.
        """
        self._check_sources(samples)
        results: list[GoldenResult | None] = [None]*len(samples)
        # Samples of like lengths share a batch, so that little of it is padding.
        order = sorted(range(len(samples)), key=lambda index: len(samples[index]))
        for first in range(0, len(order), BATCH_SAMPLES):
            indices = order[first:first + BATCH_SAMPLES]
            batch   = self._run_batch([samples[index] for index in indices], states)
            for index, result in zip(indices, batch, strict=True):
                results[index] = result
        return results

    def _run_batch(self, batch: list[SpikeTrain], states: bool) -> list[GoldenResult]:
        steps, samples, neurons, v_a, v_s = (np.concatenate(parts)
            for parts in zip(*self._chunks(batch, states), strict=True))
        results = []
        for b, sample in enumerate(batch):
            # Steps after the end of a sample are padding of its batch.
            length = len(sample)
            kept   = (samples == b) & (steps < length)
            spikes = SpikeTrain.from_pairs(steps[kept], neurons[kept], length)
            counts = np.bincount(spikes.sources, minlength=self.network.neurons)
            results.append(GoldenResult(spikes, readout_logits(counts, self.network.readout),
                *(v[:length, b] if states else None for v in (v_a, v_s))))
        return results

    def _chunks(self, batch: list[SpikeTrain], states: bool) -> Iterator[tuple[np.ndarray, ...]]:
        """Chunks of time: step, sample and neuron of each spike, and V_a and V_s [T, B, N], of no step where not asked
        for."""
        state  = self._reset(len(batch))
        width  = max(self.network.inputs + self.network.contexts, 2*self.network.neurons)
        length = max(1, CHUNK_SIZE//(len(batch)*width))
        for start in range(0, max(1, max(map(len, batch))), length):
            counts = self._dense(batch, start, start + length).to(self.device)
            (spikes, v_a, v_s), state = self._advance(counts, state)
            steps, samples, neurons = (index.cpu().numpy() for index in spikes.nonzero(as_tuple=True))
            kept = ((v if states else v[:0]).cpu().numpy().astype(np.uint16) for v in (v_a, v_s))
            yield steps + start, samples, neurons, *kept

    def _check_sources(self, samples: Sequence[SpikeTrain]) -> None:
        limit = self.network.inputs + self.network.contexts
        for index, steps in enumerate(samples):
            if len(steps.sources) and not 0 <= int(steps.sources.min()) <= int(steps.sources.max()) < limit:
                bad = next(int(source) for source in steps.sources if not 0 <= source < limit)
                raise QCLIFError(f"sample {index}: source {bad}, the network has 0 to {limit - 1}: encode the "
                    f"recording with the network's encoder")

    def _dense(self, batch: Sequence[SpikeTrain], start: int, stop: int) -> torch.Tensor:
        """Counts int32 [steps, B, I + C] of a window, as long as the longest sample goes in it."""
        size   = self.network.inputs + self.network.contexts
        stop   = min(stop, max(map(len, batch), default=0))
        counts = np.zeros((stop - start, len(batch), size), np.int32)
        for b, steps in enumerate(batch):
            if start < len(steps):
                window = steps.slice(start, stop)
                counts[:len(window), b] = window.dense(size)
        return torch.from_numpy(counts)
