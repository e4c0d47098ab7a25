# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The memories of a core as the ASIC flow would make them: which macros, or cells, and what an access takes."""

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace

from accel.config import QCLIFConfig
from accel.core import QCLIFCore
from accel.synapses import weight_memory
from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import Pdk
from targets.asic.platform.tiling import BIT_UM2, GATE_UM2, Memory
from targets.asic.rtl.kinds import Made, make
from targets.asic.rtl.memories import MemoryFiles, core_parts

# Memories whose shape follows from the lanes; that of all others follows from the neurons that are updated a clock.
OF_LANES = ("qclif_weights_soma", "qclif_weights_apical", "qclif_event_list")


@dataclass(frozen=True)
class Built:
    """A memory as the flow makes it.

    Attributes
    ----------
    macros : instances of each macro, by name; none where it is made of cells.
    area_um2, leakage_mw : of the macros.
    access_pj : of the macros that a read or a write of a word takes, in the mean over the words.
    glue_um2 : of the logic that joins the macros, as the tiling expects it.
    cell_bits : bits in flip-flops or latches.
    """
    memory:     Memory
    macros:     dict[str, int]
    area_um2:   float
    leakage_mw: float
    access_pj:  float
    glue_um2:   float
    cell_bits:  int


class _Recorder(MemoryFiles):
    """Notes of each memory what it was made of."""
    def __init__(self, config: AsicConfig, pdk: Pdk) -> None:
        super().__init__(config, pdk)
        self.built: dict[str, Built] = {}

    def add(self, memory: Memory, use: str = "plain") -> Made:
        made = make(memory, use, self.config, self.pdk)
        self.built[memory.name] = self._built(memory, made.macros)
        return made

    def _built(self, memory: Memory, counts: dict[str, int]) -> Built:
        macros = [(self.pdk.macros[name], count) for name, count in counts.items()]
        return Built(memory, counts,
            area_um2   = sum(macro.area_um2*count for macro, count in macros),
            leakage_mw = sum(macro.leakage_nw*count for macro, count in macros)*1e-6,
            # A macro is chosen as often as a word is in it.
            access_pj  = sum(macro.energy_pj*count*min(1, macro.depth/memory.depth) for macro, count in macros)/
                memory.banks,
            glue_um2   = sum((GATE_UM2 + BIT_UM2*(macro.address_bits + macro.width))*count for macro, count in macros),
            cell_bits  = 0 if counts else memory.bits)


class Memories:
    """Memories of cores, each shape made once.

    Parameters
    ----------
    pdk : whose macros they are made of.
    """
    def __init__(self, pdk: Pdk) -> None:
        self._pdk   = pdk
        self._cores: dict[QCLIFConfig, SimpleNamespace] = {}
        self._made:  dict[AsicConfig, dict[str, Built]] = {}

    def of(self, config: AsicConfig) -> dict[str, Built]:
        """Memories of a core, by the names of their modules.

        Raises
        ------
        QCLIFError : one cannot be built.
        """
        # A memory for its area is the same at any clock.
        clock  = config.frequency_mhz if config.sram_objective == "energy" else 100.0
        config = dataclasses.replace(config, frequency_mhz=clock)
        wide   = self._memories(dataclasses.replace(config, sizes=dataclasses.replace(config.sizes, updates=1)))
        deep   = self._memories(dataclasses.replace(config, sizes=dataclasses.replace(config.sizes,
            lanes=config.sizes.updates)))
        return {name: built for name, built in wide.items() if name in OF_LANES} | \
            {name: built for name, built in deep.items() if name not in OF_LANES}

    def _memories(self, config: AsicConfig) -> dict[str, Built]:
        if config not in self._made:
            files = _Recorder(config, self._pdk)
            core_parts(self._core(config.sizes), files)
            self._made[config] = files.built
        return self._made[config]

    def _core(self, sizes: QCLIFConfig) -> SimpleNamespace:
        """What the flow looks at of a core."""
        if sizes not in self._cores:
            # Lanes are many, and make nothing but the memories of their weights.
            small = QCLIFCore(dataclasses.replace(sizes, lanes=sizes.updates))
            self._cores[sizes] = SimpleNamespace(config=sizes, protect=small.protect, frugal=False, busy=small.busy,
                population=small.population, events=small.events, synapses=SimpleNamespace(
                    soma   = weight_memory(sizes, sizes.soma_words, "weights_soma"),
                    apical = weight_memory(sizes, sizes.apical_words, "weights_apical")))
        return self._cores[sizes]
