# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memories of the ASIC flow, simulated beside a model of what they promise."""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from targets.asic.platform.macros import Macro
from targets.asic.platform.tiling import Memory, Tiling
from targets.asic.rtl.flops import clock_gate_model
from targets.asic.rtl.pairs import INPUTS
from targets.asic.rtl.sram import macro_model_verilog
from targets.liberty.library import Cell, Pin

# As Nangate45 has it.
GATE = Cell("CLKGATE_X1", 3.458, None, {name: Pin(name, "output" if role == "out" else "input", gate=role)
    for name, role in (("CK", "clock"), ("E", "enable"), ("GCK", "out"))}, clock_gate="latch_posedge")
FLIPFLOP_UM2 = 4.522


def blackbox_verilog(macro: Macro) -> str:
    """Ports of a macro without a body, for synthesis."""
    head, end, _ = macro_model_verilog(macro).partition(");")
    return f"(* blackbox *)\n{head.replace('output reg', 'output')}{end}\nendmodule\n"


@dataclass(frozen=True)
class Access:
    """What the ports are given for a clock; write_en has one bit a slice, 0 does not write; pairs alone have the last
    two."""
    read_en:    int = 0
    read_adr:   int = 0
    write_en:   int = 0
    write_adr:  int = 0
    write_data: int = 0
    in_turn:    int = 0
    last:       int = 0


def in_turn(memory: Memory, steps: int, latency: int, seed: int = 1) -> list[Access]:
    """Steps over the first words of a memory: each word is read, in ascending order, and written `latency` clocks of a
    pipeline later, which may stand still as a whole and have gaps; from the clock after a step on, reads in any order.
    """
    rng    = random.Random(seed)
    result = []
    for _ in range(steps):
        words   = rng.choice((1, 2, memory.depth, rng.randint(1, memory.depth)))
        words   = min(words, memory.depth)
        tokens  = [None]*latency
        pause   = rng.choice((0, 0.1, 0.5))
        stall   = rng.choice((0, 0.1, 0.5))
        read    = written = 0
        while written < words:
            moves  = rng.random() >= stall
            reads  = moves and read < words and rng.random() >= pause
            writes = moves and tokens[-1] is not None
            result.append(Access(int(reads), read*reads, int(writes), tokens[-1] if writes else 0,
                rng.getrandbits(memory.write_bits), 1, int(writes and tokens[-1] == words - 1)))
            if moves:
                tokens = [read if reads else None, *tokens[:-1]]
            read    += reads
            written += writes
        for _ in range(rng.randint(0, 6)):
            result.append(Access(rng.randint(0, 1), rng.randrange(words)))
        result += [Access(in_turn=1)]*rng.randint(1, 3)
    return result


def accesses(memory: Memory, count: int, both: bool, seed: int = 1) -> list[Access]:
    """Every word written once, then random accesses; `both`: reads and writes of a bank in the same clock, too."""
    rng     = random.Random(seed)
    address = [bank << memory.word_bits | word for bank in range(memory.banks) for word in range(memory.depth)]
    every   = 2**len(memory.slices) - 1
    # Slices that share write_data's bits are filled one by one.
    fill    = [1 << n for n in range(len(memory.slices))] if not memory.wide_data else [every]
    result  = [Access(write_en=slices, write_adr=word, write_data=rng.getrandbits(memory.write_bits))
        for word in address for slices in fill]
    for _ in range(count):
        read, write = rng.choice(address), rng.choice(address)
        # The same word, or the next, more often than by chance.
        if rng.random() < 0.3:
            write = read
        if result[-1].read_en and rng.random() < 0.5:
            read = address[(address.index(result[-1].read_adr) + 1) % len(address)]
        kind    = rng.choice(("read", "write", "both", "none"))
        reads   = kind in ("read", "both")
        writes  = rng.randint(1, every)*(kind in ("write", "both"))
        if writes and reads and not both and read >> memory.word_bits == write >> memory.word_bits:
            reads = False
        result.append(Access(int(reads), read, writes, write, rng.getrandbits(memory.write_bits)))
    return result


def expected(memory: Memory, sequence: list[Access], kind: str) -> list[int | None]:
    """Read data after each clock of what is made of "macros", "pairs" or "flops"; None where nothing is promised."""
    words, shown, bank, result = {}, None, None, []
    for access in sequence:
        if access.read_en:
            shown, bank = words.get(access.read_adr), access.read_adr >> memory.word_bits
        low = 0
        for n, bits in enumerate(memory.slices):
            if access.write_en >> n & 1:
                data = access.write_data >> (low if memory.wide_data else 0)
                mask = (2**bits - 1) << low
                old  = words.get(access.write_adr, 0)
                words[access.write_adr] = old & ~mask | data << low & mask
            low += bits
        if access.write_en and not access.read_en and access.write_adr >> memory.word_bits == bank and not (
                kind != "macros" or memory.hold):
            shown = None
        result.append(shown)
    return result


def clocked(tiling: Tiling, sequence: list[Access]) -> list[set[str]]:
    """Macros that an access needs, by the names of their gates."""
    memory, result = tiling.memory, []
    owner = [n for n, bits in enumerate(memory.slices) for _ in range(bits)]
    for access in sequence:
        active = set()
        for index, column in enumerate(tiling.columns):
            for tile in column:
                # A macro that is all in one slice is left alone by writes of others.
                slices = access.write_en
                if owner[tile.low] == owner[tile.low + tile.bits - 1]:
                    slices &= 1 << owner[tile.low]
                for wanted, address in ((access.read_en, access.read_adr), (slices, access.write_adr)):
                    bank, word = divmod(address, 2**memory.word_bits)
                    if wanted and tile.first <= word < tile.first + tile.words:
                        active.add(f"{bank}_{tile.first}_{tile.macro.depth}_{index}")
        result.append(active)
    return result


def _port_bits(memory: Memory, more: Sequence[str]) -> dict[str, int]:
    return {"read_en": 1, "read_adr": memory.address_bits, "write_en": len(memory.slices),
        "write_adr": memory.address_bits, "write_data": memory.write_bits, **dict.fromkeys(more, 1)}


def bench(memory: Memory, sequence: list[Access], gates: list[str], more: Sequence[str] = ()) -> str:
    """Test bench that plays `stimulus.hex`: registers drive the ports; one line a clock, read data and gates."""
    bits   = _port_bits(memory, more)
    total  = sum(bits.values())
    count  = "\n".join(f"    reg pulse_{gate} = 0; always @(posedge dut.clk_{gate}) pulse_{gate} = 1;"
        for gate in gates)
    show   = ", ".join(["dut.read_data", *(f"pulse_{gate}" for gate in gates)])
    clear  = " ".join(f"pulse_{gate} = 0;" for gate in gates)
    return f"""
module bench;
    reg clk = 0;
    always #5 clk = ~clk;
    reg [{total - 1}:0] stimulus [0:{len(sequence) - 1}];
    initial $readmemh("stimulus.hex", stimulus);
    {" ".join(f"reg [{width - 1}:0] {name} = 0;" for name, width in bits.items())}
    wire [{memory.width - 1}:0] read_data;
    {memory.name} dut (.clk(clk), .read_data(read_data), {", ".join(f".{name}({name})" for name in bits)});
    integer n = 0;
    always @(posedge clk) begin
        {{{", ".join(bits)}}} <= stimulus[n];
        n <= n + 1;
    end
{count}
    always @(negedge clk) begin
        if (n > 1) $display("row %h{' %b'*len(gates)}", {show});
        {clear}
        if (n == {len(sequence) + 1}) $finish;
    end
endmodule
"""


def stimulus(memory: Memory, sequence: list[Access], more: Sequence[str] = ()) -> str:
    """What the bench reads: a word of all ports for each clock."""
    lines  = []
    for access in sequence:
        value = 0
        for name, width in _port_bits(memory, more).items():
            value = value << width | getattr(access, name)
        lines.append(f"{value:x}\n")
    return "".join(lines)


def simulate(memory: Memory, verilog: str, macros: list[Macro], sequence: list[Access], folder: Path,
        gates: tuple[str, ...] = (), verilator: bool = False, pairs: bool = False
        ) -> tuple[list[str], list[set[str]]]:
    """Read data as hexadecimal text, and the gates that gave a clock, after each clock."""
    more  = INPUTS if pairs else ()
    texts = [verilog, clock_gate_model(GATE), *map(macro_model_verilog, macros),
        bench(memory, sequence, list(gates), more)]
    (folder/"all.v").write_text("\n".join(texts))
    (folder/"stimulus.hex").write_text(stimulus(memory, sequence, more))
    commands = [["iverilog", "-g2005", "-Wall", "-DQCLIF_CHECK", "-o", "sim", "-s", "bench", "all.v"],
        ["vvp", "-n", "sim"]]
    if verilator:
        commands = [["verilator", "--binary", "-Wno-fatal", "-DQCLIF_CHECK", "--top-module", "bench", "all.v"],
            ["obj_dir/Vbench"]]
    for command in commands:
        done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
    rows = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("row ")]
    assert len(rows) == len(sequence), done.stdout[-2000:]
    return [row[0] for row in rows], [{gate for gate, pulse in zip(gates, row[1:], strict=True) if pulse == "1"}
        for row in rows]
