# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The live page in a real browser: what it shows, what it was asked to load, what it complained of."""

import base64
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

# Milliseconds that a page may take for anything: the machine may be busy.
TIMEOUT_MS = 30_000

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of Debian's, without a window."""
    # Root has no sandbox.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        yield running
        if running.is_connected():
            running.close()


def kill(browser: Browser) -> None:
    """Kill a browser as the system does where memory is short; all that it started goes with it."""
    session = browser.new_browser_cdp_session()
    main    = next(each["id"] for each in session.send("SystemInfo.getProcessInfo")["processInfo"]
        if each["type"] == "browser")
    os.kill(main, signal.SIGKILL)
    while browser.is_connected():
        # Playwright hears of it while it waits for something.
        with suppress(Error):
            browser.contexts[0].pages[0].wait_for_timeout(50)


class LivePage:
    """A page of a live run, open in a browser while a `with` block lasts; it must not complain of anything.

    Parameters
    ----------
    browser : opens it, in a context of its own.
    url : with or without the token.
    ends : the run ends before the page does, which then looks for it in vain.
    options : of the context: viewport, color_scheme, reduced_motion, and what else Playwright knows.

    Attributes
    ----------
    page : Playwright's.
    complaints : errors of scripts, and those that the browser wrote onto its console.
    loaded : hosts that anything was loaded from.
    """

    def __init__(self, browser: Browser, url: str, ends: bool = False, **options: object) -> None:
        self._context = browser.new_context(**{"viewport": DESK, **options})
        self._url, self._ends = url, ends
        self.complaints: list[str] = []
        self.loaded: set[str] = set()

    def __enter__(self) -> "LivePage":
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._told)
        self.page.on("request", lambda request: self.loaded.add(urlsplit(request.url).netloc))
        self.page.on("websocket", lambda line: self.loaded.add(urlsplit(line.url).netloc))
        self.page.goto(self._url)
        # The first numbers are there, and it may act or knows that it may not.
        self.wait("document.getElementById('machine-steps').textContent !== ''")
        self.wait("!document.getElementById('pause').disabled || !document.getElementById('rights').hidden")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._context.close()
        if kind is None:
            assert self.complaints == [], self.complaints
            assert self.loaded == {urlsplit(self._url).netloc}, self.loaded

    def _told(self, message: ConsoleMessage) -> None:
        # A warning is that tests read canvases, for instance.
        if message.type == "error" and not (self._ends and "ERR_CONNECTION_REFUSED" in message.text):
            self.complaints.append(message.text)

    def wait(self, condition: str) -> None:
        """Until a JavaScript expression is true."""
        # Playwright's own would have the page evaluate a text, which its policy forbids.
        end = time.monotonic() + TIMEOUT_MS/1000
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"{condition} is not true after {TIMEOUT_MS} ms"
            self.page.wait_for_timeout(20)

    def text(self, name: str) -> str:
        """Text of the element with this id."""
        return self.page.inner_text(f"#{name}")

    def wait_text(self, name: str, text: str) -> None:
        """Until the element with this id has a text."""
        self.wait(f"document.getElementById({json.dumps(name)}).textContent === {json.dumps(text)}")

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        self.page.keyboard.press(key)

    def pixels(self, name: str, x: int, y: int, width: int = 1, height: int = 1) -> np.ndarray:
        """Red, green, blue and opacity of pixels of a canvas, uint8 [height, width, 4]; x below 0 counts from its right
        edge."""
        text = self.page.evaluate("""([name, x, y, width, height]) => {
            const canvas = document.getElementById(name);
            const left = x < 0 ? canvas.width + x : x;
            const { data } = canvas.getContext("2d").getImageData(left, y, width, height);
            return btoa(Array.from(data, (each) => String.fromCharCode(each)).join(""));
        }""", [name, x, y, width, height])
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)

    def colour(self, name: str) -> list[int]:
        """Red, green and blue of a colour of the page's style."""
        text = self.page.evaluate("name => getComputedStyle(document.body).getPropertyValue(name).trim()", f"--{name}")
        return [int(text[at:at + 2], 16) for at in (1, 3, 5)]

    def faults(self) -> list[str]:
        """What axe finds that keeps people out: of serious or critical impact, each as its rule and first element."""
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found
            if each["impact"] in ("serious", "critical")]
