# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The live run: steps of a source through a device and through the golden model, side by side, to the viewers."""

import dataclasses
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from accel.errors import QCLIFError
from host.common.heap import give_back
from host.live.comparison import differences
from host.live.connection import Connection
from host.live.control import Command, Control
from host.live.cue import Cue
from host.live.feed import FRAME_HZ, Frame
from host.live.framer import Framer
from host.live.live_device import LiveDevice, Lost
from host.live.meter import Meter
from host.live.recorder import Recordings
from host.live.sources.live_steps import LiveSteps, SourceStep
from host.network.network import predicted
from host.network.stream import GoldenStream

# Steps that go to the device in one batch at most, where some wait.
BATCH = 32

# Seconds between two looks at the device's counters, of waiting for a step, and until freed memory is given back.
COUNTERS_EVERY, STEP_WAIT, GIVE_BACK_EVERY = 1.0, 0.05, 5.0


class LiveRun:
    """One run, on a device that is open in a `with` block.

    Parameters
    ----------
    connection : opens the device with the network, again when it was lost.
    control : commands of the viewers.
    publish : takes each frame.
    cue : context of the steps.
    golden : compares every step; None: nothing is compared.
    recordings : take what the network is given while somebody records.
    stop : ends the run when it is set.
    patience : seconds for which a device that is gone is tried again.
    most_steps : after which it ends; None: it goes on.

    Attributes
    ----------
    meter : what was counted; None before the device is open.
    device : the device.
    """

    def __init__(self, connection: Connection, control: Control, publish: Callable[[Frame], None], cue: Cue,
            golden: GoldenStream | None, recordings: Recordings, stop: threading.Event, patience: float,
            most_steps: int | None = None) -> None:
        self._network, self._control, self._publish = connection.network, control, publish
        self._cue, self._golden, self._recordings   = cue, golden, recordings
        self._stop, self._most_steps = stop, most_steps
        self._framer = Framer(self._network)
        self._steps: LiveSteps | None = None
        self._status = "running"
        self._notice = self._mismatch = ""
        self._next_frame = self._next_counters = self._next_give_back = 0.0
        self.meter: Meter | None = None
        self.device = LiveDevice(connection, patience, stop, self._begun, self._lost)

    def __enter__(self) -> "LiveRun":
        self.device.__enter__()
        return self

    def __exit__(self, *about: object) -> None:
        self.device.__exit__(*about)

    # Run ------------------------------------------------------------------------------------------

    def run(self, steps: LiveSteps) -> None:
        """Go on until `stop` is set, or the source of the steps has ended and all are computed.

        Raises
        ------
        QCLIFError : the device stays away for longer than the patience, or the source fails.
        """
        self._steps = steps
        try:
            while not self._stop.is_set() and self._status != "ended":
                with suppress(Lost):
                    self._turn()
        except QCLIFError as error:
            self._say("failed", str(error))
            raise
        finally:
            self._recordings.stop()
            self._recordings.wait()
            self._show()

    def _turn(self) -> None:
        """Do what viewers ask for, run the steps that are there, and publish a frame where one is due."""
        for command in self._control.taken():
            # What was asked behind a command that the device was lost with is done all the same.
            with suppress(Lost):
                self._execute(command)
            self._show()
        # What is recorded may begin from reset at any step.
        most  = 1 if self._recordings.path else BATCH
        batch = self._steps.take(most if self._most_steps is None else min(most, self._most_steps - self.meter.steps),
            STEP_WAIT)
        if batch:
            self._advance(batch)
        else:
            self.device.attempt(lambda session: session.idle())
        if self._steps.ended:
            self._say("ended", "the source has ended")
        elif self.meter.steps == self._most_steps:
            self._say("ended", f"the run was to have {self._most_steps} steps")
        now = time.monotonic()
        if now >= self._next_counters:
            self._next_counters = now + COUNTERS_EVERY
            self.meter.core(self.device.attempt(lambda session: session.counters())["busy"])
        if now >= self._next_give_back:
            self._next_give_back = now + GIVE_BACK_EVERY
            give_back()
        if now >= self._next_frame:
            self._next_frame = now + 1/FRAME_HZ
            self._show()

    def _advance(self, batch: list[SourceStep]) -> None:
        """Run a batch on the device and in the golden model."""
        if self._recordings.begins_with(batch[0].events):
            self.device.reset()
        contexts = [self._context(step) for step in batch]
        inputs   = [np.concatenate([step.sources, context + self._network.inputs]).astype(np.int32)
            for step, context in zip(batch, contexts, strict=True)]
        try:
            answer = self.device.run(batch, contexts, inputs)
        except Lost:
            self.meter.lost_steps += len(batch)
            raise
        now, first = time.monotonic(), self.meter.steps
        self.meter.take(now, inputs, answer.spikes, [now - step.due for step in batch])
        expected = None
        if self._golden is not None:
            expected      = self._golden.run(inputs)
            count, text   = differences(first, inputs, answer, expected, self.device.watch)
            self._mismatch = self._mismatch or text
            self.meter.compared   += len(batch)
            self.meter.mismatches += count
        self._framer.take(batch, inputs, answer, expected, self.device.watch)
        # Without the golden model the logits of the last step alone are known.
        known = [answer.logits] if expected is None else [each.logits for each in expected]
        for step, logits in zip(batch[-len(known):], known, strict=True):
            if step.label in self._network.classes:
                self.meter.shown += 1
                self.meter.right += step.label == self._network.classes[predicted(logits)]
        for step, context in zip(batch, contexts, strict=True):
            self._recordings.take(step.events, context)

    def _context(self, step: SourceStep) -> np.ndarray:
        """Context sources of a step, 0 to C - 1, ascending: those that the source has, and the viewers' cue."""
        return np.sort(np.concatenate([step.context - self._network.inputs, self._cue.step()]))

    # Device ---------------------------------------------------------------------------------------

    def _begun(self) -> None:
        """The device begins from reset: so does what it is compared with."""
        if self.meter is None:
            self.meter = Meter(self._network.neurons, self.device.config)
        self.meter.begin()
        if self._golden is not None:
            self._golden.reset()
        if self._status == "lost":
            self._say(self._going, f"the device began from reset; it was lost: {self._notice}")

    def _lost(self, error: str) -> None:
        self._recordings.stop()
        self._say("lost", error)
        self._show()

    # Commands -------------------------------------------------------------------------------------

    def _execute(self, command: Command) -> None:
        name, value = command
        if name == "pause":
            self._steps.pause()
            self._say("paused")
        elif name == "resume":
            self._steps.resume()
            self._say("running")
        elif name == "step":
            self._steps.single()
        elif name == "reset":
            self._mismatch = ""
            self.device.reset()
            self._say(self._going, "states and logits are 0 again")
        elif name == "cue":
            self._cue.source = value
        elif name == "watch":
            self.device.watch = value
        elif value:
            self._recordings.start()
        else:
            self._recordings.stop()

    # Viewers --------------------------------------------------------------------------------------

    @property
    def _going(self) -> str:
        return "paused" if self._steps.paused else "running"

    def _say(self, status: str, notice: str = "") -> None:
        self._status, self._notice = status, notice

    def _show(self) -> None:
        """Publish a frame."""
        self._notice = self._recordings.notice() or self._notice
        # A difference stays on the page until somebody resets.
        status, notice = self._status, self._notice
        if self._mismatch and status in ("running", "paused"):
            status, notice = "mismatch", self._mismatch
        counts  = self._steps.counts
        machine = dataclasses.replace(self.meter.rates(time.monotonic()), **self.device.link,
            resets=self.device.losses, dropped_steps=counts["dropped_steps"] + self.meter.lost_steps,
            dropped_events=counts["dropped_events"], late_events=counts.get("late_events", 0))
        self._publish(self._framer.frame(status, self._steps.paused, notice, self.device.watch, self._cue.source,
            self._recordings.path, machine))
