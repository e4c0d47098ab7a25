# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A thread that reads a source which makes its reader wait."""

import threading
from collections.abc import Callable

from host.live.sources.source import EventSource


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
        self._closed  = False
        self._thread  = threading.Thread(target=self._run, name=source.name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the source and end the thread."""
        self._closed = True
        self._source.close()
        self._thread.join()

    def _run(self) -> None:
        failure = None
        try:
            for piece in self._source.pieces():
                if self._closed:
                    break
                if piece is not None and len(piece.events):
                    self._hand_on(piece)
        # Told to whoever takes the steps.
        except Exception as error:
            failure = error
        if not self._closed:
            self._ended(failure)
