# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events that come in pieces, and the steps that are over: what Encoder makes of a whole recording, piece by piece."""

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import STEPS_MAX, Encoder
from host.events.event_array import check_coordinates, normalise
from host.events.spike_train import SpikeTrain


class StepEncoder:
    """Encodes events as they come, in a memory that does not grow.

    However a recording is cut into pieces, what push() returns of them and finish() after the last one are the steps
    of Encoder.encode(). There may be any number of pieces and steps.

    Parameters
    ----------
    encoder : mapping of events to sources, length and threshold of a step.
    start_us : time at which step 0 begins; None: at the first event, as in a recording.

    Attributes
    ----------
    number : of the step that is open, counted from 0.
    start_us : time at which it begins; None where no event has come yet.

    Examples
    --------
    >>> encoder = StepEncoder(Encoder(count_threshold=1))
    >>> event = np.array([(0, 0, 1, 7)], [("x", int), ("y", int), ("p", int), ("t", int)])
    >>> len(encoder.push(event)), encoder.advance(10_007).step(0).tolist(), encoder.number
    (0, [1], 2)
    """
    def __init__(self, encoder: Encoder, start_us: int | None = None) -> None:
        self.encoder  = encoder
        self.number   = 0
        self.start_us = start_us
        # Events of each source in the open step.
        self._counts  = np.zeros(encoder.inputs, np.int64)

    @property
    def end_us(self) -> int | None:
        """Time at which the open step ends; None where no event has come yet."""
        return None if self.start_us is None else self.start_us + self.encoder.bin_us

    def push(self, events: np.ndarray, what: str = "events") -> SpikeTrain:
        """The steps that are over now that these events have come.

        Parameters
        ----------
        events : structured array [n] with fields x, y, p and t (us), of any length; none of a step that is over.
        what : how an error names them.

        Raises
        ------
        QCLIFError : a value out of its range; nothing has changed then.
        """
        if not len(events):
            return SpikeTrain.from_lists([])
        events = normalise(events, what)
        check_coordinates(events, self.encoder.sensor_size, what)
        first, last = int(events["t"][0]), int(events["t"][-1])
        start = first if self.start_us is None else self.start_us
        if first < start:
            raise QCLIFError(f"{what}: an event of {first} us, step {self.number} begins at {start} us: the pieces "
                f"must come in order")
        self._check_length(last - start, what)
        self.start_us = start
        steps   = (events["t"] - start)//self.encoder.bin_us
        sources = self.encoder.sources_of(events)
        length  = int(steps[-1])
        # Events of the open step, of those that are over, and of the one that is open then.
        over, open_ = np.searchsorted(steps, (1, length)) if length else (len(steps), len(steps))
        self._count(sources[:over])
        if not length:
            return SpikeTrain.from_lists([])
        head = self._fired()
        later, others = self.encoder.fired(steps[over:open_], sources[over:open_])
        train = SpikeTrain.from_pairs(np.concatenate([np.zeros(len(head), np.int64), later]),
            np.concatenate([head, others]), length)
        self._begin(length)
        self._count(sources[open_:])
        return train

    def advance(self, until_us: int) -> SpikeTrain:
        """The steps that are over since the time is until_us and no more events of them will come.

        Raises
        ------
        QCLIFError : more steps than a recording may have.
        """
        if self.start_us is None or until_us < self.end_us:
            return SpikeTrain.from_lists([])
        self._check_length(until_us - self.start_us, "silence")
        length = (until_us - self.start_us)//self.encoder.bin_us
        head   = self._fired()
        self._begin(length)
        return SpikeTrain.from_pairs(np.zeros(len(head), np.int64), head, length)

    def finish(self) -> SpikeTrain:
        """The step that is open, if an event has come: it is over. A new recording begins with the next event."""
        if self.start_us is None:
            return SpikeTrain.from_lists([])
        train = self.advance(self.end_us)
        self.start_us = None
        return train

    def _check_length(self, elapsed_us: int, what: str) -> None:
        bin_us = self.encoder.bin_us
        if elapsed_us//bin_us >= STEPS_MAX:
            raise QCLIFError(f"{what}: {elapsed_us} us are {elapsed_us//bin_us + 1} steps of {bin_us} us at once, the "
                f"limit is {STEPS_MAX}: check that t is in microseconds")

    def _count(self, sources: np.ndarray) -> None:
        if len(sources):
            self._counts += np.bincount(sources, minlength=len(self._counts))

    def _fired(self) -> np.ndarray:
        return np.flatnonzero(self._counts >= self.encoder.count_threshold)

    def _begin(self, length: int) -> None:
        """The step after `length` more is open, and empty."""
        self.number   += length
        self.start_us += length*self.encoder.bin_us
        self._counts[:] = 0
