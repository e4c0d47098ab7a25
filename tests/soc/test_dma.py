# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events that the accelerator fetches from the firmware's memory, in the simulated SoC: what the CPU alone would do.

Both engines get the same requests. The accelerator fetches the steps, or encodes raw events, and checks them in
gateware; for the CPU the firmware does it in C. Every answer is the same, good or bad. In a build without the encoder
the accelerator fetches steps, and the firmware encodes raw events for both engines.
"""

import itertools
import random
import struct

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import ENGINES, STATS, pack
from host.link.device import Device, stats_between
from host.link.framing import encode_varints
from host.link.link import Link
from targets.sim.options import SimOptions
from targets.sim.simulator import SimulatedSoC
from tests.accel.test_event_reader import encode_steps
from tests.helpers.needs import needs_simulator
from tests.helpers.strategies import random_network

pytestmark = needs_simulator

CONFIG = QCLIFConfig(neurons=12, inputs=200, contexts=3, lanes=4, step_events=40)
SIZES  = (12, 150, 2)


@pytest.fixture(scope="module", params=[True, False], ids=["camera", "no camera"])
def with_camera(request):
    return request.param


@pytest.fixture(scope="module")
def link(with_camera):
    options = SimOptions(CONFIG, soc={} if with_camera else {"with_camera": False})
    with SimulatedSoC(options) as soc, Link(soc.port) as link:
        device = Device(link)
        for engine in ENGINES:
            device.load(random_network(CONFIG, 5, "excited", SIZES), engine)
        yield link


PLAIN = dict(width=150, height=1, grid_width=150, grid_height=1, polarities=1, bin_us=1000, count_threshold=1)


def answers(link, engine, requests, encoder=PLAIN):
    """What the device answers to the requests of a sample, as far as they are right."""
    neurons, inputs, contexts = SIZES
    link.request("CONFIGURE", pack("CONFIGURE", engine=ENGINES[engine], neurons=neurons, inputs=inputs,
        contexts=contexts, outputs=3, apical_shift=0, product_shift=6, network_id=1))
    link.request("ENCODER", pack("ENCODER", **encoder))
    told = []
    try:
        for kind, payload in [("BEGIN", b""), *requests, ("STATE", pack("RANGE", first=0, count=neurons))]:
            told.append(link.request(kind, payload))
    except QCLIFError as error:
        told.append(str(error))
    return told


def steps_request(steps):
    return "STEPS", encode_varints([len(steps)]) + encode_steps(steps)


def raw_request(*words):
    """Raw words of 2 bytes: pixels of a row, and what the next two make."""
    return "RAW", b"".join(word.to_bytes(2, "little") for word in words)


def passes(us):
    return 1 << 15 | us << 1


def context(number):
    return 1 << 15 | number << 1 | 1


FULL = [[n % 150 for n in range(40)]]*2

REQUESTS = {
    "steps":             [steps_request([[0, 149, 200, 201], [], [7, 7, 7]]), steps_request([[1]])],
    "as many as fit":    [steps_request([[n % 150, 200] for n in range(60)])],
    "parts":             [("PART", encode_steps([[0, 5, 149]])), ("PART", encode_steps([[]])), ("PART",
        encode_steps([[9]])), steps_request([[1, 2], [3]])],
    "part, then raw":    [("PART", encode_steps([[0, 5, 149]])), raw_request(9, passes(400), 10, passes(600), 11,
        passes(1400), 12), ("FINISH", b""), steps_request([[1]])],
    "raw, then part":    [raw_request(9, passes(400), 10), ("PART", encode_steps([[0, 5, 149]])),
        steps_request([[1], [2]]), steps_request([[1], [2]])],
    "raw, steps, raw":   [raw_request(9, passes(700), 10), steps_request([[1], [2]]), raw_request(9, 11, passes(400),
        9), ("FINISH", b""), raw_request(9, 10, passes(600)), ("FINISH", b"")],
    "time first":        [raw_request(passes(900), 3), raw_request(passes(100), 4), ("FINISH", b"")],
    "long pauses":       [raw_request(*[passes(16383), 7, context(1), 8, passes(1000)]*4), ("FINISH", b"")],
    "all fire":          [raw_request(*range(40), passes(1000), *range(149, 109, -1), passes(2000)), ("FINISH", b"")],
    "raw full":          [raw_request(*range(40), passes(999), context(1))],
    "raw full, pixel":   [raw_request(*range(41), 150)],
    "part, raw full":    [("PART", encode_steps([[1]*30])), raw_request(*range(11))],
    "pixel":             [raw_request(5), raw_request(*range(20), 150)],
    "pixel, raw full":   [raw_request(*range(40), 255, 99, passes(2000))],
    "row":               [raw_request(5, passes(1100), 5 | 1 << 8, 6)],
    "far row":           [raw_request(149 | 63 << 8)],
    "raw context":       [raw_request(5, context(2))],
    "far context":       [raw_request(5, context(2**14 - 1))],
    "raw, no words":     [("RAW", b"")],
    "raw, half a word":  [("RAW", raw_request(5, 6)[1][:-1])],
    "raw, long answer":  [raw_request(*[passes(16383)]*100)],
    "raw, long, pixel":  [raw_request(*[passes(16383)]*100, 150)],
    "full steps":        [steps_request(FULL)],
    "nothing":           [steps_request([])],
    "no steps, a byte":  [("STEPS", b"\0\0")],
    "source":            [steps_request([[1], [149, 150]])],
    "context":           [steps_request([[1], [202]])],
    "far source":        [("STEPS", b"\1\2\5\xff\xff")],
    "events":            [steps_request([[1], [2]*41])],
    "events after part": [("PART", encode_steps([[1]*30])), steps_request([[2]*11])],
    "events in parts":   [("PART", encode_steps([[1]*30])), ("PART", encode_steps([[1]*11]))],
    "cut":               [("STEPS", steps_request([[1], [2, 3]])[1][:-1])],
    "cut varint":        [("STEPS", b"\1\1\x80")],
    "cut number":        [("STEPS", b"\2\0")],
    "bytes left":        [("STEPS", steps_request([[1], [2, 3]])[1] + b"\0")],
    "part, bytes left":  [("PART", encode_steps([[1], [2]]))],
    "part, source":      [("PART", encode_steps([[150]]))],
}


@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_both_engines_answer_the_same(link, requests):
    told = answers(link, "accel", requests)
    assert told == answers(link, "cpu", requests)
    # And the next sample is as if nothing had been.
    requests = REQUESTS["steps"]
    assert answers(link, "accel", requests) == answers(link, "cpu", requests)


SENSOR = dict(width=640, height=480, grid_width=15, grid_height=5, polarities=2, bin_us=1000, count_threshold=3)


def wide_words(rng, count):
    """Raw words of 3 bytes of that sensor, few sources among them."""
    for _ in range(count):
        kind = rng.random()
        if kind < .15:
            yield 1 << 23 | rng.choice([0, 1, 300, 700, 1000, 2500]) << 1
        elif kind < .2:
            yield 1 << 23 | rng.randrange(2) << 1 | 1
        else:
            yield rng.randrange(640) | rng.choice([0, 479]) << 10 | rng.randrange(2) << 22


@pytest.mark.parametrize("seed", range(6))
def test_raw_events(link, seed):
    """Recordings of a large sensor, in requests of any length, some with a word that is wrong."""
    rng  = random.Random(seed)
    data = b"".join(word.to_bytes(3, "little") for word in wide_words(rng, 600))
    cuts = [*range(0, len(data), 3*rng.randrange(7, 80)), len(data)]
    requests = [("RAW", data[begin:end]) for begin, end in itertools.pairwise(cuts)]
    if seed % 2:
        wrong = rng.choice([640, 479 << 10 | 1023, 480 << 10, 4095 << 10, 1 << 23 | 2 << 1 | 1, 2**24 - 1])
        requests[-1] = "RAW", requests[-1][1][:-3] + wrong.to_bytes(3, "little")
    requests.append(("FINISH", b""))
    assert answers(link, "accel", requests, SENSOR) == answers(link, "cpu", requests, SENSOR)


def test_after_a_failed_sample_a_network_can_be_loaded(link):
    """Its steps are still in work then: they would not let memories and settings be written."""
    for engine in ("accel", "cpu"):
        assert "an answer would need" in answers(link, engine, REQUESTS["raw, long answer"])[-1]
        Device(link).load(random_network(CONFIG, 5, "excited", SIZES), engine)
    requests = REQUESTS["all fire"]
    assert answers(link, "accel", requests) == answers(link, "cpu", requests)


# CPU clocks an event: of a request of many, what starts the transfer is all.
MOST_CLOCKS = 8


def test_the_cpu_does_not_touch_the_events(link):
    def stats():
        return dict(zip(STATS, struct.unpack(f"<{len(STATS)}I", link.request("STATS")), strict=True))
    before   = stats()
    requests = [steps_request(FULL), ("PART", encode_steps(FULL[:1]))]
    answers(link, "accel", requests)
    counted = stats_between(before, stats())
    assert counted["pump_events"] == 120
    assert counted["pump_clocks"] <= MOST_CLOCKS*counted["pump_events"]


def test_the_cpu_does_not_touch_the_raw_events_where_the_encoder_is(link, with_camera):
    def stats():
        return dict(zip(STATS, struct.unpack(f"<{len(STATS)}I", link.request("STATS")), strict=True))
    before = stats()
    answers(link, "accel", [raw_request(*range(20), *[7]*380)])
    counted = stats_between(before, stats())
    assert counted["raw_events"] == 400
    assert (counted["raw_clocks"] <= MOST_CLOCKS*counted["raw_events"]) == with_camera


@pytest.mark.parametrize("seed", range(12))
def test_damaged_requests(link, seed):
    """Bytes that are changed, cut or added where no CRC would tell."""
    rng   = random.Random(seed)
    steps = [sorted(rng.choices([*range(150), 200, 201], k=rng.randrange(9))) for _ in range(4)]
    for _ in range(4):
        data = bytearray(steps_request(steps)[1])
        match rng.randrange(3):
            case 0:
                data[rng.randrange(1, len(data))] = rng.randrange(256)
            case 1:
                del data[rng.randrange(1, len(data)):]
            case 2:
                data += rng.randbytes(1)
        requests = [steps_request(steps[:1]), ("STEPS", bytes(data))]
        assert answers(link, "accel", requests) == answers(link, "cpu", requests)
