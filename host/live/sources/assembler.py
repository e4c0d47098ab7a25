# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Pieces of events put together to steps: their sources, events, label and context."""

import numpy as np

from host.events.encoder import Encoder
from host.events.spike_train import SpikeTrain
from host.events.step_encoder import StepEncoder
from host.live.sources.source import NO_EVENTS, NO_ROWS, NO_SOURCES, Piece, SourceStep


class Assembler:
    """Steps of a network from pieces that are in order; it keeps the open step alone.

    Parameters
    ----------
    encoder : of the network.
    """
    def __init__(self, encoder: Encoder) -> None:
        self._steps   = StepEncoder(encoder)
        self._inputs  = encoder.inputs
        self._events  = []
        self._label   = ""
        # Context of the recording that plays, and the number of the step with which it began.
        self._context = NO_ROWS
        self._first   = 0

    @property
    def number(self) -> int:
        """Of the open step."""
        return self._steps.number

    @property
    def start_us(self) -> int | None:
        """Time of the source at which the open step begins; None before the first event."""
        return self._steps.start_us

    @property
    def end_us(self) -> int | None:
        """Time of the source at which the open step ends; None before the first event."""
        return self._steps.end_us

    @property
    def bin_us(self) -> int:
        """Length of a step."""
        return self._steps.encoder.bin_us

    def push(self, piece: Piece) -> list[SourceStep]:
        """The steps that are over with this piece."""
        done = self.finish() if piece.begins else []
        if piece.begins:
            self._context, self._first = piece.context, self.number
        if len(piece.events):
            first = self._steps.start_us
            train = self._steps.push(piece.events)
            start = int(piece.events["t"][0]) if first is None else first
            ends  = start + self._steps.encoder.bin_us*np.arange(1, len(train) + 1)
            parts = np.split(piece.events, np.searchsorted(piece.events["t"], ends))
            if first is None:
                self._label = piece.label
            self._events.append(parts[0])
            done += self._closed(train, parts[1:-1], piece.label)
            if len(train):
                self._events = [parts[-1]]
        if piece.until_us is not None:
            done += self.advance(piece.until_us)
        self._label = piece.label
        return done

    def advance(self, until_us: int) -> list[SourceStep]:
        """The steps that are over since the source's time is until_us."""
        return self._closed(self._steps.advance(until_us), [], self._label)

    def finish(self) -> list[SourceStep]:
        """The open step, if there is one: nothing more comes of its recording."""
        return self._closed(self._steps.finish(), [], self._label)

    def _closed(self, train: SpikeTrain, events: list[np.ndarray], label: str) -> list[SourceStep]:
        """Steps of a train: the one that was open, and those after it with their events."""
        if not len(train):
            return []
        number = self.number - len(train)
        first  = in_order(self._events)
        self._events = []
        steps = [SourceStep(number, train.step(0), first, label=self._label, context=self._cue(number))]
        for t in range(1, len(train)):
            part = events[t - 1] if t <= len(events) else NO_EVENTS
            steps.append(SourceStep(number + t, train.step(t), part, label=label, context=self._cue(number + t)))
        return steps

    def _cue(self, number: int) -> np.ndarray:
        rows = self._context
        if not len(rows):
            return NO_SOURCES
        low, high = np.searchsorted(rows[:, 0], (number - self._first, number - self._first + 1))
        return np.sort(rows[low:high, 1] + self._inputs).astype(np.int32)


def in_order(parts: list[np.ndarray]) -> np.ndarray:
    """Events of all parts by their times, which go back between them where a camera's do."""
    events = np.concatenate([NO_EVENTS, *parts])
    if (events["t"][1:] < events["t"][:-1]).any():
        events = events[np.argsort(events["t"], kind="stable")]
    return events
