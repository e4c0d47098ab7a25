# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Runs of networks on the spatial design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.asic.gatesim.neuron import OUTPUTS
from targets.asic.rtl.spatial import stimulus_bits
from targets.netlist.steps import Steps, pack, run_steps, unpack

# The design has its spikes inside, one neuron has them as a port.
STEPS = Steps(("weights_soma", "weights_apical", "bias_apical", "leak_soma", "leak_apical", "threshold"),
    ("sys_rst", "step", "contexts", "stimulus"), OUTPUTS)
NEURON_STEPS = replace(STEPS, inputs=("sys_rst", "step", "spikes", "contexts", "stimulus"))


@dataclass(frozen=True, eq=False)
class SpatialRun:
    """Spikes, and V_a and V_s [T, N], of a run."""
    spikes: SpikeTrain
    v_a:    np.ndarray
    v_s:    np.ndarray


def run_spatial(program: Path, config: AsicConfig, network: Network, inputs: SpikeTrain,
        environment: Mapping[str, str] | None = None) -> SpatialRun:
    """Run a recording on the whole design, from reset, one step a clock.

    Parameters
    ----------
    program : that takes STEPS.
    network : at most as large as the design, with its shifts.
    inputs : sources in the network's numbers; a context comes at most once in a step.
    environment : variables that the program is started with.

    Raises
    ------
    QCLIFError : the network or the inputs do not fit the design.
    """
    sizes = config.sizes
    ports = spatial_ports(config, network, inputs)
    beats = [pack(ports.contexts, 1), pack(ports.stimulus, stimulus_bits(sizes))]
    spike, v_a, v_s = (each[:, :network.neurons]
        for each in _after(program, environment, ports.constants, beats, sizes.neurons, sizes.state_bits))
    return SpatialRun(SpikeTrain.from_dense(spike), v_a, v_s)


def run_spatial_neuron(program: Path, config: AsicConfig, ports: "SpatialPorts", spikes: np.ndarray, neuron: int,
        environment: Mapping[str, str] | None = None) -> np.ndarray:
    """Run a recording on one neuron of the design alone, from reset, one step a clock.

    Parameters
    ----------
    program : that takes NEURON_STEPS.
    ports : of the network's run.
    spikes : of all neurons of the design after each step, integers [T, N]; the neuron sees those of the step before.
    environment : variables that the program is started with.

    Returns
    -------
    Spike, V_a and V_s of the neuron after each step, int64 [3, T].
    """
    sizes  = config.sizes
    before = np.concatenate([np.zeros_like(spikes[:1]), spikes[:-1]])
    beats  = [pack(before, 1), pack(ports.contexts, 1), pack(ports.stimulus[:, neuron, None], stimulus_bits(sizes))]
    still  = [(values[neuron], bits) for values, bits in ports.constants]
    return np.concatenate(_after(program, environment, still, beats, 1, sizes.state_bits), axis=1).T


def _after(program: Path, environment: Mapping[str, str] | None, constants: Sequence[tuple[np.ndarray, int]],
        beats: Sequence[np.ndarray], neurons: int, state_bits: int) -> list[np.ndarray]:
    """Spike, V_a and V_s [T, neurons] that a program gives, from its constants and the words of each port [T, n]."""
    held   = np.concatenate([pack(values.ravel(), bits) for values, bits in constants])
    # A reset, then a step a clock.
    inputs = np.pad(np.concatenate(beats, axis=1), ((1, 0), (2, 0)))
    inputs[0, 0] = inputs[1:, 1] = 1
    after  = run_steps(program, held, inputs, environment)[1:]
    return unpack(after, neurons, (1, state_bits, state_bits))


@dataclass(frozen=True, eq=False)
class SpatialPorts:
    """What the ports of the design get in a run, for all its neurons and contexts.

    Attributes
    ----------
    contexts, stimulus : of each step, int64 [T, C] and [T, N].
    constants : (values int64 [N, fields], bits of a field) of the ports that hold still, in the order of STEPS.
    """
    contexts:  np.ndarray
    stimulus:  np.ndarray
    constants: list[tuple[np.ndarray, int]]


def spatial_ports(config: AsicConfig, network: Network, inputs: SpikeTrain) -> SpatialPorts:
    """What the ports of the design get in a run of a network.

    Raises
    ------
    QCLIFError : the network or the inputs do not fit the design.
    """
    sizes  = config.sizes
    counts = inputs.dense(network.inputs + network.contexts).astype(np.int64)
    _check(config, network, counts)
    contexts = np.zeros((len(inputs), max(1, sizes.contexts)), np.int64)
    contexts[:, :network.contexts] = counts[:, network.inputs:]
    stimulus = np.zeros((len(inputs), sizes.neurons), np.int64)
    stimulus[:, :network.neurons]  = network.bias_soma + counts[:, :network.inputs] @ network.w_sensory
    return SpatialPorts(contexts, stimulus, _constants(sizes, network))


def _check(config: AsicConfig, network: Network, counts: np.ndarray) -> None:
    network.check_fits(config.sizes)
    for name in ("apical_shift", "product_shift"):
        if getattr(network, name) != getattr(config, name):
            raise QCLIFError(f"{name} of the network is {getattr(network, name)}, of the design "
                f"{getattr(config, name)}: generate the design with the network's")
    if counts[:, network.inputs:].max(initial=0) > 1:
        raise QCLIFError("a context comes more than once in a step, the spatial design takes it once: use --design "
            "core")
    if (most := int(counts.sum(axis=1).max(initial=0))) > config.sizes.step_events:
        raise QCLIFError(f"a step has {most} events, the design is for {config.sizes.step_events}: raise "
            "--step-events")


def _constants(sizes: QCLIFConfig, network: Network) -> list[tuple[np.ndarray, int]]:
    """Ports that hold still; neurons that the network lacks never fire."""
    neurons, contexts = sizes.neurons, sizes.contexts
    used   = slice(network.neurons)
    soma   = np.zeros((neurons, neurons), np.int64)
    apical = np.zeros((neurons, contexts + neurons), np.int64)
    soma[used, used]                                     = network.w_recurrent_soma.T
    apical[used, :network.contexts]                      = network.w_context.T
    apical[used, contexts:contexts + network.neurons]    = network.w_recurrent_apical.T
    parameters = np.zeros((4, neurons), np.int64)
    parameters[3] = sizes.state_max
    parameters[:, used] = network.bias_apical, network.leak_soma, network.leak_apical, network.threshold
    widths = (sizes.weight_bits, *[sizes.state_bits]*3)
    return [(soma, sizes.weight_bits), (apical, sizes.weight_bits),
        *((each[:, None], bits) for each, bits in zip(parameters, widths, strict=True))]
