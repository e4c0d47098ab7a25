# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What Liberty says of the cells that were simulated, at the same slews and loads."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from targets.asic.scaling.circuits import ARCS, CELLS, Arc, Condition
from targets.asic.scaling.rule import Point
from targets.liberty.expression import parse_expression
from targets.liberty.library import library_of
from targets.liberty.power import Table, read_power
from targets.liberty.text import Group, parse_liberty

# Groups that hold nothing of these; the tables of energies are read on their own.
SKIPPED = frozenset(("internal_power", "rise_transition", "fall_transition", "rise_constraint", "fall_constraint"))


def liberty_point(path: Path, condition: Condition, slews_ps: Mapping[str, float], load_ff: float) -> Point:
    """Delays, energies and leakage of ARCS and CELLS in a Liberty file.

    Parameters
    ----------
    slews_ps : at the input of each arc, by its name.

    Raises
    ------
    QCLIFError : the file cannot be read, or lacks a cell or an arc.
    """
    group   = parse_liberty(path, SKIPPED)
    library = library_of(group)
    cells   = {each.args[0]: each for each in group.of("cell") if each.args}
    powers  = read_power(path, set(CELLS)).cells
    if missing := [name for name in CELLS if name not in cells]:
        raise QCLIFError(f"{path} has no cell {missing[0]}: name a --pdk of Nangate's Open Cell Library")
    delays, energies = {}, {}
    for arc in ARCS:
        slew   = slews_ps[arc.name]*1e-3
        levels = {pin: level for pin, level in arc.levels.items() if isinstance(level, bool)}
        tables = _delays(cells[arc.cell], arc, levels)
        at     = np.array([slew/library.units.time_ns]), np.array([load_ff/library.units.capacitance_ff])
        delays[arc.name] = tuple(float(table(*at)[0])*library.units.time_ns*1e3 for table in tables)
        # Each output that follows takes a rise and a fall of its own, and charges its load once.
        known  = levels | {arc.input: False}
        inside = [[table for table in each.tables if table is not None] for each in powers[arc.cell].energies
            if each.related == arc.input and (each.when is None or (each.when.pins() <= known.keys()
                and each.when.holds(known)))]
        charge = load_ff*condition.voltage**2
        energies[arc.name] = sum(charge + sum(float(table(np.array([slew]), np.array([load_ff]))[0]) for table in both)
            for both in inside)
    return Point(condition.process, condition.voltage, condition.temperature, delays, energies,
        {name: library.cells[name].leakage_nw for name in CELLS})


def _delays(cell: Group, arc: Arc, levels: Mapping[str, bool]) -> tuple[Table, Table]:
    """Tables of the delay of the output's rise and fall, over slew and load in the file's own units."""
    for pin in cell.of("pin"):
        for each in pin.of("timing") if pin.args == (arc.output,) else ():
            when = each.simple.get("when")
            if each.simple.get("related_pin") == arc.input and (not when or parse_expression(when).holds(levels)):
                return tuple(_table(each, f"cell_{edge}") for edge in ("rise", "fall"))
    raise cell.error(f"{arc.cell} has no delay from {arc.input} to {arc.output} where {levels or 'all else'} holds")


def _table(timing: Group, kind: str) -> Table:
    table = next(timing.of(kind), None)
    if table is None or not {"index_1", "index_2", "values"} <= table.complex.keys():
        raise timing.error(f"no {kind} with index_1 (slew) and index_2 (load) of its own")
    slews, loads, values = (np.array([float(word) for row in table.complex[name] for word in row.split(",")])
        for name in ("index_1", "index_2", "values"))
    return Table(slews, loads, values.reshape(len(slews), len(loads)))
