# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Requests on their way: how many there may be, which are to be sent again and when. Knows no port."""

from collections import deque
from dataclasses import dataclass

from firmware.protocol import RESPONSE
from host.link.framing import Frame

# Payloads: the usual one, and the smallest that a bad line brings it down to.
_USUAL_BYTES = 512
_LEAST_BYTES = 64
# Of so many requests, losses that halve the payload; none in twice as many doubles it again.
_JUDGED_REQUESTS = 32
_MANY_LOSSES     = 4


@dataclass
class Request:
    """A frame of the host on its way.

    `due` is the time at which it is to be sent again (None: it is not), `answer` the payload of its answer (None: it
    has none yet).
    """
    type:     int
    sequence: int
    encoded:  bytes
    sent:     float = 0.0
    due:      float | None = None
    repeated: bool = False
    answer:   bytes | None = None


class PayloadSize:
    """`bytes` to aim at in a payload: fewer on a line that damages frames often, since a shorter one gets through."""

    def __init__(self) -> None:
        self.bytes     = _USUAL_BYTES
        self._answered = 0
        self._losses   = 0

    def judge(self, lost: bool) -> None:
        """A request was answered, or one was lost."""
        self._answered += not lost
        self._losses   += lost
        if self._losses >= _MANY_LOSSES:
            self.bytes = max(_LEAST_BYTES, self.bytes//2)
        elif self._answered >= 2*_JUDGED_REQUESTS and not self._losses:
            self.bytes = min(_USUAL_BYTES, 2*self.bytes)
        elif self._answered < _JUDGED_REQUESTS or not self._losses:
            return
        self._answered = self._losses = 0


class Window:
    """Go-back-N over a device that executes requests in their order and keeps its answers.

    Parameters
    ----------
    window : most requests without an answer.
    credit : most encoded bytes of them: what the device's receive FIFO is sure to take.
    size : learns of losses.

    Attributes
    ----------
    round_trip : smoothed seconds from a request to its answer, 0 before the first.
    """

    def __init__(self, window: int, credit: int, size: PayloadSize) -> None:
        self.round_trip = 0.0
        self._window    = window
        self._credit    = credit
        self._size      = size
        self._waiting: deque[Request] = deque()
        self._probing   = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def has_room(self, request: Request) -> bool:
        """Whether the request, with the next sequence, may be sent now."""
        if not self._waiting:
            return True
        # What follows a frame that has to be repeated would only have to be repeated with it.
        if any(other.due is not None for other in self._waiting):
            return False
        used = sum(len(other.encoded) for other in self._waiting)
        span = (request.sequence - self._waiting[0].sequence) & 0xff
        return span < self._window and used + len(request.encoded) <= self._credit

    def add(self, request: Request) -> None:
        """The request is sent for the first time."""
        self._waiting.append(request)

    def take_answer(self, frame: Frame, now: float) -> bool:
        """Give the frame to the request that it answers; False where there is none, as with a repeated answer."""
        waiting = list(self._waiting)
        found = next((request for request in waiting if request.sequence == frame.sequence
            and request.type | RESPONSE == frame.type), None)
        if found is None:
            return False
        self._waiting.remove(found)
        found.answer = frame.payload
        if not found.repeated:
            # Of a repeated request nobody knows which sending was answered.
            elapsed = now - found.sent
            self.round_trip += (elapsed - self.round_trip)/8 if self.round_trip else elapsed
        self._size.judge(lost=False)
        # Answers come in order: earlier requests without one have lost it on the way.
        self._repeat(waiting[:waiting.index(found)])
        if self._probing:
            # The one request that a timeout sent again got through; what came after it may not have.
            self._probing = False
            self._repeat(list(self._waiting), now)
        return True

    # Repetition -----------------------------------------------------------------------------------

    def go_back(self, expected: int) -> None:
        """The device misses the sequence `expected` and drops all after it. What came before was executed: where it
        waits, its answer was lost on the way."""
        waiting = list(self._waiting)
        numbers = [request.sequence for request in waiting]
        if expected in numbers:
            first = numbers.index(expected)
            self._repeat(waiting[:first])
            self._repeat(waiting[first:], waiting[first].sent)
        elif waiting and expected == (numbers[-1] + 1) & 0xff:
            self._repeat(waiting)

    def suspect(self) -> None:
        """A damaged frame came: whatever it said, the oldest request is the first that may have lost its answer."""
        self._repeat(list(self._waiting)[:1])

    def timeout(self, now: float) -> None:
        """Nothing came for too long: send the oldest request again, and see."""
        self._probing = True
        self._waiting[0].due = now
        self._size.judge(lost=True)

    def _repeat(self, requests: list[Request], since: float | None = None) -> None:
        """Send requests again, but not before the answer to their last sending had time to come.

        `since` : time from which that counts; None: from each request's own sending.
        """
        fresh = [request for request in requests if request.due is None]
        for request in fresh:
            request.due = (request.sent if since is None else since) + self.round_trip
        if fresh:
            self._size.judge(lost=True)

    def due(self, now: float) -> list[Request]:
        """Requests to be sent again now, in order."""
        return [request for request in self._waiting if request.due is not None and request.due <= now]

    def next_due(self) -> float | None:
        """Time from which due() names a request; None where none waits to be sent again."""
        return min((request.due for request in self._waiting if request.due is not None), default=None)
