# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A sample as requests for the device, and the device's answers as its result."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from firmware import protocol
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.link import Link
from host.link.raw_events import pack_events
from host.link.step_coder import StepCoder, StepRequest, nothing, states_of, too_long
from host.network.network import Network


@dataclass(eq=False)
class SampleRun:
    """Answer of the device to a sample.

    Attributes
    ----------
    inputs : sources that were used, step by step: those sent, or with encode="device" those that the device found.
    logits : int32 [O], [0] without a readout.
    counters : protocol.COUNTERS by name.
    v_a, v_s : int32 [T, N] after each step in lockstep, else [1, N] after the last one.
    """
    spikes:   SpikeTrain
    inputs:   SpikeTrain
    logits:   np.ndarray
    counters: dict[str, int]
    v_a:      np.ndarray
    v_s:      np.ndarray


class SampleExchange:
    """Requests of one sample, to be sent in order, each answer handed to its taker.

    Parameters
    ----------
    sample : with `steps` (encode="host") or `events` (encode="device").
    network : the one that is loaded.
    link : tells the build, and how long payloads should be now and can be.
    lockstep : read the states after each step, not only after the last.
    """

    def __init__(self, sample: Sample, network: Network, link: Link, encode: str, lockstep: bool) -> None:
        self._sample   = sample
        self._network  = network
        self._config   = link.info.config
        self._coder    = StepCoder(network, link)
        self._raw      = encode == "device"
        # None: as many as fit.
        self._at_once  = 1 if lockstep else None
        self._lockstep = lockstep
        self._spikes: list[np.ndarray] = []
        self._inputs: list[np.ndarray] = []
        self._states: list[bytes] = []
        self._logits: list[bytes] = []
        self._counters = b""

    @property
    def steps(self) -> int:
        """Steps whose spikes have come."""
        return len(self._spikes)

    # Requests -------------------------------------------------------------------------------------

    def requests(self) -> Iterator[StepRequest]:
        """All requests of the sample."""
        yield "BEGIN", b"", nothing
        yield from self._raw_requests() if self._raw else self._steps_requests()
        yield "END", b"", self._take_counters
        if not self._lockstep:
            yield from self._state_requests()
        for request in self._coder.ranges("LOGITS", 0, self._network.outputs):
            yield *request, self._logits.append

    def _state_requests(self) -> Iterator[StepRequest]:
        for request in self._coder.ranges("STATE", 0, self._network.neurons):
            yield *request, self._states.append

    def _steps_requests(self) -> Iterator[StepRequest]:
        steps = self._sample.steps
        if steps.peak > self._config.step_events:
            t = int(np.argmax(np.diff(steps.offsets)))
            raise QCLIFError(f"{self._sample.name}: {too_long(t, steps.peak, self._config)}")
        for kind, payload, _ in self._coder.steps(map(steps.step, range(len(steps))), self._at_once):
            yield kind, payload, self._take_spikes if kind == "STEPS" else nothing
            if self._lockstep and kind == "STEPS":
                yield from self._state_requests()

    def _raw_requests(self) -> Iterator[StepRequest]:
        words = pack_events(self._sample.events, self._sample.context, self._network.encoder,
            self._coder.words_steps(self._at_once))
        for payload, steps in self._coder.words(*words, self._at_once):
            yield "RAW", payload, self._take_raw
            if self._lockstep and steps:
                yield from self._state_requests()
        yield "FINISH", b"", self._take_raw
        if self._lockstep:
            yield from self._state_requests()

    # Answers --------------------------------------------------------------------------------------

    def _take_spikes(self, answer: bytes) -> None:
        self._spikes += self._coder.take_spikes(answer)

    def _take_raw(self, answer: bytes) -> None:
        inputs, spikes = self._coder.take_raw(answer)
        self._inputs += inputs
        self._spikes += spikes

    def _take_counters(self, answer: bytes) -> None:
        self._counters = answer

    def result(self) -> SampleRun:
        """The sample's result, once every answer is taken."""
        v_a, v_s = states_of(b"".join(self._states))
        return SampleRun(
            spikes   = SpikeTrain.from_lists(self._spikes),
            inputs   = SpikeTrain.from_lists(self._inputs) if self._raw else self._sample.steps,
            logits   = np.frombuffer(b"".join(self._logits), "<i4").astype(np.int32),
            counters = dict(zip(protocol.COUNTERS, np.frombuffer(self._counters, "<u4").tolist(), strict=True)),
            v_a      = v_a.reshape(-1, self._network.neurons),
            v_s      = v_s.reshape(-1, self._network.neurons),
        )
