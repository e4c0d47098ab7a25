# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a source of events gives, and what becomes of it: pieces of events on one side, steps of a network on the other.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import EVENT

NO_EVENTS  = np.zeros(0, EVENT)
NO_SOURCES = np.zeros(0, np.int32)
NO_ROWS    = np.zeros((0, 2), np.int64)

# Recorded events are given so many microseconds at a time.
SLICE_US = 10_000

# What becomes of steps that wait too long: they are dropped and counted, or the source is held up.
DROP, WAIT = "drop", "wait"


class Piece(NamedTuple):
    """Events that a source gives at once.

    Parameters
    ----------
    events : array [n] of dtype EVENT, all of them in the sensor; t in us of the source's own clock.
    until_us : no event before this time will follow; None: none is known.
    label : what they show; empty where the source does not say it.
    begins : a recording begins here: its first event is the first one of a step.
    context : of a piece that begins a recording, all of its rows (step of the recording, context source) [m, 2].
    """
    events:   np.ndarray
    until_us: int | None = None
    label:    str = ""
    begins:   bool = False
    context:  np.ndarray = NO_ROWS


class SourceStep(NamedTuple):
    """A step that is over.

    Parameters
    ----------
    number : of the step in the source's time, from 0; those of steps that were dropped are missing.
    sources : int32, the sensory sources that fired, ascending.
    events : array of dtype EVENT, those of the step.
    due : when the source's time passed the end of the step, as time.monotonic() counts.
    label : what the source says it shows; empty where it says nothing.
    context : int32, spikes of context sources k that a recording has in this step, as I + k, ascending; one that comes
        c times has the count c.
    """
    number:  int
    sources: np.ndarray
    events:  np.ndarray
    due:     float = 0.0
    label:   str = ""
    context: np.ndarray = NO_SOURCES


class EventSource(Protocol):
    """Where events come from.

    Attributes
    ----------
    name : how the user sees it.
    sensor_size : (W, H) in pixels; None where the source does not tell it.
    recorded : its events are there, checked and in order, before their time has come: it is played on our clock. One
        that is not gives them when they happen, in whatever order they come.
    waits : it can be held up without a loss.
    late : what becomes of steps that wait too long where nobody says it: DROP or WAIT.
    speed : of a recorded one: how many times faster than its own time it is played.
    counts : what the source itself has lost or refused, by its name.
    """
    name:        str
    sensor_size: tuple[int, int] | None
    recorded:    bool
    waits:       bool
    late:        str
    speed:       float
    counts:      dict[str, int]

    def pieces(self) -> Iterator[Piece | None]:
        """What comes, in order, until the source ends or is closed; None: nothing has come for some time. Raises
        QCLIFError where the source fails.
        """
        ...

    def close(self) -> None:
        """Let go of files, sockets and devices. May be called from another thread than the one that reads."""
        ...


def check_sensor(name: str, sensor_size: tuple[int, int] | None, wanted: tuple[int, int]) -> None:
    """Raise QCLIFError where a source tells another sensor (W, H) than the network's."""
    if sensor_size not in (None, wanted):
        raise QCLIFError("{}: the sensor has {}x{} pixels, the network is for {}x{}: take a network for this sensor, "
            "or another --source".format(name, *sensor_size, *wanted))
