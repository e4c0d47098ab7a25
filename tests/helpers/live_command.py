# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m host.live as its users start it."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from host.common.folders import ROOT

END_SECONDS = 60


class LiveCommand:
    """The command as a process that is up.

    Attributes
    ----------
    process : of the command.
    said : what it wrote to standard error.
    url : address of the page, with the token.
    """

    def __init__(self, *options: object) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "host.live", *map(str, options)], cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = ""
        for line in self.process.stderr:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        else:
            raise AssertionError(self.said)
        self.url = re.search(r"http://\S+", self.said)[0]
        # What else it says must not fill the pipe.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        self.said += self.process.stderr.read()

    def end(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(END_SECONDS)
        self._reader.join()
        return status


@contextmanager
def live_command(*options: object) -> Iterator[LiveCommand]:
    """The command with these options, while the block lasts."""
    run = LiveCommand(*options)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        run._reader.join()
        run.process.stderr.close()
