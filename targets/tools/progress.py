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
        self._finish: Callable[[str], None] | None = None

    def __enter__(self) -> "StageDisplay":
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._finish is not None:
            self._finish("[red]failed[/]" if kind is not None else "[green]done[/]")
            self._finish = None

    def __call__(self, stage: str) -> None:
        self.__exit__(None, None, None)
        start, status = time.monotonic(), self.console.status(f"{stage} ...")
        if self._live:
            status.start()
        else:
            self.console.print(f"{stage} ...")

        def finish(state: str) -> None:
            status.stop()
            self.console.print(f"{stage}: {state}, {time.monotonic() - start:.1f} s")

        self._finish = finish
