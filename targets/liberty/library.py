# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cells of a Liberty file: area, leakage, pins, functions and states; tables are left to the tools that time."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from targets.liberty.text import Group, parse_liberty

# Groups that say nothing of what a cell does; most of a file's bytes.
TABLES = frozenset(("timing", "internal_power", "lu_table_template", "power_lut_template", "wire_load"))

PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}

# Contents ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Pin:
    """A pin of a cell.

    Attributes
    ----------
    direction : "input", "output", "inout" or "internal".
    capacitance_ff : femtofarad; None where the file has none.
    function : of an output, in Liberty's terms, over pins and states; "" where there is none. Clock gates have
        theirs as a state_function.
    three_state : condition under which the output is not driven; "" for never.
    clock : whether it is marked as a clock.
    bits : (first, last) index of a bus, as its type has them; None for a single pin.
    gate : part in a clock gate: "clock", "enable", "test", "out" or "".
    max_capacitance_ff : largest load of an output, femtofarad; None where the file has none.
    """
    name:               str
    direction:          str
    capacitance_ff:     float | None = None
    function:           str = ""
    three_state:        str = ""
    clock:              bool = False
    bits:               tuple[int, int] | None = None
    gate:               str = ""
    max_capacitance_ff: float | None = None


@dataclass(frozen=True)
class Register:
    """State of a flip-flop or of a latch; "" where there is none.

    Attributes
    ----------
    state, inverse : names of the state and of its inverse.
    control : expression whose rise clocks the flip-flop, or while which the latch is transparent.
    data : expression that the state then takes.
    clear, preset : expressions that make it 0 and 1 whatever the control.
    both_state, both_inverse : what state and inverse hold while clear and preset are asked for at once, as Liberty
        spells it: L, H, N (no change), T (toggle), X.
    """
    state:        str
    inverse:      str
    control:      str
    data:         str
    clear:        str = ""
    preset:       str = ""
    both_state:   str = ""
    both_inverse: str = ""


@dataclass(frozen=True)
class StateTable:
    """States by table: each row has the inputs' levels, the states' before, and the states' after.

    Levels as Liberty spells them: L, H, - (any), N (no change), X.
    """
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    rows:   tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a library.

    Attributes
    ----------
    area : um2; 0 where the file has none, as Liberty has it.
    leakage_nw : nW, mean of the states; None where the file has none.
    pins : by name; supply pins are not among them.
    clock_gate : Liberty's name for its kind of clock gate, "" where it is none.
    dont_use : whether synthesis is told to leave it alone.
    is_macro : whether it is a memory.
    """
    name:       str
    area:       float
    leakage_nw: float | None
    pins:       dict[str, Pin]
    flipflops:  tuple[Register, ...] = ()
    latches:    tuple[Register, ...] = ()
    statetable: StateTable | None = None
    clock_gate: str = ""
    dont_use:   bool = False
    is_macro:   bool = False

    @property
    def outputs(self) -> dict[str, Pin]:
        """Pins that the cell drives."""
        return {name: pin for name, pin in self.pins.items() if pin.direction in ("output", "inout")}

    @property
    def is_sequential(self) -> bool:
        """Whether the cell keeps a state."""
        return bool(self.flipflops or self.latches or self.statetable)


@dataclass(frozen=True)
class Units:
    """What one unit of the file is.

    Attributes
    ----------
    energy_fj : of internal power: volt times volt times capacitance.
    """
    time_ns:        float = 1.0
    capacitance_ff: float = 1000.0
    leakage_nw:     float = 1.0
    voltage_v:      float = 1.0

    @property
    def energy_fj(self) -> float:
        return self.voltage_v**2*self.capacitance_ff


@dataclass(frozen=True)
class Library:
    """A Liberty file.

    Attributes
    ----------
    voltage, temperature : of its corner, volt and degrees; None where the file has none.
    """
    name:        str
    cells:       dict[str, Cell]
    voltage:     float | None
    temperature: float | None
    units:       Units = field(default_factory=Units)

# Reading -------------------------------------------------------------------------------------------

def read_liberty(path: Path) -> Library:
    """Cells of a file, plain or gzip.

    Raises
    ------
    QCLIFError : it cannot be read, or is no Liberty; the line is named.
    """
    return library_of(parse_liberty(path, TABLES))


def library_of(group: Group) -> Library:
    """The library that the outermost group of a file describes."""
    reader = _Reader(group)
    cells  = {cell.args[0]: reader.cell(cell) for cell in group.of("cell") if cell.args}
    return Library(group.args[0] if group.args else "", cells, reader.corner("voltage"), reader.corner("temperature"),
        reader.units)


class _Reader:
    """Values of a file, in our units."""
    def __init__(self, library: Group):
        self.library = library
        self.units   = self._units()
        self.types   = {group.args[0]: (int(group.number("bit_from")), int(group.number("bit_to")))
            for group in library.of("type") if group.args and {"bit_from", "bit_to"} <= group.simple.keys()}

    def corner(self, name: str) -> float | None:
        """Of the default operating conditions, else the nominal value."""
        chosen = self.library.simple.get("default_operating_conditions")
        for group in self.library.of("operating_conditions"):
            if chosen in group.args and name in group.simple:
                return group.number(name)
        return self.library.number(f"nom_{name}")

    def _units(self) -> Units:
        capacitance = self.library.complex.get("capacitive_load_unit", ("1", "pf"))
        simple      = self.library.simple
        return Units(
            time_ns        = self._unit(simple.get("time_unit", "1ns"), "s")*1e9,
            capacitance_ff = self._unit("".join(capacitance), "f")*1e15,
            leakage_nw     = self._unit(simple.get("leakage_power_unit", "1nW"), "w")*1e9,
            voltage_v      = self._unit(simple.get("voltage_unit", "1V"), "v"))

    def _unit(self, text: str, unit: str) -> float:
        match = re.fullmatch(rf"([\d.]+)\s*([munpf]?){unit}", text.strip().lower())
        if match is None:
            raise self.library.error(f"unit {text!r} is not known")
        return float(match[1])*PREFIXES[match[2]]

    def cell(self, group: Group) -> Cell:
        table = next(group.of("statetable"), None)
        pins  = [self._pin(inner, name) for kind in ("pin", "bus", "bundle") for inner in group.of(kind)
            for name in inner.args]
        return Cell(
            name       = group.args[0],
            area       = group.number("area", 0.0),
            leakage_nw = self._leakage(group),
            pins       = {pin.name: pin for pin in pins},
            flipflops  = tuple(_register(each, "clocked_on", "next_state") for each in group.of("ff")),
            latches    = tuple(_register(each, "enable", "data_in") for each in group.of("latch")),
            statetable = None if table is None else self._table(table),
            clock_gate = group.simple.get("clock_gating_integrated_cell", ""),
            dont_use   = group.simple.get("dont_use") == "true",
            is_macro   = any(group.of("memory")))

    def _leakage(self, group: Group) -> float | None:
        states = [value for each in group.of("leakage_power") if (value := each.number("value")) is not None]
        mean   = group.number("cell_leakage_power", sum(states)/len(states) if states else
            self.library.number("default_cell_leakage_power"))
        return None if mean is None else mean*self.units.leakage_nw

    def _pin(self, group: Group, name: str) -> Pin:
        bits  = self.types.get(group.simple.get("bus_type", ""))
        roles = [role for role in ("clock", "enable", "test", "out")
            if group.simple.get(f"clock_gate_{role}_pin") == "true"]
        return Pin(
            name               = name,
            direction          = group.simple.get("direction", ""),
            capacitance_ff     = self._capacitance(group, "capacitance"),
            function           = group.simple.get("function") or group.simple.get("state_function", ""),
            three_state        = group.simple.get("three_state", ""),
            clock              = group.simple.get("clock") == "true",
            bits               = bits,
            gate               = roles[0] if roles else "",
            max_capacitance_ff = self._capacitance(group, "max_capacitance"))

    def _capacitance(self, group: Group, name: str) -> float | None:
        value = group.number(name)
        return None if value is None else value*self.units.capacitance_ff

    def _table(self, group: Group) -> StateTable:
        inputs, states = (tuple(text.split()) for text in group.args[:2])
        rows = tuple(tuple(tuple(part.split()) for part in row.split(":"))
            for row in group.simple.get("table", "").split(",") if row.strip())
        if not rows or any(tuple(map(len, row)) != (len(inputs), len(states), len(states)) for row in rows):
            raise group.error(f"the statetable does not fit its {len(inputs)} inputs and {len(states)} states")
        return StateTable(inputs, states, rows)


def _register(group: Group, *expressions: str) -> Register:
    """State of a flip-flop or a latch, whose control and data have these names."""
    names = (*expressions, "clear", "preset", "clear_preset_var1", "clear_preset_var2")
    return Register(*(*group.args, "", "")[:2], *(group.simple.get(name, "") for name in names))
