# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events of a camera that goes on, piece by piece, as raw words for a device that encodes them."""

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder, check_context
from host.events.event_array import EVENT, check_coordinates, normalise
from host.link.raw_events import Span, pack_events, ticked


class EventStream:
    """Where the device stands in the time of a camera's events, which begins at 0, in us.

    Parameters
    ----------
    encoder : the mapping that the device is set to.
    contexts : C of the network.
    """

    def __init__(self, encoder: Encoder, contexts: int) -> None:
        self._encoder  = encoder
        self._contexts = contexts
        # Until when the device has all events; when its own time began, in the events' time; how far that has come.
        self._until = self._begin = self._told = 0

    def words(self, events: np.ndarray, context: np.ndarray | None, until_us: int, steps_at_once: int
            ) -> tuple[np.ndarray, np.ndarray]:
        """What pack_events() makes of the events from the last sent() on; the arguments are those of
        Session.run_events(). Raises QCLIFError where one is out of its range."""
        if until_us < self._until:
            raise QCLIFError(f"events until {until_us} us were announced after those until {self._until} us: time does "
                "not go back")
        return pack_events(self._checked_events(events, until_us), self._checked_context(context, until_us),
            self._encoder, steps_at_once, span=Span(self._begin, self._told, self._ticked(until_us)))

    def sent(self, until_us: int) -> None:
        """The device has the words until then."""
        self._until, self._told = until_us, self._ticked(until_us)

    def restart(self) -> None:
        """The device's time begins anew, with the step at hand."""
        self._begin, self._told = self._until - self._until % self._encoder.bin_us, 0

    def _ticked(self, until_us: int) -> int:
        return ticked(until_us - self._begin, self._encoder)

    def _checked_events(self, events: np.ndarray, until_us: int) -> np.ndarray:
        if not len(events):
            return np.zeros(0, EVENT)
        events = normalise(events)
        check_coordinates(events, self._encoder.sensor_size)
        for time in events["t"][[0, -1]].tolist():
            if not self._until <= time < until_us:
                raise QCLIFError(f"an event has t {time} us, the limits are {self._until} to {until_us - 1}: leave "
                    "late events out, and give until_us behind the last one")
        return events

    def _checked_context(self, context: np.ndarray | None, until_us: int) -> np.ndarray | None:
        """Rows with steps from the device's beginning on."""
        if context is None:
            return None
        bin_us  = self._encoder.bin_us
        context = check_context(context, -(-until_us//bin_us), self._contexts, "context")
        if len(context) and context[:, 0].min() < self._until//bin_us:
            raise QCLIFError(f"context row of step {context[:, 0].min()}, which has ended: the first that has not is "
                f"{self._until//bin_us}")
        return context - [self._begin//bin_us, 0]
