# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings of a file as a source: at their own pace, faster or slower, once or without end."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder, check_context
from host.events.formats import read_files
from host.events.reading import Reading
from host.events.sample import Sample
from host.live.sources.source import NO_ROWS, SLICE_US, WAIT, Piece, check_sensor


class FileSource:
    """The recordings of a file, one after another; the steps of each are those of Encoder.encode().

    Parameters
    ----------
    path : of any format that host.events.formats reads.
    encoder : of the network.
    reading : what the file leaves open; None for nothing.
    speed : times its own pace.
    loop : begin again after the last one.
    contexts : C, context sources of the network; None does not limit them.
    classes : names of the recordings' labels; one without a name is given as its number.

    Raises
    ------
    QCLIFError : the file cannot be read, was recorded with another sensor, or has context that the network cannot
        take.
    """
    recorded = True
    waits    = True
    late     = WAIT

    def __init__(self, path: Path, encoder: Encoder, reading: Reading | None = None, speed: float = 1.0,
            loop: bool = False, contexts: int | None = None, classes: Sequence[str] = ()) -> None:
        self.name        = str(path)
        self.speed       = speed
        self.sensor_size = encoder.sensor_size
        self.counts: dict[str, int] = {}
        self._loop       = loop
        self._classes    = classes
        self._closed     = False
        self._samples    = [self._checked(sample, encoder, contexts) for sample in read_files([path], reading)]
        if not self._samples:
            raise QCLIFError(f"{path}: it holds no recordings: give another --source")

    def pieces(self) -> Iterator[Piece]:
        while True:
            for sample in self._samples:
                yield from self._slices(sample)
            if not self._loop:
                return

    def close(self) -> None:
        self._closed = True

    def _checked(self, sample: Sample, encoder: Encoder, contexts: int | None) -> Sample:
        """A sample with its context in order."""
        check_sensor(f"{self.name}: {sample.name}", sample.sensor_size, encoder.sensor_size)
        if sample.context is None:
            return sample
        length = int(sample.events["t"][-1] - sample.events["t"][0])//encoder.bin_us + 1
        rows   = check_context(sample.context, length, contexts, f"{self.name}: {sample.name}")
        return dataclasses.replace(sample, context=rows[np.argsort(rows[:, 0], kind="stable")])

    def _slices(self, sample: Sample) -> Iterator[Piece]:
        events, begins = sample.events, True
        label = self._classes[sample.label] if 0 <= sample.label < len(self._classes) else \
            str(sample.label) if sample.label >= 0 else ""
        low, until = 0, int(events["t"][0])
        while low < len(events):
            if self._closed:
                return
            until += SLICE_US
            high = int(np.searchsorted(events["t"], until))
            # The last step is over with the recording.
            yield Piece(events[low:high], until if high < len(events) else None, label, begins,
                NO_ROWS if sample.context is None or not begins else sample.context)
            low, begins = high, False
