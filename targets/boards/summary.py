# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is told of an estimate and of a build: tables and the --json."""

from rich.console import Console
from rich.table import Table

from targets.boards.board import Board
from targets.boards.build import UNTIMED, BoardBuild
from targets.boards.estimate import NAMES
from targets.boards.request import BoardOptions


def measures(board: Board, options: BoardOptions, estimate: dict[str, int] | None, build: BoardBuild | None) -> dict:
    """What is known of a run, as JSON takes it. What was not computed is not in there."""
    content = {
        "board":       board.name,
        "device":      options.device,
        "config":      options.config.to_dict(),
        "cpu":         options.cpu,
        "sdram":       options.with_sdram,
        "sys_clk_mhz": options.sys_clk_freq/1e6,
        "baudrate":    options.uart_baudrate,
    }
    if estimate is not None:
        content["estimate"]  = estimate
    if build is not None:
        content["directory"] = str(build.directory)
        content["tools"]     = build.tools
        if build.bitstream is not None:
            content["bitstream"]     = str(build.bitstream)
            content["build_seconds"] = build.build_seconds
            if build.image is not None:
                content["image"] = str(build.image)
        if build.report is not None:
            content |= build.report
            if "fmax_mhz" in content:
                content["fmax_mhz"] = round(content["fmax_mhz"], 2)
                if options.toolchain in UNTIMED:
                    content["untimed"] = list(UNTIMED[options.toolchain])
    return content


def show(content: dict, console: Console) -> None:
    """Print the tables of measures()."""
    config = content["config"]
    console.print(f"{content['board']}, {content['device']}: {config['neurons']} neurons, {config['inputs']} inputs, "
        f"{config['contexts']} contexts, {config['weight_bits']}-bit weights, {config['lanes']} lanes, "
        f"CPU {content['cpu']}{', variables in SDRAM' if content['sdram'] else ''}", highlight=False, soft_wrap=True)
    table  = Table()
    table.add_column("cells")
    built = "available" in content
    for name in ("estimate", *(("used", "available") if built else ())):
        table.add_column(name, justify="right")
    for name, text in NAMES.items():
        cells = [content.get("estimate", {}).get(name)]
        if built:
            cells += [content.get(name), content["available"].get(name)]
        if any(cell is not None for cell in cells):
            table.add_row(text, *("" if cell is None else str(cell) for cell in cells))
    if table.row_count:
        console.print(table)
    else:
        console.print(f"What {content['device']} holds is not known here: no estimate.", highlight=False)
    for name, text in _lines(content):
        console.print(f"{name:20} {text}", highlight=False, soft_wrap=True)


def _lines(content: dict):
    clock = f"{content['sys_clk_mhz']:g} MHz"
    if "fmax_mhz" in content:
        clock += f" asked for, {content['fmax_mhz']:.1f} MHz reached"
    if "untimed" in content:
        clock += f", not counting {' and '.join(content['untimed'])}, whose delays nextpnr does not know"
    yield "clock", clock
    if "critical_path" in content:
        path = content["critical_path"]
        yield "critical path", f"{path['delay_ns']:.1f} ns, {path['from']} to {path['to']}"
    if "bitstream" in content:
        yield "tools", ", ".join(f"{name} ({version})" for name, version in content["tools"].items())
        yield "built in", f"{content['build_seconds']:.0f} s"
        yield "bitstream", content["bitstream"]
    if "image" in content:
        yield "with firmware", content["image"]
