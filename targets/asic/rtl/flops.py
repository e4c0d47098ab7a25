# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog of memories: what all of them have in common, and small ones that are made of flip-flops.

Every memory is a module of the same ports, whatever it is made of:

    clk, read_adr[], read_en, read_data[], write_adr[], write_en[] (one bit a slice), write_data[]

The word at read_adr stands in read_data one clock after read_en. Flip-flops read and write in the same clock, and
give the word from before the write.
"""

from collections.abc import Iterable
from itertools import accumulate

from accel.errors import QCLIFError
from targets.asic.platform.tiling import Memory
from targets.liberty.library import Cell

# Bits of the largest memory that is made of flip-flops.
FLOPS_LIMIT = 16384

# Words behind one clock gate, before those of the words: with a root above them, a memory at rest has one gate clocked.
BLOCK_WORDS = 16

# Verilator warns of what these texts do by design: bits of a macro that nobody uses, clocks that are gated.
HEADER = "/* verilator lint_off UNUSEDSIGNAL */\n"


def vector(bits: int) -> str:
    """Range of a declaration, with a space behind."""
    return f"[{bits - 1}:0] "


def module_head(memory: Memory, more: Iterable[str] = ()) -> str:
    """Begin of a memory's module, which has some `more` inputs."""
    address = vector(memory.address_bits)
    return "\n".join([f"module {memory.name} (",
        "    input  clk,",
        *(f"    input  {name}," for name in more),
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

# Flip-flops ---------------------------------------------------------------------------------------

def flops_verilog(memory: Memory, gate: Cell) -> str:
    """Module `memory.name` of flip-flops, each slice of a word behind a clock gate of its own.

    Parameters
    ----------
    gate : the PDK's cell that gates a clock.

    Raises
    ------
    QCLIFError : more than FLOPS_LIMIT bits.
    """
    if memory.bits > FLOPS_LIMIT:
        raise QCLIFError(f"memory {memory.name} has {memory.bits} bits, flip-flops hold at most {FLOPS_LIMIT}: choose "
            f"--sram fakeram45, or smaller sizes")
    words = [bank << memory.word_bits | word for bank in range(memory.banks) for word in range(memory.depth)]
    adr   = memory.address_bits
    low   = (BLOCK_WORDS - 1).bit_length()
    lines = [module_head(memory), f"    wire {vector(memory.width)}write_word = {write_word(memory)};",
        *gate_instance(gate, "written", "|write_en")]
    terms = []
    block = None
    for word in words:
        above = "written"
        if len(words) > BLOCK_WORDS:
            above = f"block_{word >> low}"
            if word >> low != block:
                block  = word >> low
                here   = f"write_adr[{adr - 1}:{low}] == {adr - low}'d{block}"
                lines += gate_instance(gate, above, here, "clk_written")
        lines += ["", f"    wire here_{word} = write_adr == {adr}'d{word};"]
        for index, (bits, first) in enumerate(zip(memory.slices, accumulate(memory.slices, initial=0), strict=False)):
            place  = f"{word}_{index}"
            lines += [*gate_instance(gate, place, f"here_{word} & write_en[{index}]", f"clk_{above}"),
                f"    reg  {vector(bits)}word_{place};",
                f"    always @(posedge clk_{place}) word_{place} <= write_word[{first} +: {bits}];"]
        # Each word is read through an AND, which is smaller than a tree of multiplexers and toggles less.
        here   = f"{{{memory.width}{{read_en & (read_adr == {adr}'d{word})}}}}"
        slices = ", ".join(f"word_{word}_{index}" for index in reversed(range(len(memory.slices))))
        terms.append(f"        {here} & {{{slices}}}")
    lines += ["",
        f"    wire {vector(memory.width)}word =",
        " |\n".join(terms) + ";",
        f"    reg  {vector(memory.width)}data;",
        "    always @(posedge clk) if (read_en) data <= word;",
        "    assign read_data = data;"]
    return HEADER + "\n".join([*lines, "endmodule", ""])

# Clock gates --------------------------------------------------------------------------------------

def gate_instance(gate: Cell, place: str, enable: str, clock: str = "clk") -> list[str]:
    """Instance gate_{place} of a clock gate, from a clock to clk_{place}; its test pin rests at 0."""
    nets = {"clock": clock, "enable": enable, "out": f"clk_{place}", "test": "1'b0"}
    pins = ", ".join(f".{pin.name}({nets[pin.gate]})" for pin in gate.pins.values() if pin.gate)
    return [f"    wire clk_{place};", f"    {gate.name} gate_{place} ({pins});"]


def clock_gate_model(gate: Cell) -> str:
    """Behaviour of a clock gate, for simulation of RTL (for netlists, cells come from Liberty)."""
    names  = {pin.gate: pin.name for pin in gate.pins.values() if pin.gate}
    clock, enable, output = (names[role] for role in ("clock", "enable", "out"))
    inputs = "".join(f"input {name}, " for role, name in names.items() if role != "out")
    test   = f" | {names['test']}" if "test" in names else ""
    return HEADER + f"""/* verilator lint_off LATCH */
module {gate.name} ({inputs}output {output});
    reg enabled;
    always @(*) if (~{clock}) enabled = {enable}{test};
    assign {output} = {clock} & enabled;
endmodule
"""

