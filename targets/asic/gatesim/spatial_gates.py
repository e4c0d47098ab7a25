# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The spatial design's netlist neuron by neuron: one program for all of them, which are the same module.

A neuron sees the golden model's spikes of the step before. As long as all neurons' own spikes are the golden model's,
and the top is nothing but their wiring and its buffers, that is the run of the whole netlist, of whatever size.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenResult
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.asic.gatesim.spatial import SpatialRun, run_spatial_neuron, spatial_ports
from targets.asic.platform.cells import buffer_pins
from targets.asic.rtl.spatial import neuron_ports, output_ports, shared_ports
from targets.liberty.library import Library
from targets.netlist.comparison import NetlistProgram
from targets.netlist.netlist import Instance, Module, Netlist
from targets.netlist.toggles import Activity

NEURON = "qclif_spatial_neuron"


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
    return all(_same(sources, instance.pins.get(port, ()), nets) for port, nets in wanted.items())


def _same(sources: list[int], nets: tuple[int, ...], others: tuple[int, ...]) -> bool:
    return [net if net < 0 else sources[net] for net in nets] == [sources[net] for net in others]


def run_neurons(config: AsicConfig, gates: NetlistProgram, network: Network, inputs: SpikeTrain, golden: GoldenResult
        ) -> tuple[SpatialRun, Activity | None]:
    """Run each neuron of the design on a recording.

    Parameters
    ----------
    gates : program of the module NEURON, and the netlist of the whole design.
    golden : of the run, spikes among it.

    Returns
    -------
    What the neurons gave, and the activity of the whole netlist.
    """
    ports  = spatial_ports(config, network, inputs)
    spikes = np.zeros((len(inputs), config.sizes.neurons), np.int64)
    spikes[:, :network.neurons] = golden.spikes.dense(network.neurons)
    found, activities = np.zeros((config.sizes.neurons, 3, len(inputs)), np.int64), {}
    for number in range(config.sizes.neurons):
        one = replace(gates, seed=gates.seed + number, netlist=gates.netlist.below(NEURON))
        found[number] = run_spatial_neuron(gates.program, config, ports, spikes, number, one.environment())
        activities[number] = one.activity()
    spike, v_a, v_s = found[:network.neurons].transpose(1, 2, 0)
    return SpatialRun(SpikeTrain.from_dense(spike), v_a, v_s), \
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
