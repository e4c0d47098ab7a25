#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Designs of the flow as Verilated programs: RTL and netlists have the same ports."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.folders import build_root
from targets.sim.core import HARNESS as CORE_HARNESS
from targets.tools.programs import tool_version

FOLDER    = Path(__file__).parent
HARNESSES = {
    "neuron":         FOLDER/"neuron.cpp",
    "spatial":        FOLDER/"spatial.cpp",
    "spatial_neuron": FOLDER/"spatial_neuron.cpp",
    "core":           CORE_HARNESS,
    "memory":         FOLDER/"memory.cpp",
}


def verilate(harness: str, top: str, files: Sequence[Path], options: Sequence[str] = ()) -> Path:
    """Program that drives a design, cached by content.

    Parameters
    ----------
    harness : of HARNESSES; "memory" writes and reads the memories of the core.
    top : name of the design's top module.
    files : its Verilog, models of macros and cells among it.
    options : further ones for Verilator.

    Raises
    ------
    QCLIFError : Verilator is missing or fails.
    """
    source = HARNESSES[harness]
    digest = hashlib.sha256("\n".join([tool_version("verilator"), *options]).encode())
    for path in [source, *sorted(FOLDER.glob("*.h")), *files]:
        digest.update(Path(path).read_bytes())
    program = build_root()/"asic"/"programs"/digest.hexdigest()
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as directory:
        # Not inlined, the code of a module that is instantiated often is compiled once.
        # A combinational loop may settle at wrong values: it is an error.
        command = ["verilator", "--cc", "--exe", "--build", "-O3", "-fno-inline", "-Wno-fatal", "-Werror-UNOPTFLAT",
            "-CFLAGS", f"-O2 -I{FOLDER}", "--top-module", top, "--Mdir", directory, "-o", "program", *options,
            *map(str, files), str(source)]
        try:
            # Verilator cuts long messages where it likes, also within a character.
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except FileNotFoundError as error:
            raise QCLIFError("verilator is missing: apt-get install verilator") from error
        if done.returncode:
            # The last line only repeats the command.
            errors = [line for line in done.stderr.splitlines() if "rror" in line] or done.stderr.splitlines()
            raise QCLIFError(f"verilator fails on {top}: {errors[0]}")
        # Another process may have built the same: both programs are alike.
        os.replace(Path(directory)/"program", program)
    return program


def execute(program: Path, words: np.ndarray) -> np.ndarray:
    """Words (int64, 0 to 2**32 - 1) that a program makes of words, of negative ones the low 32 bits."""
    stream = (words & 0xffffffff).astype("<u4").tobytes()
    done   = subprocess.run([program], input=stream, capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<u4").astype(np.int64)
