#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Puts a bitstream into a board, through openFPGALoader or what litex-boards names for it."""

import shutil
import subprocess
from pathlib import Path

from litex.build.openfpgaloader import OpenFPGALoader

from host.errors import QCLIFError
from targets.boards.board import Board
from targets.sim_build import last_lines

LOADER  = "openFPGALoader"
INSTALL = "sudo apt-get install openfpgaloader"

CHECKS = "plug in the board's USB cable, see that you may use it (udev rules), or name it with --cable"


def loader_command(board: Board, device: str, toolchain: str) -> list[str]:
    """openFPGALoader's command for a board, without the bitstream.

    Raises
    ------
    QCLIFError : nobody knows how to load this board.
    """
    name = board.loader.get(device) or board.loader.get("")
    if name:
        return [LOADER, "--board", name]
    try:
        programmer = board.make_platform(device, toolchain).create_programmer()
    except (AttributeError, NotImplementedError, TypeError) as error:
        raise QCLIFError(f"litex-boards names no programmer for {board.title}: load the bitstream with the vendor's "
            "tool") from error
    if not isinstance(programmer, OpenFPGALoader):
        raise QCLIFError(f"litex-boards loads {board.title} with {type(programmer).__name__}, not {LOADER}: load the "
            "bitstream with that")
    return list(programmer.cmd)


def load(board: Board, device: str, toolchain: str, bitstream: Path, flash: bool = False,
    cable: str | None = None) -> None:
    """Load a bitstream, into flash where that is asked for.

    Raises
    ------
    QCLIFError : the program is missing, or it does not reach the board.
    """
    command = loader_command(board, device, toolchain)
    if shutil.which(command[0]) is None:
        raise QCLIFError(f"{LOADER} not found: {INSTALL}")
    if cable:
        command += ["--cable", cable]
    if flash:
        command += ["--write-flash"]
    try:
        result = subprocess.run([*command, str(bitstream)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    except OSError as error:
        raise QCLIFError(f"{command[0]} cannot be run: {error.strerror}; {INSTALL}") from error
    if result.returncode:
        why = " ".join(last_lines(result.stdout.strip(), 2).split()) or f"status {result.returncode}"
        raise QCLIFError(f"{LOADER} does not reach {board.title} ({why}): {CHECKS}")
