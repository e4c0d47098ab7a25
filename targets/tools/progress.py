# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Shows what a build is doing and for how long."""

import time
from collections.abc import Callable

from rich.console import Console

# Called with the name of each stage of a build as it begins; stages that need not run are not told.
StageProgress = Callable[[str], None]


def no_stage(stage: str) -> None:
    """Tell nobody."""


class StageDisplay:
    """Context manager that is called with the name of each stage as it begins.

    On a terminal the running stage has a spinner; each finished one leaves a line with its duration.
    """
    def __init__(self, interactive: bool = True):
        self.console = Console(stderr=True)
        self._live   = interactive and self.console.is_terminal
        self._stage  = None
        self._status = None
        self._start  = 0.0

    def __enter__(self) -> "StageDisplay":
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._finish(failed=kind is not None)

    def __call__(self, stage: str) -> None:
        self._finish()
        self._stage, self._start = stage, time.monotonic()
        if self._live:
            self._status = self.console.status(f"{stage} ...")
            self._status.start()
        else:
            self.console.print(f"{stage} ...")

    def _finish(self, failed: bool = False) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._stage is not None:
            state = "[red]failed[/]" if failed else "[green]done[/]"
            self.console.print(f"{self._stage}: {state}, {time.monotonic() - self._start:.1f} s")
            self._stage = None
