# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The line's raw words in gateware, as the host packs them: to beats, and through the encoder to steps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from litex.gen import LiteXModule

from accel.camera.encoder import CameraEncoder
from accel.camera.raw_decoder import RawDecoder
from accel.config import SENSOR_LIMIT
from accel.layouts import CAMERA_CONTEXT, CAMERA_EVENT, CAMERA_TIME
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample
from host.link.raw_events import TICK_US, pack_events
from tests.accel.camera.test_encoder import CONFIG, ENCODERS, recordings, steps_of
from tests.helpers.camera_bench import SENSOR_LIMIT as BUILT_LIMIT
from tests.helpers.camera_bench import CameraBench, settings_of
from tests.helpers.simulation import run_simulation


class DecoderBench:
    """One run of a RawDecoder.

    Attributes
    ----------
    beats : (kind, x, y, p, t, last) of each, but that a field that its kind does not have is 0.
    cuts : recordings that ended in the middle of a word.
    """
    def __init__(self, size, recordings, sink_gap=0, source_gap=0, restart_after=None):
        self.dut = RawDecoder()
        self.size, self.recordings, self.sink_gap, self.source_gap = size, recordings, sink_gap, source_gap
        self.restart_after = restart_after
        self.beats, self.cuts, self.clock, self.sent, self.done = [], 0, 0, False, False
        run_simulation(self.dut, [self.drive(), self.collect(), self.watch()])

    def drive(self):
        dut, sink = self.dut, self.dut.sink
        yield dut.width.eq(self.size[0])
        yield dut.height.eq(self.size[1])
        yield
        for number, data in enumerate(self.recordings):
            for n, byte in enumerate(data):
                yield sink.data.eq(byte)
                yield sink.last.eq(n == len(data) - 1)
                yield sink.valid.eq(1)
                yield
                while not (yield sink.ready):
                    yield
                yield sink.valid.eq(0)
                for _ in range(self.sink_gap):
                    yield
                if number == 0 and n == self.restart_after:
                    yield dut.restart.eq(1)
                    yield
                    yield dut.restart.eq(0)
                    yield
                    assert (yield dut.idle) and not (yield dut.source.valid)
                    self.beats = []
                    break
        self.sent = True

    def collect(self):
        source, fields = self.dut.source, ("kind", "x", "y", "p", "t", "last")
        of_kind = {CAMERA_TIME: (), CAMERA_EVENT: ("x", "y", "p"), CAMERA_CONTEXT: ("x",)}
        quiet = 0
        while not self.sent or quiet < 12:
            yield source.ready.eq(self.clock % (self.source_gap + 1) == 0)
            yield
            quiet += self.sent
            if (yield source.ready) and (yield source.valid):
                quiet = 0
                beat = {}
                for name in fields:
                    beat[name] = (yield getattr(source, name))
                self.beats.append(tuple(value if name in ("kind", "t", "last", *of_kind[beat["kind"]]) else 0
                    for name, value in beat.items()))
        assert (yield self.dut.idle)
        self.done = True

    def watch(self):
        while not self.done:
            yield
            self.clock += 1
            self.cuts += (yield self.dut.cut)


def expected_beats(data, size):
    """The beats of a recording's bytes, as firmware/README.md describes the words."""
    x_bits, y_bits = ((each - 1).bit_length() for each in size)
    length = 2 if x_bits + y_bits <= 14 else 3
    now, beats = 0, []
    for at in range(0, len(data), length):
        if at + length > len(data):
            beats.append((CAMERA_TIME, 0, 0, 0, now, 1))
            break
        value = int.from_bytes(data[at:at + length], "little")
        high, rest = divmod(value, 2**(8*length - 1))
        last = int(at + length == len(data))
        if high and rest % 2:
            beats.append((CAMERA_CONTEXT, rest >> 1, 0, 0, now, last))
        elif high:
            now += rest >> 1
            beats.append((CAMERA_TIME, 0, 0, 0, now % 2**32, last))
        else:
            p, pixel = divmod(rest, 2**(8*length - 2))
            y, x = divmod(pixel, 2**x_bits)
            beats.append((CAMERA_EVENT, x, y, p, now % 2**32, last))
    return beats

# Words --------------------------------------------------------------------------------------------

@settings(max_examples=40)
@given(size=st.sampled_from([(1, 1), (128, 128), (34, 34), (700, 1), (1, 2048), (2, 2048), (129, 128), (640, 480),
        (SENSOR_LIMIT, SENSOR_LIMIT), (16, 2048)]),
    data=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=3), sink_gap=st.integers(0, 2),
    source_gap=st.integers(0, 4))
def test_any_bytes(size, data, sink_gap, source_gap):
    """Whatever comes, every word becomes the beat that it says, whether or not there is such a pixel."""
    bench = DecoderBench(size, data, sink_gap, source_gap)
    assert bench.beats == [beat for each in data for beat in expected_beats(each, size)]
    length = 2 if sum((each - 1).bit_length() for each in size) <= 14 else 3
    assert bench.cuts == sum(len(each) % length != 0 for each in data)


@given(data=st.binary(min_size=10, max_size=20), after=st.integers(0, 9), source_gap=st.integers(0, 4))
@settings(max_examples=15)
def test_a_restart_begins_a_recording(data, after, source_gap):
    bench = DecoderBench((640, 480), [data, data[:10]], source_gap=source_gap, restart_after=after)
    assert bench.beats == expected_beats(data[:10], (640, 480))


def test_a_byte_takes_a_clock():
    bench = DecoderBench((128, 128), [bytes(200)])
    assert len(bench.beats) == 100 and bench.clock <= 200 + 12 + 4

# Through the encoder ------------------------------------------------------------------------------

class RawEncoder(LiteXModule):
    """Decoder and encoder, one behind the other."""
    def __init__(self):
        self.decoder = RawDecoder()
        self.encoder = CameraEncoder(CONFIG, BUILT_LIMIT)
        self.sink, self.source = self.decoder.sink, self.encoder.source
        self.comb += [
            self.decoder.source.connect(self.encoder.sink),
            self.decoder.width.eq(self.encoder.settings["width"]),
            self.decoder.height.eq(self.encoder.settings["height"]),
        ]


@settings(max_examples=15)
@given(data=st.data(), sink_gap=st.integers(0, 2), source_gap=st.integers(0, 5))
def test_steps_are_those_of_the_recording(data, sink_gap, source_gap):
    """In microseconds and in the milliseconds of the line."""
    encoder = data.draw(st.sampled_from([each for each in ENCODERS if each.bin_us < 10**6]))
    sample  = data.draw(recordings(encoder, CONFIG.contexts, 30))
    words, _ = pack_events(sample.events, sample.context, encoder, 5, data.draw(st.sampled_from([1, TICK_US])))
    line    = words.tobytes()
    bench   = CameraBench(CONFIG, settings_of(encoder, CONFIG.contexts),
        [dict(data=byte, last=n == len(line) - 1) for n, byte in enumerate(line)], sink_gap, source_gap,
        dut=RawEncoder())
    assert [sorted(step) for step in bench.steps] == steps_of(sample, encoder, CONFIG)
    assert bench.errors == []


def test_a_real_gesture(qclif_data):
    """Its first 12 ms."""
    events  = np.load(qclif_data/"dvs128_gesture/09_air_guitar.npz")["events"]
    events  = events[events["t"] < events["t"][0] + 12_000]
    encoder = Encoder((128, 128), (3, 2), 2, 5000, 3)
    sample  = Sample("guitar", events=events.astype(EVENT))
    line    = pack_events(sample.events, None, encoder, 5)[0].tobytes()
    bench   = CameraBench(CONFIG, settings_of(encoder, 0),
        [dict(data=byte, last=n == len(line) - 1) for n, byte in enumerate(line)], dut=RawEncoder())
    assert [sorted(step) for step in bench.steps] == steps_of(sample, encoder, CONFIG)
    assert len(line) <= 2.1*len(events)
    # The bytes are the limit.
    assert bench.clocks <= len(line) + 10
