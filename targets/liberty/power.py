# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What Liberty says of a cell's power: capacitances, leakage by state, energies of transitions, and slews for these."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from targets.liberty.expression import Expression, parse_expression
from targets.liberty.library import Units, library_of
from targets.liberty.text import Group, parse_liberty

# Groups that power does not need.
SKIPPED = frozenset(("cell_rise", "cell_fall", "rise_constraint", "fall_constraint", "operating_conditions"))

EDGES = ("rise", "fall")

# What the axes of a table may be, as Liberty calls it; others are not known.
SLEW_AXES = ("input_transition_time", "input_net_transition")
LOAD_AXES = ("total_output_net_capacitance",)

# Kinds of timing whose transition is that of an output.
DELAYS = ("", "combinational", "combinational_rise", "combinational_fall", "rising_edge", "falling_edge", "clear",
    "preset")


@dataclass(frozen=True)
class Table:
    """A table over slew [ns] and load [fF]; linear between its points, and beyond them.

    Attributes
    ----------
    slews, loads : float64; of one entry where the table does not depend on it.
    values : float64 [slews, loads].
    """
    slews:  np.ndarray
    loads:  np.ndarray
    values: np.ndarray

    def __call__(self, slew: np.ndarray, load: np.ndarray) -> np.ndarray:
        """Values at slews [n] and loads [n], float64 [n]."""
        rows, row_part       = _place(self.slews, slew)
        columns, column_part = _place(self.loads, load)
        after = np.minimum(rows + 1, len(self.slews) - 1), np.minimum(columns + 1, len(self.loads) - 1)
        low   = self.values[rows,     columns]*(1 - column_part) + self.values[rows,     after[1]]*column_part
        high  = self.values[after[0], columns]*(1 - column_part) + self.values[after[0], after[1]]*column_part
        return low*(1 - row_part) + high*row_part


def _place(points: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval, and the place in it, 0 to 1 where it is within the table."""
    if len(points) == 1:
        return np.zeros(len(at), np.int64), np.zeros(len(at))
    index = np.clip(np.searchsorted(points, at, side="right") - 1, 0, len(points) - 2)
    return index, (at - points[index])/(points[index + 1] - points[index])


@dataclass(frozen=True)
class Arc:
    """How an input's slew becomes an output's.

    Attributes
    ----------
    sense : "positive_unate", "negative_unate" or "non_unate", as Liberty has it.
    slews : tables of the output's rise and fall, None where it has none.
    """
    output: str
    input:  str
    sense:  str
    slews:  tuple[Table | None, Table | None]


@dataclass(frozen=True)
class Energy:
    """Energy within a cell when a pin changes, fJ a transition, without what charges the load.

    Attributes
    ----------
    pin : that changes.
    related : input that made an output change, "" for inputs.
    when : condition, None for always.
    tables : of its rise and of its fall, None for nothing.
    """
    pin:     str
    related: str
    when:    Expression | None
    tables:  tuple[Table | None, Table | None]


@dataclass(frozen=True)
class CellPower:
    """Power of a cell.

    Attributes
    ----------
    capacitance_ff : of each input for a rise and for a fall.
    functions : of outputs, over pins and states.
    inverse : states that are the inverse of another one, by name.
    leakage : (condition, nW); None for every state.
    """
    capacitance_ff: dict[str, tuple[float, float]]
    functions:      dict[str, Expression]
    inverse:        dict[str, str]
    leakage:        tuple[tuple[Expression | None, float], ...]
    arcs:           tuple[Arc, ...]
    energies:       tuple[Energy, ...]


@dataclass(frozen=True)
class WireLoad:
    """Estimate of a net's wire from its fanout.

    Attributes
    ----------
    fanouts, lengths : points between which it is linear.
    slope : length of each load beyond the last point.
    capacitance_ff : of a unit of length.
    name : in its file.
    """
    fanouts:        tuple[int, ...]
    lengths:        tuple[float, ...]
    slope:          float
    capacitance_ff: float
    name:           str = ""

    def __call__(self, fanout: np.ndarray) -> np.ndarray:
        """Capacitance fF of nets with so many loads."""
        beyond = np.maximum(fanout - self.fanouts[-1], 0)
        length = np.interp(fanout, self.fanouts, self.lengths) + self.slope*beyond
        return np.where(fanout > 0, length*self.capacitance_ff, 0.0)


NO_WIRES = WireLoad((1,), (0.0,), 0.0, 0.0)


@dataclass(frozen=True)
class PowerLibrary:
    """Cells of one Liberty file, and its default estimate of wires."""
    cells:     dict[str, CellPower]
    wire_load: WireLoad

# Reading -------------------------------------------------------------------------------------------

def read_power(path: Path, cells: set[str]) -> PowerLibrary:
    """Power of those of `cells` that a file has.

    Raises
    ------
    QCLIFError : it cannot be read, or a table has axes that are not known; the line is named.
    """
    group  = _parsed(path, path.stat().st_mtime_ns)
    reader = _Reader(group, library_of(group).units)
    found  = {name: reader.cell(each) for each in group.of("cell") for name in each.args[:1] if name in cells}
    return PowerLibrary(found, reader.wire_load())


@functools.lru_cache(maxsize=8)
def _parsed(path: Path, changed: int) -> Group:
    """A file as it was at a time: it takes a second, and sweeps ask again."""
    return parse_liberty(path, SKIPPED)


class _Reader:
    """Tables of a file, in ns, fF, fJ and nW."""
    def __init__(self, library: Group, units: Units):
        self.library, self.units = library, units
        self.templates = {each.args[0]: each for kind in ("lu_table_template", "power_lut_template")
            for each in library.of(kind) if each.args}

    def cell(self, group: Group) -> CellPower:
        pins = [(name, each) for kind in ("pin", "bus") for each in group.of(kind) for name in each.args]
        # What a bus has for its bits is the bus's.
        pins += [(name, bit) for bus in group.of("bus") for name in bus.args for bit in bus.of("pin")]
        leak = [(self._when(each), each.number("value", 0.0)) for each in group.of("leakage_power")]
        if not leak:
            leak = [(None, group.number("cell_leakage_power", self.library.number("default_cell_leakage_power", 0.0)))]
        return CellPower(
            capacitance_ff = {name: self._capacitance(each) for name, each in pins
                if each.simple.get("direction") in ("input", "inout")},
            functions      = {name: parse_expression(text) for name, each in pins
                if (text := each.simple.get("function") or each.simple.get("state_function"))},
            inverse        = {each.args[1]: each.args[0] for kind in ("ff", "latch") for each in group.of(kind)},
            leakage        = tuple((when, value*self.units.leakage_nw) for when, value in leak),
            arcs           = tuple(arc for name, each in pins for arc in self._arcs(name, each)),
            energies       = tuple(energy for name, each in pins for energy in self._energies(name, each)))

    def _capacitance(self, pin: Group) -> tuple[float, float]:
        both = pin.number("capacitance", self.library.number("default_input_pin_cap", 0.0))
        return tuple(pin.number(f"{edge}_capacitance", both)*self.units.capacitance_ff for edge in EDGES)

    def _arcs(self, name: str, pin: Group) -> Iterator[Arc]:
        for each in pin.of("timing"):
            if each.simple.get("timing_type", "") in DELAYS:
                slews = tuple(self._table(each, f"{edge}_transition", self.units.time_ns) for edge in EDGES)
                for related in each.simple.get("related_pin", "").split():
                    yield Arc(name, related, each.simple.get("timing_sense", "non_unate"), slews)

    def _energies(self, name: str, pin: Group) -> Iterator[Energy]:
        for each in pin.of("internal_power"):
            tables = tuple(self._table(each, f"{edge}_power", self.units.energy_fj) for edge in EDGES)
            for related in each.simple.get("related_pin", "").split() or [""]:
                yield Energy(name, related, self._when(each), tables)

    def _when(self, group: Group) -> Expression | None:
        return parse_expression(text) if (text := group.simple.get("when")) else None

    def _table(self, group: Group, kind: str, unit: float) -> Table | None:
        table = next(group.of(kind), None)
        if table is None:
            return None
        values   = np.array([self._numbers(table, row) for row in table.complex.get("values", ())])
        template = self.templates.get(table.args[0] if table.args else "")
        points   = {} # By whether they are loads.
        for number in (1, 2):
            variable = template.simple.get(f"variable_{number}") if template else None
            if variable is not None:
                if variable not in SLEW_AXES + LOAD_AXES:
                    raise table.error(f"a table over {variable} is not known")
                index = table.complex.get(f"index_{number}") or template.complex.get(f"index_{number}", ())
                loads = variable in LOAD_AXES
                points[loads] = np.array([value for row in index for value in self._numbers(table, row)]) \
                    *(self.units.capacitance_ff if loads else self.units.time_ns)
        values = values.reshape([len(each) for each in points.values()])*unit
        if list(points) == [True, False]:
            values = values.T
        slews, loads = points.get(False, np.zeros(1)), points.get(True, np.zeros(1))
        return Table(slews, loads, values.reshape(len(slews), len(loads)))

    def _numbers(self, group: Group, text: str) -> list[float]:
        try:
            return [float(value) for value in re.split(r"[,\s]+", text.strip()) if value]
        except ValueError as error:
            raise group.error(f"{text[:40]!r} are no numbers") from error

    def wire_load(self) -> WireLoad:
        """The library's default; no wires where it names none."""
        name  = self.library.simple.get("default_wire_load", "")
        group = next((each for each in self.library.of("wire_load") if each.args == (name,)), None)
        if group is None:
            return NO_WIRES
        points = sorted((int(args[0]), float(args[1])) for kind, args in group.repeated if kind == "fanout_length")
        return WireLoad(*zip(*points, strict=True), group.number("slope", 0.0),
            group.number("capacitance", 0.0)*self.units.capacitance_ff, name)
