# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect.csr import *
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel

from firmware.protocol import CRC
from soc.frames.common import QUEUE
from soc.frames.receiver import FrameReceiver
from soc.frames.sender import FrameSender

# Frames -------------------------------------------------------------------------------------------

class Frames(LiteXModule):
    """Receiver and sender behind registers.

    Parameters
    ----------
    phy        : PHY with `source` (received bytes) and `sink` (bytes to transmit), in the sys clock domain.
    receive_bytes, send_bytes : of their memories.
    frame_bytes, big_endian : as the receiver's.

    Attributes
    ----------
    overflows : bytes that were lost.
    """
    def __init__(self, phy, receive_bytes, send_bytes, frame_bytes, big_endian=False):
        self.receiver  = receiver = FrameReceiver(receive_bytes, frame_bytes, big_endian)
        self.sender    = sender   = FrameSender(send_bytes, frame_bytes, big_endian)
        self.overflows = Signal(32)

        self._frame = CSRStatus(read_only=False, description="The oldest received frame. A write of any value takes it "
            "away, and its memory with it; there has to be one.", fields=[
            CSRField("result", size=2, description="What became of it.", values=[
                ("``0b00``", "There is none."),
                ("``0b01``", "It is right: COBS, length and CRC."),
                ("``0b10``", "It is damaged, and was dropped."),
                ("``0b11``", f"It has more than {frame_bytes} bytes, and was dropped."),
            ]),
            CSRField("length", size=14, offset=2, description="Its bytes: header and payload, without the CRC."),
            CSRField("start",  size=16, offset=16, description="Its first byte in the memory of received frames, a "
                f"multiple of 4. The memory of {receive_bytes} bytes is there twice, one behind the other, so that a "
                "frame has no break."),
        ])
        self._bytes_received = CSRStatus(32, description="Bytes from the line since reset, modulo 2**32.")
        self._bytes_sent     = CSRStatus(32, description="Bytes to the line since reset, modulo 2**32.")
        self._overflows = CSRStatus(32, description="Bytes that came while there was no room, and are lost, since "
            "reset. Stays 0 with a PHY that waits.")
        self._send = CSRStorage(fields=[
            CSRField("start",  size=16, description="First byte in the memory of frames to send, a multiple of 4."),
            CSRField("length", size=14, offset=16, description="Bytes: header and payload, to which the CRC is added."),
            CSRField("plain",  size=1, offset=30, description="Send the bytes as they are, and a zero."),
        ], description=f"Send a frame; up to {QUEUE} wait. A write while that many do is ignored, and flagged in "
            f"``sent``, as is one of no bytes, of more than {frame_bytes - CRC.size}, or beyond the memory's "
            f"{send_bytes}. The bytes have to stay as they are until it is sent.")
        self._sent = CSRStatus(fields=[
            CSRField("count",   size=16, description="Frames that were sent since reset, modulo 2**16."),
            CSRField("refused", size=1, description="A write to ``send`` was ignored; stays until reset."),
        ], description="What was sent.")
        self.ev       = EventManager()
        self.ev.frame = EventSourceLevel(description="There is a received frame.")
        self.ev.finalize()

        # # #

        end   = Signal(17)
        there = Signal()
        self.comb += [
            phy.source.connect(receiver.sink, keep={"valid", "ready", "data"}),
            sender.source.connect(phy.sink, keep={"valid", "ready", "data"}),
            phy.sink.last.eq(1),
            # Received.
            If(receiver.frame.valid, self._frame.fields.result.eq(receiver.frame.result)),
            self._frame.fields.length.eq(receiver.frame.length),
            self._frame.fields.start.eq(Cat(Constant(0, 2), receiver.frame.start)),
            receiver.frame.ready.eq(self._frame.re),
            self.ev.frame.trigger.eq(receiver.frame.valid),
            self._overflows.status.eq(self.overflows),
            # To send.
            end.eq(self._send.fields.start + self._send.fields.length),
            there.eq((self._send.fields.length != 0) & (self._send.fields.length <= frame_bytes - CRC.size) &
                (end <= send_bytes) & (self._send.fields.start[:2] == 0)),
            sender.order.valid.eq(self._send.re & there),
            sender.order.start.eq(self._send.fields.start[2:]),
            sender.order.length.eq(self._send.fields.length),
            sender.order.plain.eq(self._send.fields.plain),
        ]

        # Counters; an overflow is a byte that was offered, not taken, and withdrawn.
        # -----------------------------------------------------------------------------
        offered = Signal()
        self.sync += [
            offered.eq(phy.source.valid & ~phy.source.ready),
            If(offered & ~phy.source.valid, self.overflows.eq(self.overflows + 1)),
            If(phy.source.valid & phy.source.ready, self._bytes_received.status.eq(self._bytes_received.status + 1)),
            If(phy.sink.valid & phy.sink.ready, self._bytes_sent.status.eq(self._bytes_sent.status + 1)),
            If(sender.done, self._sent.fields.count.eq(self._sent.fields.count + 1)),
            If(self._send.re & ~(there & sender.order.ready), self._sent.fields.refused.eq(1)),
        ]
