#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The memories of a design, as SRAM macros or flip-flops: what each becomes, and the files that describe it."""

from collections import Counter
from pathlib import Path

from accel.config import QCLIFConfig
from accel.core import QCLIFCore
from accel.memory import SlicedMemory
from targets.asic.design import AsicConfig
from targets.asic.hierarchy import Foreign
from targets.asic.sram import (
    CLOCK_GATE,
    Memory,
    clock_gate_model,
    flops_verilog,
    macro_model_verilog,
    tile,
    wrapper_verilog,
)

# Bits of a bank up to which flip-flops are smaller than the smallest macro.
SMALL_BITS = 128


def core_memories(core: QCLIFCore) -> dict[str, Memory]:
    """Memories of the core by the paths of their submodules.

    Weights and parameters are written by software only, while the core is idle; of the two lists of events, and
    of spikes, one is written while the other one is read: a single port does for each. States are read and written
    in the same clock.
    """
    config: QCLIFConfig = core.config

    def memory(name: str, of: SlicedMemory, depth: int | None = None, **options) -> Memory:
        return Memory(f"qclif_{name}", depth or of.depth, of.widths, **options)

    return {
        "synapses.soma":         memory("weights_soma",   core.synapses.soma),
        "synapses.apical":       memory("weights_apical", core.synapses.apical),
        "population.parameters": memory("parameters",     core.population.parameters),
        "population.states":     memory("states",         core.population.states),
        "population.lists":      memory("spike_list",     core.population.lists, config.neurons, banks=2),
        # A list is given back while its last entry is on its way to the walker, which may be made to wait.
        "events.lists":          memory("event_list",     core.events.lists, config.step_events, banks=2, hold=True),
    }


# Memories that need both their ports in one clock.
TWO_PORTS = ("qclif_states",)


def takes_place(memory: Memory, of: SlicedMemory) -> Foreign:
    """The Verilog module of a memory in the place of the submodule."""
    return Foreign(memory.name,
        {name: getattr(of, name) for name in ("read_adr", "read_en", "write_adr", "write_en", "write_data")},
        {"read_data": of.read_data})


class MemoryFiles:
    """Verilog of memories, and of the models that simulate it.

    Parameters
    ----------
    macros : to choose from, by name.

    Attributes
    ----------
    sources, models : files written so far.
    counts : instances of each macro, by name.
    """
    def __init__(self, config: AsicConfig, macros: dict, folder: Path) -> None:
        self.config  = config
        self.macros  = macros
        self.folder  = folder
        self.sources: list[Path] = []
        self.models:  list[Path] = []
        self.counts:  Counter    = Counter()

    def add(self, memory: Memory) -> None:
        """Write a memory's module.

        Raises
        ------
        QCLIFError : too many bits for flip-flops, or no macros.
        """
        small = memory.bits <= SMALL_BITS*memory.banks
        if self.config.sram == "flops" or memory.name in TWO_PORTS or small:
            self._source(memory.name, flops_verilog(memory))
        else:
            tiling = tile(memory, self.macros)
            self._source(memory.name, wrapper_verilog(tiling))
            for name, count in tiling.macros.items():
                if name not in self.counts:
                    self._model(name, macro_model_verilog(self.macros[name]))
                self.counts[name] += count
        if not any(path.stem == CLOCK_GATE for path in self.models):
            self._model(CLOCK_GATE, clock_gate_model())

    def _source(self, name: str, text: str) -> None:
        self.sources.append(self._write(name, text))

    def _model(self, name: str, text: str) -> None:
        self.models.append(self._write(name, text))

    def _write(self, name: str, text: str) -> Path:
        path = self.folder/f"{name}.v"
        path.write_text(text)
        return path
