# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Gestures of the synthetic camera, recorded ahead by a process of its own, which leaves the cores to all others.

A second of a recording takes some 80 ms of computing. The process records a bank of them once, each when one before it
begins to play, and ends; from then on nothing is recorded, and the bank plays in an order without end.
"""

import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.data.datasets import TEST_SEED
from host.data.synthetic import GESTURES, record
from host.events.event_array import EVENT

# Indices of all gestures.
ALL = tuple(range(len(GESTURES)))

# Length of a gesture, recordings of each one in the bank, and how many are recorded before they are asked for.
GESTURE_US = 3_000_000
VARIANTS   = 3
AHEAD      = 2

# Seeds of data sets are below: no gesture of the bank is one that a network was trained or tested with.
FIRST_SEED = 2*TEST_SEED
SEED_MAX   = 2**32 - 1

# An event as it is kept: us since the gesture began; x in the bits 8 up, y in 1 to 7, p in 0.
PACKED = np.dtype([("t", "<u4"), ("xyp", "<u2")])

# Before a recording on the pipe: its events.
_HEAD = struct.Struct("<I")

PROGRAM = f"import {__name__} as it; it.serve()"


def playlist(seed: int, shown: Sequence[int] = ALL) -> Iterator[tuple[int, int]]:
    """Gesture and variant, one after another without end; all that are shown in each round, none twice in a row where
    there are others."""
    rng, last, turn = np.random.default_rng(seed), -1, 0
    while True:
        gestures = rng.permutation(shown)
        if gestures[0] == last:
            gestures = gestures[::-1]
        variants = np.full(len(shown), turn) if turn < VARIANTS else rng.integers(0, VARIANTS, len(shown))
        yield from zip(gestures.tolist(), variants.tolist(), strict=True)
        last, turn = int(gestures[-1]), turn + 1


def packed(gesture: int, variant: int, seed: int) -> np.ndarray:
    """A recording of the bank, array of dtype PACKED."""
    events = record(gesture, FIRST_SEED + seed*VARIANTS + variant, GESTURE_US).events
    result = np.empty(len(events), PACKED)
    result["t"]   = events["t"]
    result["xyp"] = events["x"] << 8 | events["y"] << 1 | events["p"]
    return result


def unpacked(events: np.ndarray, start_us: int) -> np.ndarray:
    """Events of dtype EVENT of a gesture that begins at this time."""
    result = np.empty(len(events), EVENT)
    result["x"], result["y"] = events["xyp"] >> 8, events["xyp"] >> 1 & 0x7F
    result["p"], result["t"] = events["xyp"] & 1, start_us + events["t"].astype(np.int64)
    return result


class GestureBank:
    """Recordings of a seed, as the playlist asks for them.

    Parameters
    ----------
    seed : decides what is recorded and played, 0 to 2**32 - 1.
    shown : gestures of the playlist.
    """
    def __init__(self, seed: int, shown: Sequence[int] = ALL) -> None:
        if not 0 <= seed <= SEED_MAX:
            raise QCLIFError(f"--seed {seed}, the limits are 0 to {SEED_MAX}: choose another")
        self._recorded: dict[tuple[int, int], np.ndarray] = {}
        self._ahead   = threading.Semaphore(AHEAD)
        self._used    = set()
        self._ended   = False
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        # More threads of numpy's would take turns on one core.
        self._process = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM, str(seed), *map(str, shown)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths})
        self._thread  = threading.Thread(target=self._receive, args=(seed, shown), daemon=True)
        self._thread.start()

    def get(self, key: tuple[int, int]) -> np.ndarray | None:
        """The recording of a (gesture, variant); None where it is not there yet.

        Raises
        ------
        QCLIFError : it will never be.
        """
        # In this order: what is recorded last is there before the end is told.
        ended, events = self._ended, self._recorded.get(key)
        if events is None:
            if ended:
                raise QCLIFError(f"synthetic camera: the process that records gestures ended with status "
                    f"{self._process.poll()}: start again")
        elif key not in self._used:
            self._used.add(key)
            self._ahead.release()
        return events

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._ahead.release()
        self._thread.join()
        self._process.stdout.close()
        self._process.wait()

    def _receive(self, seed: int, shown: Sequence[int]) -> None:
        pipe = self._process.stdout
        for key, _ in zip(playlist(seed, shown), range(VARIANTS*len(shown)), strict=False):
            self._ahead.acquire()
            head = pipe.read(_HEAD.size)
            if len(head) < _HEAD.size:
                break
            size    = _HEAD.unpack(head)[0]*PACKED.itemsize
            content = pipe.read(size)
            if len(content) < size:
                break
            self._recorded[key] = np.frombuffer(content, PACKED)
        # Its pipe is closed before it has ended.
        self._process.wait()
        self._ended = True

# In the process -----------------------------------------------------------------------------------

def serve() -> None:
    """Record the bank of the seed that the command line names, and write it to standard output."""
    # Ctrl-C is for the one who reads.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)
    seed, *shown = map(int, sys.argv[1:])
    for (gesture, variant), _ in zip(playlist(seed, shown), range(VARIANTS*len(shown)), strict=False):
        events = packed(gesture, variant, seed)
        try:
            sys.stdout.buffer.write(_HEAD.pack(len(events)) + events.tobytes())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os._exit(0)
