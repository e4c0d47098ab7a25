# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""One viewer of a live run: a mailbox that never holds up the run, and what the viewer says."""

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect

from accel.errors import QCLIFError
from host.live.control import Control
from host.live.feed import Feed

# Frames that wait for a slow viewer, two thirds of a second; the oldest make room.
FRAMES_MAX = 16

# Texts that wait; who provokes more does not need them all.
TEXTS_MAX = 8

# Seconds that a viewer may take for one message; then it counts as gone.
PATIENCE = 10.0

# Commands a second of one viewer, and how many may come at once.
COMMANDS_HZ = 20

LOOK_ONLY = "this viewer only looks: open the address that the program printed, with what stands after its #"


class Mailbox:
    """What waits for one viewer. The run's thread puts frames in, and waits for nothing; the viewer's loop takes them.

    Parameters
    ----------
    loop : of the viewer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop    = loop
        self._lock    = threading.Lock()
        self._frames: deque[bytes] = deque()
        self._texts: deque[str]    = deque(maxlen=TEXTS_MAX)
        self._dropped = 0
        self._called  = False
        self._filled  = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Add an encoded frame, from any thread."""
        with self._lock:
            if len(self._frames) == FRAMES_MAX:
                self._frames.popleft()
                self._dropped += 1
            self._frames.append(frame)
            # One call at a time, however long the loop is busy.
            called, self._called = self._called, True
        if not called:
            # The loop may have ended.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._filled.set)

    def tell(self, kind: str, **values: object) -> None:
        """Add a message that is no frame, an object with its kind; from the loop."""
        self._texts.append(json.dumps({"kind": kind, **values}))
        self._filled.set()

    async def take(self) -> list[str | bytes]:
        """Wait for messages: texts, how many frames were dropped since the last call, and the oldest frame."""
        await self._filled.wait()
        with self._lock:
            messages: list[str | bytes] = [*self._texts]
            self._texts.clear()
            if self._dropped:
                messages.append(json.dumps({"kind": "dropped", "frames": self._dropped}))
                self._dropped = 0
            if self._frames:
                messages.append(self._frames.popleft())
            if not self._frames:
                self._called = False
                self._filled.clear()
        return messages


class Allowance:
    """So many commands a second and no more."""

    def __init__(self, rate: float) -> None:
        self._rate, self._left, self._at = rate, rate, time.monotonic()

    def spend(self) -> bool:
        """Whether there is one left."""
        now = time.monotonic()
        self._left = min(self._rate, self._left + (now - self._at)*self._rate)
        self._at   = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def serve_viewer(websocket: WebSocket, feed: Feed, control: Control, token: str) -> None:
    """Show the run to a viewer until it goes, and take its commands.

    The viewer gets text messages, JSON objects with their `kind`: "hello" with the run's `facts`; "rights" with
    `commands`, whether it may give any, each time that it tells a token; "notice" with a line of `text`; "dropped" with
    how many `frames` it did not get since. And it gets frames as binary messages. It sends JSON objects: `token`, and
    `command` and `value` as Control.ask() takes them.
    """
    mailbox = Mailbox(asyncio.get_running_loop())
    leave   = feed.subscribe(mailbox.put)
    try:
        await websocket.accept()
        async with asyncio.timeout(PATIENCE):
            await websocket.send_text(f'{{"kind": "hello", "facts": {feed.hello.encode()}}}')
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(_send(websocket, mailbox))
            try:
                await _receive(websocket, mailbox, control, token)
            finally:
                sender.cancel()
    except* (WebSocketDisconnect, OSError, TimeoutError, RuntimeError):
        # Gone, whichever way: closed, killed, asleep. RuntimeError is uvicorn's where its pings had no answer.
        pass
    finally:
        leave()


async def _send(websocket: WebSocket, mailbox: Mailbox) -> None:
    while True:
        for message in await mailbox.take():
            async with asyncio.timeout(PATIENCE):
                if isinstance(message, bytes):
                    await websocket.send_bytes(message)
                else:
                    await websocket.send_text(message)


async def _receive(websocket: WebSocket, mailbox: Mailbox, control: Control, token: str) -> None:
    allowance = Allowance(COMMANDS_HZ)
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if not allowance.spend():
            mailbox.tell("notice", text=f"more than {COMMANDS_HZ} commands a second: those beyond were not executed")
            # Nothing is read meanwhile, so that whoever floods is slowed down by its own line.
            await asyncio.sleep(1/COMMANDS_HZ)
            continue
        try:
            _obey(message.get("text"), mailbox, control, token)
        except QCLIFError as error:
            mailbox.tell("notice", text=str(error))


def _obey(text: str | None, mailbox: Mailbox, control: Control, token: str) -> None:
    try:
        asked = json.loads(text or "")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise QCLIFError("a message that is no JSON object: send an object with token, command and value")
    allowed = secrets.compare_digest(str(asked.get("token")).encode(errors="replace"), token.encode())
    if "command" not in asked:
        mailbox.tell("rights", commands=allowed)
    elif not allowed:
        raise QCLIFError(LOOK_ONLY)
    else:
        control.ask(asked["command"], asked.get("value"))
