# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Which boards of litex-boards can have the SoC, and how large a network fits on each."""

import argparse
import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from accel.errors import QCLIFError
from host.cli.options import check_outputs, positive
from host.common.console import progress_bars, table_console, write_json
from host.common.tables import TextTable
from targets.boards.board import Board, BoardOptions, board_config
from targets.boards.elaborate import clock_errors, make_soc
from targets.boards.estimate import fit
from targets.boards.generic import modules


# What the table and the --json have of a board: sizes are those of the largest network that fits, None where the device
# is not known; `refusal` says why it cannot have the SoC.
EMPTY = {"name": "", "device": "", "toolchain": "", "clock_mhz": None, "neurons": None, "inputs": None, "lanes": None,
    "cpu": "", "refusal": ""}


def examine(name: str, find: Callable[[str], Board], fixed: dict[str, int]) -> dict[str, object]:
    """Try a board: describe it, fit a network, make the SoC.

    Parameters
    ----------
    find : gives the board of the name.
    fixed : sizes that are kept; the others are chosen.

    Returns
    -------
    An entry of the table, as EMPTY.
    """
    entry = {**EMPTY, "name": name}
    try:
        # LiteX and boards print and log while they are made.
        with contextlib.redirect_stdout(io.StringIO()):
            board   = find(name)
            clock   = board.default("sys_clk_freq")
            options = BoardOptions(board.name, board.default("device"), board.default("toolchain"), int(clock),
                board.uart_baudrate, board_config({**board.sizes, **fixed}), soc=board.soc_options,
                flash_offset=board.flash_offset)
            device  = board.part(options.device)
            if device is not None:
                options = fit(options, device, {**board.sizes, **fixed})
            with clock_errors(board, options):
                make_soc(board, options).finalize()
    except QCLIFError as error:
        return {**entry, "refusal": str(error)}
    except Exception as error:
        # What a platform of others raises is the answer, whatever it is.
        return {**entry, "refusal": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    entry |= {"device": options.device, "toolchain": options.toolchain, "clock_mhz": clock/1e6, "cpu": options.cpu}
    if device is not None:
        entry |= {size: getattr(options.config, size) for size in ("neurons", "inputs", "lanes")}
    return entry


def show(entries: Sequence[dict[str, object]], console: Console) -> None:
    """Print a table of the boards that can have the SoC, and why the others cannot; of entries as examine() gives."""
    able = [entry for entry in entries if not entry["refusal"]]
    rows = [(*(escape(entry[name]) for name in ("name", "device", "toolchain")), f"{entry['clock_mhz']:g}",
        *(str(entry[size] or "?") for size in ("neurons", "inputs", "lanes")), escape(entry["cpu"])) for entry in able]
    console.print(TextTable(("board", "device", "tools", "MHz", "neurons", "inputs", "lanes", "CPU"), rows,
        "Boards of litex-boards, and the network that fits", texts=(0, 1, 2, 7)))
    for entry in entries:
        if entry["refusal"]:
            console.print(f"{entry['name']}: {entry['refusal']}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(able)} of {len(entries)} boards can have the SoC.", highlight=False)


def list_boards(argv: list[str], prog: str, find: Callable[[str], Board]) -> int:
    """The command: a table of all boards, or of those that are named. Returns the exit code.

    Parameters
    ----------
    argv : arguments behind --list.
    prog : how the command is called.
    find : gives the board of a name.
    """
    parser = argparse.ArgumentParser(prog=f"{prog} --list", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="boards (default: all)")
    parser.add_argument("--inputs", type=positive, metavar="N", help="of the network (default: 512, or what fits)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table; - for standard output")
    args = parser.parse_args(argv)
    check_outputs(args)
    logging.disable()
    fixed   = {"inputs": args.inputs} if args.inputs else {}
    names   = args.names or modules()
    entries = []
    with progress_bars() as progress:
        for done, name in enumerate(names):
            progress("boards", done, len(names))
            entries.append(examine(name, find, fixed))
    show(entries, table_console(args.json))
    if args.json:
        write_json({"boards": entries}, args.json)
    return 0
