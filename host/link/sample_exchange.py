# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A sample as requests for the device, and the device's answers as its result."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from firmware import protocol
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.framing import decode_varints, encode_varints
from host.link.link import Link
from host.link.raw_events import pack_events
from host.network.network import Network

# A request of a sample: its name in protocol.REQUESTS, its payload, and what takes the answer.
SampleRequest = tuple[str, bytes, Callable[[bytes], object]]


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
        self._link     = link
        self._config   = link.info.config
        self._raw      = encode == "device"
        self._lockstep = lockstep
        # Without the status.
        self._answer_limit = link.payload_limit - 1
        self._spikes: list[np.ndarray] = []
        self._inputs: list[np.ndarray] = []
        self._firing: list[int]   = []
        self._states: list[bytes] = []
        self._logits: list[bytes] = []
        self._counters = b""

    @property
    def steps(self) -> int:
        """Steps whose spikes have come."""
        return len(self._spikes)

    # Requests -------------------------------------------------------------------------------------

    def requests(self) -> Iterator[SampleRequest]:
        """All requests of the sample."""
        yield "BEGIN", b"", _nothing
        yield from self._raw_requests() if self._raw else self._steps_requests()
        yield "END", b"", self._take_counters
        if not self._lockstep:
            yield from self._state_requests()
        yield from self._ranges("LOGITS", self._network.outputs, self._logits.append)

    def _ranges(self, kind: str, items: int, take: Callable[[bytes], object]) -> Iterator[SampleRequest]:
        """Requests of ranges of four-byte items, as many as fit an answer each."""
        most = self._answer_limit//4
        for first in range(0, items, most):
            yield kind, protocol.pack("RANGE", first=first, count=min(most, items - first)), take

    def _state_requests(self) -> Iterator[SampleRequest]:
        return self._ranges("STATE", self._network.neurons, self._states.append)

    def _steps_requests(self) -> Iterator[SampleRequest]:
        steps = self._sample.steps
        if steps.peak > self._config.step_events:
            t = int(np.argmax(np.diff(steps.offsets)))
            raise QCLIFError(f"{self._sample.name}: step {t} has {steps.peak} events, the build holds "
                f"{self._config.step_events}: build with --step-events {steps.peak}, or use shorter steps (bin_us)")
        inputs = self._network.inputs
        sources = steps.sources + np.where(steps.sources >= inputs, self._config.inputs - inputs, 0)
        most_steps = 1 if self._lockstep else self._answer_limit//protocol.step_answer_bytes(self._config)
        frame, frame_bytes = [], 0
        for t in range(len(steps)):
            step = sources[steps.offsets[t]:steps.offsets[t + 1]]
            encoded = _encode_step(step)
            if frame and (len(frame) == most_steps or frame_bytes + len(encoded) > self._link.payload_bytes - 1):
                yield from self._steps_request(frame)
                frame, frame_bytes = [], 0
            while len(encoded) > self._link.payload_bytes - 1 and len(step) > 1:
                # A step that is too long for one frame goes in parts, of sources of two bytes at most.
                part = max(1, (self._link.payload_bytes - 2)//2)
                yield "PART", _encode_step(step[:part]), _nothing
                step = step[part:]
                encoded = _encode_step(step)
            frame.append(encoded)
            frame_bytes += len(encoded)
        if frame:
            yield from self._steps_request(frame)

    def _steps_request(self, frame: list[bytes]) -> Iterator[SampleRequest]:
        yield "STEPS", encode_varints([len(frame)]) + b"".join(frame), self._take_spikes
        if self._lockstep:
            yield from self._state_requests()

    def _raw_requests(self) -> Iterator[SampleRequest]:
        step_bytes = 1 + protocol.step_answer_bytes(self._config)
        most_steps = 1 if self._lockstep else max(1, (self._answer_limit - 2)//step_bytes)
        words, steps_done = pack_events(self._sample.events, self._sample.context, self._network.encoder, most_steps)
        first = done = 0
        while first < len(words):
            # Longest run whose answer fits whatever fires: two bytes a word, and its steps.
            most = max(1, self._link.payload_bytes//words.shape[1])
            steps = steps_done[first:first + most] - done
            worst = 2*np.arange(1, len(steps) + 1) + step_bytes*steps
            fits = (worst <= self._answer_limit) & (steps <= most_steps)
            count = max(1, int(np.argmin(fits)) if not fits.all() else len(fits))
            yield "RAW", words[first:first + count].tobytes(), self._take_raw
            if self._lockstep and steps[count - 1]:
                yield from self._state_requests()
            done = int(steps_done[first + count - 1])
            first += count
        yield "FINISH", b"", self._take_raw
        if self._lockstep:
            yield from self._state_requests()

    # Answers --------------------------------------------------------------------------------------

    def _take_spikes(self, answer: bytes) -> None:
        values, at = decode_varints(answer), 0
        while at < len(values):
            at = self._take_step(values, at)

    def _take_step(self, values: np.ndarray, at: int) -> int:
        end = at + 1 + int(values[at])
        self._spikes.append(np.cumsum(values[at + 1:end]))
        return end

    def _take_raw(self, answer: bytes) -> None:
        values, at = decode_varints(answer), 0
        while at < len(values):
            if values[at]:
                source = int(values[at]) - 1
                # Contexts in the build's numbers back to the network's.
                self._firing.append(source if source < self._config.inputs else
                    source - self._config.inputs + self._network.inputs)
                at += 1
            else:
                self._inputs.append(np.sort(np.array(self._firing, np.int32)))
                self._firing = []
                at = self._take_step(values, at + 1)

    def _take_counters(self, answer: bytes) -> None:
        self._counters = answer

    def result(self) -> SampleRun:
        """The sample's result, once every answer is taken."""
        states = np.frombuffer(b"".join(self._states), "<u4").reshape(-1, self._network.neurons)
        return SampleRun(
            spikes   = SpikeTrain.from_lists(self._spikes),
            inputs   = SpikeTrain.from_lists(self._inputs) if self._raw else self._sample.steps,
            logits   = np.frombuffer(b"".join(self._logits), "<i4").astype(np.int32),
            counters = dict(zip(protocol.COUNTERS, np.frombuffer(self._counters, "<u4").tolist(), strict=True)),
            v_a      = (states & 0xffff).astype(np.int32),
            v_s      = (states >> 16).astype(np.int32),
        )


def _nothing(answer: bytes) -> None:
    """Take an answer that says no more than that all is well."""


def _encode_step(sources: np.ndarray) -> bytes:
    """A step for STEPS or PART: how many sources, then their differences."""
    return encode_varints(np.concatenate([[len(sources)], np.diff(sources, prepend=0)]))
