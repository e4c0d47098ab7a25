#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on any board of litex-boards whose platform allows it.

examples:
  python -m targets.board --list                                    all boards: device, tools, what fits, or why not
  python -m targets.board colorlight_i5                             what fits on one
  python -m targets.board colorlight_i5 --build                     its bitstream, where its tools are installed
  python -m targets.board digilent_basys3 --build --no-compile-gateware   all that they need, where they are not
  python -m targets.board de0nano --neurons 32 --load               the name without its vendor
"""

import sys

from accel.errors import EXIT_ERROR, guarded
from targets import arty, icebreaker, tang_nano_20k, ulx3s
from targets.boards.board import Board
from targets.boards.command import board_main
from targets.boards.generic import describe
from targets.boards.listing import list_boards
from targets.boards.options import BoardParser

PROG = "python -m targets.board"

# Boards with a target of their own, by their names here and in litex-boards.
TARGETS = {
    "ulx3s":                ulx3s.BOARD,
    "radiona_ulx3s":        ulx3s.BOARD,
    "icebreaker":           icebreaker.BOARD,
    "tang_nano_20k":        tang_nano_20k.BOARD,
    "sipeed_tang_nano_20k": tang_nano_20k.BOARD,
    "arty":                 arty.BOARD,
    "digilent_arty":        arty.BOARD,
}


def find_board(name: str) -> Board:
    """A board by its name: of a target of its own, or of litex-boards.

    Raises
    ------
    QCLIFError : there is none of this name, or it cannot have our SoC.
    """
    return TARGETS.get(name) or describe(name)


def usage(asked: bool) -> int:
    """Tell how to call it. Returns the exit code."""
    print(f"usage: {PROG} NAME [OPTIONS], or --list\n\n{__doc__}", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else EXIT_ERROR


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["--list"]:
        return guarded(lambda: list_boards(argv[1:], PROG, find_board))
    if not argv or argv[0].startswith("-"):
        return guarded(lambda: usage(argv[:1] in (["--help"], ["-h"])))
    return guarded(lambda: board_main(BoardParser(find_board(argv[0]), argv[1:], f"{PROG} {argv[0]}", __doc__)))


if __name__ == "__main__":
    sys.exit(main())
