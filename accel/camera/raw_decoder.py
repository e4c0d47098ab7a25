# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import RAW_NARROW_BYTES, RAW_WIDE_BYTES, SENSOR_LIMIT
from accel.layouts import CAMERA_CONTEXT, CAMERA_EVENT, CAMERA_TIME, camera_layout, index_bits

# Raw Decoder --------------------------------------------------------------------------------------

class RawDecoder(LiteXModule):
    """Raw event words, byte by byte as they are on the line, to the beats of a camera. One byte a clock.

    A word has RAW_NARROW_BYTES bytes, the lowest first, or RAW_WIDE_BYTES where x and y have more bits than it has but
    for two. The highest bit is 0 in an event: the next one is the polarity, the lowest ones are x, and y is between
    them. It is 1 in another word: bit 0 is 0 where time passes, the bits between in us, or 1 in an event of the context
    source that they are. A recording begins at 0 us.

    Attributes
    ----------
    sink : bytes {data}, `last` with the last one of a recording.
    source : beats of the camera, two clocks after a word's last byte.
    width, height : of the sensor, 1 to SENSOR_LIMIT; to be kept but for a `restart`.
    restart : pulse, at any time: whatever is in work is dropped; the next byte begins a recording.
    pending, partial : a word is in work; there are bytes of a word that is not complete.
    idle : neither.
    cut : pulse; a recording ended in the middle of a word, which was dropped in the clock before. The recording ends
        nevertheless.
    """
    def __init__(self):
        self.sink    = sink   = stream.Endpoint([("data", 8)])
        self.source  = source = stream.Endpoint(camera_layout)
        self.width   = Signal(16, reset=128)
        self.height  = Signal(16, reset=128)
        self.restart = Signal()
        self.pending = Signal()
        self.partial = Signal()
        self.idle    = Signal()
        self.cut     = Signal()

        # # #

        # Layout of a word.
        # -----------------
        most_bits = bits_for(SENSOR_LIMIT - 1)
        x_bits    = Signal(max=most_bits + 1)
        y_bits    = Signal(max=most_bits + 1)
        all_bits  = Signal(max=2*most_bits + 1) # Verilog would add in the bits of the two.
        wide      = Signal()
        for bits, size in ((x_bits, self.width), (y_bits, self.height)):
            for n in range(most_bits):
                self.comb += If(size > 2**n, bits.eq(n + 1))
        self.comb += [
            all_bits.eq(x_bits + y_bits),
            wide.eq(all_bits > 8*RAW_NARROW_BYTES - 2),
        ]

        # Bytes to words.
        # ---------------
        word      = Signal(8*RAW_WIDE_BYTES)
        at        = Signal(index_bits(RAW_WIDE_BYTES))
        complete  = Signal()
        valid     = Signal()
        last      = Signal()
        whole     = Signal()
        take_byte = Signal()
        take_word = Signal()
        self.comb += [
            complete.eq(at == Mux(wide, RAW_WIDE_BYTES - 1, RAW_NARROW_BYTES - 1)),
            sink.ready.eq((~valid | take_word) & ~self.restart),
            take_byte.eq(sink.valid & sink.ready),
        ]
        for n in range(RAW_WIDE_BYTES):
            self.sync += If(take_byte & (at == n), word[8*n:8*n + 8].eq(sink.data))
        self.sync += [
            If(take_word, valid.eq(0)),
            If(take_byte,
                at.eq(Mux(complete | sink.last, 0, at + 1)),
                valid.eq(complete | sink.last),
                last.eq(sink.last),
                whole.eq(complete),
            ),
            self.cut.eq(take_byte & sink.last & ~complete),
        ]

        # Words to beats: the time of the beat is the recording's.
        # --------------------------------------------------------
        rest    = Signal(8*RAW_WIDE_BYTES - 1) # The word without its highest bit,
        pixel   = Signal(8*RAW_WIDE_BYTES - 2) # and without the next one.
        on      = Signal()
        other   = Signal()
        y       = Signal(len(pixel))
        operand = Signal(len(pixel))
        passes  = Signal()
        begins  = Signal(reset=1)
        for chosen, bits in ((~wide, 8*RAW_NARROW_BYTES), (wide, 8*RAW_WIDE_BYTES)):
            self.comb += If(chosen,
                rest.eq(word[:bits - 1]),
                other.eq(word[bits - 1]),
                pixel.eq(word[:bits - 2]),
                on.eq(word[bits - 2]),
            )
        self.comb += [
            y.eq(pixel >> x_bits),
            operand.eq(rest[1:]),
            passes.eq(whole & other & ~rest[0]),
            take_word.eq(valid & (~source.valid | source.ready)),
        ]
        self.sync += [
            If(source.ready, source.valid.eq(0)),
            If(take_word,
                source.valid.eq(1),
                source.last.eq(last),
                source.p.eq(on),
                If(~whole | passes,
                    source.kind.eq(CAMERA_TIME),
                ).Elif(other,
                    source.kind.eq(CAMERA_CONTEXT),
                    source.x.eq(operand),
                ).Else(
                    source.kind.eq(CAMERA_EVENT),
                    source.x.eq(pixel & ((1 << x_bits) - 1)),
                    source.y.eq(y),
                ),
                source.t.eq(Mux(begins, 0, source.t) + Mux(passes, operand, 0)),
                begins.eq(last),
            ),
            If(self.restart,
                at.eq(0),
                valid.eq(0),
                source.valid.eq(0),
                begins.eq(1),
            )
        ]
        self.comb += [
            self.pending.eq(valid | source.valid),
            self.partial.eq(at != 0),
            self.idle.eq(~self.pending & ~self.partial),
        ]
