# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The synthesised netlist against the golden model: all spikes, bit for bit, and states; its activity is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel, GoldenResult
from host.network.network import Network, network_id
from targets.asic.design import AsicConfig
from targets.asic.gatesim import spatial
from targets.asic.gatesim.spatial import NEURON, OUTPUTS, is_wiring, run_neurons, run_spatial
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk
from targets.asic.rtl.sram import macro_model_verilog
from targets.liberty.library import Library
from targets.netlist.comparison import NetlistProgram, NetlistRun, beside_golden, compare, run_core
from targets.netlist.gates import Harness, build_netlist
from targets.netlist.netlist import Netlist
from targets.netlist.reader import read_netlist
from targets.netlist.steps import Steps, run_steps
from targets.netlist.toggles import probes
from targets.sim.core import HARNESS
from targets.tools.builds import digest

# What drives each design.
HARNESSES: Mapping[str, Harness] = {"core": HARNESS, "spatial": spatial.STEPS, "neuron":
    Steps((), ("sys_rst", "step", "i_soma", "i_apical", "leak_soma", "leak_apical", "threshold"), OUTPUTS)}

# Input of each top that is 1 for the first time when a run begins: what goes before is not counted as activity.
STARTS = {"core": "sink_valid", "spatial": "step", "neuron": "step"}

# File of a run's activity.
ACTIVITY = "activity.npz"

# Neurons whose parameters differ: each of them takes its cases from reset.
SEQUENCES = 256

# Share of clocks without a step, in which nothing may change.
HOLDS = 1/16

# Cases of the neuron, and steps of a recording whose states are read from the core.
NEURON_CASES = 100_000
STATE_STEPS  = 100


@dataclass(frozen=True, eq=False)
class Inputs:
    """Network and inputs of a run.

    Attributes
    ----------
    name : how the network is called.
    recordings : their names.
    samples : the inputs of each, sources in the network's numbers.
    """
    network:    Network
    name:       str
    recordings: tuple[str, ...]
    samples:    tuple[SpikeTrain, ...]

    @property
    def identity(self) -> str:
        """Digest of the network and all inputs."""
        arrays = (each.tobytes() for inputs in self.samples for each in (inputs.offsets, inputs.sources))
        return digest(b"".join([str(network_id(self.network)).encode(), *arrays]))


def simulate(config: AsicConfig, netlist: Path, pdk: Pdk, network: Network | None, samples: Sequence[SpikeTrain],
        folder: Path, seed: int = 1, cases: int = NEURON_CASES, state_steps: int = STATE_STEPS) -> NetlistRun:
    """Run a netlist and compare it with the golden model.

    Parameters
    ----------
    netlist : Verilog of the stage synth, module qclif_<design>.
    network, samples : inputs, each a run from reset. Without any for the neuron alone, which gets random cases.
    folder : for the activity's files: ACTIVITY, for Activity.load(), and activity.txt.gz, to be read by people.
    seed : of the values that registers and memories start with; and of the cases.
    cases : of the neuron, at least.
    state_steps : first steps of each sample whose states are compared; those of the neuron are all compared.

    Raises
    ------
    QCLIFError : a tool, a cell or a memory is missing, the network does not fit, or the netlist does not answer.
    """
    parsed  = read_netlist(netlist, f"qclif_{config.design}")
    library = pdk.corner(config.corner).library
    harness, part = simulated(config, parsed, library)
    program = build_netlist(harness, part, library, memory_models(pdk.macros),
        probes(part, STARTS[config.design]))
    gates   = NetlistProgram(program, seed, folder/"activity.bin", parsed, library)
    result  = run_design(config, gates, network, samples, cases, state_steps)
    result.activity.save(folder/ACTIVITY)
    result.activity.write(folder/"activity.txt.gz", parsed)
    return result


def simulated(config: AsicConfig, netlist: Netlist, library: Library) -> tuple[Harness, Netlist]:
    """Choose the harness and the part of the netlist that it drives: all of it, or one neuron if wires are the rest.

    Raises
    ------
    QCLIFError : a design that no harness drives.
    """
    if config.design not in STARTS:
        raise QCLIFError(f"a netlist of design {config.design} has no steps to be driven by, those of "
            f"{', '.join(STARTS)} have: the soc is run by simulate_chip()")
    if config.design == "spatial" and is_wiring(netlist, library, config):
        return spatial.NEURON_STEPS, netlist.below(NEURON)
    return HARNESSES[config.design], netlist


def memory_models(macros: Mapping[str, Macro]) -> dict[str, str]:
    """Verilog of memories, by their names."""
    return {name: macro_model_verilog(macro) for name, macro in macros.items()}


def run_design(config: AsicConfig, gates: NetlistProgram, network: Network | None, samples: Sequence[SpikeTrain],
        cases: int, state_steps: int) -> NetlistRun:
    """All runs of a design's netlist, as simulate() has them; `gates` knows the netlist and its library."""
    if config.design == "neuron":
        return _run_neuron(config, gates, cases)
    if config.design == "core":
        return run_core(gates, config.sizes, network, samples, state_steps)
    return beside_golden(network, samples,
        lambda inputs, golden: _run_spatial(config, gates, network, inputs, golden, state_steps))


def _run_neuron(config: AsicConfig, gates: NetlistProgram, cases: int) -> NetlistRun:
    inputs, expected = random_cases(config, cases, gates.seed)
    found    = run_steps(gates.program, (), inputs, gates.environment())
    wrong    = (found != expected).sum(axis=0)
    steps    = int(inputs[:, 1].sum())
    activity = gates.activity()
    return NetlistRun(int(found[:, 0].sum()), int(wrong[0]), expected[:, 1:].size, int(wrong[1:].sum()),
        activity and activity.clocks, steps, steps, None, activity)


def _run_spatial(config: AsicConfig, gates: NetlistProgram, network: Network, inputs: SpikeTrain,
        golden: GoldenResult, state_steps: int) -> NetlistRun:
    if is_wiring(gates.netlist, gates.library, config):
        run, activity = run_neurons(config, gates, network, inputs, golden)
    else:
        run      = run_spatial(gates.program, config, network, inputs, gates.environment())
        activity = gates.activity()
    # Synapses of a neuron that are active: contexts, and each spike's somatic and apical one.
    before   = golden.spikes.offsets[-2] if len(golden.spikes) else 0
    synapses = int((inputs.sources >= network.inputs).sum()) + 2*int(before)
    return compare(network, golden, run.spikes, run.v_a[:state_steps], run.v_s[:state_steps],
        network.neurons*synapses, activity)

# Cases of the neuron ------------------------------------------------------------------------------

def random_cases(config: AsicConfig, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random cases, and what the golden model answers; limits and small values are frequent.

    Parameters
    ----------
    count : steps at least; resets and clocks without a step come on top.

    Returns
    -------
    cases [n, 7], inputs of the neuron, and expected [n, 3], its outputs, int64.
    """
    sizes, rng = config.sizes, np.random.default_rng(seed)
    steps      = -(-count//SEQUENCES)
    low        = -2**(sizes.current_bits - 1)
    currents   = _mixed(rng, low, -low - 1, sizes.current_bits, (2, steps, SEQUENCES))
    leaks      = _mixed(rng, 0, sizes.state_max, sizes.state_bits, (2, SEQUENCES))
    threshold  = np.maximum(1, _mixed(rng, 0, sizes.state_max, sizes.state_bits, (SEQUENCES,)))

    cases    = np.zeros((SEQUENCES, steps + 1, 7), np.int64)
    expected = np.zeros((SEQUENCES, steps + 1, 3), np.int64)
    cases[:, 0, 0]    = 1 # Reset.
    cases[:, :, 1]    = 1
    cases[:, 1:, 2:4] = currents.transpose(2, 1, 0)
    cases[:, :, 4:6]  = leaks.T[:, None]
    cases[:, :, 6]    = threshold[:, None]
    expected[:, 1:]   = _golden(config, currents, leaks, threshold)
    cases, expected   = cases.reshape(-1, 7), expected.reshape(-1, 3)
    # Clocks in between in which the inputs are others and no step is taken.
    at    = rng.choice(np.arange(1, len(cases)), int(HOLDS*len(cases)), replace=False)
    holds = cases[rng.integers(0, len(cases), len(at))]
    holds[:, :2] = 0
    return np.insert(cases, at, holds, axis=0), np.insert(expected, at, expected[at - 1], axis=0)


def _mixed(rng: np.random.Generator, low: int, high: int, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    """Integers from low to high: uniform ones, ones of any magnitude, and the limits with 0 and 1."""
    uniform = rng.integers(low, high + 1, shape)
    scaled  = uniform >> rng.integers(0, bits, shape)
    limits  = rng.choice([low, high, 0, 1], shape)
    return np.choose(rng.integers(0, 4, shape), [uniform, uniform, scaled, limits])


def _golden(config: AsicConfig, currents: np.ndarray, leaks: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Spike, V_a and V_s int64 [neurons, steps, 3] of neurons whose currents [2, steps, neurons] come as events.

    Each neuron has two sources a compartment, of weight 1 and -1: a current is that many events.
    """
    sizes   = config.sizes
    neurons = currents.shape[-1]
    pair    = np.concatenate([np.eye(neurons), -np.eye(neurons)]).astype(np.int32)
    nothing = np.zeros((neurons, neurons), np.int32)
    zeros   = nothing[0]
    network = Network(
        w_sensory=pair, w_context=pair, w_recurrent_soma=nothing, w_recurrent_apical=nothing,
        bias_soma=zeros, bias_apical=zeros, leak_soma=leaks[0].astype(np.int32),
        leak_apical=leaks[1].astype(np.int32), threshold=threshold.astype(np.int32),
        weight_bits=sizes.weight_bits, state_bits=sizes.state_bits, current_bits=sizes.current_bits,
        apical_shift=0, product_shift=config.product_shift)
    counts  = np.concatenate([np.maximum(sign*current, 0) for current in currents for sign in (1, -1)], axis=1)
    with torch.no_grad():
        spikes, v_a, v_s = GoldenModel(network)(torch.from_numpy(counts[:, None]), states=True)
    return np.stack([each[:, 0].numpy().astype(np.int64).T for each in (spikes, v_a, v_s)], axis=-1)
