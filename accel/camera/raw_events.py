# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.camera.encoder import CameraEncoder
from accel.camera.raw_decoder import RawDecoder
from accel.config import READER_ERRORS, SENSOR_LIMIT
from accel.layouts import CAMERA_TIME, event_layout

# Beats of `fired`: the core does not wait for software as long as they are not more ahead of it.
FIRED_DEPTH = 64

# Raw Events ---------------------------------------------------------------------------------------

class RawEvents(LiteXModule):
    """Raw event words, byte by byte, to events of the core, and a list of them for software.

    What is wrong with a word stops everything there: what the words before it make is handed over, nothing else is,
    until a `restart`. A recording goes on over any pause between two bytes, and never ends by itself.

    Parameters
    ----------
    config : QCLIFConfig.
    sensor_limit : the encoder's.

    Attributes
    ----------
    sink     : bytes {data} of a recording, which begins at 0 us.
    source   : events for the core, `last` ends a step.
    fired    : the beats of `source` again, the oldest one that was not taken. Where there is no room, `source` waits.
    fill     : events that the core has of the step that is not ended.
    settings, configure : the encoder's; a pulse of `configure` is a `restart`, too.
    restart  : pulse, at any time: what is in work is dropped; the next byte begins a recording.
    reset    : pulse: a `restart`, and `fired` is emptied.
    idle     : nothing is in work, but the bytes of a word that is not complete.
    partial  : there are such bytes.
    error    : READER_ERRORS: what stopped it.
    value    : what that is about.
    """
    def __init__(self, config, sensor_limit=SENSOR_LIMIT):
        self.decoder   = decoder = RawDecoder()
        self.encoder   = encoder = CameraEncoder(config, sensor_limit)
        self.list      = ResetInserter()(stream.SyncFIFO(event_layout(config), FIRED_DEPTH, buffered=True))
        self.sink      = decoder.sink
        self.source    = source = stream.Endpoint(event_layout(config))
        self.fired     = self.list.source
        self.fill      = Signal(max=config.step_events + 1)
        self.settings  = settings = encoder.settings
        self.configure = Signal()
        self.restart   = Signal()
        self.reset     = Signal()
        self.idle      = Signal()
        self.partial   = decoder.partial
        self.error     = Signal(max=len(READER_ERRORS))
        self.value     = value = Signal(32)

        # # #

        restart = Signal()
        self.comb += [
            restart.eq(self.configure | self.restart | self.reset),
            decoder.restart.eq(restart),
            decoder.width.eq(settings["width"]),
            decoder.height.eq(settings["height"]),
            encoder.configure.eq(self.configure),
            encoder.restart.eq(restart),
            self.list.reset.eq(self.reset),
        ]

        # Beats of the camera: before the first one the time is 0, from which the steps are counted.
        # ------------------------------------------------------------------------------------------
        begun   = Signal()
        dropped = Signal() # The encoder tells of the beat in the clock before,
        found   = Signal() # or of one earlier.
        self.comb += [
            dropped.eq(Reduce("OR", [*encoder.errors.values()])),
            decoder.source.connect(encoder.sink, omit={"valid", "ready"}),
            If(~begun,
                encoder.sink.kind.eq(CAMERA_TIME),
                encoder.sink.t.eq(0),
            ),
            encoder.sink.valid.eq(decoder.source.valid & ~dropped & ~found),
            decoder.source.ready.eq(encoder.sink.ready & begun & ~dropped & ~found),
        ]
        self.sync += [
            If(encoder.sink.valid & encoder.sink.ready, begun.eq(1)),
            If(restart, begun.eq(0)),
        ]

        # Errors: what the words before make is still in the encoder, and may be wrong, too.
        # ----------------------------------------------------------------------------------
        crowded = Signal()
        error   = Signal(len(self.error))
        about   = Signal(32)
        self.sync += [
            If(dropped & ~found,
                found.eq(1),
                about.eq(encoder.value),
                If(encoder.errors["settings"],
                    error.eq(READER_ERRORS["settings"]),
                ).Elif(encoder.errors["context"],
                    error.eq(READER_ERRORS["source"]),
                    about.eq(encoder.value + config.inputs),
                ).Elif(encoder.beyond_width,
                    error.eq(READER_ERRORS["column"]),
                ).Else(
                    error.eq(READER_ERRORS["row"]),
                )
            ),
            If(restart, found.eq(0)),
        ]
        self.comb += [
            crowded.eq(encoder.source.valid & encoder.source.event & (self.fill == config.step_events)),
            value.eq(about),
            If(crowded,
                self.error.eq(READER_ERRORS["events"]),
                value.eq(config.step_events + 1),
            ).Elif(found & encoder.idle,
                self.error.eq(error),
            ),
            self.idle.eq(~decoder.pending & encoder.idle & ~dropped & ~found),
        ]

        # Events: to the core and to the list in the same clock.
        # ------------------------------------------------------
        self.comb += [
            encoder.source.connect(source, omit={"valid", "ready"}),
            encoder.source.connect(self.list.sink, omit={"valid", "ready"}),
            source.valid.eq(encoder.source.valid & ~crowded & self.list.sink.ready),
            self.list.sink.valid.eq(encoder.source.valid & ~crowded & source.ready),
            encoder.source.ready.eq(~crowded & source.ready & self.list.sink.ready),
        ]
