# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.cores.dma import WishboneDMAWriter
from litex.soc.interconnect import stream, wishbone

from accel.config import WORD_BITS, WRITER_ERRORS
from accel.layouts import spike_layout, spike_word

# Spike Writer -------------------------------------------------------------------------------------

class SpikeWriter(LiteXModule):
    """Writes the spikes of whole steps to a buffer in memory, 32 bits a beat as the register `pop` shows it.

    It never writes beyond the buffer: where that is full before the steps are through, it stops, and the spikes wait
    where they are for the next buffer.

    Parameters
    ----------
    config : QCLIFConfig.

    Attributes
    ----------
    bus    : Wishbone master. An access that has begun is always completed.
    sink   : spikes, of the core. None is taken but to be written.
    start  : pulse: a transfer begins, unless one is `busy`. What follows is taken with it.
    base, length : byte address of the buffer, a multiple of 4, and bytes, of which whole words are used.
    steps  : whose spikes are to be written.
    abort  : pulse: what is under way ends, without a sign of it but that it is not `busy` any more.
    busy   : a transfer is under way, or the access that it had begun.
    done   : the last transfer came to its end or to an error.
    ended  : pulse; `done` is set.
    error  : WRITER_ERRORS: what ended the last transfer.
    count  : words that it has written.
    left   : steps that it has not come to the end of.
    """
    def __init__(self, config):
        self.bus    = bus  = wishbone.Interface(data_width=WORD_BITS, address_width=32, addressing="word", mode="w")
        self.sink   = sink = stream.Endpoint(spike_layout(config))
        self.start  = Signal()
        self.base   = Signal(32)
        self.length = Signal(32)
        self.steps  = Signal(16)
        self.abort  = Signal()
        self.busy   = Signal()
        self.done   = Signal()
        self.ended  = Signal()
        self.error  = Signal(max=len(WRITER_ERRORS))
        self.count  = Signal(30)
        self.left   = Signal(16)

        # # #

        # LiteX's writer: "big" leaves the bytes of a word where they are.
        # ----------------------------------------------------------------
        inner = wishbone.Interface(data_width=WORD_BITS, address_width=32, addressing="word")
        self.writer = writer = WishboneDMAWriter(inner, endianness="big")
        self.comb += [
            inner.connect(bus, omit={"ack", "err"}),
            # A refused access ends as any other one.
            inner.ack.eq(bus.ack | bus.err),
        ]

        # A beat becomes the next word.
        # -----------------------------
        run     = Signal()
        address = Signal(31)
        room    = Signal(30)
        held    = writer.sink
        skewed  = Signal()
        open    = Signal() # There are steps to write, and nothing on its way.
        beyond  = address[-1]
        self.comb += [
            open.eq(run & (self.left != 0) & ~held.valid & ~skewed),
            sink.ready.eq(open & (room != 0) & ~beyond),
        ]
        self.sync += [
            If(held.valid & held.ready,
                held.valid.eq(0),
                If(~bus.err, self.count.eq(self.count + 1)),
            ),
            If(sink.valid & sink.ready,
                held.valid.eq(1),
                held.address.eq(address),
                held.data.eq(spike_word(sink)),
                address.eq(address + 1),
                room.eq(room - 1),
                If(sink.last, self.left.eq(self.left - 1)),
            ),
        ]

        # Transfers: they are over when the bus is free again.
        # ----------------------------------------------------
        start     = Signal()
        over_with = Signal()
        error     = Signal(len(self.error))
        wrong     = Signal(len(self.error))
        was_busy  = Signal()
        self.comb += [
            start.eq(self.start & ~self.busy & ~self.abort),
            self.busy.eq(run | held.valid),
            self.done.eq(over_with & ~self.busy),
            self.ended.eq(self.done & was_busy),
            If(self.done, self.error.eq(error)),
            If(skewed,
                wrong.eq(WRITER_ERRORS["base"]),
            ).Elif(held.valid & bus.err,
                wrong.eq(WRITER_ERRORS["bus"]),
            ).Elif(open & beyond,
                wrong.eq(WRITER_ERRORS["bus"]),
            ).Elif(open & (room == 0),
                wrong.eq(WRITER_ERRORS["full"]),
            ),
        ]
        self.sync += [
            was_busy.eq(self.busy),
            If(run & ((wrong != WRITER_ERRORS["none"]) | ((self.left == 0) & ~held.valid)),
                run.eq(0),
                over_with.eq(1),
                error.eq(wrong),
            ),
            If(start,
                run.eq(1),
                over_with.eq(0),
                skewed.eq(self.base[:2] != 0),
                address.eq(self.base[2:]),
                room.eq(self.length[2:]),
                self.left.eq(self.steps),
                self.count.eq(0),
            ),
            If(self.abort,
                run.eq(0),
                over_with.eq(0),
            ),
        ]
