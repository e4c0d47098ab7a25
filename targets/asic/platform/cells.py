# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cells that the flow puts into a design by itself, found by what Liberty says they do."""

import re
from collections.abc import Iterable, Mapping
from itertools import product

from targets.liberty.expression import parse_expression
from targets.liberty.library import Cell

# The strongest buffer that is used drives about this many times what the weakest one does.
STRENGTHS = 8

# Strengths of a library are no exact multiples.
ROUNDING = 1.05


def buffer_pins(cell: Cell) -> tuple[str, str] | None:
    """Input and output of a buffer whose largest load is known; None for any other cell."""
    pins = [pin for pin in cell.pins.values() if pin.direction != "internal"]
    if len(pins) != 2 or cell.is_sequential or cell.clock_gate:
        return None
    into, out = sorted(pins, key=lambda pin: pin.direction)
    known = (into.direction, out.direction) == ("input", "output") and out.max_capacitance_ff
    return (into.name, out.name) if known and out.function == into.name and not out.three_state else None


def buffers(cells: Mapping[str, Cell], driver: str) -> tuple[Cell, ...]:
    """Buffers of a kind, whose names differ in their digits alone, from the weakest to the strongest one in use."""
    kind  = re.sub(r"\d", "", driver)
    loads = {name: cell.pins[pins[1]].max_capacitance_ff for name, cell in cells.items()
        if re.sub(r"\d", "", name) == kind and (pins := buffer_pins(cell))}
    limit = STRENGTHS*ROUNDING*min(loads.values(), default=0)
    return tuple(cells[name] for name in sorted(loads, key=loads.get) if loads[name] <= limit)


def latch(cells: Iterable[Cell]) -> Cell | None:
    """The smallest cell that holds a bit; of equal ones the first."""
    return min((cell for cell in cells if cell.latches), key=lambda cell: cell.area, default=None)


def flipflop(cells: Iterable[Cell]) -> Cell | None:
    """The smallest flip-flop that has no more inputs than its clock and its data; of equal ones the first."""
    return min((cell for cell in cells if len(cell.flipflops) == 1
        and sum(pin.direction == "input" for pin in cell.pins.values()) == 2), key=lambda cell: cell.area, default=None)


def adder(cells: Iterable[Cell], inputs: int) -> tuple[Cell, str, str] | None:
    """The smallest cell that adds bits, with the names of its outputs for carry and sum; None where there is none.

    Parameters
    ----------
    inputs : 3 for a full adder, 2 for a half adder.
    """
    levels = [sum(row) for row in product((False, True), repeat=inputs)]
    wanted = tuple(ones >= 2 for ones in levels), tuple(ones % 2 == 1 for ones in levels)
    found  = []
    for cell in cells:
        names = [pin.name for pin in cell.pins.values() if pin.direction == "input"]
        if len(names) == inputs and len(cell.outputs) == 2 and not cell.is_sequential:
            tables = {function.table(names): pin.name for pin in cell.outputs.values() if pin.function
                and (function := parse_expression(pin.function)).pins() <= set(names)}
            if tables.keys() == set(wanted):
                found.append((cell, *map(tables.get, wanted)))
    return min(found, key=lambda each: each[0].area, default=None)
