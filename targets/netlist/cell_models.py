# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog of a library's cells, from what Liberty says they do: for simulation without delays.

Two values, no unknowns: a flip-flop without a reset starts as the simulator likes (in Verilator, at random). A clock
that passes a gate or a buffer arrives at the same instant as the clock itself, before any flip-flop has changed.
"""

from collections.abc import Iterable

from accel.errors import QCLIFError
from targets.liberty.expression import parse_expression
from targets.liberty.library import Cell, Library, Register, StateTable

# What models do by design, as Verilator calls it.
PRAGMAS = "".join(f"/* verilator lint_off {name} */\n" for name in ("LATCH", "UNUSEDSIGNAL", "DECLFILENAME"))

_LEVELS = {"L": "1'b0", "H": "1'b1"}


def cell_models_verilog(library: Library, cells: Iterable[str]) -> str:
    """Verilog modules of cells, without delays.

    Parameters
    ----------
    cells : names; those of memories are left out, as they have models of their own.

    Raises
    ------
    QCLIFError : a cell that the library does not have, or that does what is not simulated here.
    """
    texts = []
    for name in sorted(cells):
        cell = library.cells.get(name)
        if cell is None:
            raise QCLIFError(f"the library {library.name} has no cell {name}: run the stage synth with this library")
        if not cell.is_macro:
            texts.append(_module(cell))
    return PRAGMAS + "\n".join(texts)


def _module(cell: Cell) -> str:
    ports  = [f"{pin.direction} {pin.name}" for pin in cell.pins.values() if pin.direction != "internal"]
    lines  = [f"module {cell.name} ({', '.join(ports)});"]
    for state in (*cell.flipflops, *cell.latches):
        lines += _register(cell, state)
    if cell.statetable:
        lines += _table(cell, cell.statetable)
    for pin in cell.outputs.values():
        if pin.three_state:
            raise _unsupported(cell, f"output {pin.name} has three states")
        if not pin.function:
            raise _unsupported(cell, f"output {pin.name} has no function")
        lines.append(f"    assign {pin.name} = {parse_expression(pin.function).verilog()};")
    return "\n".join([*lines, "endmodule", ""])


def _unsupported(cell: Cell, what: str) -> QCLIFError:
    return QCLIFError(f"cell {cell.name}: {what}, which is not simulated: set dont_use for it in the stage synth")


def _register(cell: Cell, register: Register) -> list[str]:
    """A flip-flop or a latch: clear and preset before its own control."""
    name, latch   = register.state, register in cell.latches
    control, data = (parse_expression(text).verilog() for text in (register.control, register.data))
    conditions    = {each: parse_expression(text).verilog()
        for each, text in (("clear", register.clear), ("preset", register.preset)) if text}
    assign        = "=" if latch else "<="
    branches      = [f"if ({name}_{each}) {name} {assign} 1'b{int(each == 'preset')};" for each in conditions]
    inverse       = f"~{name}"
    if len(conditions) == 2:
        both = (register.both_state, register.both_inverse)
        if not set(both) <= _LEVELS.keys():
            raise _unsupported(cell, f"clear and preset at once give {' and '.join(both)}")
        at_once = f"{name}_clear & {name}_preset"
        branches.insert(0, f"if ({at_once}) {name} {assign} {_LEVELS[both[0]]};")
        inverse = f"{at_once} ? {_LEVELS[both[1]]} : {inverse}"
    branches.append(f"{f'if ({control}) ' if latch else ''}{name} {assign} {data};")
    wires = conditions if latch else conditions | {"clock": control}
    edges = "*" if latch else " or ".join(f"posedge {name}_{each}" for each in wires)
    return [f"    reg  {name};",
        *(f"    wire {name}_{each} = {value};" for each, value in wires.items()),
        *([f"    wire {register.inverse} = {inverse};"] if register.inverse else []),
        f"    always @({edges})", "        " + "\n        else ".join(branches)]


def _table(cell: Cell, table: StateTable) -> list[str]:
    """A table of levels: a latch; rows that name no level leave the states alone."""
    branches = []
    for inputs, _, after in table.rows:
        if not {*inputs, *after} <= {"L", "H", "-", "N"}:
            raise _unsupported(cell, "its states depend on edges or on what they were")
        terms = [f"{name} == {_LEVELS[level]}" for name, level in zip(table.inputs, inputs, strict=True)
            if level != "-"]
        sets  = [f"{name} = {_LEVELS[level]};" for name, level in zip(table.states, after, strict=True)
            if level in _LEVELS]
        branches.append(f"if ({' && '.join(terms) or 1}) begin {' '.join(sets)} end")
    return [*(f"    reg  {name};" for name in table.states), "    always @(*)",
        "        " + "\n        else ".join(branches)]
