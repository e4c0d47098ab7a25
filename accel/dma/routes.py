# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.camera.raw_events import RawEvents
from accel.config import READER_ERRORS, WRITER_ERRORS
from accel.dma.event_reader import EventReader
from accel.dma.spike_writer import SpikeWriter
from accel.layouts import event_layout, event_word, spike_layout

# Routes -------------------------------------------------------------------------------------------

class Routes(LiteXModule):
    """Where events come from and where spikes go to: memory, streams of other gateware, or registers.

    Of each there is one at a time: memory while a transfer is busy, else the stream where its bit in the register
    `streams` is set, else the register. Nothing is taken of the others: a stream waits, an access to a register is
    refused.

    Parameters
    ----------
    config       : QCLIFConfig.
    csrs         : registers by name.
    with_streams : there are `sink` and `source`, for other gateware.
    with_dma     : there are `reader` and `writer`, with a Wishbone master each.
    big_endian   : the reader's.
    with_camera  : the reader encodes raw events, too; with `with_dma`.

    Attributes
    ----------
    push, events : events of the register, and those for the core.
    spikes, pop  : spikes of the core, and those for the register.
    sink, source : streams of events and spikes, None without them.
    fill         : the core's.
    reset        : the core is being reset: transfers end, streams wait.
    refused      : {flag: pulse}; a write that was ignored, or an access of memory that was refused.
    """
    def __init__(self, config, csrs, with_streams=False, with_dma=False, big_endian=False,
        with_camera=False):
        self.push   = stream.Endpoint(event_layout(config))
        self.events = stream.Endpoint(event_layout(config))
        self.spikes = stream.Endpoint(spike_layout(config))
        self.pop    = stream.Endpoint(spike_layout(config))
        self.sink   = stream.Endpoint(event_layout(config)) if with_streams else None
        self.source = stream.Endpoint(spike_layout(config)) if with_streams else None
        self.fill   = Signal(max=config.step_events + 1)
        self.reset  = Signal()
        self.camera = RawEvents(config) if with_camera else None
        self.reader = EventReader(config, big_endian, self.camera) if with_dma else None
        self.writer = SpikeWriter(config) if with_dma else None
        self.refused = {}

        # # #

        # What is chosen, the first of those that ask.
        # --------------------------------------------
        to_stream = [Constant(0), Constant(0)]
        events    = []
        spikes    = []
        if with_dma:
            events.append((self.reader.busy, self.reader.source))
            spikes.append((self.writer.busy, self.writer.sink))
        if with_streams:
            streams   = csrs["streams"]
            to_stream = [streams.fields.sink, streams.fields.source]
            self.sync += If(streams.re, streams.storage.eq(streams.written))
            events.append((to_stream[0], self.sink))
            spikes.append((to_stream[1], self.source))
        events.append((1, self.push))
        spikes.append((1, self.pop))
        asked = Constant(0)
        for wish, source in events:
            self.comb += If(wish & ~asked & ~self.reset, source.connect(self.events))
            asked = asked | wish
        asked = Constant(0)
        for wish, sink in spikes:
            self.comb += If(wish & ~asked & ~self.reset, self.spikes.connect(sink))
            asked = asked | wish

        # Registers of the transfers.
        # ---------------------------
        if with_dma:
            self.comb += self.reader.fill.eq(self.fill)
            for name, master, to in (("reader", self.reader, to_stream[0]), ("writer", self.writer, to_stream[1])):
                self.add_registers(name, master, csrs, to)
            if with_camera:
                self.add_camera(csrs)

    def add_registers(self, name, master, csrs, to_stream):
        """Those of the reader or of the writer, which does not start while the stream is chosen."""
        start, status = csrs[f"{name}_start"], csrs[f"{name}_status"].fields
        errors   = READER_ERRORS if name == "reader" else WRITER_ERRORS
        settings = [csrs[f"{name}_{setting}"] for setting in ("base", "length", *(["network"] * (name == "reader")))]
        self.refused[name] = Signal(name=f"refused_{name}")
        for csr in settings:
            self.sync += If(csr.re, csr.storage.eq(csr.written))
        self.comb += [
            master.abort.eq(self.reset),
            master.start.eq(start.re & ~to_stream),
            self.refused[name].eq((start.re & (to_stream | master.busy | self.reset))
                | (master.ended & (master.error == errors["bus"]))),
            master.base.eq(csrs[f"{name}_base"].storage),
            master.length.eq(csrs[f"{name}_length"].storage),
            master.steps.eq(start.bits("steps")),
            status.busy.eq(master.busy),
            status.done.eq(master.done),
            status.error.eq(master.error),
        ]
        if name == "reader":
            network = csrs["reader_network"].fields
            self.comb += [
                master.inputs.eq(network.inputs),
                master.contexts.eq(network.contexts),
                master.varints.eq(start.bits("varints")),
                master.open.eq(start.bits("open")),
                csrs["reader_value"].status.eq(master.value),
                csrs["reader_position"].status.eq(master.position),
            ]
        else:
            self.comb += [
                csrs["writer_count"].status.eq(master.count),
                csrs["writer_left"].status.eq(master.left),
            ]

    def add_camera(self, csrs):
        """Registers of the encoder, and those of the reader that it adds to."""
        reader, camera, fired = self.reader, self.camera, csrs["fired"]
        sensor, grid, bin_us, counts = names = [f"camera_{name}" for name in ("sensor", "grid", "bin_us", "counts")]
        written = Reduce("OR", [csrs[name].re for name in names])
        for name in names:
            self.sync += If(csrs[name].re & ~reader.busy, csrs[name].storage.eq(csrs[name].written))
        self.sync += camera.configure.eq(written & ~reader.busy)
        for name, value in (
            ("width",           csrs[sensor].fields.width),
            ("height",          csrs[sensor].fields.height),
            ("grid_width",      csrs[grid].fields.width),
            ("grid_height",     csrs[grid].fields.height),
            ("bin_us",          csrs[bin_us].storage),
            ("count_threshold", csrs[counts].fields.count_threshold),
            ("polarities",      csrs[counts].fields.polarities),
            ("contexts",        csrs[counts].fields.contexts),
        ):
            self.comb += camera.settings[name].eq(value)
        self.refused["encoder"] = Signal(name="refused_encoder")
        self.refused["fired"]   = Signal(name="refused_fired")
        self.comb += [
            reader.raw.eq(csrs["reader_start"].bits("raw")),
            self.refused["encoder"].eq(written & reader.busy),
            self.refused["fired"].eq(fired.re & ~camera.fired.valid),
            camera.fired.ready.eq(fired.re),
            If(camera.fired.valid, fired.storage.eq(event_word(camera.fired))),
        ]
