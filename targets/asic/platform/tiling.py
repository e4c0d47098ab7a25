# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How a memory is cut into SRAM macros: least area, or least energy."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from math import inf

from accel.errors import QCLIFError
from targets.asic.platform.macros import Macro

OBJECTIVES = {
    "area":   "macros that are small",
    "energy": "macros whose accesses cost little, with their leakage in a clock",
}

# Logic that joins the macros of a memory, roughly: a clock gate each, and a gate for each bit of address and data.
GATE_UM2 = 3.5
BIT_UM2  = 1.1


@dataclass(frozen=True)
class Memory:
    """A memory with one read port and one write port, as accel.memory.SlicedMemory has them.

    Parameters
    ----------
    name : of its Verilog module.
    depth : words of each bank.
    slices : bits of each slice, lowest first, which `write_en` writes on its own; the word is all of them.
    banks : 1, or 2 halves of `depth` words, chosen by the highest bit of an address (above the address_bits of a
        word in its bank). One bank may be read in the clock in which the other is written.
    wide_data : whether write_data is as wide as the word, each slice having its own bits; else it is as wide as
        the widest slice, whose lowest bits all slices share (SlicedMemory).
    hold : whether the word that was read stays until the next read whatever is written. Without it, it stays
        until the next read or write of its bank: what comes free from a single-port macro.

    Raises
    ------
    QCLIFError : a size that cannot be built.
    """
    name:      str
    depth:     int
    slices:    tuple[int, ...]
    banks:     int = 1
    wide_data: bool = False
    hold:      bool = False

    def __post_init__(self) -> None:
        if self.depth < 1 or not self.slices or min(self.slices) < 1:
            raise QCLIFError(f"memory {self.name}: {self.depth} words of slices {self.slices} cannot be built: at "
                f"least one word, and one bit a slice, are needed")
        if self.banks not in (1, 2):
            raise QCLIFError(f"memory {self.name}: {self.banks} banks cannot be built: choose 1 or 2")

    @property
    def width(self) -> int:
        """Bits of a word."""
        return sum(self.slices)

    @property
    def bits(self) -> int:
        """Bits of all words of all banks."""
        return self.banks*self.depth*self.width

    @property
    def write_bits(self) -> int:
        """Bits of write_data."""
        return self.width if self.wide_data else max(self.slices)

    @property
    def word_bits(self) -> int:
        """Bits of an address within a bank; at least one, as Migen has it."""
        return max(1, (self.depth - 1).bit_length())

    @property
    def address_bits(self) -> int:
        """Bits of read_adr and write_adr."""
        return self.word_bits + self.banks - 1


@dataclass(frozen=True)
class Tile:
    """One macro of a bank: it holds the bits [low, low + bits) of the words [first, first + words).

    `first` is a multiple of the macro's depth, so that the high bits of an address choose the tile.
    """
    macro: Macro
    first: int
    words: int
    low:   int
    bits:  int


@dataclass(frozen=True)
class Tiling:
    """Macros of a memory: columns of bits, in each of which the words go on from tile to tile.

    Attributes
    ----------
    columns : of one bank, lowest bits first; in each, tiles by their first word. Other banks have the same.
    """
    memory:  Memory
    columns: tuple[tuple[Tile, ...], ...]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """Of one bank."""
        return tuple(tile for column in self.columns for tile in column)

    @property
    def macros(self) -> dict[str, int]:
        """Instances of each macro in all banks, by name."""
        counts = Counter(tile.macro.name for tile in self.tiles)
        return {name: self.memory.banks*count for name, count in counts.items()}

# Choice --------------------------------------------------------------------------------------------

def tile(memory: Memory, macros: Mapping[str, Macro], objective: str = "area", period_ns: float = 10.0) -> Tiling:
    """The cheapest macros that hold a memory.

    Parameters
    ----------
    macros : to choose from, by name.
    objective : "area": of macros and of the logic that joins them; or "energy": of an access, and of the leakage
        until the next. The other one decides between equals.
    period_ns : between two accesses.

    Raises
    ------
    QCLIFError : no such objective, no macro at all, or none that can write a slice on its own.
    """
    if objective not in OBJECTIVES:
        raise QCLIFError(f"objective is {objective!r}: known are {', '.join(OBJECTIVES)}")
    if not macros:
        raise QCLIFError(f"memory {memory.name}: the PDK folder has no SRAM macros: choose --sram flops, or a folder "
            f"that has")
    @cache
    def column(bits: int, in_slice: bool) -> _Choice:
        """The cheapest column of so many bits, of one slice or of several."""
        fitting = tuple(macro for macro in macros.values() if macro.width >= bits and (macro.mask or in_slice))
        return _column(memory.depth, bits, fitting, objective, period_ns)

    # Bits at which a column may begin, where the one below it is as wide as its macro allows; with where it may end.
    ends, starts = {}, {0}
    for low in range(memory.width):
        if low in starts:
            slice_end = next(edge for edge in accumulate(memory.slices) if edge > low)
            ends[low] = {min(low + macro.width, memory.width if macro.mask else slice_end): slice_end
                for macro in macros.values()}
            starts.update(ends[low])
    # From the highest bit down: the cheapest column at each bit, and the cheapest rest above it.
    rest = {memory.width: (_Choice(), ())}
    for low in reversed(ends):
        options = []
        for end, slice_end in ends[low].items():
            chosen = column(end - low, end <= slice_end)
            firsts = accumulate((words for _, words in chosen.tiles), initial=0)
            tiles  = tuple(Tile(macro, first, words, low, end - low)
                for (macro, words), first in zip(chosen.tiles, firsts, strict=False))
            above, columns = rest[end]
            options.append((chosen + above, (tiles, *columns)))
        rest[low] = min(options, key=lambda option: option[0].cost)
    return Tiling(memory, rest[0][1])


@dataclass(frozen=True)
class _Choice:
    """Part of a tiling, and its cost: (objective, other one)."""
    cost:  tuple[float, float] = (0.0, 0.0)
    tiles: tuple[tuple[Macro, int], ...] = () # Macros and the words that they hold.

    def __add__(self, other: "_Choice") -> "_Choice":
        return _Choice((self.cost[0] + other.cost[0], self.cost[1] + other.cost[1]), self.tiles + other.tiles)


@lru_cache(maxsize=4096)
def _column(memory_depth: int, bits: int, macros: tuple[Macro, ...], objective: str, period_ns: float) -> _Choice:
    """The cheapest tiles of a column of `bits`, which all these macros can hold.

    Depths are powers of two, so that a block of 2n words is one macro, or two blocks of n words.
    """
    depths   = [2**n for n in range(max(macro.depth for macro in macros).bit_length())]
    of_depth = {depth: [macro for macro in macros if macro.depth == depth] for depth in depths}
    full     = {0: _Choice((inf, inf))}

    def block(depth: int, words: int) -> _Choice:
        """The cheapest one macro of this depth, of which `words` are used."""
        found = full[0]
        for macro in of_depth[depth]:
            area   = macro.area_um2 + GATE_UM2 + BIT_UM2*(macro.address_bits + bits)
            energy = macro.energy_pj*words/memory_depth + macro.leakage_nw*period_ns*1e-6
            cost   = (area, energy) if objective == "area" else (energy, area)
            found  = min(found, _Choice(cost, ((macro, words),)), key=lambda choice: choice.cost)
        return found

    def cover(depth: int, words: int) -> _Choice:
        """The cheapest tiles for the first `words` of a block."""
        half = depth//2
        if words == depth:
            return full[depth]
        if not words:
            return _Choice()
        if not half:
            return full[0]
        halves = cover(half, words) if words <= half else full[half] + cover(half, words - half)
        return min(block(depth, words), halves, key=lambda choice: choice.cost)

    for depth in depths:
        full[depth] = min(block(depth, depth), full[depth//2] + full[depth//2], key=lambda choice: choice.cost)
    whole, words = divmod(memory_depth, depths[-1])
    return sum([full[depths[-1]]]*whole, _Choice()) + cover(depths[-1], words)

