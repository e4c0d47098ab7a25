# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The time loop as one differentiable torch operation: weights and neurons in, spike counts out."""

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
        _check_exact(batch, values)
    return _SparseBPTT.apply(batch, inputs, rule, *values)


def _check_exact(batch: Batch, values: Values) -> None:
    """Refuse sums of currents that float32 does not hold exactly."""
    rows  = int((batch.offsets[1:] - batch.offsets[:-1]).max(initial=0)) + len(values.threshold) + 1
    bound = rows*max(float(array.detach().abs().max()) for array in values[:3] if array.numel())
    if bound > EXACT_FLOAT32:
        raise QCLIFError(f"a step has {rows} events and spikes: their sum, up to {bound:.0f}, is not exact; shorten "
            f"the time step (--bin-us)")


class _SparseBPTT(torch.autograd.Function):
    """The kernels of kernel.py."""

    @staticmethod
    def forward(ctx, batch: Batch, inputs: int, rule: Rule, *values: Tensor) -> Tensor:
        arrays = Values(*(value.detach().numpy() for value in values))
        counts, *ctx.kept = kernel.forward(batch.offsets, batch.sources, batch.bounds, batch.length, inputs, *arrays,
            rule)
        ctx.call = batch, inputs, rule, arrays
        return torch.from_numpy(counts)

    @staticmethod
    def backward(ctx, g_counts: Tensor):
        batch, inputs, rule, arrays = ctx.call
        *gradients, g_neuron = kernel.backward(batch.offsets, batch.sources, batch.bounds, batch.length, inputs,
            *arrays, rule, *ctx.kept, g_counts.contiguous().numpy())
        return None, None, None, *map(torch.from_numpy, (*gradients, *g_neuron))
