#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What the Verilog of all memories has in common."""

from targets.asic.platform.tiling import Memory

# Verilator warns of what these texts do by design: bits of a macro that nobody uses, clocks that are gated.
HEADER = "/* verilator lint_off UNUSEDSIGNAL */\n"


def vector(bits: int) -> str:
    """Range of a declaration, with a space behind."""
    return f"[{bits - 1}:0] "


def module_head(memory: Memory) -> str:
    """Begin of a memory's module."""
    address = vector(memory.address_bits)
    return "\n".join([f"module {memory.name} (",
        "    input  clk,",
        f"    input  {address}read_adr,",
        "    input  read_en,",
        f"    output {vector(memory.width)}read_data,",
        f"    input  {address}write_adr,",
        f"    input  {vector(len(memory.slices))}write_en,",
        f"    input  {vector(memory.write_bits)}write_data",
        ");"])


def write_word(memory: Memory) -> str:
    """The word that write_data asks for, if all slices were written."""
    if memory.wide_data or len(memory.slices) == 1:
        return "write_data"
    return f"{{{', '.join(f'write_data[{bits - 1}:0]' for bits in reversed(memory.slices))}}}"
