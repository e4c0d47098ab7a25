# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run as recordings: what the network was given, to be replayed and to be trained on."""

import queue
import threading
import time
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.npz import save_npz
from host.live.placing import placed

# Events of a recording: some minutes of a busy camera, in half a gigabyte of memory.
EVENTS_MAX = 32_000_000


def free_path(folder: Path, now: float) -> Path:
    """A file of this folder that is named by the time and is not there yet."""
    name   = time.strftime("live-%Y%m%d-%H%M%S", time.localtime(now))
    path   = folder/f"{name}.npz"
    number = 1
    while path.exists():
        number += 1
        path = folder/f"{name}-{number}.npz"
    return path


class Recorder:
    """Collects the steps that a network is given from its reset on, and writes them as a recording.

    It begins with the first step that has events, before which the network is to be reset. The events of each step are
    moved together, the first of them to the beginning of the step, so that whoever bins the recording gets the same
    steps. Steps that never reached the network are not in it.

    Parameters
    ----------
    path : the file that is written in the end.
    bin_us : microseconds of a step.
    sensor_size : (W, H) in pixels.
    most_steps : that it can have; None: as many as its events allow.
    """

    def __init__(self, path: Path, bin_us: int, sensor_size: tuple[int, int], most_steps: int | None = None) -> None:
        self.path         = path
        self._bin_us      = bin_us
        self._sensor_size = sensor_size
        self._most_steps  = most_steps
        self._events: list[np.ndarray]  = []
        self._context: list[np.ndarray] = []
        self._count = self._step = 0

    @property
    def begun(self) -> bool:
        """It has a step."""
        return self._step > 0

    @property
    def full(self) -> bool:
        """It has as much as it can hold."""
        return self._count >= EVENTS_MAX or (self._most_steps is not None and self._step >= self._most_steps)

    def take(self, events: np.ndarray, context: np.ndarray) -> None:
        """A step: its events, in order, and the context sources that spiked (0 to C - 1). Steps before the first event
        are left out."""
        if not self.begun and not len(events):
            return
        self._events.append(placed(events, self._step*self._bin_us))
        self._context.append(np.stack([np.full(len(context), self._step), context], axis=1).astype(np.int64))
        self._count += len(events)
        self._step  += 1

    def save(self) -> None:
        """Write the recording, whole or not at all.

        Raises
        ------
        QCLIFError : there are no events, or the file cannot be written.
        """
        if not self.begun:
            raise QCLIFError(f"{self.path}: there were no events to record: record while the source has some")
        arrays  = {"events": np.concatenate(self._events), "sensor_size": np.array(self._sensor_size)}
        context = np.concatenate(self._context)
        # A recording ends with the step of its last event.
        context = context[context[:, 0] <= int(arrays["events"]["t"][-1])//self._bin_us]
        if len(context):
            arrays["context"] = context
        save_npz(self.path, arrays)


class Recordings:
    """The recordings of a run: one at a time, written beside it so that it does not wait.

    Parameters
    ----------
    folder : where they go.
    bin_us, sensor_size : as of a Recorder.
    clip_steps : after which one is over and the next one begins; None: each is as long as somebody records.
    """

    def __init__(self, folder: Path, bin_us: int, sensor_size: tuple[int, int], clip_steps: int | None = None) -> None:
        self._folder, self._bin_us, self._sensor_size = folder, bin_us, sensor_size
        self._clip_steps = clip_steps
        self._recorder: Recorder | None = None
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        # One after the other, so that free names are free.
        self._writing: threading.Thread | None = None

    @property
    def path(self) -> str:
        """The file that the run is being recorded for, or empty."""
        return "" if self._recorder is None else str(self._recorder.path)

    def start(self) -> None:
        """Record from now on; where that is so already, nothing changes."""
        if self._recorder is None:
            self.wait()
            self._recorder = Recorder(free_path(self._folder, time.time()), self._bin_us, self._sensor_size,
                self._clip_steps)

    def stop(self) -> None:
        """Record no longer; what there is will be written."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self.wait()
            self._writing = threading.Thread(target=self._write, args=(recorder,))
            self._writing.start()

    def begins_with(self, events: np.ndarray) -> bool:
        """A recording begins with the step of these events: the network is to be reset before."""
        return self._recorder is not None and not self._recorder.begun and len(events) > 0

    def take(self, events: np.ndarray, context: np.ndarray) -> None:
        """A step that was computed, as Recorder.take() has it."""
        if self._recorder is None:
            return
        self._recorder.take(events, context)
        if self._recorder.full:
            self.stop()
            if self._clip_steps is not None:
                self.start()

    def wait(self) -> None:
        """Return when all that was stopped is written."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None

    def notice(self) -> str:
        """What became of the last one that was written, once; else empty."""
        notice = ""
        while not self._notices.empty():
            notice = self._notices.get()
        return notice

    def _write(self, recorder: Recorder) -> None:
        try:
            recorder.save()
            self._notices.put(f"recorded {recorder.path}")
        except QCLIFError as error:
            self._notices.put(str(error))
