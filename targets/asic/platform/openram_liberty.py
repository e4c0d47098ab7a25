#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Liberty of OpenRAM's analytical models, made fit for power analysis and placement; and the macro that it tells of.

OpenRAM writes the power of a macro that is accessed at 100 MHz, in milliwatt, where Liberty has the energy of an edge
of the clock, here in picojoule. It allows its outputs less load than the smallest buffer's input has, as it expects
one of its own flip-flops there. And the leakage of each bit cell and of each gate is a round 1 nW, which its
technology file calls temporary: simulated with the transistors that it is made of, a bit cell leaks more.
"""

import re
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.platform.macros import OPENRAM_PORTS, Macro
from targets.liberty.library import library_of
from targets.liberty.text import Group, parse_liberty

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


def read_openram(liberty: Path, lef: Path, gds: Path) -> Macro:
    """The macro of a fitted Liberty.

    Raises
    ------
    QCLIFError : the file is no Liberty, or lacks what a macro has.
    """
    group   = parse_liberty(liberty)
    library = library_of(group)
    ports   = OPENRAM_PORTS
    try:
        cell   = next(group.of("cell"))
        known  = library.cells[cell.args[0]]
        memory = next(cell.of("memory"))
        clock  = _pin(cell, ports.clock)
        edges  = [_value(table) for power in clock.of("internal_power") for kind in ("rise_power", "fall_power")
            for table in power.of(kind)]
        delays = [_value(table) for pin in _pin(cell, ports.read_data).of("pin") for timing in pin.of("timing")
            for kind in ("cell_rise", "cell_fall") for table in timing.of(kind)]
        period = max(_value(table) for timing in clock.of("timing")
            if timing.simple["timing_type"] == "minimum_period" for table in timing.of("rise_constraint"))
        return Macro(
            name          = known.name,
            depth         = 2**int(memory.simple["address_width"]),
            width         = int(memory.simple["word_width"]),
            area_um2      = known.area,
            leakage_nw    = known.leakage_nw,
            # Half an access each.
            energy_pj     = 2*sum(edges)/len(edges)*library.units.energy_fj*1e-3,
            liberty       = liberty,
            lef           = lef,
            gds           = gds,
            mask          = False,
            # Reading begins with the falling edge.
            access_ns     = period/2*library.units.time_ns + max(delays)*library.units.time_ns,
            min_period_ns = period*library.units.time_ns,
            ports         = ports)
    except (StopIteration, KeyError, ValueError, ZeroDivisionError) as error:
        raise QCLIFError(f"{liberty}: no macro of OpenRAM ({error!r}): delete its folder and run again") from error


def _pin(cell: Group, name: str) -> Group:
    return next(each for each in cell.groups if each.kind in ("pin", "bus") and each.args[:1] == (name,))


def _value(table: Group) -> float:
    """Of a table with one value, or the greatest."""
    return max(float(value) for row in table.complex["values"] for value in row.split(","))
