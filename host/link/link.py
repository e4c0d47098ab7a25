# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The host's side of the link: session, window, credits, repetition. Every request is executed exactly once."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accel.config import LIMITS
from accel.errors import QCLIFError
from firmware import protocol
from firmware.protocol import NAK_REASONS, NOTICES, OVERHEAD_BYTES, REQUESTS, RESPONSE, SESSION_STATES, DeviceInfo
from host.link.framing import Frame, decode_frame, encode_frame
from host.link.port import FaultyPort, SerialPort
from host.link.window import PayloadSize, Request, Window

# More bytes without a zero than any frame has: noise.
_NOISE_BYTES = 65536


class DeviceReset(QCLIFError):
    """The device was reset: it knows neither session nor network. Open the link anew and repeat the sample."""


@dataclass
class LinkStats:
    """Counters since the link was opened: frames sent first, frames sent again, damaged frames seen on either side,
    NAKs received, timeouts, bytes sent and received."""
    frames:     int = 0
    retries:    int = 0
    crc_errors: int = 0
    naks:       int = 0
    timeouts:   int = 0
    bytes_tx:   int = 0
    bytes_rx:   int = 0


class Link:
    """A session with the device.

    Parameters
    ----------
    port : name of a port (see SerialPort) or an open one.
    timeout : least seconds without a sign of life after which a request is sent again.
    tries : timeouts in a row after which the device counts as dead.

    Attributes
    ----------
    info : DeviceInfo of the device.
    stats : LinkStats.

    Raises
    ------
    QCLIFError : the port cannot be opened, or nothing answers on it.
    """

    def __init__(self, port: str | SerialPort | FaultyPort, baudrate: int = protocol.DEFAULT_BAUDRATE,
            timeout: float = 1.0, tries: int = 10) -> None:
        self.stats    = LinkStats()
        self._port    = SerialPort(port, baudrate) if isinstance(port, str) else port
        self._timeout = timeout
        self._tries   = tries
        self._size    = PayloadSize()
        try:
            self.open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    # Session --------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin a new session; on an open link after DeviceReset too. What was in flight is forgotten."""
        session = secrets.randbelow(0xffff) + 1
        hello   = Frame(REQUESTS["HELLO"], 0, session, protocol.pack("NONCE", nonce=secrets.randbits(32)))
        # The zero ends whatever another host may have left half sent.
        request = Request(hello.type, hello.sequence, b"\0" + encode_frame(hello))
        self._session  = session
        self._sequence = 0
        self._buffer   = b""
        # Before the device has answered HELLO, damaged frames are what other sessions left on the line.
        self._opened   = False
        self._flight   = Window(1, LIMITS["uart_fifo"][0], self._size)
        self._port.read()
        self._send(request)
        while request.answer is None:
            self._advance()
        self._opened = True
        self.info    = DeviceInfo.decode(request.answer)
        self._credit = self.info.config.uart_fifo//2
        self._flight = Window(self.info.config.frame_window, self._credit, self._size)

    def now(self) -> float:
        """Seconds of the port's clock."""
        return self._port.now()

    @property
    def payload_bytes(self) -> int:
        """Payload bytes to aim at for a request now: less on a line that damages frames."""
        return min(self._size.bytes, self.payload_limit)

    @property
    def payload_limit(self) -> int:
        """Payload bytes that a request or answer can have at most."""
        return min(protocol.payload_bytes(self.info.config), self._credit - 2*OVERHEAD_BYTES)

    # Requests -------------------------------------------------------------------------------------

    def request(self, kind: str, payload: bytes = b"") -> bytes:
        """Send one request (a name of REQUESTS) and return the answer's payload behind its status."""
        return next(self.exchange([(kind, payload)]))

    def exchange(self, requests: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """Send requests (name, payload), as many at a time as the device holds, and yield the answers in order.

        `requests` is taken from no earlier than there is room for the next but one, so that it may look at
        answers and at `payload_bytes`.

        Raises
        ------
        QCLIFError : the device answers with an error, or no more; another client took over.
        DeviceReset : the device was reset.
        """
        source = iter(requests)
        mine: deque[Request] = deque()
        coming = None
        try:
            coming = self._prepare(source)
            while coming or mine:
                while coming and self._flight.has_room(coming):
                    self._send(coming)
                    mine.append(coming)
                    coming = self._prepare(source)
                self._advance()
                while mine and mine[0].answer is not None:
                    answer = mine.popleft().answer
                    if answer[0] != protocol.OK:
                        error = protocol.unpack("ERROR", answer)
                        raise QCLIFError(protocol.error_text(error["status"], error["value"], error["limit"]))
                    yield answer[1:]
        finally:
            # Given up half way: what was not sent leaves no gap.
            if coming is not None:
                self._sequence = coming.sequence

    def _prepare(self, source: Iterator[tuple[str, bytes]]) -> Request | None:
        item = next(source, None)
        if item is None:
            return None
        kind, payload = item
        if len(payload) > self.payload_limit:
            raise QCLIFError(f"a {kind} request has {len(payload)} bytes, the device takes {self.payload_limit}: "
                "build with more --frame-bytes")
        frame = Frame(REQUESTS[kind], self._sequence, self._session, payload)
        self._sequence = (self._sequence + 1) & 0xff
        return Request(frame.type, frame.sequence, encode_frame(frame))

    # Line -----------------------------------------------------------------------------------------

    def _send(self, request: Request, again: bool = False) -> None:
        if again:
            request.repeated = True
            self.stats.retries += 1
        else:
            if not self._flight:
                # Patience begins anew after a time without requests.
                self._alive = self._answered = self._port.now()
            self._flight.add(request)
            self.stats.frames += 1
        # The zero ends a frame whose own end got lost.
        data = b"\0"*again + request.encoded
        self._port.write(data)
        self.stats.bytes_tx += len(data)
        request.sent = self._port.now()
        request.due  = None

    def _patience(self) -> float:
        """Seconds without a sign of life that are too many."""
        return max(self._timeout, 8*self._flight.round_trip)

    def _advance(self) -> None:
        """Take what has come, or wait for it; send again what is due."""
        data = self._port.read()
        if not data:
            wake = self._alive + self._patience()
            due  = self._flight.next_due()
            self._port.wait(max(0.0, (wake if due is None else min(wake, due)) - self._port.now()))
            data = self._port.read()
        self.stats.bytes_rx += len(data)
        *pieces, self._buffer = (self._buffer + data).split(b"\0")
        if len(self._buffer) > _NOISE_BYTES:
            self._buffer = b""
        for piece in filter(None, pieces):
            self._receive(piece)
        self._check_patience()
        for request in self._flight.due(self._port.now()):
            self._send(request, again=True)

    def _receive(self, encoded: bytes) -> None:
        frame = decode_frame(encoded)
        if frame is None:
            if self._opened:
                self.stats.crc_errors += 1
                self._flight.suspect()
            return
        if frame.session != self._session:
            return
        self._alive = self._port.now()
        if frame.type == NOTICES["NAK"] and len(frame.payload) == 2:
            self.stats.naks += 1
            self.stats.crc_errors += frame.payload[1] != NAK_REASONS["GAP"]
            self._flight.go_back(frame.payload[0])
        elif frame.type == NOTICES["SESSION"]:
            if frame.payload == bytes([SESSION_STATES["RESET"]]):
                raise DeviceReset(f"the device on {self._port.name} was reset in mid-run: start again")
            raise QCLIFError(f"another program took over the device on {self._port.name}: end it, then start again")
        elif frame.type == NOTICES["BUSY"]:
            self._answered = self._alive
        elif frame.type & RESPONSE and frame.payload and self._flight.take_answer(frame, self._alive):
            self._answered = self._alive

    def _check_patience(self) -> None:
        now = self._port.now()
        if not self._flight or now < self._alive + self._patience():
            return
        if now >= self._answered + self._tries*self._patience():
            raise QCLIFError(f"no answer from the device on {self._port.name} in {now - self._answered:.0f} s: see "
                "that the board runs the qCLIF SoC, that port and baud rate are right, and that no other program "
                "reads from the port")
        self.stats.timeouts += 1
        self._alive = now
        self._flight.timeout(now)
