# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The CPU's memory where block RAM is scarce: large single-port RAMs, filled from the SPI flash after reset."""

from migen import *

from litex.gen import *

from litex.soc.interconnect import wishbone

# Commands of all SPI flashes: end of the power-down that some loaders leave them in, and read.
WAKE, READ = 0xab, 0x03

# Bytes of clocks, 16 each, before data: command, rest, command and address. The rest is longer than the 3 us that a
# flash takes to wake up, for any clock up to 50 MHz.
HEADER_BYTES = 16
READ_BYTE    = HEADER_BYTES - 4

# 16 bits wide and 16384 words deep, as iCE40 UltraPlus has them.
RAM_BITS  = 16
RAM_WORDS = 16*1024
RAM_BYTES = 4*RAM_WORDS

# Flash Reader -------------------------------------------------------------------------------------

class FlashReader(LiteXModule):
    """Reads the SPI flash once after reset.

    Parameters
    ----------
    pads   : cs_n, clk, mosi, miso; wp and hold, where they exist, are kept inactive.
    offset : first byte in the flash, below 2**24.
    size   : bytes to read.
    divide : clocks of half a bit.
    stop   : signal that ends it early, and stays; None: all is read.

    Attributes
    ----------
    valid   : `data` is byte `address` of what is read, for this clock.
    done    : all of it was read, or it was stopped.
    """
    def __init__(self, pads, offset, size, divide=1, stop=None):
        self.valid   = Signal()
        self.data    = Signal(8)
        self.address = Signal(max=size)
        self.done    = Signal()

        # # #

        # Bytes, from -HEADER_BYTES; halves of its bits; what is shifted out to the left and in from the right.
        # -----------------------------------------------------------------------------------------------------
        bits   = bits_for(size) + 1
        count  = Signal(bits, reset=2**bits - HEADER_BYTES)
        clock  = Signal(4)
        shift  = Signal(8, reset=WAKE)
        header = Signal()
        send   = Signal(8)
        going  = ~self.done
        ended  = count == size
        if stop is not None:
            ended = ended | stop
        if divide > 1:
            wait   = Signal(max=divide)
            going &= wait == divide - 1
            self.sync += If(wait == divide - 1, wait.eq(0)).Else(wait.eq(wait + 1))
        self.comb += [
            header.eq(count[-1]),
            self.done.eq(ended),
            # Sampled with the edge of `clk` that the flash samples, half a bit after it has changed the data.
            self.data.eq(Cat(pads.miso, shift[:7])),
            self.address.eq(count),
            self.valid.eq((clock == 15) & ~header & going),
            # The byte after this one.
            Case(count[:4], {
                READ_BYTE - 1: send.eq(READ),
                READ_BYTE + 0: send.eq(offset >> 16),
                READ_BYTE + 1: send.eq(offset >> 8),
                READ_BYTE + 2: send.eq(offset),
            }),
        ]
        self.sync += If(going,
            clock.eq(clock + 1),
            If(clock[0], shift.eq(self.data)),
            If(clock == 15,
                count.eq(count + 1),
                If(header, shift.eq(send)),
            ),
        )

        # Pads, out of registers. In reset the flash is not selected: what it heard before, of a command that the reset
        # cut short, or of levels that nobody chose, ends with that.
        # -------------------------------------------------------------------------------------------------------------
        rest = header & (count[:4] != 0) & (count[:4] < READ_BYTE)
        cs_n = Signal(reset=1)
        self.comb += pads.cs_n.eq(cs_n)
        self.sync += [
            cs_n.eq(rest | self.done),
            pads.clk.eq(clock[0] & ~rest & ~self.done),
            pads.mosi.eq(shift[-1]),
        ]
        for name in ("wp", "hold"):
            if hasattr(pads, name):
                self.comb += getattr(pads, name).eq(1)

# Flash RAM ----------------------------------------------------------------------------------------

class FlashRAM(LiteXModule):
    """64 KB of RAM whose first `size` bytes are those of the flash: until they are there, the bus waits.

    Parameters
    ----------
    pads, offset, size : as FlashReader's.

    Attributes
    ----------
    bus : Wishbone slave.
    """
    def __init__(self, pads, offset, size):
        self.bus    = bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.reader = reader = FlashReader(pads, offset, size)

        # # #

        # One access a time: a clock for it, a clock for its answer.
        # ----------------------------------------------------------
        address = Signal(max=RAM_WORDS)
        data    = Signal(32)
        access  = Signal()
        write   = Signal(4)
        self.comb += [
            access.eq(bus.cyc & bus.stb),
            If(reader.done,
                address.eq(bus.adr),
                data.eq(bus.dat_w),
                write.eq(Replicate(access & bus.we, 4) & bus.sel),
            ).Else(
                address.eq(reader.address[2:]),
                data.eq(Replicate(reader.data, 4)),
                write.eq(Replicate(reader.valid, 4) & (1 << reader.address[:2])),
            ),
        ]
        self.sync += bus.ack.eq(access & reader.done & ~bus.ack)

        # Memories.
        # ---------
        for n in range(32//RAM_BITS):
            memory = Memory(RAM_BITS, RAM_WORDS, name=f"ram{n}")
            port   = memory.get_port(write_capable=True, we_granularity=8, mode=NO_CHANGE)
            self.specials += memory, port
            self.comb += [
                port.adr.eq(address),
                port.dat_w.eq(data[n*RAM_BITS:]),
                port.we.eq(write[2*n:]),
                bus.dat_r[n*RAM_BITS:(n + 1)*RAM_BITS].eq(port.dat_r),
            ]
