# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs that run a design, RTL or netlist, under Verilator, by one harness for both: they have the same ports.

Cells are simulated as Liberty describes them, without delays and unknowns. A clock that passes a gate or a buffer
arrives at the same instant as the clock itself, before any flip-flop has changed. Registers and memories of a netlist
that have no reset start with random values, others for each seed: what the netlist computes must not depend on them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from accel.errors import QCLIFError
from host.common.folders import build_root
from targets.liberty.expression import parse_expression
from targets.liberty.library import Cell, Library, Register, StateTable
from targets.netlist import steps
from targets.netlist.netlist import Netlist
from targets.netlist.steps import Steps
from targets.tools.builds import digest, made_once
from targets.tools.process import version_of
from targets.tools.verilator import PROGRAM, verilate

SUPPORT = Path(__file__).with_name("support.cpp")

# Bits of a vector depend on each other in a carry chain. Taken as one variable they are a loop, which Verilator 5.006
# does not always settle; taken apart they are none.
_VECTOR = re.compile(r"^(\s*wire\s*\[[^\]]*\]\s*(?:\\\S+|\w+))\s*;", re.MULTILINE)

# Name that Verilator gives to the netlist's class; the harness's class is derived from it.
CLASS = "Vqclif_netlist"

# What models of cells do by design, as Verilator calls it.
PRAGMAS = "".join(f"/* verilator lint_off {name} */\n" for name in ("LATCH", "UNUSEDSIGNAL", "DECLFILENAME"))

_LEVELS = {"L": "1'b0", "H": "1'b1"}

# What drives a design: steps.cpp with these of its ports, or a file in C++, with what it is compiled with.
Harness = Steps | Path | tuple[Path, ...]


def build_design(harness: Harness, top: str, files: Sequence[Path], options: Sequence[str] = (),
        texts: Mapping[str, str] = {}) -> Path:
    """Program that drives a design, cached by content.

    Parameters
    ----------
    top : name of the design's top module.
    files : its Verilog, models of macros and cells among it.
    options : further ones for Verilator.
    texts : further files, by name.

    Raises
    ------
    QCLIFError : Verilator is missing or fails, or the program cannot be written.
    """
    if isinstance(harness, Steps):
        files, texts = [*files, steps.HARNESS], {**texts, "ports.h": harness.header(top)}
    else:
        files = [*files, *([harness] if isinstance(harness, Path) else harness)]
    # Not inlined, the code of a module that is instantiated often is compiled once.
    # A combinational loop may settle at wrong values: it is an error.
    options = ["-fno-inline", "-Wno-fatal", "-Werror-UNOPTFLAT", "--top-module", top, *options]
    key     = digest("\n".join([version_of("verilator", "--version"), *options, *texts, *texts.values(),
        *(path.read_text() for path in files)]))

    def make(work: Path) -> None:
        for name, text in texts.items():
            (work/name).write_text(text)
        verilate(work, top, [*(work/name for name in texts), *files], options)

    return made_once(build_root()/"asic"/"programs"/key, make)/PROGRAM


def build_netlist(harness: Harness, netlist: Netlist, library: Library, memories: Mapping[str, str],
        edits: Mapping[tuple[int, int], str], models: str = "") -> Path:
    """Program that runs a netlist by its harness, cached by content.

    Parameters
    ----------
    library : its cells, of any corner.
    memories : Verilog of its memories, by their names; those that it has not are left out.
    edits : of the netlist's text, as targets.netlist.toggles.probes() gives them.
    models : further modules in Verilog.

    Raises
    ------
    QCLIFError : a cell that is not known or not simulated, or Verilator is missing or fails.
    """
    cells = netlist.cells()
    inputs = [port for port, (direction, _) in netlist.modules[netlist.top].ports.items() if direction == "input"]
    return build_gates(harness, netlist.top, inputs, {
        "netlist.sv": apart(netlist.edited(edits)),
        "cells.sv":   cell_models_verilog(library, cells - memories.keys()) + models,
        "macros.sv":  "".join(memories[name] for name in sorted(cells & memories.keys())),
    })


def apart(netlist: str) -> str:
    """The text of a netlist, for build_gates(), with each bit of its vectors a variable of its own."""
    return _VECTOR.sub(r"\1 /* verilator split_var */;", netlist)


def build_gates(harness: Harness, top: str, inputs: Sequence[str], files: Mapping[str, str]) -> Path:
    """Program that runs Verilog without delays, cached by content; what has no reset starts with random values.

    Parameters
    ----------
    top : module that it drives.
    inputs : ports of it.
    files : texts by the names of files, *.sv; netlists are to be taken apart().

    Raises
    ------
    QCLIFError : the files cannot be written, or Verilator is missing or fails.
    """
    # With const-bit-op-tree, Verilator 5.006 takes some trees of bits for others, so that netlists of full adders and
    # NORs gave wrong sums.
    return build_design(harness, top, [SUPPORT], [
        "--prefix", CLASS, "-finline", "-fno-const-bit-op-tree", "--x-initial", "unique", "--x-assign",
        "unique", "-Wno-lint", "-Wno-style"],
        {**files, f"V{top}.h": _header(top, inputs)})


def _header(top: str, inputs: Sequence[str]) -> str:
    """Class of the harness's name whose inputs start at 0, as Verilator leaves them without random values."""
    name  = f"V{top}"
    clear = " ".join(f"memset(&{port}, 0, sizeof {port});" for port in inputs)
    return f'#include <cstring>\n#include "{CLASS}.h"\nstruct {name} : {CLASS} {{\n    {name}() {{ {clear} }}\n}};\n'

# Cells ---------------------------------------------------------------------------------------------

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
