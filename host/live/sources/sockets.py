# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events from the network: datagrams that somebody sends here, and streams of a server."""

import selectors
import socket
import struct
from collections.abc import Callable, Iterator

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.live.sources.source import DROP, NO_EVENTS, Piece
from host.live.sources.wire import Wire

# Seconds after which a reader looks whether it is to end; and that a server may take to answer.
POLL_S, CONNECT_S = 0.1, 5.0

# Bytes that are read at once, no datagram has more; and datagrams.
READ_BYTES, DATAGRAMS = 2**16, 256

# Bytes that wait in the system while nobody reads; it may grant less.
BUFFER_BYTES = 2**22

# Linux tells with each datagram how many were lost before it, since the socket was opened.
SO_RXQ_OVFL = 40


def address(text: str) -> tuple[str, int]:
    """Host and port of KIND:HOST:PORT, with an address of IPv6 in brackets. Raises QCLIFError where it is none."""
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise QCLIFError(f"--source {text}: {kind}:HOST:PORT is needed, with a port from 0 to 65535, as "
            f"{kind}:127.0.0.1:7777")
    return host.removeprefix("[").removesuffix("]"), int(port)


class SocketSource:
    """What both kinds have in common."""
    recorded = False
    late     = DROP
    speed    = 1.0

    def __init__(self, text: str, encoder: Encoder, format: str, note: Callable[[str], None]) -> None:
        self.sensor_size = None
        self.counts: dict[str, int] = {}
        self._note   = note
        self._closed = False
        self._read   = False
        try:
            self._socket = self._opened(*address(text))
        except (OSError, UnicodeError) as error:
            raise self._failed(text, error) from error
        self._socket.setblocking(False)
        self.name  = self._named(text)
        self._wire = Wire(format, encoder.sensor_size, self.name, self.counts, note)

    def pieces(self) -> Iterator[Piece | None]:
        self._read = True
        with self._socket, selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._closed:
                if not selector.select(POLL_S):
                    yield None
                    continue
                try:
                    events = self._received()
                except OSError as error:
                    raise self._failed(self.name, error) from error
                if events is None:
                    yield Piece(self._wire.end())
                    break
                yield Piece(events)

    def close(self) -> None:
        self._closed = True
        # Else the reader does it: to another thread, the number of a closed one may mean another file already.
        if not self._read:
            self._socket.close()

    def _failed(self, name: str, error: Exception) -> QCLIFError:
        return QCLIFError(f"{name}: {getattr(error, 'strerror', None) or error}: {self.remedy}")


class UdpSource(SocketSource):
    """Events that somebody sends to udp:HOST:PORT, an address of this machine; faery does it, for one.

    It has no end. Datagrams that the system lost, since they came faster than they were read, are counted as `lost`
    where it tells.

    Parameters
    ----------
    text : udp:HOST:PORT; port 0 takes one that is free, which the name tells.
    encoder : of the network, whose sensor the sender's must be.
    format : one of host.live.sources.wire.FORMATS.
    note : called with each line that a user should know.

    Raises
    ------
    QCLIFError : no such address, or somebody else listens there.
    """
    waits  = False
    remedy = "choose an address of this machine and a port that is free, as udp:127.0.0.1:7777"

    def __init__(self, text: str, encoder: Encoder, format: str, note: Callable[[str], None]) -> None:
        super().__init__(text, encoder, format, note)
        self.counts["lost"] = 0

    def _opened(self, host: str, port: int) -> socket.socket:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.bind(where)
        except OSError:
            found.close()
            raise
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        try:
            found.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        except OSError:
            # Elsewhere than on Linux, nobody tells.
            pass
        return found

    def _named(self, text: str) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"udp:[{host}]:{port}" if ":" in host else f"udp:{host}:{port}"

    def _received(self) -> np.ndarray | None:
        """Events of all datagrams that are there."""
        found = []
        for _ in range(DATAGRAMS):
            try:
                data, told, _, _ = self._socket.recvmsg(READ_BYTES, socket.CMSG_SPACE(4))
            except BlockingIOError:
                break
            found.append(data)
            for level, kind, value in told:
                if (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                    self._count_lost(*struct.unpack("=I", value[:4]))
        return self._wire.messages(found)

    def _count_lost(self, lost: int) -> None:
        """So many were lost, modulo 2**32, since the socket was opened."""
        if lost and not self.counts["lost"]:
            self._note(f"{self.name}: datagrams were lost, since they came faster than they were read; how many is "
                "counted; let the sender send less")
        self.counts["lost"] += (lost - self.counts["lost"]) % 2**32


class TcpSource(SocketSource):
    """Events of a server at tcp:HOST:PORT; it ends when the server closes the connection.

    Parameters as of UdpSource.

    Raises
    ------
    QCLIFError : nobody serves there; while it is read, the connection breaks off.
    """
    waits  = True
    remedy = "start the server that sends events there, or correct the address"

    def _opened(self, host: str, port: int) -> socket.socket:
        return socket.create_connection((host, port), CONNECT_S)

    def _named(self, text: str) -> str:
        return text

    def _received(self) -> np.ndarray | None:
        """Events of what has come; None where nothing more will."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return NO_EVENTS
        return self._wire.stream(data) if data else None
