# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A thread that reads a source which makes its reader wait."""

import threading
from collections.abc import Callable

from host.live.sources.source import EventSource

# Seconds in which more may come together: to encode each event on its own would keep a core busy.
GATHER_S = 0.002

# Seconds that a thread may take to end.
JOIN_S = 2.0


class Pump:
    """Hands on what a source gives, in a thread of its own.

    Parameters
    ----------
    source : is read until it ends, fails, or is closed.
    hand_on : called by the thread with each piece; may wait, which holds the source up.
    ended : called at the end, with what the source failed with, or None.
    """
    def __init__(self, source: EventSource, hand_on: Callable[[object], None],
            ended: Callable[[Exception | None], None]) -> None:
        self._source  = source
        self._hand_on = hand_on
        self._ended   = ended
        self._closed  = threading.Event()
        self._thread  = threading.Thread(target=self._run, name=source.name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the source and end the thread."""
        self._closed.set()
        self._source.close()
        # A library that does not come back must not hold us up.
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        failure = None
        try:
            for piece in self._source.pieces():
                if self._closed.is_set():
                    break
                if piece is not None and len(piece.events):
                    self._hand_on(piece)
                    self._closed.wait(GATHER_S)
        # Told to whoever takes the steps.
        except Exception as error:
            failure = error
        if not self._closed.is_set():
            self._ended(failure)
