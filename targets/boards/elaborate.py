#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""LiteX's share of a board's build, a process of its own: `python -m targets.boards.elaborate DIR LIBRARIES [run]`.

Reads DIR/options.json; writes the SoC's Verilog, constraints, scripts, firmware, register exports and
documentation below DIR, and DIR/soc.json with what the build needs to know of them. Only with "run", LiteX then
calls the FPGA tools.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from litex.build.gowin.apicula import GowinApiculaToolchain
from litex.soc.doc import generate_docs
from litex.soc.integration.soc import SoCError

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from soc.builder import FirmwareBuilder
from targets.boards.catalogue import find_board
from targets.boards.devices import find_device
from targets.boards.memories import IN_TABLES, TABLES_BITS, large_memories
from targets.boards.request import BoardOptions
from targets.boards.soc import BoardSoC

# All files of a build are named alike, whatever the platform is called.
BUILD_NAME = "top"

# nextpnr's report: utilisation, clocks, critical paths. Where LiteX asks for one, it calls it so.
REPORT = f"{BUILD_NAME}.report"


def make_soc(options: BoardOptions) -> BoardSoC:
    """The SoC of a request.

    Raises
    ------
    QCLIFError : the board cannot have it; the text says why.
    """
    board    = find_board(options.board)
    defaults = {"integrated_rom_size": options.rom_bytes, "integrated_sram_size": options.sram_bytes,
        "uart_name": board.uart_name}
    return BoardSoC(board, options.device, options.toolchain, options.sys_clk_freq, options.config,
        uart_baudrate = options.uart_baudrate,
        with_sdram    = options.with_sdram,
        **{**defaults, **options.soc})


def table_commands(soc: BoardSoC) -> Iterator[str]:
    """Commands of Yosys that make small memories of look-up tables: block RAM is what FPGAs have least of."""
    memories = [f"{BUILD_NAME}/m:{name}" for name in IN_TABLES]
    if soc.cpu_type == "vexriscv":
        memories.append("VexRiscv/m:RegFilePlugin_regFile")
    yield f"hierarchy -top {BUILD_NAME}"
    yield f'setattr -set ram_style "distributed" {" ".join(memories)}'


def nextpnr_options(soc: BoardSoC) -> Iterator[str]:
    """Options of nextpnr that LiteX does not give it."""
    toolchain = soc.platform.toolchain
    if toolchain.pnr_fmt != "report":
        yield f"--report {REPORT}"
    if isinstance(toolchain, GowinApiculaToolchain):
        # It hands over no clock constraints.
        yield f"--freq {soc.sys_clk_freq/1e6:g}"


def large_commands(config: QCLIFConfig, count: int) -> Iterator[str]:
    """Commands of Yosys that put memories into `count` large RAMs, which it does not do by itself."""
    memories = [f"{BUILD_NAME}/m:{shape.name}" for shape in large_memories(config, count)]
    yield f"hierarchy -top {BUILD_NAME}"
    yield f'setattr -set ram_style "huge" {" ".join(memories)}'


def elaborate(options: BoardOptions, directory: Path, libraries: Path, run: bool = False) -> None:
    """Write everything that the FPGA tools need into `directory`, and run them where that is asked for."""
    soc = make_soc(options)
    if hasattr(soc.platform.toolchain, "_pnr_opts"):
        soc.platform.toolchain._pnr_opts += "".join(f"{option} " for option in nextpnr_options(soc))
    device = find_device(soc.platform.device)
    if device is not None and device.family in TABLES_BITS:
        soc.platform.toolchain._yosys_cmds = list(table_commands(soc))
    if options.flash_offset:
        soc.platform.toolchain._yosys_cmds = list(large_commands(options.config, device.spram))
    builder = FirmwareBuilder(soc, options.config, libraries_dir=libraries, output_dir=directory,
        csr_svd=directory/"csr.svd")
    flow = dict(options.flow)
    if "timingstrict" in flow:
        # The build looks at the report, which then exists also where timing fails.
        flow["timingstrict"] = False
    if "compress" in flow:
        flow["compress"] = True
    builder.build(run=run, build_name=BUILD_NAME, **flow)
    generate_docs(soc, str(directory/"doc"), project_name="qCLIF SoC", author="the qCLIF SoC's authors")
    extension = getattr(soc.platform, "_bitstream_ext", ".bit")
    (directory/"soc.json").write_text(json.dumps({
        "part":      soc.platform.device,
        "bitstream": BUILD_NAME + (extension if isinstance(extension, str) else extension["sram"]),
    }))


def main() -> int:
    directory, libraries, *run = sys.argv[1:]
    directory = Path(directory)
    logging.basicConfig(level=logging.INFO)
    try:
        options = BoardOptions.from_json(json.loads((directory/"options.json").read_text()))
        elaborate(options, directory, Path(libraries), bool(run))
    except (QCLIFError, SoCError, OSError, subprocess.CalledProcessError) as error:
        # The log, which what is printed goes to, says the rest.
        print(f"error: {str(error) or type(error).__name__}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
