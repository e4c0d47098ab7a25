# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.camera.counters import COUNT_BITS, SourceCounters
from accel.camera.grid import GridTables
from accel.config import SENSOR_LIMIT
from accel.layouts import CAMERA_CONTEXT, CAMERA_EVENT, camera_layout, event_layout, index_bits

# Camera Encoder -----------------------------------------------------------------------------------

# The contract's encoder, and how many contexts the network has: field -> (bits, default).
ENCODER_SETTINGS = {
    "width":           (16,         128),
    "height":          (16,         128),
    "grid_width":      (16,         16),
    "grid_height":     (16,         16),
    "polarities":      (8,          2),
    "bin_us":          (32,         5000),
    "count_threshold": (COUNT_BITS, 3),
    "contexts":        (16,         0),
}

# Clocks from a beat that enters to what it makes: an event that fires, or the end of a step.
ENCODER_LATENCY = 5

# Settings that are wrong where the grid has more sources than the build has inputs.
BEYOND_INPUTS = sum(1 << number for number, name in enumerate(ENCODER_SETTINGS) if name.startswith("grid"))

# What is wrong with a beat that is dropped, and what the value beside it is.
ENCODER_ERRORS = {
    "settings": "the settings are not within their limits; a bit for each wrong one, in the order of ENCODER_SETTINGS",
    "pixel":    "a pixel outside of the sensor; its x, or its y where only that one is",
    "context":  "an event of a context source that the network has not; its number",
    "time":     "a time before that of the beat before; the time",
}

class CameraEncoder(LiteXModule):
    """Events of a camera to those of the core: grid, time bins, threshold, exactly as the contract. One event a clock,
    and one clock more a step.

    The first beat of a recording is at the beginning of its first step. A beat that is at the end of a step or later
    waits until the step is closed, and all steps without events before its own are.

    Parameters
    ----------
    config : QCLIFConfig.
    sensor_limit : highest width and height: there is a table of that many words for each.
    step_bits : as the source counters'.

    Attributes
    ----------
    sink : beats of the camera (camera_layout), `last` ends a recording, and its last step with it.
    source : events for the core, `last` ends a step.
    settings : {name: signal} of `ENCODER_SETTINGS`, 1 up each but for `contexts`, which is 0 to the build's.
    configure : pulse, in the first clock of other settings: whatever is in work is dropped, and tables are filled.
    restart : pulse, at any time: whatever is in work is dropped; the next beat begins a recording.
    ready : the encoder takes beats: the settings are right, and the tables are filled, which takes less than width +
        height + 2*inputs clocks from `configure` on. (After a `restart` beats wait for a clock an input.)
    idle : nothing is in work.
    errors : {name: pulse} of `ENCODER_ERRORS`: a beat was dropped in the clock before. Its `last` counts nevertheless.
    value : what the pulse is about.
    beyond_width : at a pulse of `pixel`: it is the pixel's x.
    """
    def __init__(self, config, sensor_limit=SENSOR_LIMIT, step_bits=20):
        self.config    = config
        self.sink      = sink = stream.Endpoint(camera_layout)
        self.source    = stream.Endpoint(event_layout(config))
        self.settings  = settings = {name: Signal(bits, reset=default, name=name)
            for name, (bits, default) in ENCODER_SETTINGS.items()}
        self.configure = Signal()
        self.restart   = Signal()
        self.ready     = Signal()
        self.idle      = Signal()
        self.errors    = errors = {name: Signal(name=f"error_{name}") for name in ENCODER_ERRORS}
        self.value     = Signal(32)
        self.beyond_width = Signal()

        # # #

        self.grid     = grid     = GridTables(config.inputs, sensor_limit)
        self.counters = counters = SourceCounters(config, step_bits)
        self.comb += [
            *[getattr(grid, name).eq(settings[name]) for name in ("width", "height", "grid_width", "grid_height",
                "polarities")],
            counters.threshold.eq(settings["count_threshold"]),
            counters.source.connect(self.source),
        ]

        # Settings: wrong ones are known two clocks after `configure`, sources beyond the inputs later.
        # ---------------------------------------------------------------------------------------------
        limits  = {"width": sensor_limit, "height": sensor_limit, "grid_width": config.inputs,
            "grid_height": config.inputs, "polarities": 2, "bin_us": 2**31 - 1, "contexts": config.contexts}
        check   = Signal(reset=1)
        fill    = Signal()
        wrong   = Signal(len(settings))
        refused = Signal()
        self.comb += [
            grid.fill.eq(fill & (wrong == 0)),
            counters.clear.eq(self.configure | self.restart | check | fill),
            self.ready.eq(~counters.clear & (wrong == 0) & grid.done),
            refused.eq(~counters.clear & ((wrong != 0) | grid.beyond)),
        ]
        self.sync += [
            check.eq(self.configure),
            fill.eq(check & ~self.configure),
            If(check, wrong.eq(Cat(*[((signal == 0) & (name != "contexts")) |
                (signal > limits.get(name, 2**len(signal) - 1)) for name, signal in settings.items()]))),
        ]

        # Time: a beat that is beyond the end of the step closes it first.
        # ----------------------------------------------------------------
        first    = Signal(reset=1)
        now      = Signal(32)
        end      = Signal(32)
        since    = Signal(32)
        ahead    = Signal(32)
        advance  = Signal()
        backward = Signal()
        over     = Signal()
        take     = Signal()
        close    = Signal()
        self.comb += [
            since.eq(sink.t - now),
            ahead.eq(sink.t - end),
            backward.eq(~first & since[-1]),
            over.eq(~first & ~since[-1] & ~ahead[-1]),
            take.eq(sink.valid & self.ready & advance & ~over),
            close.eq(sink.valid & self.ready & advance & over),
            sink.ready.eq((self.ready & advance & ~over) | refused),
        ]
        self.sync += [
            If(take & ~backward, now.eq(sink.t)),
            If((take & first) | close, end.eq(Mux(first, sink.t, end) + settings["bin_us"])),
            If(take, first.eq(sink.last)),
        ]

        # Kinds, and what is refused.
        # ---------------------------
        is_event   = Signal()
        is_context = Signal()
        beyond_x   = Signal()
        outside    = Signal()
        unknown    = Signal()
        self.comb += [
            is_event.eq(sink.kind == CAMERA_EVENT),
            is_context.eq(sink.kind == CAMERA_CONTEXT),
            beyond_x.eq(sink.x >= settings["width"]),
            outside.eq(beyond_x | (sink.y >= settings["height"])),
            unknown.eq(sink.x >= settings["contexts"]),
        ]
        self.sync += [
            self.beyond_width.eq(beyond_x),
            errors["settings"].eq(sink.valid & refused),
            errors["time"].eq(take & backward),
            errors["pixel"].eq(take & ~backward & is_event & outside),
            errors["context"].eq(take & ~backward & is_context & unknown),
            If(refused,
                self.value.eq(Mux(wrong != 0, wrong, BEYOND_INPUTS)),
            ).Elif(backward,
                self.value.eq(sink.t),
            ).Else(
                self.value.eq(Mux(is_context | beyond_x, sink.x, sink.y)),
            )
        ]

        # Source of the pixel, or context.
        # --------------------------------
        event   = Signal()
        context = Signal()
        last    = Signal()
        number  = Signal(index_bits(max(1, config.contexts)))
        on      = Signal()
        self.comb += [
            advance.eq(~counters.sink.valid | counters.sink.ready),
            grid.x.eq(sink.x),
            grid.y.eq(sink.y),
            grid.read_en.eq(advance),
            counters.sink.valid.eq(event | context | last),
            # With two polarities, the words of the tables are even.
            counters.sink.source.eq(grid.source | on),
            If(context, counters.sink.source.eq(config.inputs + number)),
            counters.sink.event.eq(context),
            counters.sink.count.eq(event),
            counters.sink.last.eq(last),
            self.idle.eq(~counters.sink.valid & counters.idle),
        ]
        self.sync += [
            If(advance,
                event.eq(take & ~backward & is_event & ~outside),
                context.eq(take & ~backward & is_context & ~unknown),
                last.eq(close | (take & sink.last)),
                number.eq(sink.x),
                on.eq(sink.p & (settings["polarities"] == 2)),
            ),
            If(counters.clear,
                first.eq(1),
                event.eq(0),
                context.eq(0),
                last.eq(0),
            )
        ]
