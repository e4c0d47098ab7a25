# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The parts of a core whose area and energy are foretold, and what these grow with.

A part takes the sum of its terms, each a quantity of the design times a coefficient that was fitted to the flow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accel.config import QCLIFConfig
from targets.asic.rtl.memories import MEMORIES, MODULES, SUMS
from targets.explore.memories import Built
from targets.explore.workload import Workload

PARTS = {
    "lanes":    "sums of the lanes",
    "neurons":  "neurons: held sums, pipelines, spikes",
    "memories": "what is around SRAM macros, and memories of cells",
    "control":  "walk, events, memory port",
}

# Recipes of synthesis that take area for speed, as the flow calls them; the others are for the least area.
FAST = ("fast", "fastest")

# Those of the least area and of the least delay, whose highest clocks are the limits of both kinds.
LIMITS = ("small", "fastest")

# Coefficients that need no fit: macros take what their Liberty says.
KNOWN = {"macros": 1.0}

# A number of each part, or of each term of it.
Terms = dict[str, dict[str, float]]


def part_of(module: str) -> str:
    """The part that a Verilog module of the flow belongs to."""
    places = {name: path.partition(".")[0] for path, (name, _) in (MODULES | SUMS).items()}
    if module in {name for name, _ in MEMORIES.values()}:
        return "memories"
    return {"synapses": "lanes", "population": "neurons"}.get(places.get(module, ""), "control")


@dataclass(frozen=True)
class Work:
    """What a core does in a step, in the mean.

    Attributes
    ----------
    clocks : of a step.
    events, spikes : events, and spikes of the step before.
    soma_rows, apical_rows : rows of weights that one group walks.
    """
    clocks:      float
    events:      float
    spikes:      float
    soma_rows:   float
    apical_rows: float

    @classmethod
    def of(cls, workload: Workload, clocks: float) -> "Work":
        """The work of recordings in which a step takes so many clocks."""
        return cls(clocks, float(workload.events.mean()), float(workload.spikes.mean()), workload.soma_rows,
            workload.apical_rows)


def _sizes(sizes: QCLIFConfig) -> tuple[int, int, int]:
    """Bits of the sums, those that are held while neurons are updated, and bits that the neurons multiply."""
    sums = 2*sizes.word_lanes*sizes.accumulator_bits
    held = sums if sizes.updates == 1 or sizes.word_lanes > sizes.updates else 0
    return sums, held, sizes.pipelines*sizes.state_bits*sizes.current_bits


def area_terms(sizes: QCLIFConfig, built: Mapping[str, Built], fast: bool) -> Terms:
    """What the area of logic, um2, grows with.

    Parameters
    ----------
    built : the memories.
    fast : mapped for speed.
    """
    sums, held, product = _sizes(sizes)
    return {
        "lanes":    {"sums": sums, "sums, fast": sums*fast},
        "neurons":  {"held sums": held, "product": product, "product, fast": product*fast,
            "spike vector": sizes.neurons if sizes.updates > 1 else 0},
        "memories": {"glue": sum(each.glue_um2 for each in built.values()),
            "cell bits": sum(each.cell_bits for each in built.values())},
        "control":  {"one": 1, "word bits": sizes.word_lanes*sizes.weight_bits},
    }


def energy_terms(sizes: QCLIFConfig, built: Mapping[str, Built], fast: bool, work: Work) -> Terms:
    """What the energy of a step, pJ, without leakage, grows with; as area_terms()."""
    sums, held, product = _sizes(sizes)
    added    = sizes.groups*(work.soma_rows + work.apical_rows)/2*sums
    accesses = accesses_of(sizes, work)
    return {
        "lanes":    {"added": added, "added, fast": added*fast, "clocks": work.clocks*sums},
        "neurons":  {"updates": sizes.neuron_words*product, "loads": sizes.groups*held,
            "clocked pipelines": work.clocks*product, "clocked sums": work.clocks*held},
        "memories": {"macros": sum(count*built[name].access_pj for name, count in accesses.items() if name in built),
            "words": sum(count*built[name].memory.width for name, count in accesses.items() if name in built),
            "clocked cells": work.clocks*sum(each.cell_bits for each in built.values())},
        "control":  {"clocks": work.clocks, "rows": sizes.groups*(work.events + work.spikes)},
    }


def accesses_of(sizes: QCLIFConfig, work: Work) -> dict[str, float]:
    """Reads and writes of each memory in a step, by the names of their modules."""
    return {
        "qclif_weights_soma":   sizes.groups*work.soma_rows,
        "qclif_weights_apical": sizes.groups*work.apical_rows,
        "qclif_parameters":     sizes.neuron_words,
        "qclif_states":         2*sizes.neuron_words,
        "qclif_event_list":     (1 + sizes.groups)*work.events,
        "qclif_spike_list":     (1 + sizes.groups)*work.spikes,
    }

