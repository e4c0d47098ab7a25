# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a memory is made of, SRAM macros or flip-flops: the smallest that can do what it has to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import Pdk
from targets.asic.platform.tiling import BIT_UM2, GATE_UM2, Memory, Tiling, tile
from targets.asic.rtl.flops import FLOPS_LIMIT, flops_verilog
from targets.asic.rtl.pairs import pairs_of, pairs_verilog
from targets.asic.rtl.sram import wrapper_verilog

# How a memory is used.
USES = {
    "plain":   "a bank is not read in a clock in which it is written",
    "in turn": "read and written in the same clock, as pairs of words can be: see targets.asic.rtl.pairs",
    "fifo":    "read and written in the same clock",
}


@dataclass(frozen=True)
class Made:
    """A memory that can be built.

    Attributes
    ----------
    kind : "macros", "pairs" of words in macros, or "flops".
    area_um2 : estimate of its area.
    write : gives the Verilog of its module, and of those that are in it alone.
    macros : instances of each macro, by name.
    """
    kind:     str
    area_um2: float
    write:    Callable[[], str]
    macros:   dict[str, int] = field(default_factory=dict)


def make(memory: Memory, use: str, config: AsicConfig, pdk: Pdk) -> Made:
    """The smallest memory of those that can be built.

    Parameters
    ----------
    use : of USES.

    Raises
    ------
    QCLIFError : too many bits for flip-flops, and no macros.
    """
    found = list(_macros(memory, use, config, pdk))
    if memory.bits <= FLOPS_LIMIT or not found:
        found.append(_flops(memory, pdk))
    return min(found, key=lambda made: made.area_um2)


def _macros(memory: Memory, use: str, config: AsicConfig, pdk: Pdk) -> Iterator[Made]:
    def tiled(each: Memory) -> Tiling:
        return tile(each, pdk.macros, config.sram_objective, config.period_ns)

    if config.sram == "flops" or use == "fifo":
        return
    if use == "plain":
        tiling = tiled(memory)
        yield Made("macros", _tiling_um2(tiling, pdk), lambda: wrapper_verilog(tiling, pdk.clock_gate), tiling.macros)
    elif memory.banks == len(memory.slices) == 1 and memory.depth > 1: # A pair needs words that are written as a whole.
        tiling = tiled(pairs_of(memory))
        around = 2*memory.width*(pdk.flipflop_um2 + 2*BIT_UM2)
        yield Made("pairs", _tiling_um2(tiling, pdk) + around,
            lambda: pairs_verilog(memory) + wrapper_verilog(tiling, pdk.clock_gate), tiling.macros)


def _tiling_um2(tiling: Tiling, pdk: Pdk) -> float:
    memory, tiles = tiling.memory, tiling.tiles
    total  = sum(each.macro.area_um2 + GATE_UM2 + BIT_UM2*(each.macro.address_bits + each.bits) for each in tiles)
    return memory.banks*total + memory.hold*memory.width*(pdk.flipflop_um2 + BIT_UM2)


def _flops(memory: Memory, pdk: Pdk) -> Made:
    words  = memory.banks*memory.depth
    around = words*(len(memory.slices)*GATE_UM2 + BIT_UM2*memory.address_bits) \
        + memory.width*(pdk.flipflop_um2 + BIT_UM2)
    return Made("flops", around + memory.bits*(pdk.flipflop_um2 + BIT_UM2),
        lambda: flops_verilog(memory, pdk.clock_gate))
