# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The time loop as one differentiable torch operation: weights and neurons in, spike counts out."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from accel.errors import QCLIFError
from host.data.batch import Batch
from host.network.golden import EXACT_FLOAT32
from host.training.bptt import dense, kernel
from host.training.bptt.neurons import Rule, Values


def spike_counts(batch: Batch, inputs: int, rule: Rule, values: Values) -> Tensor:
    """Spikes of each neuron in each clip of a batch, run from reset, with the gradient of the surrogate.

    Parameters
    ----------
    inputs : sources below this one excite the soma, the others the apical compartment.
    values : weights and neurons; integers in the contract. Their device decides: the kernels on the CPU, torch's
        operations elsewhere.

    Returns
    -------
    floating-point [B, K, N], exact integers.
    """
    if values.bias.device.type != "cpu":
        return dense.spike_counts(batch, inputs, rule, values)
    if rule.floored:
        # float32 has to hold the sums of currents exactly.
        rows  = int((batch.offsets[1:] - batch.offsets[:-1]).max(initial=0)) + len(values.threshold) + 1
        bound = rows*max(float(array.detach().abs().max()) for array in values[:3] if array.numel())
        if bound > EXACT_FLOAT32:
            raise QCLIFError(f"a step has {rows} events and spikes: their sum, up to {bound:.0f}, is not exact; "
                "shorten the time step (--bin-us)")
    return _SparseBPTT.apply(batch, inputs, rule, *values)


class _SparseBPTT(torch.autograd.Function):
    """The kernels of kernel.py."""

    @staticmethod
    def forward(ctx, batch: Batch, inputs: int, rule: Rule, *values: Tensor) -> Tensor:
        ctx.call = batch.offsets, batch.sources, batch.bounds, batch.length, inputs
        ctx.rule = rule
        # So that autograd refuses a backward pass after one of them was changed in place.
        ctx.save_for_backward(*values)
        counts, *ctx.kept = kernel.forward(*ctx.call, *_arrays(values), rule)
        return torch.from_numpy(counts)

    @staticmethod
    def backward(ctx, g_counts: Tensor):
        *gradients, g_neuron = kernel.backward(*ctx.call, *_arrays(ctx.saved_tensors), ctx.rule, *ctx.kept,
            g_counts.contiguous().numpy())
        return None, None, None, *map(torch.from_numpy, (*gradients, *g_neuron))


def _arrays(values: Sequence[Tensor]) -> Iterator[np.ndarray]:
    return (value.detach().numpy() for value in values)
