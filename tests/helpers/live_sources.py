# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""For tests of live sources: a wall clock, recordings of a small sensor, their bytes, and steps to compare."""

import numpy as np

from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.live.sources.clock import Clock
from host.live.sources.wire import BINARY, TEXT

# Steps of 1 ms, in each of which some sources fire.
ENCODER = Encoder((8, 8), (8, 8), bin_us=1000, count_threshold=1)


class StandingClock(Clock):
    """Stands at some time, and passes only when a test says so or somebody waits."""

    def __init__(self, seconds: float = 86_400.0) -> None:
        self._now = seconds

    def now(self) -> float:
        return self._now

    def wait(self, changed, seconds: float) -> None:
        """Passes at once to what is waited for."""
        self._now += seconds + 1e-9

    def pass_by(self, seconds: float) -> None:
        """These seconds pass."""
        self._now += seconds


def recording(seed, steps=20, rate=30, start_us=0):
    """Events of ENCODER's sensor over some steps, the first and the last one not empty."""
    rng = np.random.default_rng(seed)
    events = np.zeros(rate*steps, EVENT)
    for name, high in (("x", 8), ("y", 8), ("p", 2)):
        events[name] = rng.integers(0, high, len(events))
    times = np.concatenate([[0, 1000*steps - 1], rng.integers(0, 1000*steps, len(events) - 2)])
    events["t"] = start_us + np.sort(times)
    return events


def encoded(events, format):
    """Bytes of events in a format of host.live.sources.wire, written field by field."""
    parts = []
    for x, y, p, t in events.tolist():
        if format == TEXT:
            parts.append(b"%d,%d,%d,%d\n" % (t, x, y, p))
        elif format == BINARY:
            parts.append(t.to_bytes(8, "little") + x.to_bytes(2, "little") + y.to_bytes(2, "little") + bytes([p]))
        else:
            parts.append((t % 2**32).to_bytes(4, "little") + x.to_bytes(2, "little") +
                (y << 1 | p).to_bytes(2, "little"))
    return b"".join(parts)


def check_train(found, train):
    """The sources of steps are those of a spike train."""
    assert [step.sources.tolist() for step in found] == [train.step(t).tolist() for t in range(len(train))]
