# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Keys of a terminal as commands of a live run, while a block lasts."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from accel.errors import QCLIFError
from host.live.control import Control

# As on the page.
HELP = "space: pause, n: single step, x: reset, r: record, 0 to 9: cue, o: cue off, q: end"

_WAIT = 0.1


class Keys:
    """What each key asks for.

    Parameters
    ----------
    control : takes the commands.
    end : is called where the run is to end.
    """

    def __init__(self, control: Control, end: Callable[[], None]) -> None:
        self._control, self._end = control, end
        self._paused = self._recording = False

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing."""
        # A cue that the network does not have; or more than can wait, as a key that is held down sends.
        with suppress(QCLIFError):
            if key == " ":
                self._paused = not self._paused
                self._control.ask("pause" if self._paused else "resume")
            elif key == "n":
                self._control.ask("step")
            elif key == "x":
                self._control.ask("reset")
            elif key == "r":
                self._recording = not self._recording
                self._control.ask("record", self._recording)
            elif key == "o":
                self._control.ask("cue", -1)
            elif key in "0123456789":
                self._control.ask("cue", int(key))
            elif key == "q":
                self._end()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Read keys from standard input, where that is a terminal; it is as before when the block ends."""
        if not sys.stdin.isatty():
            yield
            return
        number, done = sys.stdin.fileno(), threading.Event()
        before = termios.tcgetattr(number)
        tty.setcbreak(number)

        def work() -> None:
            while not done.is_set():
                if select.select([number], [], [], _WAIT)[0]:
                    for key in os.read(number, 64).decode(errors="ignore"):
                        self.press(key)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            termios.tcsetattr(number, termios.TCSADRAIN, before)
