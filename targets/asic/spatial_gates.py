#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The spatial design's netlist neuron by neuron: one program for all of them, which are the same module.

A neuron sees the golden model's spikes of the step before. As long as all neurons' own spikes are the golden model's,
and the top is nothing but their wiring, that is the run of the whole netlist, of whatever size.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from accel.spatial import neuron_ports, output_ports, shared_ports
from host.golden import GoldenResult
from host.network import Network
from host.steps import Steps
from targets.asic.activity import Activity, read_activity
from targets.asic.design import AsicConfig
from targets.asic.gates import environment
from targets.asic.harness.spatial import SpatialRun, run_spatial_neuron, spatial_ports
from targets.asic.liberty import Library
from targets.asic.netlist import Instance, Module, Netlist

NEURON = "qclif_spatial_neuron"


def is_wiring(netlist: Netlist, config: AsicConfig) -> bool:
    """Whether the top holds N neurons and nothing else, each at its part of the top's ports."""
    top = netlist.modules[netlist.top]
    return len(top.instances) == config.sizes.neurons and all(each.cell == NEURON for each in top.instances) \
        and all(_is_wired(top, each, config) for each in top.instances)


def _is_wired(top: Module, instance: Instance, config: AsicConfig) -> bool:
    sizes  = config.sizes
    shared = {**dict.fromkeys((*shared_ports(sizes), "sys_clk", "sys_rst")), "spikes": "spike"}
    number = number_of(instance)
    wanted = {port: top.ports[outer or port][1] for port, outer in shared.items()}
    for port, bits in (neuron_ports(sizes) | output_ports(sizes)).items():
        wanted[port] = top.ports[port][1][number*bits:(number + 1)*bits]
    return all(tuple(map(top.resolve, instance.pins.get(port, ()))) == tuple(map(top.resolve, nets))
        for port, nets in wanted.items())


def number_of(instance: Instance) -> int:
    """Number of a neuron, from its name neuron<number>."""
    return int(instance.name.removeprefix("neuron"))


def run_neurons(config: AsicConfig, program: Path, netlist: Netlist, library: Library, network: Network, steps: Steps,
        golden: GoldenResult, seed: int, file: Path | None) -> tuple[SpatialRun, Activity | None]:
    """Run each neuron of the design on a recording.

    Parameters
    ----------
    program : of the module NEURON, by the harness "spatial_neuron".
    netlist, library : the whole design, and its cells.
    golden : of the run, spikes among it.
    seed : of the values that registers start with.
    file : for activities, None for none.

    Returns
    -------
    What the neurons gave, and the activity of the whole netlist.
    """
    ports  = spatial_ports(config, network, steps)
    spikes = np.zeros((len(steps), config.sizes.neurons), np.int64)
    spikes[:, :network.neurons] = golden.spikes.dense(network.neurons)
    top, neuron = netlist.modules[netlist.top], netlist.below(NEURON)
    found, activities = np.zeros((config.sizes.neurons, 3, len(steps)), np.int64), {}
    for instance in top.instances:
        number = number_of(instance)
        with environment(QCLIF_SEED=seed + number, **({} if file is None else {"QCLIF_ACTIVITY": file})):
            found[number] = run_spatial_neuron(program, config, ports, spikes, number)
        if file is not None:
            activities[instance.name] = read_activity(file, neuron, library)
    spike, v_a, v_s = found[:network.neurons].transpose(1, 2, 0)
    return SpatialRun(Steps.from_dense(spike), v_a, v_s), \
        None if file is None else _joined(top, neuron.modules[NEURON], activities)


def _joined(top: Module, neuron: Module, activities: Mapping[str, Activity]) -> Activity:
    """Activity of the whole netlist: the top's nets are those at the neurons' ports."""
    clocks = next(iter(activities.values())).clocks
    result = Activity(clocks, {(): np.zeros(len(top.nets), np.int64)}, {(): np.zeros(len(top.nets))})
    for instance in top.instances:
        each = activities[instance.name]
        for whole, part in ((result.toggles, each.toggles), (result.ones, each.ones)):
            whole |= {(instance.name, *path): values for path, values in part.items()}
            for port, nets in instance.pins.items():
                whole[()][[top.resolve(net) for net in nets]] = part[()][list(neuron.ports[port][1])]
    roots = [top.resolve(net) for net in range(len(top.nets))]
    for whole in (result.toggles, result.ones):
        whole[()] = whole[()][roots]
    return result
