# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Runs of networks on the spatial design, RTL or netlist, as a whole or neuron by neuron.

Of a netlist, all neurons are the same module, so that one program does for them. A neuron sees the golden model's
spikes of the step before. As long as all neurons' own spikes are the golden model's, and the top is nothing but their
wiring and its buffers, that is the run of the whole netlist, of whatever size.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenResult
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.asic.platform.cells import buffer_pins
from targets.asic.rtl.spatial import neuron_ports, output_ports, shared_ports, stimulus_bits
from targets.liberty.library import Library
from targets.netlist.comparison import NetlistProgram
from targets.netlist.netlist import Instance, Module, Netlist
from targets.netlist.steps import Steps, pack, run_steps, unpack
from targets.netlist.toggles import Activity
from targets.sim.core import CoreRun

OUTPUTS = ("spike", "v_apical", "v_soma")

NEURON = "qclif_spatial_neuron"

# The design has its spikes inside, one neuron has them as a port.
STEPS = Steps(("weights_soma", "weights_apical", "bias_apical", "leak_soma", "leak_apical", "threshold"),
    ("sys_rst", "step", "contexts", "stimulus"), OUTPUTS)
NEURON_STEPS = replace(STEPS, inputs=("sys_rst", "step", "spikes", "contexts", "stimulus"))


def run_spatial(program: Path, config: AsicConfig, network: Network, inputs: SpikeTrain,
        environment: Mapping[str, str] | None = None) -> CoreRun:
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
    contexts, stimulus, constants = spatial_ports(config, network, inputs)
    beats = [pack(contexts, 1), pack(stimulus, stimulus_bits(sizes))]
    spike, v_a, v_s = (each[:, :network.neurons]
        for each in _after(program, environment, constants, beats, sizes.neurons, sizes.state_bits))
    return CoreRun(SpikeTrain.from_dense(spike), v_a, v_s, {})


def _after(program: Path, environment: Mapping[str, str] | None, constants: Sequence[tuple[np.ndarray, int]],
        beats: Sequence[np.ndarray], neurons: int, state_bits: int) -> list[np.ndarray]:
    """Spike, V_a and V_s [T, neurons] that a program gives, from its constants and the words of each port [T, n]."""
    held   = np.concatenate([pack(values.ravel(), bits) for values, bits in constants])
    # A reset, then a step a clock.
    inputs = np.pad(np.concatenate(beats, axis=1), ((1, 0), (2, 0)))
    inputs[0, 0] = inputs[1:, 1] = 1
    after  = run_steps(program, held, inputs, environment)[1:]
    return unpack(after, neurons, (1, state_bits, state_bits))


def spatial_ports(config: AsicConfig, network: Network, inputs: SpikeTrain
        ) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, int]]]:
    """What the ports of the design get in a run of a network, for all its neurons and contexts.

    Returns
    -------
    Contexts and stimulus of each step, int64 [T, C] and [T, N]; and (values int64 [N, fields], bits of a field) of the
    ports that hold still, in the order of STEPS.

    Raises
    ------
    QCLIFError : the network or the inputs do not fit the design.
    """
    sizes  = config.sizes
    counts = inputs.dense(network.inputs + network.contexts).astype(np.int64)
    network.check_fits(sizes)
    for name in ("apical_shift", "product_shift"):
        if getattr(network, name) != getattr(config, name):
            raise QCLIFError(f"{name} of the network is {getattr(network, name)}, of the design "
                f"{getattr(config, name)}: generate the design with the network's")
    if counts[:, network.inputs:].max(initial=0) > 1:
        raise QCLIFError("a context comes more than once in a step, the spatial design takes it once: use --design "
            "core")
    if (most := int(counts.sum(axis=1).max(initial=0))) > sizes.step_events:
        raise QCLIFError(f"a step has {most} events, the design is for {sizes.step_events}: raise "
            "--step-events")
    contexts = np.zeros((len(inputs), max(1, sizes.contexts)), np.int64)
    stimulus = np.zeros((len(inputs), sizes.neurons), np.int64)
    soma     = np.zeros((sizes.neurons, sizes.neurons), np.int64)
    apical   = np.zeros((sizes.neurons, sizes.contexts + sizes.neurons), np.int64)
    # Neurons that the network lacks never fire.
    parameters    = np.zeros((4, sizes.neurons), np.int64)
    parameters[3] = sizes.state_max
    used = slice(network.neurons)
    contexts[:, :network.contexts]  = counts[:, network.inputs:]
    stimulus[:, used]               = network.bias_soma + counts[:, :network.inputs] @ network.w_sensory
    soma[used, used]                = network.w_recurrent_soma.T
    apical[used, :network.contexts] = network.w_context.T
    apical[used, sizes.contexts:sizes.contexts + network.neurons] = network.w_recurrent_apical.T
    parameters[:, used] = network.bias_apical, network.leak_soma, network.leak_apical, network.threshold
    widths = (sizes.weight_bits, *[sizes.state_bits]*3)
    return contexts, stimulus, [(soma, sizes.weight_bits), (apical, sizes.weight_bits),
        *((each[:, None], bits) for each, bits in zip(parameters, widths, strict=True))]

# Neuron by neuron ---------------------------------------------------------------------------------

def is_wiring(netlist: Netlist, library: Library, config: AsicConfig) -> bool:
    """Whether the top holds N neurons, each at its part of the top's ports, and nothing else but buffers."""
    top, neurons = netlist.modules[netlist.top], neurons_of(netlist)
    others       = [each for each in top.instances if each.cell != NEURON]
    if sorted(neurons) != list(range(config.sizes.neurons)) or not all(_buffer(each, library) for each in others):
        return False
    sources = sources_of(top, library)
    return all(_is_wired(top, sources, number, each, config) for number, each in neurons.items())


def neurons_of(netlist: Netlist) -> dict[int, Instance]:
    """Neurons in the top by their numbers, from their names neuron<number>."""
    found = ((re.fullmatch(r"neuron(\d+)", each.name), each) for each in netlist.modules[netlist.top].instances
        if each.cell == NEURON)
    return {int(match[1]): each for match, each in found if match}


def _buffer(instance: Instance, library: Library) -> tuple[str, str] | None:
    """Input and output of a buffer, None where it is another cell."""
    cell = library.cells.get(instance.cell)
    return None if cell is None else buffer_pins(cell)


def sources_of(top: Module, library: Library) -> list[int]:
    """For each net of the top the one that it has its values from, through wires and buffers; or a constant."""
    before = {}
    for each in top.instances:
        if pins := _buffer(each, library):
            before[top.resolve(each.pins[pins[1]][0])] = each.pins[pins[0]][0]

    def source(net: int) -> int:
        net = top.resolve(net)
        for _ in before: # No way is longer, unless it is a loop.
            if net not in before:
                break
            net = top.resolve(before[net])
        return net

    return [source(net) for net in range(len(top.nets))]


def _is_wired(top: Module, sources: list[int], number: int, instance: Instance, config: AsicConfig) -> bool:
    sizes  = config.sizes
    shared = {**dict.fromkeys((*shared_ports(sizes), "sys_clk", "sys_rst")), "spikes": "spike"}
    wanted = {port: top.ports[outer or port][1] for port, outer in shared.items()}
    for port, bits in (neuron_ports(sizes) | output_ports(sizes)).items():
        wanted[port] = top.ports[port][1][number*bits:(number + 1)*bits]
    return all([net if net < 0 else sources[net] for net in instance.pins.get(port, ())]
        == [sources[net] for net in nets] for port, nets in wanted.items())


def run_neurons(config: AsicConfig, gates: NetlistProgram, network: Network, inputs: SpikeTrain, golden: GoldenResult
        ) -> tuple[CoreRun, Activity | None]:
    """Run each neuron of the design on a recording.

    Parameters
    ----------
    gates : program of the module NEURON, and the netlist of the whole design.
    golden : of the run, spikes among it.

    Returns
    -------
    What the neurons gave, and the activity of the whole netlist.
    """
    sizes  = config.sizes
    contexts, stimulus, constants = spatial_ports(config, network, inputs)
    before = np.zeros((len(inputs), sizes.neurons), np.int64)
    before[1:, :network.neurons] = golden.spikes.dense(network.neurons)[:-1]
    found, activities = np.zeros((sizes.neurons, 3, len(inputs)), np.int64), {}
    for number in range(sizes.neurons):
        one   = replace(gates, seed=gates.seed + number, netlist=gates.netlist.below(NEURON))
        beats = [pack(before, 1), pack(contexts, 1), pack(stimulus[:, number, None], stimulus_bits(sizes))]
        still = [(values[number], bits) for values, bits in constants]
        after = _after(gates.program, one.environment(), still, beats, 1, sizes.state_bits)
        found[number] = np.concatenate(after, axis=1).T
        activities[number] = one.activity()
    spike, v_a, v_s = found[:network.neurons].transpose(1, 2, 0)
    return CoreRun(SpikeTrain.from_dense(spike), v_a, v_s, {}), \
        None if gates.file is None else _joined(gates.netlist, gates.library, activities)


def _joined(netlist: Netlist, library: Library, activities: Mapping[int, Activity]) -> Activity:
    """Activity of the whole netlist: the top's nets are those at the neurons' ports."""
    top, ports = netlist.modules[netlist.top], netlist.modules[NEURON].ports
    sources    = sources_of(top, library)
    clocks     = next(iter(activities.values())).clocks
    result     = Activity(clocks, {(): np.zeros(len(top.nets), np.int64)}, {(): np.zeros(len(top.nets))})
    for number, instance in neurons_of(netlist).items():
        each = activities[number]
        for whole, part in ((result.toggles, each.toggles), (result.ones, each.ones)):
            whole |= {(instance.name, *path): values for path, values in part.items()}
            for port, nets in instance.pins.items():
                known = [(sources[outer], inner) for outer, inner in zip(nets, ports[port][1], strict=True)
                    if outer >= 0 and sources[outer] >= 0]
                whole[()][[outer for outer, _ in known]] = part[()][[inner for _, inner in known]]
    for whole, one in ((result.toggles, 0), (result.ones, clocks)):
        whole[()] = np.concatenate([whole[()], np.array([0, one, 0], whole[()].dtype)])[sources]
    return result
