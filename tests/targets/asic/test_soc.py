# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC's Verilog: its FIFOs in single-port memories, and a program that it loads and runs."""

import itertools
import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.boot_image import STARTING, pack_image
from targets.asic.design import AsicConfig
from targets.asic.rtl.generate import generate
from targets.asic.rtl.memories import FIFOMemory
from tests.helpers.needs import needs_iverilog
from tests.helpers.simulation import run_simulation
from tests.targets.asic.test_rtl import MACROS

# FIFO ---------------------------------------------------------------------------------------------

class FIFOBench:
    """A FIFO around the memory; each entry is its own number.

    Attributes
    ----------
    read : entries in the order in which they came out.
    conflicts : clocks in which a half was read and written.
    waits : clocks in which a write waited.
    """
    def __init__(self, depth, traffic):
        self.depth, self.traffic = depth, traffic
        self.read, self.conflicts, self.waits = [], 0, 0
        self.dut = FIFOMemory(16, depth, "fifo")
        run_simulation(self.dut, self.run())

    def run(self):
        dut, halves    = self.dut, self.dut.halves
        half           = 2**(len(halves.read_adr) - 1)
        written, level = 0, 0
        pending        = False
        for write, read in (*self.traffic, *[(0, 1)]*self.depth, (0, 0)):
            write = write and level < self.depth
            read  = read and level > 0
            yield dut.write_en.eq(write)
            yield dut.write_adr.eq(written % self.depth)
            yield dut.write_data.eq(written if write else 0xdead)
            yield dut.read_en.eq(read)
            yield dut.read_adr.eq((written - level) % self.depth)
            yield
            if pending:
                self.read.append((yield dut.read_data))
            both = (yield halves.read_en) and (yield halves.write_en)
            self.conflicts += bool(both and ((yield halves.read_adr) >= half) == ((yield halves.write_adr) >= half))
            self.waits     += bool((yield dut.write_en) and not (yield halves.write_en))
            pending  = read
            written += bool(write)
            level   += bool(write) - bool(read)


@settings(max_examples=40)
@given(st.sampled_from((4, 6, 8, 16)), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200))
def test_fifo_memory(depth, traffic):
    bench = FIFOBench(depth, traffic)
    assert bench.read == list(range(len(bench.read))) and bench.conflicts == 0


def test_fifo_memory_under_all_short_traffic():
    """Every sequence of five clocks after a half full FIFO, in one run; writes do wait in some."""
    clocks  = list(itertools.product((0, 1), repeat=2))
    fill    = [(1, 0)]*2
    traffic = [beat for beats in itertools.product(clocks, repeat=5) for beat in (*fill, *beats, *[(0, 1)]*4)]
    bench   = FIFOBench(4, traffic)
    assert bench.read == list(range(len(bench.read))) and len(bench.read) > 4**5
    assert bench.conflicts == 0 and bench.waits > 100


@pytest.mark.parametrize("depth", [2, 7])
def test_fifo_memory_needs_two_halves(depth):
    with pytest.raises(ValueError, match=rf"^FIFO memory fifo has {depth} words: an even number from 4 up is needed$"):
        FIFOMemory(8, depth, "fifo")

# SoC ----------------------------------------------------------------------------------------------

SIZES = QCLIFConfig(neurons=8, inputs=16, contexts=2, lanes=2, frame_bytes=128, frame_window=2, uart_fifo=512)

# At which a bit of the flash takes two clocks, and one of the line, at 1 MBaud, fifty.
CHIP = AsicConfig("soc", SIZES, frequency_mhz=50.0)

# Memory of frames to send, and the register that sends one.
SRAM, FRAMES, SEND = 0x1000_0000, 0x8000_0400, 0xf000_0010

# RV32I: 'Q' goes through the SRAM's byte 5 to the frame, followed by the letters after it.
LETTERS = 6
PLAIN   = 1 << 30 | LETTERS << 16
PROGRAM = [
    SRAM | 1 << 7 | 0x37,                           # lui  x1, SRAM
    ord("Q") << 20 | 2 << 7 | 0x13,                 # addi x2, x0, 'Q'
    2 << 20 | 1 << 15 | 0 << 12 | 5 << 7 | 0x23,    # sb   x2, 5(x1)
    5 << 20 | 1 << 15 | 4 << 12 | 3 << 7 | 0x03,    # lbu  x3, 5(x1)
    (FRAMES & 0xffff_f000) | 4 << 7 | 0x37,         # lui  x4, FRAMES
    (FRAMES & 0xfff) << 20 | 4 << 15 | 4 << 7 | 0x13, # addi x4, x4, FRAMES
    *[word for n in range(LETTERS) for word in (
        3 << 20 | 4 << 15 | n << 7 | 0x23,          # sb   x3, n(x4)
        1 << 20 | 3 << 15 | 3 << 7 | 0x13,          # addi x3, x3, 1
    )],
    PLAIN | 6 << 7 | 0x37,                          # lui  x6, PLAIN
    (SEND + 0x800 & 0xffff_f000) | 7 << 7 | 0x37,   # lui  x7, SEND
    (SEND & 0xfe0) << 20 | 6 << 20 | 7 << 15 | 2 << 12 | (SEND & 0x1f) << 7 | 0x23, # sw x6, SEND(x7)
    5 << 20 | 1 << 15 | 4 << 12 | 5 << 7 | 0x03,    # lbu  x5, 5(x1): lets the last store have the bus
    0xffdff06f,                                     # j    .-4
    *[0x13]*8,                                      # nop: fetched, though never executed
]

# The flash gives its bits with the falling edge; behind its content it has none.
BENCH = """
module bench;
    reg clk = 0, rst_n = 0;
    wire tx, cs_n, sck, mosi, busy;
    reg miso = 1'bx;
    reg [7:0] letter;
    reg [{bits} - 1:0] image = {bits}'h{image};
    integer n, place, received = 0;
    qclif_soc soc (.sys_clk(clk), .rst_n(rst_n), .test(1'b0), .busy(busy), .serial_rx(1'b1), .serial_tx(tx),
        .spiflash_cs_n(cs_n), .spiflash_clk(sck), .spiflash_mosi(mosi), .spiflash_miso(miso));
    always #5 clk = ~clk;
    always @(posedge sck or posedge cs_n) if (cs_n) received = 0; else received = received + 1;
    always @(negedge sck) if (received >= 32) miso = image[{bits} - 1 - (received - 32)];
    initial begin
        repeat (10) @(posedge clk);
        #1 rst_n = 1;
        for (n = 0; n < {letters}; n = n + 1) begin
            @(negedge tx);
            repeat (25) @(posedge clk);
            for (place = 0; place < 8; place = place + 1) begin
                repeat (50) @(posedge clk);
                letter[place] = tx;
            end
            $write("%c", letter);
        end
        $finish;
    end
    initial #200000 $finish;
endmodule
"""


@needs_iverilog
def test_program_is_loaded_and_runs(tmp_path):
    """From what is unknown before its reset: loader, CPU, bus, RAMs of macros, a frame's memory and the UART's line."""
    rtl   = generate(CHIP, MACROS, tmp_path)
    image = pack_image(b"".join(word.to_bytes(4, "little") for word in PROGRAM))
    bench = tmp_path/"bench.v"
    bench.write_text(BENCH.format(bits=8*len(image), image=image.hex(), letters=1 + LETTERS))
    program = tmp_path/"bench"
    subprocess.run(["iverilog", "-g2012", "-DQCLIF_CHECK", "-o", program, bench, *rtl.sources, *rtl.models], check=True)
    done = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout == STARTING.decode() + "QRSTUV"


def test_what_the_soc_is_made_of(tmp_path, caplog):
    rtl = generate(AsicConfig("soc"), MACROS, tmp_path)
    assert rtl.top == "qclif_soc" and not caplog.records
    text = (tmp_path/"qclif_soc.v").read_text()
    assert "$readmemh" not in "".join(path.read_text() for path in rtl.sources)
    pads = re.findall(r"^    (?:input|output)  ?wire +(\w+)", text, re.MULTILINE)
    assert sorted(pads) == ["busy", "rst_n", "serial_rx", "serial_tx", "spiflash_clk", "spiflash_cs_n",
        "spiflash_miso", "spiflash_mosi", "sys_clk", "test"]
    again = generate(AsicConfig("soc"), MACROS, tmp_path/"again")
    assert [path.read_text() for path in again.sources] == [path.read_text() for path in rtl.sources]


def test_soc_errors(tmp_path):
    with pytest.raises(QCLIFError, match=r"^qclif_spike_fifo has 201 words: SRAM macros need an even number"):
        generate(AsicConfig("soc", QCLIFConfig(spike_fifo=201)), MACROS, tmp_path)
    with pytest.raises(QCLIFError, match=r"^memory qclif_program has 122880 bits, flip-flops hold at most"):
        generate(AsicConfig("soc", SIZES, sram="flops"), MACROS, tmp_path)
