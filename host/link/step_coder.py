# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Time steps and raw events of a sample as requests, and spikes of the answers."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from accel.config import QCLIFConfig
from firmware import protocol
from host.link.framing import decode_varints, encode_varints
from host.link.link import Link
from host.link.step_spikes import take_step
from host.network.network import Network

# A request of a sample: its name in protocol.REQUESTS, its payload, and what takes the answer.
StepRequest = tuple[str, bytes, Callable[[bytes], object]]


class StepCoder:
    """Requests and answers of one sample, in order.

    Parameters
    ----------
    network : the one that is loaded.
    link : tells the build, and how long payloads should be now and can be.
    """

    def __init__(self, network: Network, link: Link) -> None:
        self._link    = link
        self._config  = link.info.config
        self._inputs  = network.inputs
        self._neurons = network.neurons
        # Contexts have other numbers in a build with more inputs.
        self._contexts_by = self._config.inputs - network.inputs
        # Without the status.
        self._answer_limit = link.payload_limit - 1
        self._report_bytes = 0
        self._firing = np.zeros(0, np.int32)

    # Requests -------------------------------------------------------------------------------------

    def steps(self, steps: Iterable[np.ndarray], most: int | None = None) -> Iterator[tuple[str, bytes, int]]:
        """Requests of steps: name, payload, and how many steps it ends, at most `most`, or what an answer holds.

        `steps` has the network's sources, ascending, of no more events a step than the build holds.
        """
        room  = (self._answer_limit - self._report_bytes)//protocol.step_answer_bytes(self._config)
        limit = room if most is None else min(most, room)
        frame, frame_bytes = [], 0
        for step in steps:
            if self._contexts_by:
                step = step + np.where(step >= self._inputs, self._contexts_by, 0)
            encoded = _encode_step(step)
            if frame and (len(frame) == limit or frame_bytes + len(encoded) > self._link.payload_bytes - 1):
                yield _steps_request(frame)
                frame, frame_bytes = [], 0
            while len(encoded) > self._link.payload_bytes - 1 and len(step) > 1:
                # A step that is too long for one frame goes in parts, of sources of two bytes at most.
                part = max(1, (self._link.payload_bytes - 2)//2)
                yield "PART", _encode_step(step[:part]), 0
                step = step[part:]
                encoded = _encode_step(step)
            frame.append(encoded)
            frame_bytes += len(encoded)
        if frame:
            yield _steps_request(frame)

    def words_steps(self, most: int | None = None) -> int:
        """Steps that one raw word may complete: `most`, or what an answer holds."""
        return max(1, (self._answer_limit - self._report_bytes - 2)//self._raw_step_bytes) if most is None else most

    def words(self, words: np.ndarray, steps_done: np.ndarray, most: int | None = None) -> Iterator[tuple[bytes, int]]:
        """Payloads of RAW, and how many steps each completes; the arguments are what pack_events() gives of
        words_steps(most)."""
        most_steps = self.words_steps(most)
        first = done = 0
        while first < len(words):
            # Longest run whose answer fits whatever fires: two bytes a word, and its steps.
            size  = max(1, self._link.payload_bytes//words.shape[1])
            steps = steps_done[first:first + size] - done
            worst = 2*np.arange(1, len(steps) + 1) + self._raw_step_bytes*steps
            fits  = (worst <= self._answer_limit - self._report_bytes) & (steps <= most_steps)
            count = max(1, int(np.argmin(fits)) if not fits.all() else len(fits))
            yield words[first:first + count].tobytes(), int(steps[count - 1])
            done   = int(steps_done[first + count - 1])
            first += count

    @property
    def _raw_step_bytes(self) -> int:
        return 1 + protocol.step_answer_bytes(self._config)

    def ranges(self, kind: str, first: int, end: int) -> Iterator[tuple[str, bytes]]:
        """Requests of four-byte items (LOGITS, STATE) from `first` to `end` - 1, as many as fit an answer each."""
        most = self._answer_limit//4
        for at in range(first, end, most):
            yield kind, protocol.pack("RANGE", first=at, count=min(most, end - at))

    def reserve(self, items: int) -> bool:
        """Leave room for so many four-byte items at the end of each answer with spikes. False: there is none, and
        nothing changes."""
        fits = 4*items + self._raw_step_bytes + 2 <= self._answer_limit
        if fits:
            self._report_bytes = 4*items
        return fits

    # Answers --------------------------------------------------------------------------------------

    def split(self, answer: bytes) -> tuple[bytes, bytes]:
        """The part of an answer with spikes, and what room was left for behind it."""
        at = len(answer) - self._report_bytes
        return answer[:at], answer[at:]

    def begin(self) -> None:
        """Another sample begins."""
        self._firing = np.zeros(0, np.int32)

    def take_spikes(self, answer: bytes) -> list[np.ndarray]:
        """Neurons that fired, int32, step by step, of an answer to STEPS."""
        at, spikes = 0, []
        while at < len(answer):
            fired, at = take_step(answer, at, self._config, self._neurons)
            spikes.append(fired)
        return spikes

    def take_raw(self, answer: bytes) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of an answer to RAW or FINISH: of each step that was completed the sources that fired in it, from its
        beginning on, and its spikes; int32."""
        at, told, spikes = 0, [], []
        while at < len(answer):
            # Of what is told of sources and ends of steps, an end alone has a byte 0.
            end = answer.find(0, at) + 1 or len(answer)
            told.append(answer[at:end])
            at = end
            if answer[end - 1] == 0:
                fired, at = take_step(answer, at, self._config, self._neurons)
                spikes.append(fired)
        sources = decode_varints(b"".join(told)).astype(np.int32) - 1
        # Contexts in the build's numbers back to the network's.
        sources[sources >= self._config.inputs] -= self._contexts_by
        firing = np.concatenate([self._firing, sources])
        ends   = [-1, *np.flatnonzero(firing < 0).tolist()]
        inputs = [np.sort(firing[begin + 1:end]) for begin, end in itertools.pairwise(ends)]
        self._firing = firing[ends[-1] + 1:]
        return inputs, spikes


def _encode_step(sources: np.ndarray) -> bytes:
    """A step for STEPS or PART: how many sources, then their differences."""
    return encode_varints(np.concatenate([[len(sources)], np.diff(sources, prepend=0)]))


def _steps_request(frame: list[bytes]) -> tuple[str, bytes, int]:
    return "STEPS", encode_varints([len(frame)]) + b"".join(frame), len(frame)


def states_of(answer: bytes) -> tuple[np.ndarray, np.ndarray]:
    """V_a and V_s, int32 [n], of answers to STATE."""
    words = np.frombuffer(answer, "<u4")
    return (words & 0xffff).astype(np.int32), (words >> 16).astype(np.int32)


def nothing(answer: bytes) -> None:
    """Take an answer that says no more than that all is well."""


def too_long(step: int, events: int, config: QCLIFConfig) -> str:
    """What is wrong with a step of more events than the build holds."""
    return (f"step {step} has {events} events, the build holds {config.step_events}: build with --step-events "
        f"{events}, or use shorter steps (bin_us)")
