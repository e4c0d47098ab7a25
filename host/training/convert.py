# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Between networks that are trained and network files of the contract."""

import torch

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.network.network import ARRAYS, Network
from host.training.bptt.neurons import Values
from host.training.model import READOUT_SCALE, SpikingNetwork


@torch.no_grad()
def to_network(model: SpikingNetwork, encoder: Encoder, classes: list[str]) -> Network:
    """The network file of a trained network: the integers that it computes with. Raises QCLIFError for a neuron that
    the contract does not have.
    """
    arch = model.architecture
    if not arch.kind.on_accelerator:
        raise QCLIFError(f"a network of {arch.neuron} neurons ({arch.kind.text}) is no network of the contract: "
            f"train with --neuron qclif")
    if not arch.kind.gated and arch.contexts:
        raise QCLIFError(f"a LIF network takes its {arch.contexts} contexts at the soma, where the contract has "
            f"none: train with --neuron qclif")
    *values, readout = (value.cpu().to(torch.int32).numpy() for value in (*model.values(), model.integer_readout()))
    values = Values(*values)
    n, i = arch.neurons, arch.inputs
    network = Network(
        w_sensory          = values.w_in[:i],
        w_context          = values.w_in[i:],
        w_recurrent_soma   = values.w_rec[:, :n],
        w_recurrent_apical = values.w_rec[:, n:],
        bias_soma          = values.bias[:n],
        bias_apical        = values.bias[n:],
        leak_apical        = values.leak_apical,
        leak_soma          = values.leak_soma,
        threshold          = values.threshold,
        readout            = readout,
        weight_bits        = arch.weight_bits,
        state_bits         = arch.state_bits,
        current_bits       = arch.current_bits,
        apical_shift       = model.apical_shift,
        product_shift      = int(model.exponent),
        encoder            = encoder,
        classes            = classes)
    network.validate()
    return network


@torch.no_grad()
def start_from(model: SpikingNetwork, network: Network) -> None:
    """Begin with the solution of a trained network of the same sizes, at these widths. Raises QCLIFError for other
    sizes.
    """
    arch = model.architecture
    for name in ("neurons", "inputs", "contexts", "outputs"):
        if getattr(network, name) != getattr(arch, name):
            raise QCLIFError(f"the network to start from has {getattr(network, name)} {name}, this one "
                f"{getattr(arch, name)}: they must be equal")
    half, top = 2.0**(network.weight_bits - 1), float(network.state_max)
    units = {"weight": half, "readout": READOUT_SCALE, "leak": top, "threshold": top}
    for name, array in network.arrays().items():
        unit = half*2.0**-network.apical_shift if name == "leak_apical" else units[ARRAYS[name][1]]
        getattr(model, name).copy_(torch.from_numpy(array)/unit)
    # A product shrinks with its weights; V_a and V_s shrink alike.
    model.set_gain(network.product_shift + arch.weight_bits - network.weight_bits)
    model.clamp()
