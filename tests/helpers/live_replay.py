# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run without a device: synthetic gestures through the golden model, shown on a page at their own pace.

`python -m tests.helpers.live_replay [PORT]` prints its address and shows it until Ctrl-C.
"""

import dataclasses
import sys
import threading
import time
from functools import cache

import numpy as np

from accel.errors import guarded
from host.common.folders import ROOT
from host.data.synthetic import GESTURES, SIZE, record
from host.events.encoder import poisson_context
from host.events.spike_train import SpikeTrain
from host.live.control import Control
from host.live.feed import FRAME_HZ, Feed, Frame, Hello, Machine, confidence
from host.live.server import PageServer
from host.network.golden import GoldenModel
from host.network.network import Network

DECAY = 5

# Context sources that the shipped network is given for the cue; each holds back its share of the neurons.
CONTEXTS = 3
CUES     = tuple(map(str, range(CONTEXTS)))

# Events of a pixel that a picture can tell, as it has 8 bits.
MOST = 127


def lost(logits: np.ndarray) -> np.ndarray:
    """What the windowed readout loses in a step."""
    return (logits + (1 << (DECAY - 1))) >> DECAY


@cache
def cued_network() -> Network:
    """The shipped network of gestures with context sources, each of which closes the gate of a third of the neurons."""
    network = Network.load(ROOT/"host"/"networks"/"synthetic11.npz")
    weights = np.where(np.arange(network.neurons) % CONTEXTS == np.arange(CONTEXTS)[:, None], -100, 0)
    return dataclasses.replace(network, w_context=weights.astype(np.int32))


class Scene:
    """Gestures one after the other, and what the network makes of them under each cue.

    Parameters
    ----------
    gestures : classes, a second each.
    """

    def __init__(self, gestures: tuple[int, ...]) -> None:
        self.network = cued_network()
        encoder      = self.network.encoder
        self.labels  = [GESTURES[each] for each in gestures]
        events  = [record(each, seed=11 + each).events for each in gestures]
        trains  = [encoder.encode(each) for each in events]
        lengths = [len(each) for each in trains]
        self.gesture = np.repeat(np.arange(len(gestures)), lengths)
        self.steps   = len(self.gesture)
        # Step of each event in the whole.
        self.events  = np.concatenate(events)
        self.at      = np.concatenate([first + (each["t"] - each["t"][0])//encoder.bin_us
            for first, each in zip(np.cumsum([0, *lengths]), events, strict=False)])
        base    = [train.step(t) for train in trains for t in range(len(train))]
        self.inputs, self.results = {}, {}
        for cue in range(-1, CONTEXTS):
            steps = [list(step) for step in base]
            if cue >= 0:
                for step, source in poisson_context(self.steps, cue, contexts=CONTEXTS, background_hz=0.0):
                    steps[step].append(encoder.inputs + source)
            self.inputs[cue]  = SpikeTrain.from_lists(steps)
            self.results[cue] = GoldenModel(self.network).run([self.inputs[cue]], states=True)[0]


@cache
def scene(gestures: tuple[int, ...]) -> Scene:
    """A scene, made once."""
    return Scene(gestures)


class LiveReplay:
    """A page that shows a scene again and again, while a `with` block lasts.

    Parameters
    ----------
    gestures : classes, a second each.
    cues : names of the network's context sources, CONTEXTS of them or none.
    port : of the page.

    Attributes
    ----------
    feed, control, server : of the run.
    frames : those that were published last, newest at the end.
    """

    KEPT = 256

    def __init__(self, gestures: tuple[int, ...] = (0, 1, 8), cues: tuple[str, ...] = CUES, port: int = 0
            ) -> None:
        self.scene  = scene(gestures)
        network     = self.scene.network
        self.hello  = Hello("synthetic11", "synthetic camera", "golden model", (SIZE, SIZE), network.encoder.bin_us,
            network.inputs, len(cues), network.neurons, network.state_max, tuple(network.classes), cues,
            tuple(network.threshold.tolist()), DECAY, True)
        self.feed    = Feed(self.hello)
        self.control = Control(network.neurons, self.hello.contexts)
        self.server  = PageServer(self.feed, self.control, port=port)
        self.frames: list[Frame] = []
        self.notice, self.status = "", ""
        self._paused, self._cue, self._watch, self._recording = False, -1, (28, 66), ""
        self._logits = np.zeros(network.outputs, np.int64)
        self._step, self._skipped = 0, 0
        self._ended  = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def __enter__(self) -> "LiveReplay":
        self.server.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.server.__exit__(None, None, None)

    def differ(self, step: int, neuron: int) -> None:
        """From now on, that is how it stands with the comparison."""
        self.notice, self.status = f"step {step}, neuron {neuron}: V_a is 90, expected 91", "mismatch"

    def skip(self, steps: int) -> None:
        """So many steps are computed and not shown, as to a viewer that was too slow."""
        self._skipped += steps

    @property
    def last(self) -> Frame:
        """The newest frame that has steps."""
        return next(frame for frame in reversed(self.frames) if len(frame.inputs))

    # Running --------------------------------------------------------------------------------------

    def _run(self) -> None:
        bin_s  = self.hello.bin_us*1e-6
        begun, done, frames = time.monotonic(), 0, 0
        while not self._ended.wait(max(0.0, begun + frames/FRAME_HZ - time.monotonic())):
            frames += 1
            due   = int((time.monotonic() - begun)/bin_s)
            steps = self._obey(due - done)
            done  = due
            self._publish(steps)

    def _obey(self, steps: int) -> int:
        """Execute commands; returns how many steps follow."""
        single = 0
        for name, value in self.control.taken():
            match name:
                case "pause" | "resume":
                    self._paused = name == "pause"
                case "step":
                    single += 1
                case "reset":
                    self._logits[:] = 0
                case "cue":
                    self._cue = value
                case "watch":
                    self._watch = value
                case "record":
                    self._recording = "live-1.npz" if value else ""
        return single if self._paused else steps

    def _publish(self, steps: int) -> None:
        network, result, train = self.scene.network, self.scene.results[self._cue], self.scene.inputs[self._cue]
        numbers = [(self._step + n) % self.scene.steps for n in range(steps)]
        logits  = np.zeros((steps, network.outputs), np.int64)
        for row, number in enumerate(numbers):
            self._logits += network.readout[result.spikes.step(number)].sum(axis=0) - lost(self._logits)
            logits[row] = self._logits
        chosen  = np.isin(self.scene.at, numbers)
        picture = np.zeros((SIZE, SIZE), np.int64)
        events  = self.scene.events[chosen]
        np.add.at(picture, (events["y"], events["x"]), np.where(events["p"], 1, -1))
        last  = numbers[-1] if numbers else (self._step - 1) % self.scene.steps
        total = self._step + steps
        frame = Frame(
            first      = self._step,
            inputs     = [train.step(each) for each in numbers],
            spikes     = [result.spikes.step(each) for each in numbers],
            logits     = logits,
            picture    = picture.clip(-MOST, MOST).astype(np.int8),
            states     = {neuron: np.stack([result.v_a[numbers, neuron], result.v_s[numbers, neuron]], axis=1)
                for neuron in self._watch},
            watch      = self._watch,
            label      = self.scene.labels[self.scene.gesture[last]],
            answer     = int(np.argmax(self._logits)),
            confidence = confidence(self._logits),
            cue        = self._cue,
            status     = self.status or ("paused" if self._paused else "running"),
            paused     = self._paused,
            notice     = self.notice,
            recording  = self._recording,
            machine    = Machine(steps=total, compared=total, mismatches=int(self.status == "mismatch"),
                steps_per_second=0.0 if self._paused else 1e6/self.hello.bin_us, lag_ms=11.4, clocks_per_step=713.2,
                bound_per_step=705.4, bytes_out=total*118, bytes_in=total*17, retries=2, crc_errors=1),
        )
        self._step += steps
        if self._skipped:
            self._step, self._skipped = self._step + self._skipped, 0
        self.frames = [*self.frames[-self.KEPT:], frame]
        self.feed.publish(frame)


def main() -> int:
    """Until Ctrl-C."""
    with LiveReplay(tuple(range(len(GESTURES))), port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as live:
        print(live.server.url, flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
