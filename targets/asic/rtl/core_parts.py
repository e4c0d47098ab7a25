# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core's modules in the flow, and what its memories become."""

from accel.core import QCLIFCore
from accel.memory import SlicedMemory
from targets.asic.platform.tiling import Memory
from targets.asic.rtl.hierarchy import Foreign
from targets.asic.rtl.memories import MemoryFiles

# Path of the submodule: its Verilog module, and what it is.
MODULES = {
    "events":              ("qclif_events",     "list of events"),
    "walker":              ("qclif_walker",     "walk of rows and groups"),
    "synapses":            ("qclif_synapses",   "sums of the lanes"),
    "population":          ("qclif_population", "currents, states and spikes of the neurons"),
    "population.pipeline": ("qclif_pipeline",   "neuron: AC, MU, SC, TC"),
}

MEMORIES = {
    "synapses.soma":         ("qclif_weights_soma",   "somatic weights"),
    "synapses.apical":       ("qclif_weights_apical", "apical weights"),
    "population.parameters": ("qclif_parameters",     "parameters of the neurons"),
    "population.states":     ("qclif_states",         "V_a and V_s"),
    "population.lists":      ("qclif_spike_list",     "memory of the spikes"),
    "events.lists":          ("qclif_event_list",     "memory of the events"),
}

DESCRIPTIONS = {"qclif_core": "memory port and counters"} | dict(MODULES.values()) | dict(MEMORIES.values())


def core_parts(core: QCLIFCore, files: MemoryFiles) -> dict[str, str | Foreign]:
    """Modules that the core is split into, for targets.asic.rtl.hierarchy.split(); writes those of its memories.

    Weights and parameters are written by software only, while the core is idle. Of the two lists of events, and of
    spikes, one is written while the other one is read. States are read and written in the same clock.
    """
    config = core.config
    # Words of a list; the memory's own depth is a power of two.
    lists  = {
        "population.lists": dict(depth=config.neurons, banks=2),
        # A list is given back while its last entry is on its way to the walker, which may be made to wait.
        "events.lists":     dict(depth=config.step_events, banks=2, hold=True),
    }
    parts: dict[str, str | Foreign] = {path: name for path, (name, _) in MODULES.items()}
    for path, (name, _) in MEMORIES.items():
        owner, attribute = path.split(".")
        sliced: SlicedMemory = getattr(getattr(core, owner), attribute)
        memory = Memory(**{"name": name, "depth": sliced.depth, "slices": sliced.widths, **lists.get(path, {})})
        parts[path] = files.in_place_of(sliced, memory, two_ports=path == "population.states")
    return parts
