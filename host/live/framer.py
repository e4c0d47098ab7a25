# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Frames of a live run: what came since the last one."""

from collections.abc import Sequence

import numpy as np

from host.link.session import SessionBatch
from host.live.feed import Frame, Machine, confidence
from host.live.picture import Picture
from host.live.sources.live_steps import SourceStep
from host.network.network import Network, predicted
from host.network.stream import GoldenStep

# In place of a state that is not known: without comparison the device tells the one after the last step of a batch.
UNKNOWN = -1


class Framer:
    """Collects steps until a frame is asked for.

    Parameters
    ----------
    network : whose steps they are.
    """

    def __init__(self, network: Network) -> None:
        self._outputs = network.outputs
        self._picture = Picture(network.encoder.sensor_size)
        self._first   = 0
        self._inputs: list[np.ndarray] = []
        self._spikes: list[np.ndarray] = []
        self._logits: list[np.ndarray] = []
        self._states: list[dict[int, tuple[int, int]]] = []
        self._label   = ""
        self._last    = np.zeros(network.outputs, np.int32)

    def take(self, steps: Sequence[SourceStep], inputs: Sequence[np.ndarray], answer: SessionBatch,
            expected: Sequence[GoldenStep] | None, watched: Sequence[int]) -> None:
        """A batch: its steps as the source has them, as the device got them, and what came of them."""
        for at, step in enumerate(steps):
            self._picture.add(step.events)
            last   = at == len(steps) - 1
            golden = None if expected is None else expected[at]
            # Of the steps before the last one only the golden model tells logits and states.
            self._logits.append(answer.logits if last else self._last if golden is None else golden.logits)
            if last:
                self._states.append({neuron: (int(v_a), int(v_s)) for neuron, v_a, v_s in
                    zip(watched, answer.v_a, answer.v_s, strict=True)})
            else:
                self._states.append({neuron: (UNKNOWN, UNKNOWN) if golden is None else
                    (int(golden.v_a[neuron]), int(golden.v_s[neuron])) for neuron in watched})
        self._inputs += inputs
        self._spikes += answer.spikes
        self._label   = steps[-1].label
        self._last    = answer.logits

    def frame(self, status: str, paused: bool, notice: str, watch: Sequence[int], cue: int, recording: str,
            machine: Machine) -> Frame:
        """The steps since the last frame, as one; with what the run says of itself."""
        neurons = sorted({neuron for states in self._states for neuron in states})
        frame   = Frame(
            first      = self._first,
            inputs     = self._inputs,
            spikes     = self._spikes,
            logits     = np.array(self._logits, np.int64).reshape(-1, self._outputs),
            picture    = self._picture.take(),
            states     = {neuron: np.array([states.get(neuron, (UNKNOWN, UNKNOWN)) for states in self._states])
                for neuron in neurons},
            watch      = watch,
            label      = self._label,
            answer     = predicted(self._last),
            confidence = confidence(self._last),
            cue        = cue,
            status     = status,
            paused     = paused,
            notice     = notice,
            recording  = recording,
            machine    = machine,
        )
        self._first += len(self._inputs)
        self._inputs, self._spikes, self._logits, self._states = [], [], [], []
        return frame
