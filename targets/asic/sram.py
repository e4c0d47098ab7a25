#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Verilog of memories that are made of SRAM macros or of flip-flops.

Every memory is a module of the same ports, whatever it is made of:

    clk, read_adr[], read_en, read_data[], write_adr[], write_en[] (one bit a slice), write_data[]

The word at read_adr stands in read_data one clock after read_en. Macros have one port for both directions: where a
bank is read and written in the same clock, the write is done and read_data is not to be used. Flip-flops do both,
and give the word from before the write.
"""

from targets.asic.macros import Macro
from targets.asic.tiling import Memory, Tile, Tiling, tile

__all__ = ["CLOCK_GATE", "FLOPS_LIMIT", "Memory", "Tile", "Tiling", "blackbox_verilog", "clock_gate_model",
    "flops_verilog", "macro_model_verilog", "tile", "wrapper_verilog"]

# The library's cell that gates a clock: pins CK, E, GCK.
CLOCK_GATE = "CLKGATE_X1"

# Bits of the largest memory that is made of flip-flops.
FLOPS_LIMIT = 16384


def wrapper_verilog(tiling: Tiling) -> str:
    """Module `memory.name` of macros; only those that hold the addressed word are clocked."""
    raise NotImplementedError


def flops_verilog(memory: Memory) -> str:
    """Module `memory.name` of flip-flops, for small memories.

    Raises
    ------
    QCLIFError : more than FLOPS_LIMIT bits.
    """
    raise NotImplementedError


def macro_model_verilog(macro: Macro) -> str:
    """Behaviour of a macro, for simulation."""
    raise NotImplementedError


def clock_gate_model() -> str:
    """Behaviour of CLOCK_GATE, for simulation of RTL (for netlists, cells come from Liberty)."""
    raise NotImplementedError


def blackbox_verilog(macro: Macro) -> str:
    """Ports of a macro without a body, for synthesis."""
    raise NotImplementedError
