# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The device of a live run, which may be lost and come again."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TypeVar

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.link.session import Session, SessionBatch
from host.live.connection import Connection
from host.live.placing import placed
from host.live.sources.source import SourceStep

# Seconds between two tries to reach a device that is gone.
RETRY_EVERY = 1.0

# Losses in a row, without a step in between, after which the device counts as broken.
LOSSES_MAX = 3

# Counters of the link by their name in Machine.
LINK = {"bytes_out": "bytes_tx", "bytes_in": "bytes_rx", "retries": "retries", "crc_errors": "crc_errors"}

Answer = TypeVar("Answer")


class Lost(Exception):
    """The device was lost in the middle of something; it is there again, from reset."""


class LiveDevice:
    """A session that is opened again whenever it breaks, in a `with` block.

    Parameters
    ----------
    connection : opens the device with the network.
    patience : seconds for which a device that is gone is tried again.
    stop : ends the tries.
    begun : is called whenever the device begins from reset.
    lost : is called with a line for the user while it is gone, before each try.

    Attributes
    ----------
    losses : how often it was lost.

    Raises
    ------
    QCLIFError : from `with`: it cannot be opened at all.
    """

    def __init__(self, connection: Connection, patience: float, stop: threading.Event, begun: Callable[[], None],
            lost: Callable[[str], None]) -> None:
        self._connection, self._patience    = connection, patience
        self._stop, self._begun, self._lost = stop, begun, lost
        self._stack   = ExitStack()
        self._session: Session | None = None
        self._ended   = dict.fromkeys(LINK, 0)
        self._watch: tuple[int, ...] = ()
        self._in_a_row = 0
        # Steps that the session has computed.
        self._number   = 0
        self.losses    = 0

    def __enter__(self) -> "LiveDevice":
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(QCLIFError):
            self._stack.close()

    @property
    def config(self) -> QCLIFConfig:
        """Sizes of the build."""
        return self._session.link.info.config

    @property
    def watch(self) -> tuple[int, ...]:
        """Neurons whose states each batch tells."""
        return self._watch

    @watch.setter
    def watch(self, neurons: tuple[int, ...]) -> None:
        self._watch = self._session.watch = neurons

    @property
    def link(self) -> dict[str, int]:
        """Counters of the link over all sessions, by their name in Machine."""
        if self._session is None:
            return dict(self._ended)
        return {name: self._ended[name] + getattr(self._session.link.stats, theirs) for name, theirs in LINK.items()}

    def attempt(self, work: Callable[[Session], Answer]) -> Answer:
        """Do what needs the device.

        Raises
        ------
        Lost : it was lost on the way, and is there again.
        QCLIFError : it stays away for longer than the patience, or is lost again and again.
        """
        try:
            answer = work(self._session)
        except QCLIFError as error:
            self._recover(error)
            raise Lost from error
        self._in_a_row = 0
        return answer

    def run(self, batch: Sequence[SourceStep], contexts: Sequence[np.ndarray], inputs: Sequence[np.ndarray]
            ) -> SessionBatch:
        """Run a batch of steps.

        Parameters
        ----------
        contexts : of each step the context sources that spike, 0 to C - 1, ascending.
        inputs : of each step all of its sources, which are sent where the host encodes.

        Raises
        ------
        Lost, QCLIFError : as attempt().
        """
        if self._connection.encode == "host":
            return self.attempt(lambda session: session.run(inputs))

        def work(session: Session) -> SessionBatch:
            bin_us = self._connection.network.encoder.bin_us
            events = np.concatenate([placed(step.events, (self._number + at)*bin_us) for at, step in enumerate(batch)])
            rows   = np.concatenate([np.stack([np.full(len(context), self._number + at), context], axis=1)
                for at, context in enumerate(contexts)])
            answer = session.run_events(events, rows, (self._number + len(batch))*bin_us)
            self._number += len(batch)
            return answer
        return self.attempt(work)

    def reset(self) -> None:
        """States, recurrent spikes and logits 0. Raises as attempt()."""
        self.attempt(lambda session: session.reset())
        self._begun()

    def _connect(self) -> None:
        self._session = self._stack.enter_context(self._connection.open())
        self._session.watch = self._watch
        self._number = 0
        self._begun()

    def _recover(self, error: QCLIFError) -> None:
        self._ended, self._session = self.link, None
        self.losses    += 1
        self._in_a_row += 1
        if self._in_a_row > LOSSES_MAX:
            raise error
        deadline = time.monotonic() + self._patience
        while True:
            self._lost(str(error))
            with suppress(QCLIFError):
                self._stack.close()
            self._stack = ExitStack()
            try:
                self._connect()
                return
            except QCLIFError as again:
                error = again
            if self._stop.wait(RETRY_EVERY) or time.monotonic() > deadline:
                raise error
