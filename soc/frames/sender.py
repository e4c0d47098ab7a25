# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream, wishbone

from accel.layouts import index_bits
from firmware.protocol import CRC
from soc.frames.common import BLOCK_MAX, QUEUE, START, byte_lane, crc32_next, one_port

# Sender -------------------------------------------------------------------------------------------

def order_layout(memory_bytes, frame_bytes):
    """What is to be sent: the word that it begins at, its bytes, and whether they go as they are, not as a frame."""
    return [("start", index_bits(memory_bytes//4)), ("length", bits_for(frame_bytes)), ("plain", 1)]

class FrameSender(LiteXModule):
    """Sends bytes of its memory as frames: adds the CRC, applies COBS, ends with a zero.

    Each byte is read three times, in two clocks each: for the CRC, for the length of its block, for the line.

    Parameters
    ----------
    memory_bytes : of the memory, a multiple of four.
    frame_bytes  : most bytes of a frame with its CRC.
    big_endian   : as FrameReceiver's.

    Attributes
    ----------
    bus    : Wishbone slave of memory_bytes, to be written; zeros are read.
    order  : what is to be sent, taken at once and sent in this order. Its bytes are to stay as they are until then.
    source : bytes for the line.
    done   : pulse; one more order is on its way, and its memory free.
    """
    def __init__(self, memory_bytes, frame_bytes, big_endian=False):
        if memory_bytes % 4 or memory_bytes < frame_bytes:
            raise ValueError(f"memory_bytes is {memory_bytes}: a multiple of 4 from {frame_bytes} on is needed")
        words = memory_bytes//4
        self.bus    = bus    = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.order  = stream.Endpoint(order_layout(memory_bytes, frame_bytes))
        self.source = stream.Endpoint([("data", 8)])
        self.done   = Signal()

        # # #

        self.queue = queue = stream.SyncFIFO(order_layout(memory_bytes, frame_bytes), QUEUE, buffered=True)
        order = queue.source
        self.comb += self.order.connect(queue.sink)

        # Memory.
        # -------
        port  = one_port(self, words, "frames_to_send")
        word  = Signal(len(port.adr))
        write = Signal()
        self.comb += [
            write.eq(bus.cyc & bus.stb & bus.we & ~bus.ack),
            port.re.eq(~write & order.valid),
            port.adr.eq(Mux(write, bus.adr, word)),
            port.dat_w.eq(bus.dat_w),
            port.we.eq(Replicate(write, 4) & bus.sel),
        ]
        self.sync += bus.ack.eq(bus.cyc & bus.stb & ~bus.ack)

        # Byte `index` of the frame: its word is asked for in a clock in which the bus does not write, then it is there.
        # --------------------------------------------------------------------------------------------------------------
        bits   = bits_for(frame_bytes + 1)
        index  = Signal(bits)
        there  = Signal()
        total  = Signal(bits)
        inside = Signal()
        crc    = Signal(32, reset=START, name="crc")
        byte   = Signal(8)
        # Behind the bytes comes their CRC.
        behind = Signal(2)
        fetch  = NextValue(there, ~write)
        self.comb += [
            total.eq(Mux(order.plain, order.length, order.length + CRC.size)),
            inside.eq(index != total),
            behind.eq(index - order.length),
            word.eq(order.start + index[2:]),
            If(index < order.length,
                byte.eq(Array(port.dat_r[8*n:8*n + 8] for n in range(4))[byte_lane(index, big_endian)]),
            ).Else(
                byte.eq(~Array(crc[8*n:8*n + 8] for n in range(4))[behind]),
            ),
        ]

        # A register for the line, so that no handshake goes from this state machine to the PHY's and back.
        # ---------------------------------------------------------------------------------------------------
        self.buffer = buffer = stream.Buffer([("data", 8)])
        source = buffer.sink
        self.comb += buffer.source.connect(self.source)

        # Passes.
        # -------
        block   = Signal(max=BLOCK_MAX + 1)
        left    = Signal(max=BLOCK_MAX + 1)
        first   = Signal(bits) # Of the block.
        self.fsm = fsm = FSM(reset_state="CRC")
        next_byte = [NextValue(index, index + 1), NextValue(there, 0)]
        fsm.act("CRC",
            NextValue(there, order.valid & ~write),
            If(order.valid & order.plain,
                NextValue(left, 0),
                NextState("PLAIN"),
            ).Elif(order.valid & (index == order.length),
                NextValue(index, 0),
                NextValue(there, 0),
                NextState("BLOCK"),
            ).Elif(there,
                NextValue(crc, crc32_next(crc, byte)),
                *next_byte,
            ),
        )
        fsm.act("PLAIN",
            fetch,
            If(~inside,
                NextState("ZERO"),
            ).Elif(there,
                source.valid.eq(1),
                source.data.eq(byte),
                If(source.ready, *next_byte),
            ),
        )
        # The block ends before a zero, at its longest, or with the frame.
        fsm.act("BLOCK",
            fetch,
            If(~inside | (block == BLOCK_MAX) | (there & (byte == 0)),
                NextState("LENGTH"),
            ).Elif(there,
                NextValue(block, block + 1),
                *next_byte,
            ),
        )
        fsm.act("LENGTH",
            source.valid.eq(1),
            source.data.eq(block + 1),
            If(source.ready,
                NextValue(index, first),
                NextValue(left, block),
                NextValue(there, 0),
                NextState("BYTES"),
            ),
        )
        fsm.act("BYTES",
            fetch,
            If(left == 0,
                NextValue(block, 0),
                NextValue(there, 0),
                If(~inside,
                    NextState("ZERO"),
                ).Else(
                    # A block that is not full stands for the zero that ended it.
                    If(block != BLOCK_MAX,
                        NextValue(index, index + 1),
                        NextValue(first, index + 1),
                    ).Else(
                        NextValue(first, index),
                    ),
                    NextState("BLOCK"),
                ),
            ).Elif(there,
                source.valid.eq(1),
                source.data.eq(byte),
                If(source.ready,
                    NextValue(left, left - 1),
                    *next_byte,
                ),
            ),
        )
        fsm.act("ZERO",
            source.valid.eq(1),
            If(source.ready,
                order.ready.eq(1),
                self.done.eq(1),
                NextValue(index, 0),
                NextValue(first, 0),
                NextValue(block, 0),
                NextValue(there, 0),
                NextValue(crc, START),
                NextState("CRC"),
            ),
        )
