# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the viewers of a live run see: facts once, then frames, each made once for all of them."""

import json
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

# Frames a second, while steps come.
FRAME_HZ = 25

# Of a run: steps come; somebody has paused it; the source has ended; the device does not answer, and is tried again; a
# step differs from the golden model's; it has ended with an error.
STATUS = ("running", "paused", "ended", "lost", "mismatch", "failed")

# Before a frame's JSON: its bytes.
_HEAD = struct.Struct("<I")


@dataclass(frozen=True)
class Hello:
    """Facts of a run, which do not change.

    Attributes
    ----------
    network, source, device : as the user named them.
    picture_size : (W, H) of the frames' event picture, in pixels.
    bin_us : microseconds of a step.
    classes, cues : names of the outputs and of the context sources.
    thresholds : of each neuron, in the unit of V_s.
    decay : of the windowed readout, as the contract has it.
    compare : each step is compared with the golden model.
    """
    network:      str
    source:       str
    device:       str
    picture_size: tuple[int, int]
    bin_us:       int
    inputs:       int
    contexts:     int
    neurons:      int
    state_max:    int
    classes:      tuple[str, ...]
    cues:         tuple[str, ...]
    thresholds:   tuple[int, ...]
    decay:        int
    compare:      bool

    def encode(self) -> str:
        """JSON, an object of the attributes."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Machine:
    """How the run fares, since it began but for what is said to be of the last second.

    Attributes
    ----------
    steps, compared, mismatches : steps computed, compared with the golden model, and different from it.
    steps_per_second, lag_ms : of the last second; lag: from the end of a step in the source's time to its spikes here,
        the longest.
    clocks_per_step, bound_per_step : of the core, of the last second; the bound is G*max(rows, P/Q).
    bytes_out, bytes_in : on the line.
    retries, crc_errors, resets : of the link: frames sent again, damaged ones, and devices that began anew.
    dropped_steps, dropped_events, late_events : what did not reach the device: steps and their events that waited too
        long, events that came after their step.
    """
    steps:            int = 0
    compared:         int = 0
    mismatches:       int = 0
    steps_per_second: float = 0.0
    lag_ms:           float = 0.0
    clocks_per_step:  float = 0.0
    bound_per_step:   float = 0.0
    bytes_out:        int = 0
    bytes_in:         int = 0
    retries:          int = 0
    crc_errors:       int = 0
    resets:           int = 0
    dropped_steps:    int = 0
    dropped_events:   int = 0
    late_events:      int = 0


@dataclass(frozen=True, eq=False)
class Frame:
    """The steps since the frame before, and where the run stands after them.

    Attributes
    ----------
    first : number of the first of its steps, counted from the beginning of the run.
    inputs, spikes : sources and neurons of each step, ascending.
    logits : int [steps, O] after each step.
    states : of each neuron that is watched, V_a and V_s after each step: [steps, 2].
    watch : neurons that are watched from now on, ascending.
    label : what the source says it shows; empty where it says nothing.
    answer : the first maximum of the logits, -1 without a readout.
    confidence : 0 to 1: by how much the answer leads the second, as a share of what lies between first and last.
    cue : context source that is cued, -1: none.
    status : one of STATUS.
    paused : somebody has paused the run, whatever else its status tells.
    notice : a line that the viewer should read, or empty.
    recording : the file that the run is being written to, or empty.
    picture : int8 [H, W]: ON less OFF events of the steps, a pixel of the picture each.
    """
    first:      int
    inputs:     Sequence[np.ndarray]
    spikes:     Sequence[np.ndarray]
    logits:     np.ndarray
    picture:    np.ndarray
    states:     dict[int, np.ndarray] = field(default_factory=dict)
    watch:      Sequence[int] = ()
    label:      str = ""
    answer:     int = -1
    confidence: float = 0.0
    cue:        int = -1
    status:     str = "running"
    paused:     bool = False
    notice:     str = ""
    recording:  str = ""
    machine:    Machine = field(default_factory=Machine)

    def encode(self) -> bytes:
        """u32 bytes of a JSON object of the attributes but the picture, little-endian; the object, padded with blanks
        to a multiple of 4 bytes; the picture's bytes, row by row."""
        text = json.dumps({
            "first":      self.first,
            "inputs":     [step.tolist() for step in self.inputs],
            "spikes":     [step.tolist() for step in self.spikes],
            "logits":     self.logits.tolist(),
            "states":     {neuron: values.tolist() for neuron, values in self.states.items()},
            "watch":      list(self.watch),
            "label":      self.label,
            "answer":     self.answer,
            "confidence": round(self.confidence, 3),
            "cue":        self.cue,
            "status":     self.status,
            "paused":     self.paused,
            "notice":     self.notice,
            "recording":  self.recording,
            "machine":    asdict(self.machine),
        }, separators=(",", ":")).encode()
        text += b" "*(-len(text) % _HEAD.size)
        return _HEAD.pack(len(text)) + text + self.picture.astype(np.int8).tobytes()


Viewer = Callable[[bytes], None]


class Feed:
    """Hands each frame of a run to all viewers; they may come and go in threads of their own.

    Parameters
    ----------
    hello : the run's facts.
    """

    def __init__(self, hello: Hello) -> None:
        self.hello   = hello
        self._latest = b""
        self._viewers: list[Viewer] = []
        self._lock   = threading.Lock()

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers)

    def publish(self, frame: Frame) -> None:
        """Hand out a frame. A viewer's function must only take it: the run waits for it."""
        encoded = frame.encode()
        with self._lock:
            self._latest = encoded
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer(encoded)

    def subscribe(self, viewer: Viewer) -> Callable[[], None]:
        """Call `viewer` with each encoded frame from now on, the newest one at once. Returns what ends it."""
        with self._lock:
            self._viewers.append(viewer)
            if self._latest:
                # Meanwhile no newer one can come before it.
                viewer(self._latest)

        def leave() -> None:
            with self._lock:
                if viewer in self._viewers:
                    self._viewers.remove(viewer)
        return leave


def confidence(logits: np.ndarray) -> float:
    """Lead of the greatest logit over the second, as a share of what lies between the greatest and the least; 0 where
    all are equal or there are fewer than two."""
    if len(logits) < 2:
        return 0.0
    ordered = np.sort(logits.astype(np.int64))
    spread  = int(ordered[-1] - ordered[0])
    return (int(ordered[-1]) - int(ordered[-2]))/spread if spread else 0.0
