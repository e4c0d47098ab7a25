# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events that the accelerator fetches from the firmware's memory, in the simulated SoC: what the CPU alone would do.

Both engines get the same requests. The accelerator fetches the steps and checks them in gateware; for the CPU the
firmware does it in C. Every answer is the same, good or bad.
"""

import random
import struct

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import ENGINES, STATS, pack
from host.link.device import Device, stats_between
from host.link.framing import encode_varints
from host.link.link import Link
from targets.sim.simulator import SimulatedSoC
from tests.accel.test_event_reader import encode_steps
from tests.helpers.needs import needs_simulator
from tests.helpers.strategies import random_network

pytestmark = needs_simulator

CONFIG = QCLIFConfig(neurons=12, inputs=200, contexts=3, lanes=4, step_events=40)
SIZES  = (12, 150, 2)


@pytest.fixture(scope="module")
def link():
    with SimulatedSoC(CONFIG) as soc, Link(soc.port) as link:
        device = Device(link)
        for engine in ENGINES:
            device.load(random_network(CONFIG, 5, "excited", SIZES), engine)
        yield link


def answers(link, engine, requests):
    """What the device answers to the requests of a sample, as far as they are right."""
    neurons, inputs, contexts = SIZES
    link.request("CONFIGURE", pack("CONFIGURE", engine=ENGINES[engine], neurons=neurons, inputs=inputs,
        contexts=contexts, outputs=3, apical_shift=0, product_shift=6, network_id=1))
    link.request("ENCODER", pack("ENCODER", width=inputs, height=1, grid_width=inputs, grid_height=1, polarities=1,
        bin_us=1000, count_threshold=1))
    told = []
    try:
        for kind, payload in [("BEGIN", b""), *requests, ("STATE", pack("RANGE", first=0, count=neurons))]:
            told.append(link.request(kind, payload))
    except QCLIFError as error:
        told.append(str(error))
    return told


def steps_request(steps):
    return "STEPS", encode_varints([len(steps)]) + encode_steps(steps)


def raw_event(x, us):
    """A raw word of 3 bytes: 15 bits of x and y, 9 of the time since the one before."""
    return (x << 9 | us).to_bytes(3, "little")


FULL = [[n % 150 for n in range(40)]]*2

REQUESTS = {
    "steps":             [steps_request([[0, 149, 200, 201], [], [7, 7, 7]]), steps_request([[1]])],
    "as many as fit":    [steps_request([[n % 150, 200] for n in range(60)])],
    "parts":             [("PART", encode_steps([[0, 5, 149]])), ("PART", encode_steps([[]])), ("PART",
        encode_steps([[9]])), steps_request([[1, 2], [3]])],
    "part, then raw":    [("PART", encode_steps([[0, 5, 149]])), ("RAW", raw_event(9, 0) + raw_event(10, 400)
        + raw_event(11, 510) + raw_event(12, 400)), ("FINISH", b""), steps_request([[1]])],
    "raw, then part":    [("RAW", raw_event(9, 0) + raw_event(10, 400)), ("PART", encode_steps([[0, 5, 149]])),
        steps_request([[1], [2]]), steps_request([[1], [2]])],
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
