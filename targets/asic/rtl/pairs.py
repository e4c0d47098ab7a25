# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A memory that is read and written in the same clock, in turn, of macros with one port: two words lie in one of it.

A pair is read with its even word, and held; it is written with its odd word, or in the clock after, where the port is
taken by a read: the clock after that of an even word has no read.
"""

from dataclasses import replace

from targets.asic.platform.tiling import Memory
from targets.asic.rtl.flops import HEADER, module_head, vector

# Inputs beside those of all memories.
INPUTS = ("in_turn", "last")


def pairs_of(memory: Memory) -> Memory:
    """The memory that holds the pairs of words of another one."""
    return replace(memory, name=f"{memory.name}_pairs", depth=-(-memory.depth//2), slices=(memory.width,)*2,
        wide_data=True, hold=True)


def pairs_verilog(memory: Memory) -> str:
    """Module `memory.name` around pairs_of() it, for words of one slice in one bank.

    Its inputs beside the others:

        in_turn    words are read, and are written, in ascending order from an even one on; all writes are
        last       the word that is written is the last one; no word is read in this clock, nor was in the one before
    """
    pairs, bits, high = pairs_of(memory), memory.width, memory.address_bits - 1
    # A single pair has an address of one bit, too.
    pair  = (lambda adr: f"{adr}[{high}:1]") if high else (lambda adr: "1'b0")
    spare = pairs.address_bits
    return HEADER + "\n".join([module_head(memory, INPUTS),
        f"    wire {vector(2*bits)}pair;",
        f"    reg  {vector(bits)}even_word;",
        f"    reg  {vector(bits)}odd_word;",
        f"    reg  {vector(spare)}odd_adr;",
        "    reg  odd;   // The word that was read.",
        "    reg  waits; // A pair has to be written.",
        "    wire reads  = read_en & (~read_adr[0] | ~in_turn);",
        "    wire writes = write_en & (write_adr[0] | last);",
        "    always @(posedge clk) begin",
        "        if (read_en) odd <= read_adr[0];",
        "        if (write_en & ~write_adr[0]) even_word <= write_data;",
        "        waits <= writes & reads;",
        "        if (writes & reads) begin",
        "            odd_word <= write_data;",
        f"            odd_adr  <= {pair('write_adr')};",
        "        end",
        "    end",
        f"    {pairs.name} pairs (",
        "        .clk(clk),",
        f"        .read_adr({pair('read_adr')}),",
        "        .read_en(reads),",
        "        .read_data(pair),",
        f"        .write_adr(waits ? odd_adr : {pair('write_adr')}),",
        "        .write_en({waits | writes & ~reads & write_adr[0], waits | writes & ~reads}),",
        "        .write_data({waits ? odd_word : write_data, waits | write_adr[0] ? even_word : write_data})",
        "    );",
        f"    assign read_data = odd ? pair[{2*bits - 1}:{bits}] : pair[{bits - 1}:0];",
        "endmodule", ""])
