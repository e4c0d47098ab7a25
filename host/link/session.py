# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run on the device: steps as they come, an answer to each, without end."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError, check_integer
from firmware import protocol
from host.common.console import Progress, no_progress
from host.link.counters import CounterPolls
from host.link.device import Device
from host.link.event_stream import EventStream
from host.link.link import Link
from host.link.step_coder import StepCoder, StepRequest, nothing, states_of, too_long
from host.network.network import Network
from host.network.readout import RunningLogits, check_decay


class SessionStep(NamedTuple):
    """A step: neurons that fired, int32, ascending, and the logits after it, int32 [O]."""
    spikes: np.ndarray
    logits: np.ndarray


class SessionBatch(NamedTuple):
    """Steps that the device has computed.

    Attributes
    ----------
    spikes : of each step the neurons that fired, int32, ascending.
    inputs : of each step the sources that it had, int32, ascending: those sent, or those that the device found.
    logits : int32 [O] after the last step.
    v_a, v_s : int32 [W], of the neurons in Session.watch, after the last step.
    """
    spikes: list[np.ndarray]
    inputs: list[np.ndarray]
    logits: np.ndarray
    v_a:    np.ndarray
    v_s:    np.ndarray


class Session:
    """A sample on the device that has no end: it begins here, and ends with the block, or with close().

    Parameters
    ----------
    device : with an open link, which no one else uses meanwhile.
    decay : of the readout, k of the contract (accel/README.md): the window fades by one part in 2**decay a step. 0 adds
        up without end, in 32 bits.
    engine : "accel" or "cpu".
    encode : "host" for run(), "device" for run_events().
    progress : is told of the stage "network", in words, while the network is sent.

    Attributes
    ----------
    watch : neurons whose states are read with each batch, a few of them; () at first.

    Raises
    ------
    QCLIFError : the network does not fit, a logit could leave 32 bits with this decay, or anything that
        Link.exchange() raises.

    Examples
    --------
    >>> with Link(port) as link, Session(Device(link), network) as session:
    ...     for spikes, logits in session.steps(source):
    ...         print(spikes, network.classes[logits.argmax()])
    """

    def __init__(self, device: Device, network: Network, decay: int = 5, engine: str = "accel", encode: str = "host",
            progress: Progress = no_progress) -> None:
        check_decay(network, decay)
        if encode not in ("host", "device"):
            raise QCLIFError(f"encode is {encode!r}: host or device is needed")
        self.network  = network
        self._link    = device.link
        self._coder   = StepCoder(network, self._link)
        self._polls   = CounterPolls(network.neurons, self._link.info.clock_hz, self._link.now)
        # Logits and states come with the spikes, where a frame has room for both.
        self._reports = self._coder.reserve(network.outputs)
        self.watch    = ()
        # Without a window the device's sums wrap: these tell.
        self._sums    = None if decay else RunningLogits(network, 0)
        self._events  = EventStream(network.encoder, network.contexts) if encode == "device" else None
        device.load(network, engine, network.encoder if self._events else None, progress)
        self._exchange([("WINDOW", protocol.pack("WINDOW", decay=decay, report=self._reports), nothing),
            ("STATS", b"", self._polls.stats.begin), ("BEGIN", b"", nothing)])

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # What has gone wrong is not to be hidden by what goes wrong now.
        if kind is None:
            self.close()

    def close(self) -> None:
        """End the sample; nothing where an error has ended it."""
        if self._going:
            self._exchange([("END", b"", self._polls.counters.take)])
            self._going = False

    @property
    def link(self) -> Link:
        """The device's link, with its counters."""
        return self._link

    # Steps ----------------------------------------------------------------------------------------

    def run(self, steps: Sequence[np.ndarray]) -> SessionBatch:
        """Send these steps now, and wait for what comes of them.

        Parameters
        ----------
        steps : of each its sources, integers, ascending: sensory source j is j, context k is I + k.

        Raises
        ------
        QCLIFError : a source or a number of events that the device does not take, of which nothing is sent; an error
            has ended the session, and reset() is needed; or anything that Link.exchange() raises.
        DeviceReset : the device knows nothing any more: open link and session anew.
        """
        self._check_mode("host")
        steps  = [self._checked(index, np.sort(np.asarray(step))) for index, step in enumerate(steps)]
        spikes: list[np.ndarray] = []
        return self._run(self._coder.steps(steps), lambda answer: spikes.extend(self._coder.take_spikes(answer)), steps,
            spikes)

    def run_events(self, events: np.ndarray, context: np.ndarray | None, until_us: int) -> SessionBatch:
        """Send events of a camera that came until now, of which the device makes steps (encode="device").

        Parameters
        ----------
        events : array of dtype EVENT, in order, perhaps empty; t in us from the beginning of the session on, from the
            last `until_us` on and before this one. Step i has those from i*bin_us on.
        context : integer rows (step, context source) or None, of steps that have not ended and begin before until_us.
        until_us : time until which all events are told; not before the last one.

        Returns
        -------
        SessionBatch : steps that have ended by then, also those without events; what came of a step that has not is
            kept on the device.
        """
        self._check_mode("device")
        inputs: list[np.ndarray] = []
        spikes: list[np.ndarray] = []

        def take(answer: bytes) -> None:
            for ours, came in zip((inputs, spikes), self._coder.take_raw(answer), strict=True):
                ours.extend(came)

        words = self._events.words(events, context, until_us, self._coder.words_steps())
        batch = self._run((("RAW", *each) for each in self._coder.words(*words)), take, inputs, spikes)
        self._events.sent(until_us)
        return batch

    def steps(self, source: Iterable[np.ndarray]) -> Iterator[SessionStep]:
        """Run the steps of a source, each as soon as it is there."""
        for step in source:
            batch = self.run([step])
            yield SessionStep(batch.spikes[0], batch.logits)

    def reset(self) -> None:
        """States, recurrent spikes and logits 0; also after an error, unless it was the link's. Time goes on; what
        run_events() has sent of a step that has not ended is forgotten."""
        counted = [("COUNTERS", b"", self._polls.counters.take)] if self._going else []
        self._exchange([*counted, ("BEGIN", b"", lambda _: self._polls.counters.begin())])
        self._coder.begin()
        if self._sums:
            self._sums.reset()
        if self._events:
            self._events.restart()

    def _check_mode(self, encode: str) -> None:
        if (encode == "device") != (self._events is not None):
            raise QCLIFError(f"this session does not encode on the {encode}: call "
                f"{'run()' if encode == 'device' else 'run_events()'}, or begin one with encode={encode!r}")
        if not self._going:
            raise QCLIFError("an error has ended the session's sample: call reset(), or begin another session")

    def _checked(self, index: int, step: np.ndarray) -> np.ndarray:
        limit = self.network.inputs + self.network.contexts
        if len(step) and not 0 <= step[0] <= step[-1] < limit:
            raise QCLIFError(f"step {index} has source {step[0] if step[0] < 0 else step[-1]}, the network has 0 to "
                f"{limit - 1}: encode the events with the network's encoder")
        if len(step) > self._link.info.config.step_events:
            raise QCLIFError(too_long(index, len(step), self._link.info.config))
        return step

    # States and counters --------------------------------------------------------------------------

    @property
    def watch(self) -> tuple[int, ...]:
        """Neurons whose states are read with each batch."""
        return self._watch

    @watch.setter
    def watch(self, neurons: Iterable[int]) -> None:
        neurons = tuple(neurons)
        for neuron in neurons:
            check_integer("watched neuron", neuron, 0, self.network.neurons - 1)
        self._watch = neurons
        # Neighbours are read together.
        different = sorted(set(neurons))
        breaks = [0, *(i for i in range(1, len(different)) if different[i] != different[i - 1] + 1), len(different)]
        self._ranges = [(different[a], different[b - 1] + 1) for a, b in itertools.pairwise(breaks)] if neurons else []
        self._order  = np.searchsorted(different, neurons)
        self._reports_states = self._reports and len(different) <= protocol.WATCH_MAX and \
            self._coder.reserve(self.network.outputs + len(different))
        if self._reports and not self._reports_states:
            self._coder.reserve(self.network.outputs)
        told = different if self._reports_states else []
        self._watch_request = [("WATCH", np.array(told, "<u2").tobytes(), nothing)]

    def counters(self) -> dict[str, int]:
        """protocol.COUNTERS by name, since the session began. What came between the last time that they were asked
        for and an error is not in them."""
        if self._going:
            self._exchange([("COUNTERS", b"", self._polls.counters.take)])
        return self._polls.counters.totals()

    def stats(self) -> dict[str, int]:
        """protocol.STATS by name, since the session began."""
        if self._going:
            self._exchange([("STATS", b"", self._polls.stats.take)])
        return self._polls.stats.totals()

    def idle(self) -> None:
        """To be called every few seconds while nothing is run: asks for the counters before they can have wrapped
        twice, where it is time."""
        if self._going:
            self._exchange(self._polls.due())

    # Requests -------------------------------------------------------------------------------------

    def _run(self, requests: Iterator[tuple[str, bytes, int]], take: Callable[[bytes], None], inputs: list[np.ndarray],
            spikes: list[np.ndarray]) -> SessionBatch:
        """Send requests of StepCoder, of whose answers `take` gets what is about steps."""
        logits = states = b""
        at = 4*self.network.outputs if self._reports else 0

        def take_steps(answer: bytes) -> None:
            nonlocal logits, states
            answer, report = self._coder.split(answer)
            logits, states = report[:at], report[at:]
            take(answer)

        def take_logits(answer: bytes) -> None:
            nonlocal logits
            logits += answer

        def take_states(answer: bytes) -> None:
            nonlocal states
            states += answer

        def all_requests() -> Iterator[StepRequest]:
            yield from self._watch_request
            reported = False
            for kind, payload, count in requests:
                yield from self._polls.due(payload, count)
                yield kind, payload, take_steps if kind != "PART" else nothing
                reported |= kind != "PART"
            if not (reported and self._reports):
                for request in self._coder.ranges("LOGITS", 0, self.network.outputs):
                    yield *request, take_logits
            for first, end in self._ranges if not (reported and self._reports_states) else ():
                for request in self._coder.ranges("STATE", first, end):
                    yield *request, take_states

        self._exchange(all_requests())
        self._watch_request = []
        if self._sums:
            for each in spikes:
                self._sums.step(each)
        v_a, v_s = (each[self._order] for each in states_of(states))
        return SessionBatch(spikes, inputs, np.frombuffer(logits, "<i4").astype(np.int32), v_a, v_s)

    def _exchange(self, requests: Iterable[StepRequest]) -> None:
        """Send requests and hand each its answer; the sample goes on where all is well."""
        takers: deque = deque()

        def sent() -> Iterator[tuple[str, bytes]]:
            for kind, payload, take in requests:
                takers.append(take)
                yield kind, payload
        self._going = False
        for answer in self._link.exchange(sent()):
            takers.popleft()(answer)
        self._going = True
