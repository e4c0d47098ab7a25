# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Netlists against the golden model, bit for bit: all spikes and states; and the runs of a core's netlist for it.

    program = build_netlist(HARNESS, netlist, library, memories, {})
    run     = run_core(NetlistProgram(program, seed=1), config, network, [inputs])
    run.mismatches + run.state_mismatches                                          # 0, whatever the seed
"""

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from accel.image import image
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel, GoldenResult
from host.network.network import Network
from host.runs.synaptic_operations import bound_clocks
from targets.liberty.library import Library
from targets.netlist.netlist import Netlist
from targets.netlist.toggles import Activity, read_activity
from targets.sim.core import CoreSimulator

# Clocks that the core may take, relative to what it promises: a netlist that is wrong may wait for ever.
PATIENCE = 3


@dataclass(frozen=True, eq=False)
class NetlistRun:
    """What a netlist did in some runs; runs add up.

    Attributes
    ----------
    spikes : output spikes.
    mismatches : spikes that the golden model does not have, and spikes of it that are missing.
    states, state_mismatches : values of V_a and V_s that were compared, and those that differ.
    clocks : from the first input to the last output; None where no activity was counted.
    steps, neuron_updates : time steps, and updates of a neuron.
    sops : synaptic operations; None for the neuron alone.
    activity : of all nets in these clocks; None where it was not counted.
    """
    spikes:           int
    mismatches:       int
    states:           int
    state_mismatches: int
    clocks:           int | None
    steps:            int
    neuron_updates:   int
    sops:             int | None
    activity:         Activity | None

    def __add__(self, other: "NetlistRun") -> "NetlistRun":
        def sum_of(name: str):
            values = [value for each in (self, other) if (value := getattr(each, name)) is not None]
            return values[0] + values[1] if len(values) == 2 else next(iter(values), None)
        return NetlistRun(*(sum_of(name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class NetlistProgram:
    """The program of a netlist, as targets.netlist.gates makes it, and what it is run with.

    Attributes
    ----------
    seed : of the values that registers and memories start with.
    file : where it writes its activity, None for none.
    netlist, library : what the activity is of; without a file of no interest.
    mutant : number of the mutant in it that is at work, None for none.
    excited : file that is made when the mutant's output is another one than it should be, None for none.
    """
    program: Path
    seed:    int
    file:    Path | None = None
    netlist: Netlist | None = None
    library: Library | None = None
    mutant:  int | None = None
    excited: Path | None = None

    def environment(self, **values: object) -> dict[str, str]:
        """Variables of support.cpp that the program is to be started with; `values` are further ones."""
        values |= {"QCLIF_SEED": self.seed, "QCLIF_ACTIVITY": self.file, "QCLIF_MUTANT": self.mutant,
            "QCLIF_EXCITED": self.excited}
        return {name: str(value) for name, value in values.items() if value is not None}

    def activity(self) -> Activity | None:
        """Activity that the last run has written, None without a file for it."""
        return None if self.file is None else read_activity(self.file, self.netlist, self.library)

# Comparison ----------------------------------------------------------------------------------------

def spike_mismatches(ours: SpikeTrain, theirs: SpikeTrain) -> int:
    """Spikes (step, neuron) that one side has more often than the other, each as often; and steps that only one has."""
    times = ours.difference(theirs)[:, 2:]
    return int(abs(times[:, 0] - times[:, 1]).sum()) + abs(len(ours) - len(theirs))


def compare(network: Network, golden: GoldenResult, spikes: SpikeTrain, v_a: np.ndarray, v_s: np.ndarray, sops: int,
        activity: Activity | None) -> NetlistRun:
    """Compare a run with the golden model's.

    Parameters
    ----------
    v_a, v_s : states [T, N] after the first steps, as many of them as are to be compared.
    """
    wrong = (v_a != golden.v_a[:len(v_a)]).sum() + (v_s != golden.v_s[:len(v_s)]).sum()
    return NetlistRun(len(spikes.sources), spike_mismatches(spikes, golden.spikes), v_a.size + v_s.size, int(wrong),
        activity and activity.clocks, len(spikes), len(spikes)*network.neurons, sops, activity)


def beside_golden(network: Network, samples: Sequence[SpikeTrain],
        run: Callable[[SpikeTrain, GoldenResult], NetlistRun]) -> NetlistRun:
    """The sum of the runs of all samples, each of them with what the golden model makes of it."""
    golden = GoldenModel(network).run(samples, states=True)
    return functools.reduce(operator.add, map(run, samples, golden))

# Core ----------------------------------------------------------------------------------------------

class BuiltCore(CoreSimulator):
    """CoreSimulator of a program that is there, RTL with macros or a netlist, by the harness of targets.sim.core."""
    def __init__(self, config: QCLIFConfig, program: Path, environment: Mapping[str, str] | None = None) -> None:
        self.config      = config
        self.program     = program
        self.environment = environment


def run_core(gates: NetlistProgram, config: QCLIFConfig, network: Network, samples: Sequence[SpikeTrain],
        state_steps: int | None = None) -> NetlistRun:
    """Run the netlist of a core and compare it.

    Parameters
    ----------
    config : sizes of the core.
    network, samples : inputs, each a run from reset.
    state_steps : first steps of each sample whose states are compared, None for all.

    Raises
    ------
    QCLIFError : the network does not fit, or the netlist does not answer.
    """
    network.check_fits(config)
    writes = sum(len(words) for _, _, words in image(network, config))

    def run(inputs: SpikeTrain, golden: GoldenResult) -> NetlistRun:
        limit = writes + PATIENCE*bound_clocks(inputs, golden.spikes, network.neurons, config) \
            + (64 + network.neurons)*len(inputs)
        shown = len(inputs) if state_steps is None else state_steps
        core  = BuiltCore(config, gates.program, gates.environment(QCLIF_CLOCKS=limit))
        try:
            states = core.run(network, inputs.slice(0, shown), states=True)
            whole  = core.run(network, inputs)
        except (QCLIFError, IndexError, ValueError) as error:
            # It is stopped where it does not end; what has too many steps cannot be read.
            raise QCLIFError(f"the netlist of the core has not answered {len(inputs)} steps, one by one, in {limit} "
                f"clocks: run the stage synth again, with another Yosys") from error
        return compare(network, golden, whole.spikes, states.v_a, states.v_s, whole.counters["sops"], gates.activity())

    return beside_golden(network, samples, run)
