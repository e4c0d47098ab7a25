# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Networks of other frameworks, trained, run and exported to NIR: a program for the environment of each.

    python nir_peers.py FRAMEWORK KIND DATA.npz FOLDER
    python nir_peers.py FRAMEWORK load INPUTS.npz FOLDER

reads digits as spikes (train, test [samples, T, I] and their labels, train_labels, test_labels), trains a network of a
kind on them, and writes into the folder graph.nir, and peer.npz: spikes [samples, T, n] of each population on `test`
and the class that the framework itself gives. It knows nothing of this project. An exporter that cannot say the kind
ends with exit code 3 and the reason. The second loads graph.nir of the folder instead, and writes the outputs [T, O]
that it gives for `inputs` [T, I] to outputs.npy.
"""

import importlib
import sys
from pathlib import Path

import nir
import numpy as np
import torch

KINDS   = {"one layer": [10], "three layers": [64, 48, 10], "recurrent": [64, 10]}
EPOCHS  = 20
BATCH   = 100
RATE    = 3e-3
DECAY   = 0.1


class CannotSay(Exception):
    """The framework exports no such network; says why."""


def step_function(x):
    """Spikes of potentials above 0, in their own precision; backwards the derivative of a fast sigmoid."""
    return Step.apply(x)


class Step(torch.autograd.Function):
    """A step with a surrogate gradient."""
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient/(1 + 10*x.abs())**2


def sizes(kind, inputs):
    """Pairs of sources and neurons, a layer each."""
    return list(zip([inputs, *KINDS[kind][:-1]], KINDS[kind], strict=True))


class Snntorch:
    """snnTorch: Leaky and RLeaky, which are lowered by the threshold a step late."""
    def __init__(self, kind, inputs):
        import snntorch

        shared  = {"init_hidden": True, "spike_grad": step_function}
        modules = []
        for index, (sources, n) in enumerate(sizes(kind, inputs)):
            modules.append(torch.nn.Linear(sources, n))
            if kind == "recurrent" and index == 0:
                neurons = snntorch.RLeaky(beta=0.8, linear_features=n, **shared)
                with torch.no_grad():
                    neurons.recurrent.weight.mul_(0.5)
            else:
                neurons = snntorch.Leaky(beta=0.8*torch.ones(n), threshold=torch.ones(n), **shared)
            modules.append(neurons)
        self.net = torch.nn.Sequential(*modules)

    def run(self, x):
        layers = [[] for module in self.net if hasattr(module, "reset_mem")]
        for module in self.net:
            if hasattr(module, "reset_mem"):
                module.reset_mem()
        for value in x.transpose(0, 1):
            spikes = iter(layers)
            for module in self.net:
                value = module(value)
                if hasattr(module, "reset_mem"):
                    next(spikes).append(value)
        return [torch.stack(layer, 1) for layer in layers]

    def export(self, x):
        from snntorch.export_nir import export_to_nir

        return export_to_nir(self.net, x[:1, 0], ignore_dims=[0])


class Norse:
    """Norse: LIFBoxCell, set to its reset when it fires."""
    def __init__(self, kind, inputs):
        import norse.torch as norse

        if kind == "recurrent":
            raise CannotSay("to_nir() of 1.1.0 fails on RecurrentSequential (AttributeError), and LIFBoxCell "
                "has no recurrent weights")
        modules = []
        for sources, n in sizes(kind, inputs):
            # A value a neuron: nir.write() refuses parameters without an axis.
            parameters = norse.LIFBoxParameters(tau_mem_inv=torch.full((n,), 200.0), v_th=torch.full((n,), 0.2),
                v_leak=torch.zeros(n), alpha=torch.tensor(20.0))
            modules += [torch.nn.Linear(sources, n), norse.LIFBoxCell(parameters)]
        self.net = norse.SequentialState(*modules)

    def run(self, x):
        layers = [[] for module in self.net if hasattr(module, "initial_state")]
        states = [None]*len(layers)
        for value in x.transpose(0, 1):
            index = 0
            for module in self.net:
                if hasattr(module, "initial_state"):
                    value, states[index] = module(value, states[index])
                    layers[index].append(value)
                    index += 1
                else:
                    value = module(value)
        return [torch.stack(layer, 1) for layer in layers]

    def export(self, x):
        import norse.torch as norse

        return norse.to_nir(self.net, x[:1, 0])


class Sinabs:
    """Sinabs: LIF with one spike a step, lowered by its threshold."""
    def __init__(self, kind, inputs):
        import sinabs.activation as activation
        import sinabs.layers as layers

        if kind == "recurrent":
            raise CannotSay("to_nir() of 2.0.3 does not support LIFRecurrent (NotImplementedError)")
        modules = []
        for sources, n in sizes(kind, inputs):
            linear = torch.nn.Linear(sources, n)
            with torch.no_grad():
                linear.weight.mul_(5)
            # A value a neuron: nir.write() refuses parameters without an axis.
            modules += [linear, layers.LIF(tau_mem=torch.full((n,), 5.0), spike_threshold=torch.ones(n),
                spike_fn=activation.SingleSpike, surrogate_grad_fn=activation.SingleExponential())]
        self.net = torch.nn.Sequential(*modules)

    def run(self, x):
        layers, dtype = [], x.dtype
        for module in self.net:
            if hasattr(module, "reset_states"):
                module.reset_states()
            # Its spikes are float32 whatever comes in.
            x = module(x).to(dtype)
            if hasattr(module, "reset_states"):
                layers.append(x)
        return layers

    def export(self, x):
        from sinabs.nir import to_nir

        # One more run, so that states have the shape of one sample.
        return to_nir(self.net, x[:1])


class RockpoolStep:
    """Rockpool's own gradient is that of any number of spikes a step; with one, it hardly learns."""
    @staticmethod
    def apply(x, threshold, window, most):
        return step_function(x - threshold)


class Rockpool:
    """Rockpool: LIFNeuronTorch with one spike a step, lowered by its threshold."""
    def __init__(self, kind, inputs):
        from rockpool.nn.combinators import Sequential
        from rockpool.nn.modules import LIFNeuronTorch, LinearTorch

        if kind == "recurrent":
            raise CannotSay("to_nir() of 3.1.0 writes LIFTorch(has_rec=True) without its recurrent weights")
        modules = []
        for sources, n in sizes(kind, inputs):
            modules += [LinearTorch((sources, n)), LIFNeuronTorch(n, tau_mem=torch.tensor(0.005), dt=1e-3,
                threshold=torch.tensor(1.0), spike_generation_fn=RockpoolStep)]
        self.net = Sequential(*modules)

    def run(self, x):
        layers, dtype = [], x.dtype
        for module in self.net:
            module.reset_state()
            # Its spikes are float32 whatever comes in.
            x = module(x)[0].to(dtype)
            if "LIF" in type(module).__name__:
                layers.append(x)
        return layers

    def export(self, x):
        from rockpool.nn.modules.torch.nir import to_nir

        return to_nir(self.net, x[:1])


class Spikingjelly:
    """SpikingJelly: LIFNode, set to its reset when it fires."""
    def __init__(self, kind, inputs):
        from spikingjelly.activation_based import layer, neuron

        if kind == "recurrent":
            raise CannotSay("export_to_nir() of 2.0.0 fails on LinearRecurrentContainer (TraceError)")
        modules = []
        for sources, n in sizes(kind, inputs):
            modules += [layer.Linear(sources, n), neuron.LIFNode(tau=5.0, decay_input=False, v_reset=0.0)]
        self.net = torch.nn.Sequential(*modules)

    def run(self, x):
        from spikingjelly.activation_based import functional

        functional.reset_net(self.net)
        layers = [[] for module in self.net if hasattr(module, "v_threshold")]
        for value in x.transpose(0, 1):
            spikes = iter(layers)
            for module in self.net:
                value = module(value)
                if hasattr(module, "v_threshold"):
                    next(spikes).append(value)
        return [torch.stack(layer, 1) for layer in layers]

    def export(self, x):
        from spikingjelly.activation_based import functional
        from spikingjelly.activation_based.nir_exchange import export_to_nir

        functional.reset_net(self.net)
        return export_to_nir(self.net, x[:1, 0], dt=1e-4)


def loaded(framework, path):
    """A graph of ours as the framework's module, called with a row of inputs and a state."""
    graph = nir.read(path)
    if framework == "snntorch":
        from snntorch.import_nir import import_from_nir

        return import_from_nir(graph)
    if framework == "norse":
        import norse.torch as norse

        return norse.from_nir(graph, dt=1e-4)
    if framework == "spikingjelly":
        from spikingjelly.activation_based.nir_exchange import import_from_nir

        return import_from_nir(graph, dt=1e-4)
    raise CannotSay("its neurons are lowered by their threshold, those of NIR are set to v_reset")


def load(framework, data, folder):
    """Run a graph of ours step by step."""
    module, state, outputs = loaded(framework, folder/"graph.nir"), None, []
    with torch.no_grad():
        for row in torch.tensor(np.load(data)["inputs"], dtype=torch.float32):
            output, state = module(row[None], state)
            outputs.append(output[0].numpy())
    np.save(folder/"outputs.npy", np.array(outputs))


PEERS = {"snntorch": Snntorch, "norse": Norse, "sinabs": Sinabs, "rockpool": Rockpool, "spikingjelly": Spikingjelly}


def train(peer, x, labels, epochs):
    """Train on spikes [samples, T, I]: the outputs' counts are the logits, and a little rate is asked of all."""
    # Not the time constants and thresholds that some count among them. Rockpool has parameters() of its own.
    weights   = [each for name, each in torch.nn.Module.named_parameters(peer.net)
        if name.rsplit(".", 1)[-1] in ("weight", "bias") and each.ndim and each.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    generator = torch.Generator().manual_seed(0)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x), generator=generator).split(BATCH):
            *_, output = peer.run(x[batch])
            loss = torch.nn.functional.cross_entropy(output.sum(1)/2, labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}", file=sys.stderr)


def main():
    framework, kind, data, folder = sys.argv[1:]
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = Path(folder)
    try:
        if kind == "load":
            load(framework, data, folder)
            return
        file = np.load(data)
        x    = torch.tensor(file["train"], dtype=torch.float32)
        peer = PEERS[framework](kind, x.shape[2])
        train(peer, x, torch.tensor(file["train_labels"]), EPOCHS)
        test = torch.tensor(file["test"], dtype=torch.float32)
        graph = peer.export(test)
        nir.write(folder/"graph.nir", graph)
        # The graph has the weights in float32; potentials are added up in float64, as the comparison does.
        peer.net.double()
        with torch.no_grad():
            layers = peer.run(test.double())
    except CannotSay as reason:
        print(reason)
        sys.exit(3)
    arrays = {f"spikes{index}": layer.numpy().astype(np.uint8) for index, layer in enumerate(layers)}
    np.savez(folder/"peer.npz", classes=layers[-1].sum(1).argmax(1).numpy(),
        version=importlib.import_module("importlib.metadata").version(framework), **arrays)


if __name__ == "__main__":
    main()
