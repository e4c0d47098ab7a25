# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Designs of the flow as Verilated programs: RTL and netlists have the same ports."""

from collections.abc import Sequence
from pathlib import Path

from host.common.folders import build_root
from targets.sim.core import HARNESS as CORE_HARNESS
from targets.tools import verilator
from targets.tools.builds import digest, made_once
from targets.tools.process import version_of

FOLDER    = Path(__file__).parent
HARNESSES = {
    "neuron":         FOLDER/"neuron.cpp",
    "spatial":        FOLDER/"spatial.cpp",
    "spatial_neuron": FOLDER/"spatial.cpp",
    "core":           CORE_HARNESS,
}


def verilate(harness: str, top: str, files: Sequence[Path], options: Sequence[str] = ()) -> Path:
    """Program that drives a design, cached by content.

    Parameters
    ----------
    harness : of HARNESSES.
    top : name of the design's top module.
    files : its Verilog, models of macros and cells among it.
    options : further ones for Verilator.

    Raises
    ------
    QCLIFError : Verilator is missing or fails.
    """
    files = [*map(Path, files), HARNESSES[harness], *sorted(FOLDER.glob("*.h"))]
    # Not inlined, the code of a module that is instantiated often is compiled once.
    # A combinational loop may settle at wrong values: it is an error.
    options = ["-fno-inline", "-Wno-fatal", "-Werror-UNOPTFLAT", "-CFLAGS", f"-O2 -DQCLIF_TOP=V{top}",
        "--top-module", top, *options]
    key = digest("\n".join([version_of("verilator", "--version"), *options,
        *(path.read_text() for path in files)]))
    return made_once(build_root()/"asic"/"programs"/key,
        lambda work: verilator.verilate(work, top, files, options))/verilator.PROGRAM
