# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What commands show in a terminal of some width and in a pipe, and whether it is all there."""

import contextlib
import io
import re
from collections.abc import Callable, Iterable

from rich.console import Console

from host.common.console import table_console

# Columns of a terminal, and None for a pipe.
WIDTHS = (60, 80, 100, None)


def shown(show: Callable[[Console], object], width: int | None) -> str:
    """What show() prints on a terminal of this width, without colours; None for a pipe, as table_console() has it."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        console = table_console(None) if width is None else Console(force_terminal=True, color_system=None, width=width)
        show(console)
    return out.getvalue()


def assert_fits(text: str, width: int | None) -> None:
    """No line is longer than the terminal, and a pipe is given neither lines of boxes nor cut names."""
    if width is not None:
        assert max(map(len, text.splitlines())) <= width
    else:
        assert text.isascii() and not re.search(r"[|+]-|-[|+]|\.\.\.", text)
        assert all(line == line.rstrip() for line in text.splitlines())


def assert_whole(text: str, cells: Iterable[object]) -> None:
    """Each of these words, numbers and verdicts is there as often as it is named, and nothing of it is cut."""
    found = re.sub(r"[^\S\n]*[│┃|][^\S\n]*", "  ", text).split()
    for cell in map(str, cells):
        words = cell.split()
        runs  = [found[at:at + len(words)] for at in range(len(found))]
        assert words in runs, f"{cell!r} is not whole in:\n{text}"
