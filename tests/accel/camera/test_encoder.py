# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The camera's encoder in gateware against the host's: steps, clocks, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.camera.counters import COUNT_BITS, SourceCounters
from accel.camera.encoder import ENCODER_LATENCY, ENCODER_SETTINGS
from accel.camera.grid import GridTables
from accel.config import QCLIFConfig
from accel.layouts import CAMERA_CONTEXT, CAMERA_EVENT
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample
from tests.helpers.camera_bench import CameraBench, beats_of, settings_of
from tests.helpers.naive_contract import encode
from tests.helpers.simulation import run_simulation

ENCODERS = [
    Encoder((34, 34), (3, 2), 2, 1000, 2), Encoder((128, 128), (10, 1), 1, 7, 1), Encoder((64, 48), (2, 5), 1, 1, 1),
    Encoder((1, 1), (1, 1), 2, 2**31 - 1, 3), Encoder((20, 10), (5, 1), 2, 50_000, 1),
    Encoder((5, 7), (7, 2), 1, 300, 3),
]
CONFIG = QCLIFConfig(neurons=4, inputs=14, contexts=3)


def steps_of(sample, encoder, config):
    """What the host's encoder makes of it: sources of each step of the build, ascending."""
    steps = sample.encoded(encoder, config.contexts).steps
    wanted = [steps.step(t).tolist() for t in range(len(steps))]
    return [[source if source < encoder.inputs else source - encoder.inputs + config.inputs for source in step]
        for step in wanted]


@st.composite
def recordings(draw, encoder, contexts, events=60):
    """Bursts on a few pixels, so that counters meet themselves in the pipeline; pauses of several steps."""
    count = draw(st.integers(1, events))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gaps = rng.choice([0, 0, 0, 0, 1, encoder.bin_us//3, encoder.bin_us - 1, 3*encoder.bin_us], count)
    gaps[np.cumsum(gaps) >= min(2**33, 50*encoder.bin_us)] = 0
    gaps = np.minimum(gaps, 2**31 - 1)
    found = np.zeros(count, EVENT)
    pixels = rng.integers(0, encoder.sensor_size, (draw(st.integers(1, 5)), 2))
    found["x"], found["y"] = pixels[rng.integers(0, len(pixels), count)].T
    found["p"] = rng.integers(0, 2, count)
    found["t"] = np.cumsum(gaps)
    steps = int(found["t"][-1] - found["t"][0])//encoder.bin_us + 1
    rows = draw(st.integers(0, 6)) if contexts else 0
    context = np.stack([rng.integers(0, steps, rows), rng.integers(0, max(1, contexts), rows)], 1)
    return Sample("r", events=found, context=context)

# Tables -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("inputs, size, grid, polarities", [
    (512, (128, 128), (16, 16), 2), (578, (34, 34), (17, 17), 2), (140, (700, 1), (140, 1), 1),
    (4096, (2048, 33), (2048, 2), 1), (4096, (31, 2047), (2, 1024), 2), (8, (2, 5), (4, 1), 2), (1, (1, 1), (1, 1), 1),
    (2, (3, 3), (1, 1), 2),
])
def test_tables_have_the_place_of_every_pixel(inputs, size, grid, polarities):
    tables = GridTables(inputs, max(size))
    found  = []

    def fill():
        for name, value in zip(("width", "height", "grid_width", "grid_height"), (*size, *grid), strict=True):
            yield getattr(tables, name).eq(value)
        yield tables.polarities.eq(polarities)
        yield tables.fill.eq(1)
        yield
        yield tables.fill.eq(0)
        yield
        for _ in range(sum(size) + inputs):
            if (yield tables.done):
                break
            yield
        assert (yield tables.done) and not (yield tables.beyond)
        yield tables.read_en.eq(1)
        for x, y in [(x, 0) for x in range(size[0])] + [(0, y) for y in range(size[1])]:
            yield tables.x.eq(x)
            yield tables.y.eq(y)
            yield
            yield
            found.append((yield tables.source))
    run_simulation(tables, fill())
    assert found == [x*grid[0]//size[0]*polarities for x in range(size[0])] + \
        [y*grid[1]//size[1]*grid[0]*polarities for y in range(size[1])]

# Steps --------------------------------------------------------------------------------------------

@settings(max_examples=20)
@given(data=st.data(), sink_gap=st.integers(0, 2), source_gap=st.integers(0, 3))
def test_steps_are_those_of_the_host(data, sink_gap, source_gap):
    encoder = data.draw(st.sampled_from(ENCODERS))
    samples = data.draw(st.lists(recordings(encoder, CONFIG.contexts), min_size=1, max_size=3))
    start   = data.draw(st.sampled_from([0, 2**31, 2**32 - 5]))
    bench   = CameraBench(CONFIG, settings_of(encoder, CONFIG.contexts),
        [beat for sample in samples for beat in beats_of(sample, encoder.bin_us, start)], sink_gap, source_gap,
        step_bits=data.draw(st.sampled_from([4, 5, 20])))
    assert [sorted(step) for step in bench.steps] == [step for sample in samples
        for step in steps_of(sample, encoder, CONFIG)]
    assert bench.errors == [] and bench.unfinished == []


@pytest.mark.parametrize("threshold", [1, 2, 5])
def test_an_event_takes_a_clock_and_a_step_one_more(threshold):
    """Also where one source collects event after event, the worst that its counter can meet."""
    encoder = Encoder((8, 8), (2, 2), 2, 100, threshold)
    events  = np.zeros(200, EVENT)
    events["x"] = [0, 0, 0, 7, 7, 0, 7, 0, 0, 0]*20
    events["t"] = np.arange(200)*9
    sample  = Sample("busy", events=events)
    bench   = CameraBench(CONFIG, settings_of(encoder, 0), beats_of(sample, encoder.bin_us))
    assert [sorted(step) for step in bench.steps] == steps_of(sample, encoder, CONFIG)
    # The last step is closed with its last event.
    assert bench.clocks == len(bench.beats) - 1 + len(bench.steps) - 1 + ENCODER_LATENCY


def test_sources_of_thousands_of_events():
    """Thresholds of 16 bits count as far; a source fires once, however many more come."""
    encoder = Encoder((1, 1), (1, 1), 1, 10, 300)
    events  = np.zeros(900, EVENT)
    events["t"][300:] = 10
    sample  = Sample("many", events=events)
    bench   = CameraBench(CONFIG, settings_of(encoder, 0), beats_of(sample, encoder.bin_us))
    assert bench.steps == [[0], [0]] == encode(events, encoder)


def test_a_counter_stays_at_the_threshold():
    """Or a source would fire again with the event that makes it wrap."""
    counters = SourceCounters(CONFIG)
    fired    = []

    def count():
        sink = counters.sink
        yield counters.threshold.eq(3)
        yield counters.source.ready.eq(1)
        for name in ("valid", "count"):
            yield getattr(sink, name).eq(1)
        for _ in range(CONFIG.inputs + 12):
            yield
            fired.append((yield counters.source.valid))
        assert (yield counters.counters.write_en)
        word = yield counters.counters.write_data
        assert word % 2**COUNT_BITS == 3
    run_simulation(counters, count())
    assert sum(fired) == 1


def test_a_pause_is_as_many_steps_and_each_takes_a_clock():
    """Far more of them than there are numbers for steps."""
    encoder = Encoder((8, 8), (2, 2), 1, 10, 1)
    events  = np.zeros(3, EVENT)
    events["t"], events["x"] = [0, 1000, 1001], [0, 0, 7]
    sample  = Sample("pause", events=events)
    bench   = CameraBench(CONFIG, settings_of(encoder, 0), beats_of(sample, encoder.bin_us))
    assert bench.steps == [[0], *[[]]*99, [0, 1]] and bench.clocks == 3 - 1 + 100 + ENCODER_LATENCY
    bench   = CameraBench(CONFIG, settings_of(encoder, 0), beats_of(sample, encoder.bin_us), step_bits=4)
    assert bench.steps == [[0], *[[]]*99, [0, 1]]



@pytest.mark.parametrize("apart", [14, 15, 16, 17, 32])
def test_steps_of_the_same_number_have_counters_of_their_own(apart):
    encoder = Encoder((8, 8), (2, 2), 1, 10, 2)
    events  = np.zeros(2, EVENT)
    events["t"] = [0, 10*apart]
    bench   = CameraBench(CONFIG, settings_of(encoder, 0), beats_of(Sample("two", events=events), 10), step_bits=4)
    assert bench.steps == [[]]*(apart + 1)

# Refusals -----------------------------------------------------------------------------------------

def event(t, x=0, y=0, p=0, **more):
    return dict(kind=CAMERA_EVENT, x=x, y=y, p=p, t=t, last=0) | more


def context(t, number, **more):
    return dict(kind=CAMERA_CONTEXT, x=number, y=0, p=0, t=t, last=0) | more


SMALL = settings_of(Encoder((10, 5), (2, 2), 2, 100, 1), 2)


@pytest.mark.parametrize("beat, error, value", [
    (event(50, x=10), "pixel", 10), (event(50, y=5), "pixel", 5), (event(50, x=10, y=5), "pixel", 10),
    (event(50, y=2**16 - 1), "pixel", 2**16 - 1), (context(50, 2), "context", 2),
    (context(50, 2**16 - 1), "context", 2**16 - 1),
    (event(9), "time", 9), (context(9, 0), "time", 9), (event(10 + 2**31), "time", 10 + 2**31),
    (event(9, x=10), "time", 9),
])
@pytest.mark.parametrize("last", [0, 1])
def test_beats_that_are_dropped(beat, error, value, last):
    """They are told, with their value; the others are right, and a recording that ends with one ends."""
    others = [event(10), dict(beat, last=last), *([] if last else [event(60, x=9, y=4, p=1, last=1)])]
    bench  = CameraBench(CONFIG, SMALL, [*others, event(0, last=1)])
    assert bench.errors == [(error, value)]
    assert bench.steps == [[0] if last else [0, 7], [0]]


@pytest.mark.parametrize("wrong, value", [
    (dict(width=0), 1 << 0), (dict(width=129), 1 << 0), (dict(height=0), 1 << 1), (dict(height=2**16 - 1), 1 << 1),
    (dict(grid_width=0), 1 << 2), (dict(grid_height=2**16 - 1), 1 << 3), (dict(polarities=0), 1 << 4),
    (dict(polarities=3), 1 << 4), (dict(polarities=130), 1 << 4), (dict(bin_us=0), 1 << 5),
    (dict(bin_us=2**31), 1 << 5), (dict(count_threshold=0), 1 << 6), (dict(contexts=4), 1 << 7),
    (dict(width=0, contexts=9), 1 << 0 | 1 << 7),
    (dict(grid_width=4), 0b1100), (dict(grid_width=2, grid_height=4), 0b1100),
])
def test_settings_that_are_refused(wrong, value):
    """Every beat is told, none comes out, nothing waits; right settings are taken afterwards."""
    assert len(ENCODER_SETTINGS) == 8
    bench = CameraBench(CONFIG, SMALL | wrong, [event(10), event(11, last=1), dict(settings=SMALL), event(0, last=1)])
    assert bench.errors == [("settings", value)]*2
    assert bench.steps == [[0]]


@settings(max_examples=15)
@given(data=st.data())
def test_a_restart_drops_what_is_in_work(data):
    """At any time, also while settings are taken in; and so do other settings."""
    first, second = (data.draw(st.sampled_from(ENCODERS[2:])) for _ in range(2))
    dropped = beats_of(data.draw(recordings(first, 2, 20)), first.bin_us)[:data.draw(st.integers(0, 20))]
    again   = data.draw(st.booleans())
    between = dict(restart=data.draw(st.integers(0, 8))) if again else dict(settings=settings_of(second, 2))
    encoder = second if not again else first
    sample  = data.draw(recordings(encoder, 2, 20))
    bench   = CameraBench(CONFIG, settings_of(first, 2), [*dropped, between, *beats_of(sample, encoder.bin_us)],
        source_gap=data.draw(st.integers(0, 3)))
    assert [sorted(step) for step in bench.steps] == steps_of(sample, encoder, CONFIG)
    assert bench.errors == []
