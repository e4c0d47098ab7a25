# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""SRAM macros of OpenRAM: its installation, macros of one's own sizes, and a table of them beside the PDK's.

    python -m targets.asic.openram --install --set
    python -m targets.asic.openram --size 64x32 --size 128x32
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from accel.errors import guarded
from host.common.console import progress_bars, table_console
from targets.asic.platform.macros import Macro
from targets.asic.platform.openram import SET, compile_macro, compiled, install
from targets.asic.platform.pdk import find_pdk
from targets.asic.report.comparisons import macro_values, macros_sheet
from targets.tools.process import exit_on_sigterm


def beside(macros: Mapping[str, Macro], others: Mapping[str, Macro]) -> list[Macro]:
    """All macros, and those of the others that have the size of one of them."""
    sizes = {(macro.depth, macro.width) for macro in macros.values()}
    return [*macros.values(), *(other for other in others.values() if (other.depth, other.width) in sizes)]


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: words, x and bits, as 64x32")
    return int(match[1]), int(match[2])


def main(arguments: list[str] | None = None) -> int:
    """Install OpenRAM, compile macros, and show them beside fakeram45's of the same size."""
    parser = argparse.ArgumentParser(prog="python -m targets.asic.openram", description="SRAM macros by OpenRAM, "
        "beside those of the PDK. Without --set and --size: those that were compiled before.")
    parser.add_argument("--install", action="store_true", help="make OpenRAM's environment, with pip")
    parser.add_argument("--set", action="store_true",
        help=f"compile those that suit the core: {', '.join(f'{depth}x{width}' for depth, width in SET)}")
    parser.add_argument("--size", type=_size, action="append", default=[], metavar="WORDSxBITS",
        help="macro to compile; may be given several times")
    parser.add_argument("--pdk", type=Path, help="folder of FreePDK45 files (default: FREEPDK45_HOME, FLOW_HOME)")
    options = parser.parse_args(arguments)
    exit_on_sigterm()

    def work() -> int:
        with progress_bars() as progress:
            if options.install:
                install(progress)
            for depth, width in dict.fromkeys([*SET*options.set, *options.size]):
                compile_macro(depth, width, progress)
        if options.set or options.size or not options.install:
            shown = beside(compiled(), find_pdk(options.pdk).macros)
            macros_sheet({macro.name: macro_values(macro) for macro in shown}, "SRAM macros").show(table_console(None))
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
