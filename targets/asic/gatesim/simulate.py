# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The synthesised netlist against the golden model: all spikes, bit for bit, and states; its activity is kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenResult
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.asic.gatesim import neuron, spatial
from targets.asic.gatesim.neuron import random_cases
from targets.asic.gatesim.spatial import run_spatial
from targets.asic.gatesim.spatial_gates import NEURON, is_wiring, run_neurons
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk
from targets.asic.rtl.sram import macro_model_verilog
from targets.liberty.library import Library
from targets.netlist.comparison import NetlistProgram, NetlistRun, beside_golden, compare, run_core
from targets.netlist.gates import Harness, build_netlist
from targets.netlist.netlist import Netlist, read_netlist
from targets.netlist.steps import run_steps
from targets.netlist.toggles import probes
from targets.sim.core import HARNESS

# What drives each design.
HARNESSES: Mapping[str, Harness] = {"core": HARNESS, "spatial": spatial.STEPS, "neuron": neuron.STEPS}

# Input of each top that is 1 for the first time when a run begins: what goes before is not counted as activity.
STARTS = {"core": "sink_valid", "spatial": "step", "neuron": "step"}

# File of a run's activity.
ACTIVITY = "activity.npz"

# Cases of the neuron, and steps of a recording whose states are read from the core.
NEURON_CASES = 100_000
STATE_STEPS  = 100


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
        raise QCLIFError(f"the netlist of design {config.design} is not simulated, those of {', '.join(STARTS)} are: "
            f"choose one of these, or --until sta")
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
    return compare(network, golden, run.spikes, run.v_a[:state_steps], run.v_s[:state_steps],
        network.neurons*_synapses(network, inputs, golden.spikes), activity)


def _synapses(network: Network, inputs: SpikeTrain, spikes: SpikeTrain) -> int:
    """Synapses of a neuron that are active in a run: contexts, and each spike's somatic and apical one."""
    return int((inputs.sources >= network.inputs).sum()) + 2*int(spikes.offsets[-2] if len(spikes) else 0)
