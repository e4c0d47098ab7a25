# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's share of a board's build, a process of its own.

    python -m targets.boards.elaborate DIR TARGET [run]

Reads DIR/options.json; makes the SoC of the target (the file of one that has a BOARD, "" for one of litex-boards);
writes the SoC's Verilog, constraints, scripts, firmware, register exports and documentation below DIR, and DIR/soc.json
with what the build needs to know of them. Only with "run", LiteX then calls the FPGA tools.
"""

import contextlib
import json
import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from accel.errors import QCLIFError
from soc.builder import FirmwareBuilder, reported
from targets.boards.board import Board, BoardOptions
from targets.boards.devices import find_device, large_memories
from targets.boards.generic import describe
from targets.boards.open_tools import prepare
from targets.boards.soc import BoardSoC

# All files of a build are named alike, whatever the platform is called.
BUILD_NAME = "top"

# nextpnr's report: utilisation, clocks, critical paths. Where LiteX asks for one, it calls it so.
REPORT = f"{BUILD_NAME}.report"


def make_soc(board: Board, options: BoardOptions) -> BoardSoC:
    """The SoC of a request, not finalized: its PLL may still have no dividers for its clock, see clock_errors().

    Raises
    ------
    QCLIFError : the board cannot have it; the text says why.
    """
    defaults = {"integrated_rom_size": options.rom_bytes, "integrated_sram_size": options.sram_bytes,
        "uart_name": board.uart_name}
    return board.soc(
        config        = options.config,
        device        = options.device,
        toolchain     = options.toolchain,
        sys_clk_freq  = options.sys_clk_freq,
        uart_baudrate = options.uart_baudrate,
        **{**defaults, **options.soc})


@contextlib.contextmanager
def clock_errors(board: Board, options: BoardOptions) -> Iterator[None]:
    """Turn what LiteX's PLLs raise, where a clock is out of their limits or has no dividers, into a QCLIFError."""
    try:
        yield
    except (ValueError, AssertionError) as error:
        modules = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__)]
        if not modules[-1].startswith("litex.soc.cores.clock."):
            raise
        raise QCLIFError(f"{board.title} has no clock of {options.sys_clk_freq/1e6:g} MHz "
            f"({str(error) or 'out of the limits of its PLL'}): choose another --sys-clk-freq") from error


def elaborate(board: Board, options: BoardOptions, directory: Path, run: bool = False) -> None:
    """Write everything that the FPGA tools need into `directory`, and run them where that is asked for."""
    with clock_errors(board, options):
        soc     = make_soc(board, options)
        builder = FirmwareBuilder(soc, options.config, directory)
        # Some CPUs write their Verilog there.
        soc.platform.output_dir = builder.output_dir
        soc.finalize()
    device = find_device(soc.platform.device)
    prepare(builder, BUILD_NAME, REPORT, device,
        large_memories(options.config, device.spram) if options.flash_offset else ())
    # Of the toolchains that have them. The build looks at the report, which exists also where timing fails then.
    ours = {name: value for name, value in (("timingstrict", False), ("compress", True)) if name in options.flow}
    builder.build(run=run, build_name=BUILD_NAME, **(options.flow | ours))
    extension = getattr(soc.platform, "_bitstream_ext", ".bit")
    (directory/"soc.json").write_text(json.dumps({
        "sources":   [name for name, language, *_ in soc.platform.sources if language is not None],
        "bitstream": BUILD_NAME + (extension if isinstance(extension, str) else extension["sram"]),
    }))


def main() -> int:
    directory, target, *run = sys.argv[1:]
    directory = Path(directory)

    def build() -> None:
        options = BoardOptions.from_json(json.loads((directory/"options.json").read_text()))
        board   = runpy.run_path(target)["BOARD"] if target else describe(options.board)
        elaborate(board, options, directory, bool(run))

    return reported(build)


if __name__ == "__main__":
    sys.exit(main())
