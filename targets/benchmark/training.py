# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Speed of training beside the same networks written the usual way: one step's matrix products inside the time loop."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import torch
from torch import Tensor, nn

from accel.errors import QCLIFError
from host.data.batch import Batch
from host.events.spike_train import SpikeTrain
from host.training.architecture import Architecture
from host.training.bptt import dense
from host.training.bptt.dense import Spike, floored
from host.training.bptt.operation import spike_counts
from host.training.model import SpikingNetwork
from targets.tools.progress import StageDisplay, StageProgress

# How a network is written: the usual way in torch and in snntorch, then host.training's.
LOOP, RLEAKY, DENSE, KERNELS = "torch, step by step", "snntorch RLeaky", "dense.py (torch)", "kernel.py (events)"

# Trials of the factor on the sensory weights at which neurons fire as often as asked.
TRIALS = 12


@dataclass(frozen=True)
class Setup:
    """What is measured.

    Parameters
    ----------
    inputs, neurons, steps, batch : I, N, T, B; every neuron is recurrent, there are no contexts.
    activity : share of the inputs that fire in a step, at random.
    rate : share of the neurons that fire in a step.
    repeats : timed runs of each way, in turn; their medians count.
    """
    inputs:   int = 512
    neurons:  int = 200
    steps:    int = 100
    batch:    int = 64
    activity: float = 0.05
    rate:     float = 0.04
    repeats:  int = 15


class Way(NamedTuple):
    """A network written in one way: tensors whose gradients are computed, and its spikes of each neuron over the steps
    [B, N], differentiable."""
    text:       str
    parameters: list[Tensor]
    counts:     Callable[[], Tensor]


# Peers --------------------------------------------------------------------------------------------

def plain_loop(model: SpikingNetwork, inputs: Tensor) -> Tensor:
    """Spikes float32 [B, N] of a qCLIF network without contexts, as one writes it in torch: clamps end the gradient.

    Parameters
    ----------
    inputs : counts float32 [T, B, I].
    """
    rule, values, n = model.rule, model.values(), model.architecture.neurons
    v_a = v_s = z = torch.zeros(inputs.shape[1], n, device=inputs.device)
    spikes = []
    for x in inputs:
        recurrent = torch.addmm(values.bias, z, values.w_rec)
        i_s = torch.addmm(recurrent[:, :n], x, values.w_in).clamp(rule.current_min, rule.current_max)
        i_a = floored(recurrent[:, n:]*rule.apical_scale, rule).clamp(rule.current_min, rule.current_max)
        v_a = ((v_a - values.leak_apical).relu() + i_a).clamp(0, rule.v_max)
        d   = floored(i_s*v_a*rule.product_scale, rule)
        u   = ((v_s - values.leak_soma).relu() + d).clamp(0, rule.v_max)
        z   = Spike.apply(u, values.threshold, rule)
        v_s = u - z*values.threshold
        spikes.append(z)
    return torch.stack(spikes).sum(dim=0)


class RLeakyNetwork(nn.Module):
    """A LIF network as snntorch has it: a linear layer and recurrent neurons, called step by step.

    Parameters
    ----------
    model : network of lif neurons, whose values it takes.
    """
    def __init__(self, model: SpikingNetwork) -> None:
        super().__init__()
        import snntorch

        n, values   = model.architecture.neurons, model.values()
        self.linear = nn.Linear(model.architecture.inputs, n)
        self.neuron = snntorch.RLeaky(values.leak_soma.detach().clone(), linear_features=n, learn_beta=True,
            threshold=values.threshold.detach().clone(), learn_threshold=True)
        # Its currents are not multiplied by what decays in a step: the weights are.
        share = (1 - values.leak_soma).detach()
        with torch.no_grad():
            self.linear.weight.copy_((values.w_in*share).T)
            self.linear.bias.copy_(values.bias[:n]*share)
            self.neuron.recurrent.weight.copy_((values.w_rec[:, :n]*share).T)
            self.neuron.recurrent.bias.zero_()
        self.to(values.bias.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """Spikes float32 [B, N] of counts float32 [T, B, I]."""
        spike, potential = self.neuron.reset_mem()
        spikes = []
        for x in inputs:
            spike, potential = self.neuron(self.linear(x), spike, potential)
            spikes.append(spike)
        return torch.stack(spikes).sum(dim=0)


# What is measured ---------------------------------------------------------------------------------

def random_batch(setup: Setup) -> Batch:
    """Samples of one clip whose inputs fire at random."""
    rng   = np.random.default_rng(0)
    steps = [SpikeTrain.from_dense(rng.random((setup.steps, setup.inputs)) < setup.activity)
        for _ in range(setup.batch)]
    return Batch.from_steps(steps, np.zeros(setup.batch))


@torch.no_grad()
def firing_network(neuron: str, setup: Setup, batch: Batch) -> SpikingNetwork:
    """An untrained network that fires about as often as the setup asks: its sensory weights are scaled."""
    model   = SpikingNetwork(Architecture(neuron, setup.neurons, setup.inputs))
    model.calibrate(batch, setup.rate)
    initial = model.w_sensory.clone()
    low, high = 0.0, 2.0
    for _ in range(TRIALS):
        factor = (low + high)/2
        model.w_sensory.copy_(initial*factor)
        rate   = model(batch)[0].mean().item()/setup.steps
        low, high = (factor, high) if rate < setup.rate else (low, factor)
    return model


def ways(model: SpikingNetwork, batch: Batch, device: str, note: StageProgress) -> list[Way]:
    """A network written in each way that runs here, the usual one first.

    Parameters
    ----------
    note : called with a line where a way cannot be measured.
    """
    arch   = model.architecture
    model  = model.to(device)
    inputs = torch.from_numpy(batch.dense(arch.inputs)).to(device).float()
    own    = [each for each in model.parameters() if each is not model.readout]
    found  = []
    if arch.kind.integer:
        found.append(Way(LOOP, own, lambda: plain_loop(model, inputs)))
    else:
        try:
            peer = RLeakyNetwork(model)
            found.append(Way(RLEAKY, list(peer.parameters()), lambda: peer(inputs)))
        except ModuleNotFoundError:
            note("snntorch is not installed, its row is left out: pip install snntorch brings it")

    def ours(compute: Callable[..., Tensor]) -> Callable[[], Tensor]:
        return lambda: compute(batch, arch.soma_sources, model.rule, model.values())[:, 0]

    found.append(Way(DENSE, own, ours(dense.spike_counts)))
    if device == "cpu":
        found.append(Way(KERNELS, own, ours(spike_counts)))
    return found


def _timed(way: Way, weight: Tensor) -> tuple[float, float, Tensor]:
    """Milliseconds forward and backward, and the counts."""

    def now() -> float:
        if weight.is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter()*1000

    for each in way.parameters:
        each.grad = None
    start  = now()
    counts = way.counts()
    middle = now()
    # A gradient of its own for each neuron and sample, as a loss has it.
    counts.backward(weight.to(counts.dtype))
    return middle - start, now() - middle, counts.detach()


def bench_training(progress: StageDisplay, setup: Setup = Setup()) -> list[dict[str, object]]:
    """Milliseconds of forward and gradient of one batch, beside the same network written the usual way."""
    rows, batch = [], random_batch(setup)
    # As many of torch's as the kernels have.
    threads, before = numba.get_num_threads(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for neuron in ("qclif", "lif"):
            progress(f"{neuron}: network whose neurons fire in {setup.rate:.0%} of the steps")
            model = firing_network(neuron, setup, batch)
            for device in ["cpu"] + ["cuda"]*torch.cuda.is_available():
                progress(f"{neuron} on {device}: {setup.inputs} inputs, {setup.neurons} neurons, {setup.steps} steps, "
                    f"batch of {setup.batch}, {setup.repeats} times each way")
                rows += _rows(ways(model, batch, device, progress.console.print), setup,
                    {"network": neuron, "device": device, "threads": threads})
    finally:
        torch.set_num_threads(before)
    return rows


def _rows(found: list[Way], setup: Setup, labels: dict[str, object]) -> list[dict[str, object]]:
    weight = torch.randn(setup.batch, setup.neurons, generator=torch.Generator().manual_seed(0))
    weight = weight.to(found[0].parameters[0].device)
    # The first time compiles, and is not counted.
    counts = [_timed(way, weight)[2] for way in found]
    if labels["network"] == "qclif" and not all(torch.equal(each.double(), counts[0].double()) for each in counts):
        raise QCLIFError("the ways to train qclif differ in their spikes: report this")
    rounds = [[_timed(way, weight)[:2] for way in found] for _ in range(setup.repeats)]
    times  = [*zip(*rounds, strict=True)]
    totals = [statistics.median(map(sum, measured)) for measured in times]
    usual  = totals[0] if found[0].text in (LOOP, RLEAKY) else None
    return [{**labels, "written": way.text,
        "forward_ms":    round(statistics.median(forward for forward, _ in measured), 1),
        "backward_ms":   round(statistics.median(backward for _, backward in measured), 1),
        "total_ms":      round(total, 1),
        "times_faster":  round(usual/total, 1) if usual else None,
        "inputs_active": setup.activity,
        "firing":        round(spikes.mean().item()/setup.steps, 3)}
        for way, measured, total, spikes in zip(found, times, totals, counts, strict=True)]
