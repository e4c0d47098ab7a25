# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where commands show people what: how far long work has come, and what came out."""

import json as json_format
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# Of what is broken at words where it is no terminal's; lines and tables of ours are not.
PIPE_WIDTH = 120

# Called with (stage, done, total); total is None where it is not known.
Progress = Callable[[str, int, int | None], None]


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Tell nobody."""


def stage_bars(console: Console, shown: bool) -> Bars:
    """Bars that are gone at the end, one for each task that is added; nothing where they are not to be shown."""
    return Bars(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not shown)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A bar for each stage on standard error, gone at the end; nothing where that is no terminal."""
    console = Console(stderr=True)
    with stage_bars(console, console.is_terminal) as bars:
        tasks = {}

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield progress


def table_console(json: Path | None) -> Console:
    """Where tables go: standard output, unless that is the --json's."""
    console = Console(stderr=str(json) == "-")
    # A file or a pipe has no width of its own: whoever reads it wants whole lines.
    return console if console.is_terminal else Console(stderr=console.stderr, width=PIPE_WIDTH, soft_wrap=True)


def write_json(values: dict[str, object], path: Path) -> None:
    """Write values to a file, whole or not at all, or to standard output where it is -. Raises QCLIFError where that
    is not possible.
    """
    text = json_format.dumps(values, indent=2) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
    elif path.exists() and (not path.is_file() or path.is_relative_to("/dev")):
        # A pipe or a device, /dev/stdout among them, is written to, whatever is behind it.
        try:
            path.write_text(text)
        except OSError as error:
            raise QCLIFError(f"{path}: cannot be written ({error.strerror}): choose another --json") from error
    else:
        with whole_file(path) as file:
            file.write(text.encode())
