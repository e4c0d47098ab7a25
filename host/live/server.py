# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The page of a live run: a small web server in a thread of its own."""

import errno
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from accel.errors import QCLIFError, check_integer
from host.live.control import Control
from host.live.feed import Feed
from host.live.guard import Guard
from host.live.viewer import serve_viewer

PAGE = Path(__file__).parent/"page"

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Largest message of a viewer, in bytes: a command with its token is below 200.
MESSAGE_MAX = 1024

# Viewers at a time; each gets some 500 kB a second.
VIEWERS_MAX = 32

# Connections and requests at a time, of viewers and of browsers that load the page.
CONNECTIONS_MAX = 8*VIEWERS_MAX

# Bytes that the system keeps for a viewer that is slow, a third of a second again; left alone, it keeps megabytes, and
# such a viewer sees what was seconds ago.
SEND_BUFFER = 2**18

# Seconds that viewers have to take leave, and that all of the server has to end.
FAREWELL = 0.4
END      = 2.0


class PageServer:
    """Serves the page of a run, while a `with` block lasts.

    Parameters
    ----------
    feed : what viewers see.
    control : what they ask.
    host : name or address to listen at; 127.0.0.1 is reached from this machine alone.
    port : 0 takes any that is free.

    Raises
    ------
    QCLIFError : on entry: the port is in use, or the address is none of this machine's.
    """

    def __init__(self, feed: Feed, control: Control, host: str = "127.0.0.1", port: int = 0) -> None:
        check_integer("port of the page", port, 0, 65535)
        self._feed, self._control = feed, control
        self._host, self._port    = host, port
        self._viewers = 0
        self.token = secrets.token_urlsafe(16)

    def __enter__(self) -> "PageServer":
        listening  = _listen(self._host, self._port)
        address    = listening.getsockname()
        self._port = address[1]
        app = Starlette(
            routes     = [WebSocketRoute("/live", self._live), *(Route(*each) for each in _assets())],
            middleware = [Middleware(Guard, bound=address[0], names=(self._host, socket.gethostname()))],
        )
        # Errors of viewers are told to viewers; frames change too much to be worth compressing.
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="critical", access_log=False,
            lifespan="off", ws="websockets-sansio", ws_max_size=MESSAGE_MAX, ws_per_message_deflate=False,
            limit_concurrency=CONNECTIONS_MAX, proxy_headers=False, server_header=False,
             timeout_graceful_shutdown=FAREWELL))
        # It handles signals only where it runs in the main thread.
        self._thread = threading.Thread(target=self._server.run, args=[[listening]], name="page", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
            ) -> None:
        self._server.should_exit = True
        self._thread.join(END)

    @property
    def url(self) -> str:
        """Address of the page, with the token that commands need behind its #."""
        name = socket.gethostname() if self._host in ("", "0.0.0.0", "::") else self._host
        return f"http://{f'[{name}]' if ':' in name else name}:{self._port}/#{self.token}"

    async def _live(self, websocket: WebSocket) -> None:
        if self._viewers == VIEWERS_MAX:
            await websocket.accept()
            await websocket.close(1013, f"{VIEWERS_MAX} viewers look already")
            return
        self._viewers += 1
        try:
            await serve_viewer(websocket, self._feed, self._control, self.token)
        finally:
            self._viewers -= 1


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises QCLIFError where that is not possible."""
    try:
        family, *_, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise QCLIFError(f"port {port} of {host} is in use: choose another for the page, or 0 for any that is "
                f"free") from error
        if error.errno == errno.EACCES:
            raise QCLIFError(f"port {port} of {host} is not for ordinary users: choose one above 1023 for the page, or "
                f"0 for any that is free") from error
        raise QCLIFError(f"the page cannot listen at {host} ({error.strerror}): choose 127.0.0.1, or an address of "
            f"this machine") from error
    # Connections that it accepts have it from there.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return listening


def _assets() -> list[tuple[str, Callable[[Request], Awaitable[Response]]]]:
    """Path and answer of each file of the page, read once."""
    def answer(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
        async def give(request: Request) -> Response:
            return Response(content, media_type=media_type)
        return give

    found = []
    for path in sorted(PAGE.iterdir()):
        name = "/" if path.name == "index.html" else f"/{path.name}"
        found.append((name, answer(path.read_bytes(), TYPES[path.suffix])))
    return found
