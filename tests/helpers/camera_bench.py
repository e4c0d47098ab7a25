# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Drives the camera's modules in Migen's simulator: beats or bytes go in, with gaps; steps come out, at any pace."""

from accel.camera.encoder import CameraEncoder
from accel.layouts import CAMERA_CONTEXT, CAMERA_EVENT
from tests.helpers.simulation import run_simulation


def settings_of(encoder, contexts):
    """The encoder's settings by the gateware's names."""
    (width, height), (grid_width, grid_height) = encoder.sensor_size, encoder.grid
    return dict(width=width, height=height, grid_width=grid_width, grid_height=grid_height, contexts=contexts,
        polarities=encoder.polarities, bin_us=encoder.bin_us, count_threshold=encoder.count_threshold)


def beats_of(sample, bin_us, start=0):
    """Beats of a recording: contexts at the beginning of their step; times from `start` on."""
    first  = int(sample.events["t"][0])
    events = [(int(t) - first, 1, CAMERA_EVENT, int(x), int(y), int(p)) for x, y, p, t in sample.events.tolist()]
    rows   = [] if sample.context is None else sample.context.tolist()
    items  = sorted(events + [(step*bin_us, 0, CAMERA_CONTEXT, k, 0, 0) for step, k in rows], key=lambda item: item[:2])
    return [dict(kind=kind, x=x, y=y, p=p, t=(t + start) % 2**32, last=n == len(items) - 1)
        for n, (t, _, kind, x, y, p) in enumerate(items)]


# Of the builds that are tested: Migen's simulator is slow with large memories.
SENSOR_LIMIT = 128


class CameraBench:
    """One run of a CameraEncoder, or of what has one behind it.

    Attributes
    ----------
    steps : sources of each step, in the order in which they came.
    errors : (name, value) of each beat that was dropped.
    clocks : from the one in which the first beat is offered to that of the last step's end.

    Parameters
    ----------
    config : QCLIFConfig.
    settings : of the encoder; None leaves the defaults.
    beats : dicts of the sink's fields; one with only `restart` or with only `settings` is a pulse between two beats.
    sink_gap, source_gap : idle clocks behind each beat, clocks in which the output waits.
    patience : clocks without an output after which the run ends.
    """
    def __init__(self, config, settings, beats, sink_gap=0, source_gap=0, step_bits=20, patience=60, dut=None):
        self.dut      = dut or CameraEncoder(config, SENSOR_LIMIT, step_bits)
        self.encoder  = getattr(self.dut, "encoder", self.dut)
        self.settings, self.beats, self.sink_gap, self.source_gap = settings, beats, sink_gap, source_gap
        self.steps, self.unfinished, self.errors, self.patience = [], [], [], patience
        self.clock = self.started = self.ended = 0
        self.sent = self.done = False
        run_simulation(self.dut, [self.drive(), self.collect(), self.watch()])

    @property
    def clocks(self):
        return self.ended - self.started

    def configure(self, settings):
        for name, value in settings.items():
            yield self.encoder.settings[name].eq(value)
        yield self.encoder.configure.eq(1)
        yield
        yield self.encoder.configure.eq(0)
        yield
        yield
        for _ in range(20000):
            if (yield self.encoder.ready) or (yield self.encoder.sink.ready):
                break
            yield
        else:
            raise AssertionError("the encoder never takes a beat")
        for _ in range(self.encoder.config.inputs):
            yield

    def pulse(self, name):
        signal = getattr(self.dut, name)
        yield signal.eq(1)
        yield
        yield signal.eq(0)
        yield

    def drive(self):
        sink = self.dut.sink
        yield from self.configure(self.settings)
        self.started = self.clock + 1
        for beat in self.beats:
            if "restart" in beat:
                for _ in range(beat["restart"]):
                    yield
                yield from self.pulse("restart")
                self.steps, self.unfinished = [], []
                continue
            if "settings" in beat:
                yield from self.configure(beat["settings"])
                self.steps, self.unfinished = [], []
                continue
            for name, value in beat.items():
                yield getattr(sink, name).eq(int(value))
            yield sink.valid.eq(1)
            yield
            while not (yield sink.ready):
                yield
            yield sink.valid.eq(0)
            for _ in range(self.sink_gap):
                yield
        yield
        self.sent = True

    def collect(self):
        source, quiet = self.dut.source, 0
        while not self.sent or quiet < self.patience:
            ready = self.clock % (self.source_gap + 1) == 0
            yield source.ready.eq(ready)
            yield
            quiet = quiet + 1 if self.sent else 0
            if (yield source.ready) and (yield source.valid):
                quiet = 0
                if (yield source.event):
                    self.unfinished.append((yield source.source))
                if (yield source.last):
                    self.steps.append(self.unfinished)
                    self.unfinished = []
                self.ended = self.clock
        self.done = True

    def watch(self):
        while not self.done:
            yield
            self.clock += 1
            for name, pulse in self.encoder.errors.items():
                if (yield pulse):
                    self.errors.append((name, (yield self.encoder.value)))
