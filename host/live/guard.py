# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Who may talk to the page's server: browsers that show our own page, and programs that are no browsers.

A browser tells where a request comes from (Origin) and whom it believes to talk to (Host). Another site's page has its
own Origin; one that has let its name point here (DNS rebinding) has its own name in Host.
"""

import ipaddress
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

# The page has no inline script or style and loads nothing from elsewhere; websockets are named by their own scheme,
# since not all browsers count them to 'self'.
POLICY = ("default-src 'self'; connect-src 'self' ws://{host}; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'")

# A Host header: it goes into the policy, so that it must be nothing else.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")

HEADERS = {
    "Cache-Control":                "no-cache",
    "Cross-Origin-Opener-Policy":   "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy":              "no-referrer",
    "X-Content-Type-Options":       "nosniff",
}


def is_loopback(name: str) -> bool:
    """Whether a name or an address is this machine's own, which nobody else reaches."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a name is an IP address, which nobody can let point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_name(host: str) -> str:
    """Name or address in a Host header, without its port; empty where it is none."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else ""


class Guard:
    """ASGI middleware: refuses foreign names and origins, puts the headers onto all answers.

    Any port of a name that is ours is taken, as that of a tunnel (`ssh -L`) is another one here and there.

    Parameters
    ----------
    app : what is guarded.
    bound : address that the server listens at.
    names : names that this machine has for others, which count where it listens for others.
    """

    def __init__(self, app: ASGIApp, bound: str, names: tuple[str, ...] = ()) -> None:
        self._app   = app
        self._local = is_loopback(bound)
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or let it pass."""
        headers = Headers(scope=scope)
        host    = headers.get("host", "")
        refusal = self.refusal(host, headers.get("origin"))
        policy  = POLICY.format(host=host if refusal is None else "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update({**HEADERS, "Content-Security-Policy": policy})
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            # Before it is accepted: the browser is answered with 403.
            await WebSocketClose()(scope, receive, send)
        else:
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, send_with_headers)

    def refusal(self, host: str, origin: str | None) -> str | None:
        """Why a request is refused, None where it is not.

        Parameters
        ----------
        host, origin : the headers; None where there is none, as programs that are no browsers send none.
        """
        name = host_name(host)
        if not (is_loopback(name) or (not self._local and (is_address(name) or name in self._names))):
            return "this name is not the page's: open the address that the program printed"
        if origin is not None and origin.lower() != f"http://{host}".lower():
            return "another site's page may not use this one"
        return None
