# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Liberty of OpenRAM's analytical models, made fit for power analysis and placement.

OpenRAM writes the power of a macro that is accessed at 100 MHz, in milliwatt, where Liberty has the energy of an edge
of the clock, here in picojoule. It allows its outputs less load than the smallest buffer's input has, as it expects
one of its own flip-flops there. And the leakage of each bit cell and of each gate is a round 1 nW, which its
technology file calls temporary: simulated with the transistors that it is made of, a bit cell leaks more.
"""

import re

from accel.errors import QCLIFError

# What OpenRAM's models take for the rate of accesses.
EVENTS_HZ = 100e6

# An access is charged half with each edge of the clock. mW to pJ.
EDGE_PJ = 1e-3/EVENTS_HZ*1e12/2

# nW of a bit cell at 1.1 V and 25 C: ngspice's of OpenRAM's netlist of it, with the typical transistors that come with
# OpenRAM. It stands for gates, too. OpenRAM's own simulations (technology/freepdk45/sim_data) have the same of large
# macros: 5.2 nW a bit at 1.0 V, where the cell alone leaks 5.3.
CELL_NW = 8.27

# What OpenRAM's models take for it.
OPENRAM_CELL_NW = 1.0

# pF: ten times the input of the smallest buffer. Delays are extrapolated to it, along their tables' slope.
MAX_LOAD_PF = 0.01

_POWER = re.compile(r"((?:rise|fall)_power\s*\(scalar\)\s*\{\s*values\s*\(\s*\")([^\"]+)(\")")
_LEAKS = re.compile(r"(\bcell_leakage_power\s*:\s*|\bleakage_power\s*\(\)\s*\{\s*value\s*:\s*)([\d.e+-]+)")
_LOAD  = re.compile(r"(\bmax_capacitance\s*:\s*)([\d.e+-]+)")
# They would keep OpenROAD from buffering what is at the macro's pins.
_HANDS = re.compile(r"^\s*(?:dont_use|map_only|dont_touch)\s*:\s*true\s*;\s*\n", re.MULTILINE)


def fit_liberty(text: str) -> str:
    """Liberty with energies where OpenRAM wrote power, leakage of real cells, and loads that a wire and a gate have.

    Raises
    ------
    QCLIFError : the text is not as this version of OpenRAM writes it.
    """
    text, powers = _POWER.subn(lambda match: f"{match[1]}{float(match[2])*EDGE_PJ:.6e}{match[3]}", text)
    text, leaks  = _LEAKS.subn(lambda match: f"{match[1]}{float(match[2])*CELL_NW/OPENRAM_CELL_NW:.6e}", text)
    text, loads  = _LOAD.subn(rf"\g<1>{MAX_LOAD_PF}", text)
    if not powers or not leaks or not loads:
        raise QCLIFError("OpenRAM's Liberty has no power of its clock, no leakage, or no load of its outputs: it was "
            "written by another version; python -m targets.asic.openram --install brings the one that is known")
    return _HANDS.sub("", text)
