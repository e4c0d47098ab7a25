# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events from standard input."""

import os
import select
from collections.abc import Callable, Iterator

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.live.sources.source import WAIT, Piece
from host.live.sources.wire import Wire

# Seconds after which a reader looks whether it is to end; bytes that are read at once.
POLL_S, READ_BYTES = 0.1, 2**16


class StandardInput:
    """Events that another program writes, or a file's; it ends with them.

    Parameters
    ----------
    encoder : of the network, whose sensor the writer's must be.
    format : one of host.live.sources.wire.FORMATS.
    note : called with each line that a user should know.
    descriptor : of the file that is read.
    """
    name        = "standard input"
    sensor_size = None
    recorded    = False
    waits       = True
    late        = WAIT
    speed       = 1.0

    def __init__(self, encoder: Encoder, format: str, note: Callable[[str], None], descriptor: int = 0) -> None:
        self.counts: dict[str, int] = {}
        self._wire   = Wire(format, encoder.sensor_size, self.name, self.counts, note)
        self._file   = descriptor
        self._closed = False

    def pieces(self) -> Iterator[Piece | None]:
        while not self._closed:
            try:
                if not select.select([self._file], [], [], POLL_S)[0]:
                    yield None
                    continue
                data = os.read(self._file, READ_BYTES)
            except (OSError, ValueError) as error:
                raise QCLIFError(f"{self.name}: {getattr(error, 'strerror', None) or error}: connect a program that "
                    "writes events") from error
            if not data:
                break
            yield Piece(self._wire.stream(data))
        if not self._closed:
            yield Piece(self._wire.end())

    def close(self) -> None:
        self._closed = True
