#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""LiteX's scripts for the FPGA tools, changed to what all versions of these tools take."""

import os
import re
from pathlib import Path


def plain_netlist(script: str) -> str:
    """A Yosys script of LiteX whose netlist older versions of nextpnr read, too: without notes on the hierarchy."""
    return re.sub(r"^(?=write_json )", "delete t:$scopeinfo\n", script, flags=re.MULTILINE)


def relative_sources(script: str, folder: Path) -> str:
    """A Yosys script of LiteX with the sources' names relative to the folder where it runs."""
    def relative(match: re.Match) -> str:
        return f"{match[1]}{os.path.relpath(match[2], folder.resolve())}"
    return re.sub(r"^(read_\w+ (?:.* )?)(/\S+)$", relative, script, flags=re.MULTILINE)


def clock_constraints(program: str) -> str:
    """Lines of a constraint file (PCF) that say what LiteX's Python for nextpnr-ice40 does: PyPI's runs no Python."""
    return "".join(f"set_frequency {net} {mhz}\n" for net, mhz in
        re.findall(r'^ctx\.addClock\("(.*)", (.*)\)$', program, re.MULTILINE))
