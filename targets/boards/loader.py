# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Puts a bitstream into a board, through openFPGALoader or what litex-boards names for it."""

import shutil
from pathlib import Path

from litex.build.openfpgaloader import OpenFPGALoader

from accel.errors import QCLIFError
from targets.boards.board import Board
from targets.tools.builds import last_lines
from targets.tools.process import run_program

LOADER  = "openFPGALoader"
INSTALL = "sudo apt-get install openfpgaloader"

CHECKS = "plug in the board's USB cable, see that you may use it (udev rules), or name it with --cable"


def loader_command(board: Board, device: str, cable: str | None = None) -> list[str]:
    """openFPGALoader's command for a board, without the bitstream.

    Raises
    ------
    QCLIFError : nobody knows how to load this board, and no cable was named.
    """
    by_cable   = ["--cable", cable] if cable else []
    programmer = board.programmer(device)
    if isinstance(programmer, OpenFPGALoader):
        return [*programmer.cmd, *by_cable]
    if by_cable:
        return [LOADER, *by_cable]
    others = f"loads {board.title} with {type(programmer).__name__}" if programmer else f"cannot load {board.title}"
    raise QCLIFError(f"litex-boards {others}: use that, or name {LOADER}'s cable with --cable")


def load(board: Board, device: str, bitstream: Path, flash: bool = False, cable: str | None = None) -> None:
    """Load a bitstream, into flash where that is asked for.

    Raises
    ------
    QCLIFError : the program is missing, or it does not reach the board.
    """
    command = loader_command(board, device, cable)
    if shutil.which(command[0]) is None:
        raise QCLIFError(f"{LOADER} not found: {INSTALL}")
    if flash:
        command += ["--write-flash"]
    result = run_program([*command, bitstream])
    if result.status:
        why = " ".join(last_lines(result.text.strip(), 2).split()) or f"status {result.status}"
        raise QCLIFError(f"{LOADER} does not reach {board.title} ({why}): {CHECKS}")
