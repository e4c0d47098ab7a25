#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The synthesised netlist against the golden model: all spikes, bit for bit, and states; its activity is kept."""

import functools
import operator
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from accel.image import image
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel, GoldenResult
from host.network.network import Network
from host.runs.comparison import bound_clocks
from targets.asic.design import AsicConfig
from targets.asic.gatesim.neuron import STEP, random_cases, run_neuron
from targets.asic.gatesim.spatial import run_spatial
from targets.asic.gatesim.spatial_gates import NEURON, is_wiring, run_neurons
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk
from targets.asic.rtl.sram import macro_model_verilog
from targets.liberty.library import Library
from targets.netlist.gates import build_netlist, environment
from targets.netlist.harness.core import BuiltCore
from targets.netlist.netlist import Netlist, read_netlist
from targets.netlist.toggles import Activity, probes, read_activity

# Input of each top that is 1 for the first time when a run begins: what goes before is not counted as activity.
STARTS = {"core": "sink_valid", "spatial": "step", "neuron": "step"}

# Cases of the neuron, and steps of a recording whose states are read from the core.
NEURON_CASES = 100_000
STATE_STEPS  = 100

# Clocks that the core may take, relative to what it promises: a netlist that is wrong may wait for ever.
PATIENCE = 3


@dataclass(frozen=True, eq=False)
class GateSim:
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

    def __add__(self, other: "GateSim") -> "GateSim":
        def sum_of(name: str):
            values = [value for each in (self, other) if (value := getattr(each, name)) is not None]
            return values[0] + values[1] if len(values) == 2 else next(iter(values), None)
        return GateSim(*(sum_of(name) for name in self.__dataclass_fields__))


def simulate(config: AsicConfig, netlist: Path, pdk: Pdk, network: Network | None, samples: Sequence[SpikeTrain],
        folder: Path, macros: Mapping[str, Macro] | None = None, seed: int = 1, cases: int = NEURON_CASES,
        state_steps: int = STATE_STEPS) -> GateSim:
    """Run a netlist and compare it with the golden model.

    Parameters
    ----------
    netlist : Verilog of the stage synth, module qclif_<design>.
    network, samples : inputs, each a run from reset. Without any for the neuron alone, which gets random cases.
    folder : for the activity's files.
    macros : its memories by name, those of the PDK unless told.
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
    program = build_netlist(harness, part, library, memory_models(pdk.macros if macros is None else macros),
        probes(part, STARTS[config.design]))
    result  = Gates(config, parsed, library, program, seed, folder/"activity.bin").run(network, samples, cases,
        state_steps)
    result.activity.write(folder/"activity.txt.gz", parsed)
    return result


def simulated(config: AsicConfig, netlist: Netlist, library: Library) -> tuple[str, Netlist]:
    """Harness, and the part of the netlist that it drives: of the spatial design one neuron, if wires are the rest.

    Raises
    ------
    QCLIFError : a design that no harness drives.
    """
    if config.design not in STARTS:
        raise QCLIFError(f"the netlist of design {config.design} is not simulated, those of {', '.join(STARTS)} are: "
            f"choose one of these, or --until sta")
    if config.design == "spatial" and is_wiring(netlist, library, config):
        return "spatial_neuron", netlist.below(NEURON)
    return config.design, netlist


def memory_models(macros: Mapping[str, Macro]) -> dict[str, str]:
    """Verilog of memories, by their names."""
    return {name: macro_model_verilog(macro) for name, macro in macros.items()}


def spike_mismatches(ours: SpikeTrain, theirs: SpikeTrain) -> int:
    """Spikes (step, neuron) that only one side has, and steps that only one has."""
    size   = 1 + max(int(each.sources.max(initial=0)) for each in (ours, theirs))
    places = [each.indices().astype(np.int64)*size + each.sources for each in (ours, theirs)]
    return len(np.setxor1d(*places)) + abs(len(ours) - len(theirs))


@dataclass(frozen=True)
class Gates:
    """The program of a netlist, and how it is run.

    Attributes
    ----------
    file : where it writes its activity, None for none.
    """
    config:  AsicConfig
    netlist: Netlist
    library: Library
    program: Path
    seed:    int
    file:    Path | None = None

    def run(self, network: Network | None, samples: Sequence[SpikeTrain], cases: int, state_steps: int) -> GateSim:
        """All runs, as simulate() has them."""
        if self.config.design == "neuron":
            return self._neuron(cases)
        golden  = GoldenModel(network).run(samples, states=True)
        one     = self._core if self.config.design == "core" else self._spatial
        results = [one(network, steps, expected, state_steps) for steps, expected in zip(samples, golden, strict=True)]
        return functools.reduce(operator.add, results)

    def _neuron(self, cases: int) -> GateSim:
        inputs, expected = random_cases(self.config, cases, self.seed)
        with self._environment():
            found = run_neuron(self.program, inputs)
        wrong    = (found != expected).sum(axis=0)
        steps    = int((inputs[:, 0] & STEP != 0).sum())
        activity = self._activity()
        return GateSim(int(found[:, 0].sum()), int(wrong[0]), expected[:, 1:].size, int(wrong[1:].sum()),
            activity and activity.clocks, steps, steps, None, activity)

    def _spatial(self, network: Network, steps: SpikeTrain, golden: GoldenResult, state_steps: int) -> GateSim:
        if is_wiring(self.netlist, self.library, self.config):
            run, activity = run_neurons(self.config, self.program, self.netlist, self.library, network, steps, golden,
                self.seed, self.file)
        else:
            with self._environment():
                run = run_spatial(self.program, self.config, network, steps)
            activity = self._activity()
        return _result(network, run.spikes, golden, run.v_a[:state_steps], run.v_s[:state_steps],
            network.neurons*_synapses(network, steps, golden.spikes), activity)

    def _core(self, network: Network, steps: SpikeTrain, golden: GoldenResult, state_steps: int) -> GateSim:
        sizes  = self.config.sizes
        core   = BuiltCore(sizes, self.program)
        writes = sum(len(words) for _, _, words in image(network, sizes))
        limit  = writes + PATIENCE*bound_clocks(steps, golden.spikes, network.neurons, sizes.lanes) \
            + (64 + network.neurons)*len(steps)
        try:
            with self._environment(QCLIF_CLOCKS=limit):
                states = core.run(network, steps.slice(0, state_steps), states=True)
            with self._environment(QCLIF_CLOCKS=limit):
                run    = core.run(network, steps)
        except (subprocess.CalledProcessError, IndexError, ValueError) as error:
            # It is stopped where it does not end; what has too many steps cannot be read.
            raise QCLIFError(f"the netlist of the core has not answered {len(steps)} steps, one by one, in {limit} "
                f"clocks: run the stage synth again, with another Yosys") from error
        return _result(network, run.spikes, golden, states.v_a, states.v_s, run.counters["sops"], self._activity())

    def _environment(self, **values: object) -> AbstractContextManager[None]:
        activity = {} if self.file is None else {"QCLIF_ACTIVITY": self.file}
        return environment(QCLIF_SEED=self.seed, **activity, **values)

    def _activity(self) -> Activity | None:
        return None if self.file is None else read_activity(self.file, self.netlist, self.library)


def _result(network: Network, spikes: SpikeTrain, golden: GoldenResult, v_a: np.ndarray, v_s: np.ndarray, sops: int,
        activity: Activity | None) -> GateSim:
    wrong = (v_a != golden.v_a[:len(v_a)]).sum() + (v_s != golden.v_s[:len(v_s)]).sum()
    return GateSim(len(spikes.sources), spike_mismatches(spikes, golden.spikes), v_a.size + v_s.size, int(wrong),
        activity and activity.clocks, len(spikes), len(spikes)*network.neurons, sops, activity)


def _synapses(network: Network, steps: SpikeTrain, spikes: SpikeTrain) -> int:
    """Synapses of a neuron that are active in a run: contexts, and each spike's somatic and apical one."""
    return int((steps.sources >= network.inputs).sum()) + 2*int(spikes.offsets[-2] if len(spikes) else 0)
