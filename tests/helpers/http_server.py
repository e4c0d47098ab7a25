# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A server that answers as it should and as it should not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


@contextmanager
def serving(answers: Mapping[str, tuple[int, int, bytes]], moved: Mapping[str, str] | None = None
        ) -> Iterator[tuple[str, list[str]]]:
    """(address, asked): of the server, and the names that it was asked for so far.

    Parameters
    ----------
    answers : status, bytes that it announces and bytes that it sends, by name; they may change meanwhile.
    moved : where it sends those who ask for a name.
    """
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.removeprefix("/")
            asked.append(name)
            if name in (moved or {}):
                self.send_response(302)
                self.send_header("Location", f"/{moved[name]}")
                self.end_headers()
                return
            status, announced, content = answers[name]
            self.send_response(status)
            self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running, pytest.MonkeyPatch.context() as patch:
        Thread(target=running.serve_forever, args=[0.01], daemon=True).start()
        patch.setenv("no_proxy", "127.0.0.1")
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
