# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The same network and gradient as the kernels', in torch's own operations: for GPUs, and to check the kernels by."""

import torch
from torch import Tensor

from host.data.batch import Batch
from host.training.bptt.neurons import Rule, Values


class Spike(torch.autograd.Function):
    """1 where u >= threshold; the gradient is a triangle around the threshold."""

    @staticmethod
    def forward(ctx, u: Tensor, threshold: Tensor, rule: Rule) -> Tensor:
        ctx.save_for_backward(u, threshold)
        ctx.rule = rule
        return (u >= threshold).to(u.dtype)

    @staticmethod
    def backward(ctx, g_z: Tensor):
        u, threshold = ctx.saved_tensors
        reach = ctx.rule.width*threshold
        slope = g_z*ctx.rule.height*(1 - (u - threshold).abs()/reach).clamp(min=0)/reach
        return slope, -slope, None


class _Clamp(torch.autograd.Function):
    """clamp(value, low, high), whose gradient passes inside and where it leads back inside."""

    @staticmethod
    def forward(ctx, value: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(value)
        ctx.limits = low, high
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx, g: Tensor):
        value, = ctx.saved_tensors
        low, high = ctx.limits
        return g*(((value > low) | (g < 0)) & ((value < high) | (g > 0))), None, None


def floored(value: Tensor, rule: Rule) -> Tensor:
    """Rounded down where the rule's shifts do; the gradient passes as it is."""
    return value + (value.floor() - value).detach() if rule.floored else value


def _leaked(v: Tensor, leak: Tensor, rule: Rule) -> Tensor:
    if rule.exponential:
        return v - floored(v*leak/rule.state_span, rule)
    return torch.where(v > leak, v - leak, 0)


def _contract_step(i_s: Tensor, i_a: Tensor, v_a: Tensor, u: Tensor, z: Tensor, values: Values, rule: Rule
        ) -> tuple[Tensor, Tensor]:
    current = _Clamp.apply(floored(i_a*rule.apical_scale, rule), rule.current_min, rule.current_max)
    v_a     = _Clamp.apply(_leaked(v_a, values.leak_apical, rule) + current, 0.0, rule.v_max)
    current = _Clamp.apply(i_s, rule.current_min, rule.current_max)
    drive   = floored(current*v_a*rule.product_scale, rule)
    v_s     = u - z*values.threshold
    return v_a, _Clamp.apply(_leaked(v_s, values.leak_soma, rule) + drive, 0.0, rule.v_max)


def _clif_step(i_s: Tensor, i_a: Tensor, v_a: Tensor, u: Tensor, z: Tensor, values: Values, rule: Rule
        ) -> tuple[Tensor, Tensor]:
    v_a  = values.leak_apical*v_a + (1 - values.leak_apical)*i_a
    gate = v_a.relu() if rule.gated else 1
    u    = values.leak_soma*u + (1 - values.leak_soma)*i_s*gate - z*values.threshold
    return v_a, u


def spike_counts(batch: Batch, inputs: int, rule: Rule, values: Values) -> Tensor:
    """Spike counts float64 [B, K, N] of a batch, on the device of the values; differentiable.

    Parameters are those of bptt.spike_counts(). Computes in float64, in which the contract's integers are exact.
    """
    device   = values.bias.device
    values   = Values(*(value.double() for value in values))
    neurons  = len(values.threshold)
    x        = torch.from_numpy(batch.dense(len(values.w_in))).to(device).double()
    # Currents of the inputs of all steps at once; only the recurrent ones need the steps one by one.
    soma     = x[..., :inputs] @ values.w_in[:inputs] + values.bias[:neurons]
    apical   = x[..., inputs:] @ values.w_in[inputs:] + values.bias[neurons:]
    bounds   = torch.from_numpy(batch.bounds).to(device)
    step     = _contract_step if rule.contract else _clif_step
    v_a = u = z = torch.zeros(batch.size, neurons, dtype=torch.float64, device=device)
    spikes = []
    for i_s, i_a in zip(soma, apical, strict=True):
        recurrent = z @ values.w_rec
        v_a, u = step(i_s + recurrent[:, :neurons], i_a + recurrent[:, neurons:], v_a, u, z, values, rule)
        z      = Spike.apply(u, values.threshold, rule)
        spikes.append(z)
    time  = torch.arange(len(spikes), device=device)
    clips = (time >= bounds[:, :-1, None]) & (time < bounds[:, 1:, None])
    return torch.einsum("bkt,tbn->bkn", clips.double(), torch.stack(spikes))
