# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream, wishbone

from firmware.protocol import CRC, FRAME_RESULTS, OVERHEAD_BYTES
from soc.frames.common import BLOCK_MAX, QUEUE, RESIDUE, START, byte_lane, crc32_next, one_port

GOOD, BAD, OVERSIZE = (FRAME_RESULTS[name] for name in ("GOOD", "BAD", "OVERSIZE"))

# Receiver -----------------------------------------------------------------------------------------

def frame_layout(memory_bytes, frame_bytes):
    """A received frame: what became of it, its bytes without CRC, and the word that it begins at."""
    return [*verdict_layout(frame_bytes), ("start", log2_int(memory_bytes//4))]

def verdict_layout(frame_bytes):
    """What is kept of a frame that waits: it begins where the one before ends."""
    return [("result", 2), ("length", bits_for(frame_bytes))]

class FrameReceiver(LiteXModule):
    """Undoes COBS and checks the CRC as bytes come, one a clock, and stores the frames that are right.

    The memory is a ring of words, each frame at the beginning of one. It is seen twice in a row on the bus, so that a
    frame that goes on from its beginning is read straight ahead.

    Parameters
    ----------
    memory_bytes : of the ring, a power of two, at least twice `frame_bytes`.
    frame_bytes  : most bytes of a frame with its CRC.
    big_endian   : byte 0 of a word is its highest one.

    Attributes
    ----------
    sink  : bytes of the line. Not ready while there is no room.
    bus   : Wishbone slave of 2*memory_bytes, to be read.
    frame : the oldest frame, in the order in which they ended; its memory is free again when it is taken.
    """
    def __init__(self, memory_bytes, frame_bytes, big_endian=False):
        if memory_bytes & (memory_bytes - 1) or memory_bytes < 2*frame_bytes:
            raise ValueError(f"memory_bytes is {memory_bytes}: a power of two from {2*frame_bytes} on is needed")
        words = memory_bytes//4
        self.sink  = sink = stream.Endpoint([("data", 8)])
        self.bus   = bus  = wishbone.Interface(data_width=32, address_width=32, addressing="word", mode="r")
        self.frame = stream.Endpoint(frame_layout(memory_bytes, frame_bytes))

        # # #

        # Words in use, from the oldest frame's on: one more bit than an address tells a full ring from an empty one.
        # -------------------------------------------------------------------------------------------------------------
        self.queue = queue = stream.SyncFIFO(verdict_layout(frame_bytes), QUEUE, buffered=True)
        oldest = Signal(log2_int(words) + 1)
        begin  = Signal(len(oldest))
        at     = Signal(len(oldest) + 2) # Of the next byte.
        ends   = Signal(len(oldest))
        full   = Signal()
        self.comb += [
            queue.source.connect(self.frame, omit={"start"}),
            self.frame.start.eq(oldest),
            full.eq((at[2:] - oldest)[:len(oldest)] == words),
            sink.ready.eq(~full & queue.sink.ready),
            ends.eq(at[2:] + (at[:2] != 0)),
        ]
        # A bad frame takes nothing, so that where a good one ends is where the next one begins.
        taken = Signal(len(oldest))
        self.comb += taken.eq((self.frame.length + CRC.size + 3)[2:])
        self.sync += If(self.frame.valid & self.frame.ready & (self.frame.result == GOOD), oldest.eq(oldest + taken))

        # COBS.
        # -----
        block = Signal(8) # Bytes until the next length byte.
        owed  = Signal()  # That one stands for a zero.
        store = Signal()
        byte  = Signal(8)
        end   = Signal()
        accept = sink.valid & sink.ready
        self.comb += [
            end.eq(accept & (sink.data == 0)),
            store.eq(accept & (sink.data != 0) & ((block != 0) | owed)),
            byte.eq(Mux(block != 0, sink.data, 0)),
        ]
        self.sync += If(accept,
            If(sink.data == 0,
                block.eq(0),
                owed.eq(0),
            ).Elif(block != 0,
                block.eq(block - 1),
            ).Else(
                block.eq(sink.data - 1),
                owed.eq(sink.data - 1 != BLOCK_MAX),
            ),
        )

        # CRC, length, verdict.
        # ---------------------
        crc    = Signal(32, reset=START)
        length = Signal(max=frame_bytes + 2)
        over   = Signal()
        self.comb += over.eq(length == frame_bytes + 1)
        self.sync += [
            If(store & ~over,
                length.eq(length + 1),
                If(length != frame_bytes, at.eq(at + 1)),
                crc.eq(crc32_next(crc, byte)),
            ),
            If(end,
                length.eq(0),
                crc.eq(START),
                at.eq(Cat(Constant(0, 2), Mux(queue.sink.result == GOOD, ends, begin))),
                If(queue.sink.result == GOOD, begin.eq(ends)),
            ),
        ]
        self.comb += [
            queue.sink.valid.eq(end & ((length != 0) | (block != 0))),
            If(over,
                queue.sink.result.eq(OVERSIZE),
            ).Elif((block != 0) | (length < OVERHEAD_BYTES) | (crc != RESIDUE),
                queue.sink.result.eq(BAD),
            ).Else(
                queue.sink.result.eq(GOOD),
                queue.sink.length.eq(length - CRC.size),
            ),
        ]

        # Memory.
        # -------
        port  = one_port(self, words, "frames_received")
        write = Signal()
        self.comb += [
            write.eq(store & (length < frame_bytes)),
            port.re.eq(bus.cyc & bus.stb & ~bus.ack & ~write),
            port.adr.eq(Mux(write, at[2:], bus.adr)),
            port.dat_w.eq(Replicate(byte, 4)),
            If(write, port.we.eq(1 << byte_lane(at, big_endian))),
            bus.dat_r.eq(port.dat_r),
        ]
        self.sync += bus.ack.eq(port.re)
