# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Raw words from memory through the reader and the encoder to the core: events, their list, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migen import passive

from accel.camera.raw_events import FIRED_DEPTH, RawEvents
from accel.config import READER_ERRORS, QCLIFConfig
from accel.dma.event_reader import EventReader
from tests.helpers.bus_bench import BusBench
from tests.helpers.register_bench import BITS, Registers
from tests.helpers.simulation import run_simulation

CONFIG = QCLIFConfig(neurons=4, inputs=24, contexts=3, lanes=2, step_events=5)

# 12 x 10 pixels: 8 of the 14 bits of a word of two bytes; the network has two of the build's contexts.
SETTINGS = dict(width=12, height=10, grid_width=4, grid_height=3, polarities=2, bin_us=100, count_threshold=2,
    contexts=2)

# Words of memory; see firmware/README.md.


def pixel(x, y, p=0):
    return x | y << 4 | p << 14


def time(us):
    return 1 << 15 | us << 1


def context(number):
    return 1 << 15 | number << 1 | 1


WORDS = st.one_of(st.builds(pixel, st.integers(0, 11), st.integers(0, 9), st.integers(0, 1)),
    st.builds(time, st.sampled_from([0, 30, 50, 99, 100, 250])), st.builds(context, st.integers(0, 1)))
WRONG = st.sampled_from([pixel(12, 3), pixel(15, 9), pixel(3, 10), pixel(11, 1023), context(2), context(2**14 - 1)])


def expected(words):
    """(source, event, last) of all words, as the README says, and what ends them: an error and its value."""
    beats, counts, now, fill = [], {}, 0, 0

    def fire(source):
        nonlocal fill
        if fill == CONFIG.step_events:
            return "events", fill + 1
        beats.append((source, 1, 0))
        fill += 1
        return None

    for word in words:
        wrong = None
        if word >> 15 and word & 1:
            number = (word & 0x7fff) >> 1
            wrong  = ("source", CONFIG.inputs + number) if number >= SETTINGS["contexts"] else \
                fire(CONFIG.inputs + number)
        elif word >> 15:
            now += (word & 0x7fff) >> 1
            while now >= SETTINGS["bin_us"]:
                now -= SETTINGS["bin_us"]
                beats.append((None, 0, 1))
                counts, fill = {}, 0
        else:
            x, y, p = word & 15, (word & 0x3fff) >> 4, word >> 14
            if x >= SETTINGS["width"] or y >= SETTINGS["height"]:
                wrong = ("column", x) if x >= SETTINGS["width"] else ("row", y)
            else:
                source = (x*4//12 + y*3//10*4)*2 + p
                counts[source] = counts.get(source, 0) + 1
                if counts[source] == SETTINGS["count_threshold"]:
                    wrong = fire(source)
        if wrong:
            return beats, *wrong
    return beats, "none", None


class Camera:
    """Reader and encoder behind a memory; the core takes a beat in so many clocks, software one of the list.

    Attributes
    ----------
    beats, fired : what either has got.
    """
    def __init__(self, core_gap=0, list_gap=0, waits=0):
        camera = RawEvents(CONFIG, sensor_limit=16)
        self.bench  = BusBench(EventReader(CONFIG, camera=camera), size=512, waits=waits)
        self.bench.submodules.camera = self.camera = camera
        self.reader = self.bench.dut
        self.core_gap, self.list_gap = core_gap, list_gap
        self.beats, self.fired = [], []

    @passive
    def take(self, endpoint, into, gap):
        """As the core, which counts the events of its step, or as software."""
        clock = fill = 0
        while True:
            yield endpoint.ready.eq(clock % (gap + 1) == 0)
            yield
            clock += 1
            if (yield endpoint.ready) and (yield endpoint.valid):
                event, last = (yield endpoint.event), (yield endpoint.last)
                into.append(((yield endpoint.source) if event else None, event, last))
                fill = 0 if last else fill + event
            if endpoint is self.reader.source:
                yield self.reader.fill.eq(fill)

    def configure(self, **changed):
        for name, value in (SETTINGS | changed).items():
            yield self.camera.settings[name].eq(value)
        yield self.camera.configure.eq(1)
        yield
        yield self.camera.configure.eq(0)
        yield

    def transfer(self, data, base=0x1002):
        """Read bytes; return the error and its value."""
        self.bench.memory[base - 0x1000:base - 0x1000 + len(data)] = data
        yield from self.bench.start(base=base, length=len(data), raw=1)
        yield from self.bench.wait()
        error = list(READER_ERRORS)[(yield self.reader.error)]
        value = (yield self.reader.value) if error not in ("none", "form", "bus") else None
        # What is left of the list.
        for _ in range(FIRED_DEPTH*(self.list_gap + 1) + 4):
            yield
        return error, value

    def run(self, session):
        result = []

        def run():
            result.append((yield from session))
        run_simulation(self.bench, [run(), self.bench.serve(),
            self.take(self.reader.source, self.beats, self.core_gap),
            self.take(self.camera.fired, self.fired, self.list_gap)])
        return result[0]


def line(words):
    return b"".join(word.to_bytes(2, "little") for word in words)

# Words --------------------------------------------------------------------------------------------

@settings(max_examples=15)
@given(words=st.lists(WORDS, max_size=60), wrong=st.lists(WRONG, max_size=1), cuts=st.sets(st.integers(1, 59)),
    gaps=st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 3)))
def test_a_recording_in_transfers(words, wrong, cuts, gaps):
    """Wherever it is cut, and however slow core, software and memory are; up to the first word that is wrong."""
    words  = words[:40] + wrong + words[40:]
    camera = Camera(*gaps)
    beats, error, value = expected(words)
    ends   = sorted(cut for cut in cuts if cut < len(words)) + [len(words)]

    def session():
        yield from camera.configure()
        begin = 0
        for end in ends:
            told  = yield from camera.transfer(line(words[begin:end]))
            begin = end
            if told[0] != "none":
                break
        return told

    assert camera.run(session()) == (error, value)
    assert camera.beats == camera.fired == beats


def test_the_list_holds_the_core_back():
    """Nothing is lost where software takes nothing for long, and nothing waits that has room."""
    words, camera = [context(0), time(100)]*FIRED_DEPTH, Camera()
    beats, *_ = expected(words)

    def session():
        yield from camera.configure()
        camera.bench.memory[:2*len(words)] = line(words)
        yield from camera.bench.start(base=0x1000, length=2*len(words), raw=1)
        for _ in range(2000):
            yield
        assert (yield camera.reader.busy)
        held = len(camera.beats)
        yield camera.camera.fired.ready.eq(1)
        for _ in range(2000):
            yield
            if (yield camera.camera.fired.valid):
                camera.fired.append((yield camera.camera.fired.last))
        assert (yield camera.reader.done)
        return held

    result = []

    def run():
        result.append((yield from session()))
    run_simulation(camera.bench, [run(), camera.bench.serve(), camera.take(camera.reader.source, camera.beats, 0)])
    assert FIRED_DEPTH <= result[0] <= FIRED_DEPTH + 2 < len(beats)
    assert camera.beats == beats and camera.fired == [last for _, _, last in beats]


def test_where_a_recording_begins():
    """Behind an error, settings, or a reset: time and counts are 0 then."""
    camera = Camera()
    half, rest, end = [pixel(0, 0), time(60)], [pixel(0, 0), time(60)], [context(0)]

    def session():
        yield from camera.configure()
        assert (yield from camera.transfer(line(half))) == ("none", None)
        assert (yield from camera.transfer(line([pixel(13, 0)]))) == ("column", 13)
        assert (yield from camera.transfer(line(rest))) == ("none", None)
        yield from camera.configure()
        assert (yield from camera.transfer(line(rest))) == ("none", None)
        yield camera.reader.abort.eq(1)
        yield
        yield camera.reader.abort.eq(0)
        yield
        assert (yield from camera.transfer(line(rest + end))) == ("none", None)

    camera.run(session())
    assert camera.beats == camera.fired == [(24, 1, 0)]


@pytest.mark.parametrize("changed, bit", [(dict(width=0), 0), (dict(bin_us=2**31), 5), (dict(contexts=4), 7)])
def test_wrong_settings(changed, bit):
    camera = Camera()

    def session():
        yield from camera.configure(**changed)
        told = yield from camera.transfer(line([pixel(0, 0), context(0)]))
        yield from camera.configure()
        return told, (yield from camera.transfer(line([context(0)])))

    assert camera.run(session()) == (("settings", 1 << bit), ("none", None))
    assert camera.beats == [(24, 1, 0)]


def test_half_a_word_and_a_memory_that_refuses():
    camera = Camera()

    def session():
        yield from camera.configure()
        told = [(yield from camera.transfer(line([context(0)]) + b"\0"))]
        told.append((yield from camera.transfer(line([context(1)]))))
        yield from camera.bench.start(base=0x1000 + 510, length=8, raw=1)
        yield from camera.bench.wait()
        told.append(list(READER_ERRORS)[(yield camera.reader.error)])
        return told

    assert camera.run(session()) == [("form", None), ("none", None), "bus"]
    assert camera.beats[:2] == [(24, 1, 0), (25, 1, 0)]


def test_a_byte_takes_a_clock():
    words, camera = [pixel(n % 12, n % 10) for n in range(200)], Camera()

    def session():
        yield from camera.configure()
        yield from camera.transfer(line([time(0)]))
        camera.bench.memory[:400] = line(words)
        clocks = 0
        yield from camera.bench.start(base=0x1000, length=400, raw=1)
        while not (yield camera.reader.done):
            clocks += 1
            yield
        return clocks

    # The memory of the bench gives a word in four clocks.
    assert camera.run(session()) <= 400*1.1 + 40

# Registers ----------------------------------------------------------------------------------------

def test_registers():
    """Settings read back; what is refused is told; the list is there until it is taken or all is reset."""
    bench = Registers(CONFIG, with_dma=True, with_camera=True)
    bus   = BusBench(None, 0x1000, 512, bus=bench.qclif.reader.bus)
    fired = BITS["fired"]

    def session():
        assert (yield from bench.read("features")) & BITS["features"]["camera"]
        for name, value in {"camera_sensor": 12 | 10 << 16, "camera_grid": 4 | 3 << 16, "camera_bin_us": 100,
                "camera_counts": 2 | 2 << 16 | 2 << 24}.items():
            yield from bench.write(name, value)
            assert (yield from bench.read(name)) == value
        yield from bench.write("fired")
        assert (yield from bench.errors()) == {"pop"}
        yield from bench.write("control", BITS["control"]["clear_errors"])

        words = [pixel(0, 0), pixel(0, 1), time(100), context(1), pixel(0, 10)]
        bus.memory[:10] = line(words)
        yield from bench.write("reader_base", 0x1000)
        yield from bench.write("reader_length", 10)
        yield from bench.write("reader_start", BITS["reader_start"]["raw"])
        yield from bench.write("camera_bin_us", 7)
        assert (yield from bench.errors()) == {"reader"}
        assert (yield from bench.read("camera_bin_us")) == 100
        while (yield from bench.read("reader_status")) & BITS["reader_status"]["busy"]:
            pass
        assert (yield from bench.read("reader_status")) >> 4 == READER_ERRORS["row"]
        assert (yield from bench.read("reader_value")) == 10
        for beat in (fired["event"], fired["last"]):
            assert (yield from bench.read("fired")) == beat | fired["valid"]
            yield from bench.write("fired")
        assert (yield from bench.read("fired")) == 25 | fired["event"] | fired["valid"]
        yield from bench.write("control", BITS["control"]["reset"])
        yield from bench.clocks(2)
        assert (yield from bench.read("fired")) == 0

    run_simulation(bench, [session(), bus.serve()])


def test_without_an_encoder():
    """The bit that starts it means nothing then."""
    bench = Registers(CONFIG, with_dma=True)

    def session():
        assert not (yield from bench.read("features")) & BITS["features"]["camera"]
        yield from bench.write("reader_start", BITS["reader_start"]["raw"])
        assert (yield from bench.errors()) == {"reserved"}

    run_simulation(bench, [session()])
    assert "fired" not in bench.addresses
