#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""How a memory is cut into SRAM macros: least area, or least energy."""

from dataclasses import dataclass

from host.errors import QCLIFError
from targets.asic.macros import Macro

OBJECTIVES = ("area", "energy")


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
    """One macro of a bank: it holds the bits [low, low + bits) of the words from `first` on."""
    macro: Macro
    first: int
    low:   int
    bits:  int


@dataclass(frozen=True)
class Tiling:
    """Macros of a memory.

    Attributes
    ----------
    tiles : of one bank; other banks have the same.
    """
    memory: Memory
    tiles:  tuple[Tile, ...]


def tile(memory: Memory, macros: dict[str, Macro], objective: str = "area", only: str | None = None) -> Tiling:
    """The cheapest macros that hold a memory.

    Parameters
    ----------
    macros : to choose from, by name.
    objective : "area", or "energy".
    only : name of the one macro to use.

    Raises
    ------
    QCLIFError : no macro of that name, or none at all.
    """
    raise NotImplementedError
