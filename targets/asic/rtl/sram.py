# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog of memories that are made of SRAM macros, and of the macros themselves.

Macros have one port for both directions: where a bank is read and written in the same clock, the write is done and
read_data is not to be used (with QCLIF_CHECK defined, the simulation stops there).
"""

from targets.asic.platform.macros import Macro
from targets.asic.platform.tiling import Memory, Tile, Tiling
from targets.asic.rtl.flops import HEADER, gate_instance, module_head, vector, write_word
from targets.liberty.library import Cell

# Wrapper -------------------------------------------------------------------------------------------

def wrapper_verilog(tiling: Tiling, gate: Cell) -> str:
    """Module `memory.name` of macros; only those that hold the addressed word are clocked.

    Each macro has a clock gate of its own, those of the same words behind another one, and an address that rests while
    another is addressed: its Liberty charges an access for every edge of the clock, and energy for every bit of the
    address that changes.

    Parameters
    ----------
    gate : the PDK's cell that gates a clock.
    """
    memory  = tiling.memory
    word    = "word" if memory.hold else "read_data"
    macros  = ", ".join(f"{count} {name}" for name, count in tiling.macros.items())
    lines   = [f"// {memory.banks} x {memory.depth} words of {memory.width} bits in {macros}.", module_head(memory)]
    lines  += [f"    wire {vector(memory.width)}write_word = {write_word(memory)};"]
    lines  += [f"    wire {vector(memory.width)}word;"]*memory.hold
    # Tiles of several columns share their part of an address.
    rows    = sorted({(each.first, each.macro.depth) for each in tiling.tiles})
    joined  = memory.banks*max(map(len, tiling.columns)) > 1
    for bank in range(memory.banks):
        lines += _bank(memory, bank)
        for first, depth in rows:
            # Whether its words are addressed; and, one clock after a read, whether they were.
            low    = (depth - 1).bit_length()
            bits   = memory.word_bits - low
            hit    = "1'b1" if bits <= 0 else f"adr_{bank}[{memory.word_bits - 1}:{low}] == {bits}'d{first >> low}"
            lines += [f"    wire hit_{bank}_{first}_{depth} = {hit};"]
            if _gates(tiling, first, depth) > 1:
                lines += gate_instance(gate, f"{bank}_{first}_{depth}",
                    f"(read_{bank} | write_{bank}) & hit_{bank}_{first}_{depth}")
            lines += [f"    reg  chosen_{bank}_{first}_{depth};"]*joined
        for index, column in enumerate(tiling.columns):
            for each in column:
                clock  = f"clk_{_place(bank, each)}" if _gates(tiling, each.first, each.macro.depth) > 1 else "clk"
                lines += _macro(memory, bank, index, each, gate, clock)
    if joined:
        # Where the last word that was read is.
        places = [(bank, f"{bank}_{first}_{depth}") for bank in range(memory.banks) for first, depth in rows]
        lines += ["", "    always @(posedge clk) if (read_en) begin",
            *(f"        chosen_{place} <= read_{bank} & hit_{place};" for bank, place in places), "    end"]
    for index, column in enumerate(tiling.columns):
        outputs = [(bank, each) for bank in range(memory.banks) for each in column]
        terms   = [f"{f'{{{each.bits}{{chosen_{_place(bank, each)}}}}} & ' if joined else ''}"
            f"q_{_place(bank, each)}_{index}[{each.bits - 1}:0]" for bank, each in outputs]
        lines  += ["", f"    assign {word}[{column[0].low} +: {column[0].bits}] =",
            " |\n".join(f"        {term}" for term in terms) + ";"]
    if memory.hold:
        lines += _hold(memory)
    return HEADER + "\n".join([*lines, "endmodule", ""])


def _gates(tiling: Tiling, first: int, depth: int) -> int:
    """Macros of a bank that hold the same words."""
    return sum((each.first, each.macro.depth) == (first, depth) for each in tiling.tiles)


def _place(bank: int, each: Tile) -> str:
    return f"{bank}_{each.first}_{each.macro.depth}"


def _bank(memory: Memory, bank: int) -> list[str]:
    """Who uses the bank's port in this clock; the address of a bank that is not read rests with write_adr."""
    here = {port: "1'b1" if memory.banks == 1 else f"({port}_adr[{memory.word_bits}] == 1'b{bank})"
        for port in ("read", "write")}
    high = memory.word_bits - 1
    return ["",
        f"    wire read_{bank}  = read_en & {here['read']};",
        f"    wire write_{bank} = (|write_en) & {here['write']};",
        f"    wire {vector(memory.word_bits)}adr_{bank} =",
        f"        {here['read']} & ~write_{bank} ? read_adr[{high}:0] : write_adr[{high}:0];",
        "`ifdef QCLIF_CHECK",
        f"    always @(posedge clk) if (read_{bank} & write_{bank}) begin",
        f'        $display("{memory.name}: bank {bank} is read and written in the same clock, %0t", $time);',
        "        $stop;",
        "    end",
        "`endif"]


def _macro(memory: Memory, bank: int, index: int, each: Tile, gate: Cell, clock: str) -> list[str]:
    """One macro and its gate of a clock; where a macro is in one slice, it is written by that slice's enable."""
    macro, ports, place = each.macro, each.macro.ports, _place(bank, each)
    name    = f"{place}_{index}"
    parts   = _parts(memory, each)
    write   = f"write_{bank}" + (f" & write_en[{parts[0][0]}]" if len(parts) == 1 < len(memory.slices) else "")
    invert  = "~" if ports.active_low else ""
    adr     = f"adr_{bank}[{min(macro.address_bits, memory.word_bits) - 1}:0]"
    spare   = macro.address_bits - memory.word_bits
    address = f"{{{spare}'d0, {adr}}}" if spare > 0 else adr
    if macro.depth < 2**memory.word_bits:
        address = f"{address} & {{{macro.address_bits}{{hit_{place}}}}}"
    pins = {
        ports.clock:      f"clk_{name}",
        ports.enable:     f"{invert}enable_{name}",
        ports.write:      f"{invert}write_{name}",
        ports.address:    address,
        ports.write_data: _padded(f"write_word[{each.low} +: {each.bits}]", macro.width - each.bits),
        ports.read_data:  f"q_{name}",
    }
    if macro.mask:
        # A gate of its own for each macro: all masks of a memory are too much for one.
        mask = "1'b1" if len(parts) == 1 else "write_en[{}] & hit_{}"
        bits = [f"{{{bits}{{{mask.format(n, place)}}}}}" for n, bits in parts]
        pins[ports.mask] = _padded(f"{{{', '.join(reversed(bits))}}}", macro.width - each.bits)
    return ["",
        f"    wire write_{name}  = {write};",
        f"    wire enable_{name} = (read_{bank} | write_{name}) & hit_{place};",
        f"    wire {vector(macro.width)}q_{name};",
        *gate_instance(gate, name, f"enable_{name}", clock),
        f"    {macro.name} macro_{name} (",
        ",\n".join(f"        .{pin}({value})" for pin, value in pins.items()),
        "    );"]


def _parts(memory: Memory, each: Tile) -> list[tuple[int, int]]:
    """Slices that a tile holds bits of, and how many: [(slice, bits)]."""
    parts, low = [], 0
    for index, bits in enumerate(memory.slices):
        inside = min(low + bits, each.low + each.bits) - max(low, each.low)
        if inside > 0:
            parts.append((index, inside))
        low += bits
    return parts


def _padded(value: str, zeros: int) -> str:
    return f"{{{zeros}'d0, {value}}}" if zeros else value


def _hold(memory: Memory) -> list[str]:
    """A copy of the word that was read, taken before a write can change it."""
    return ["",
        "    reg fresh;",
        f"    reg {vector(memory.width)}held;",
        "    always @(posedge clk) begin",
        "        fresh <= read_en;",
        "        if (fresh) held <= word;",
        "    end",
        "    assign read_data = fresh ? word : held;"]

# Macros --------------------------------------------------------------------------------------------

def macro_model_verilog(macro: Macro) -> str:
    """Behaviour of a macro, for simulation.

    A write gives the word that was written, so that nobody relies on the one that was read before. Without the
    enable nothing happens: whether clocks were saved is not seen here.
    """
    ports   = macro.ports
    asked   = {name: f"{'~' if ports.active_low else ''}{name}" for name in (ports.enable, ports.write)}
    written = ports.write_data
    if macro.mask:
        written = f"(words[{ports.address}] & ~{ports.mask}) | ({ports.write_data} & {ports.mask})"
    singles = [ports.clock, ports.enable, ports.write]
    words   = [ports.write_data] + [ports.mask]*macro.mask
    return HEADER + "\n".join([f"module {macro.name} (",
        *(f"    input  {name}," for name in singles),
        f"    input  {vector(macro.address_bits)}{ports.address},",
        *(f"    input  {vector(macro.width)}{name}," for name in words),
        f"    output reg {vector(macro.width)}{ports.read_data}",
        ");",
        f"    reg {vector(macro.width)}words [0:{macro.depth - 1}];",
        f"    wire {vector(macro.width)}written = {written};",
        f"    always @(posedge {ports.clock}) if ({asked[ports.enable]}) begin",
        f"        if ({asked[ports.write]}) words[{ports.address}] <= written;",
        f"        {ports.read_data} <= {asked[ports.write]} ? written : words[{ports.address}];",
        "    end",
        "endmodule", ""])
