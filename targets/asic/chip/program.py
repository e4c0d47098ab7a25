# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The program that simulates the chip, from its RTL here, from a netlist with the same harness, for ChipPort."""

from pathlib import Path

from host.common.folders import ROOT
from targets.asic.design import Rtl
from targets.netlist.gates import SUPPORT, build_design

# The far end of the line is that of the simulated SoC.
_LINE = ROOT/"targets"/"sim"/"modules"/"qclif_uart"

HARNESS = tuple(Path(__file__).with_name(name) for name in ("main.cpp", "flash.h")) + (_LINE/"rs232.c", _LINE/"rs232.h")


def build_chip(rtl: Rtl) -> Path:
    """Program of the chip's RTL, with the models of its macros, cached by content; it stops where a memory is asked for
    more than a macro does.

    Raises
    ------
    QCLIFError : Verilator is missing or fails.
    """
    return build_design(HARNESS, rtl.top, [*rtl.sources, *rtl.models, SUPPORT], ["+define+QCLIF_CHECK"])
