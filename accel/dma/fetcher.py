# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.cores.dma import WishboneDMAReader
from litex.soc.interconnect import stream, wishbone

from accel.config import WORD_BITS, WORD_BYTES

# Words that are fetched ahead of the bytes that are read.
FETCHED_WORDS = 4

# Fetcher ------------------------------------------------------------------------------------------

class ByteFetcher(LiteXModule):
    """Bytes of a memory, fetched by words: one a clock where the memory gives a word in four.

    Parameters
    ----------
    big_endian : byte 0 of a word is its highest one.

    Attributes
    ----------
    bus    : Wishbone master. An access that has begun is always completed.
    start  : pulse while `idle`: fetch `length` bytes from the byte address `base` on.
    stop   : level; no further word is asked for, what was fetched is dropped.
    idle   : no access is under way, nothing is held.
    source : bytes.
    failed : the memory refused an access, or lies beyond the last address: no further byte comes.
    """
    def __init__(self, big_endian=False):
        self.bus    = bus = wishbone.Interface(data_width=WORD_BITS, address_width=32, addressing="word", mode="r")
        self.start  = Signal()
        self.stop   = Signal()
        self.base   = Signal(32)
        self.length = Signal(32)
        self.idle   = Signal()
        self.source = source = stream.Endpoint([("byte", 8)], name="source")
        self.failed = Signal()

        # # #

        # LiteX's reader: "big" leaves the bytes of a word where they are.
        # ----------------------------------------------------------------
        inner = wishbone.Interface(data_width=WORD_BITS, address_width=32, addressing="word")
        self.reader = reader = WishboneDMAReader(inner, endianness="little" if big_endian else "big",
            fifo_depth=FETCHED_WORDS)
        self.comb += [
            inner.connect(bus, omit={"ack", "err"}),
            # A refused access ends as any other one.
            inner.ack.eq(bus.ack | bus.err),
        ]

        # Words.
        # ------
        address = Signal(31)
        words   = Signal(31)
        begun   = Signal()
        beyond  = address[-1]
        refused = Signal()
        self.comb += [
            reader.sink.address.eq(address),
            reader.sink.valid.eq(begun | ((words != 0) & ~beyond & ~refused & ~self.stop)),
            self.failed.eq(refused | ((words != 0) & beyond & ~reader.source.valid)),
        ]
        self.sync += [
            begun.eq(bus.cyc & bus.stb & ~inner.ack),
            If(bus.cyc & bus.stb & bus.err, refused.eq(1)),
            If(reader.sink.valid & reader.sink.ready,
                address.eq(address + 1),
                words.eq(words - 1),
            ),
            If(self.stop, words.eq(0)),
            If(self.start,
                address.eq(self.base[2:]),
                words.eq((self.base[:2] + self.length + (WORD_BYTES - 1))[2:]),
                refused.eq(0),
            ),
        ]

        # Bytes: behind a register, for the memory of the words is read without one.
        # --------------------------------------------------------------------------
        index = Signal(2)
        take  = Signal()
        self.comb += [
            take.eq(reader.source.valid & (~source.valid | source.ready) & ~self.failed),
            reader.source.ready.eq(self.stop | (take & (index == WORD_BYTES - 1))),
            self.idle.eq(~begun & ~reader.source.valid & (words == 0)),
        ]
        self.sync += [
            If(source.ready, source.valid.eq(0)),
            If(take,
                source.valid.eq(1),
                Case(index, {n: source.byte.eq(reader.source.data[8*n:8*(n + 1)]) for n in range(WORD_BYTES)}),
                index.eq(index + 1),
            ),
            If(self.start, index.eq(self.base[:2])),
            If(self.stop, source.valid.eq(0)),
        ]
