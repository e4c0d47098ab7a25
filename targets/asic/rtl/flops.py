#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Verilog of small memories that are made of flip-flops."""

from accel.errors import QCLIFError
from targets.asic.platform.tiling import Memory
from targets.asic.rtl.verilog import HEADER, module_head, vector, write_word

# The library's cell that gates a clock: pins CK, E, GCK.
CLOCK_GATE = "CLKGATE_X1"

# Bits of the largest memory that is made of flip-flops.
FLOPS_LIMIT = 16384


def flops_verilog(memory: Memory) -> str:
    """Module `memory.name` of flip-flops, each slice of a word behind a clock gate of its own.

    Raises
    ------
    QCLIFError : more than FLOPS_LIMIT bits.
    """
    if memory.bits > FLOPS_LIMIT:
        raise QCLIFError(f"memory {memory.name} has {memory.bits} bits, flip-flops hold at most {FLOPS_LIMIT}: choose "
            f"--sram fakeram45, or smaller sizes")
    words = [bank << memory.word_bits | word for bank in range(memory.banks) for word in range(memory.depth)]
    lines = [module_head(memory), f"    wire {vector(memory.width)}write_word = {write_word(memory)};"]
    for word in words:
        lines += _word(memory, word)
    lines += _read(memory, words)
    return HEADER + "\n".join([*lines, "endmodule", ""])


def _word(memory: Memory, word: int) -> list[str]:
    """Flip-flops of one word."""
    lines = ["", f"    wire here_{word} = write_adr == {memory.address_bits}'d{word};"]
    low   = 0
    for index, bits in enumerate(memory.slices):
        place  = f"{word}_{index}"
        lines += [f"    wire clk_{place};",
            f"    reg  {vector(bits)}word_{place};",
            f"    {CLOCK_GATE} gate_{place} (.CK(clk), .E(here_{word} & write_en[{index}]), .GCK(clk_{place}));",
            f"    always @(posedge clk_{place}) word_{place} <= write_word[{low} +: {bits}];"]
        low   += bits
    return lines


def _read(memory: Memory, words: list[int]) -> list[str]:
    """Read port: each word behind an AND, which is smaller than a tree of multiplexers and toggles less."""
    terms = []
    for word in words:
        here   = f"{{{memory.width}{{read_en & (read_adr == {memory.address_bits}'d{word})}}}}"
        slices = ", ".join(f"word_{word}_{index}" for index in reversed(range(len(memory.slices))))
        terms.append(f"        {here} & {{{slices}}}")
    return ["",
        f"    wire {vector(memory.width)}word =",
        " |\n".join(terms) + ";",
        f"    reg  {vector(memory.width)}data;",
        "    always @(posedge clk) if (read_en) data <= word;",
        "    assign read_data = data;"]


def clock_gate_model() -> str:
    """Behaviour of CLOCK_GATE, for simulation of RTL (for netlists, cells come from Liberty)."""
    return HEADER + f"""/* verilator lint_off LATCH */
module {CLOCK_GATE} (input CK, input E, output GCK);
    reg enabled;
    always @(*) if (~CK) enabled = E;
    assign GCK = CK & enabled;
endmodule
"""
