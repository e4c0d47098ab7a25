# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How Yosys makes cells of a design: scripts that end in a netlist as JSON, for small or for fast logic."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from targets.asic.design import AsicConfig, Rtl
from targets.asic.platform.cells import adder, buffer_pins
from targets.asic.platform.pdk import Pdk
from targets.liberty.library import Cell
from targets.tools.builds import write_text
from targets.tools.eda import Tool

# Yosys that has `clockgate`, and flip-flops that are worth a gate of their own (fewer are smaller with multiplexers).
CLOCKGATE_VERSION, CLOCKGATE_BITS = (0, 50), 4

# Ripple carry instead of Yosys' parallel prefix. Of templates for a cell, the first by name that fits is taken.
RIPPLE = """\
(* techmap_celltype = "$lcu" *)
module _00_ripple (P, G, CI, CO);
    parameter WIDTH = 2;
    (* force_downto *) input  [WIDTH-1:0] P, G;
    input  CI;
    (* force_downto *) output [WIDTH-1:0] CO;
    wire   [WIDTH:0] carry = {CO, CI};
    assign CO = G | (P & carry[WIDTH-1:0]);
endmodule
"""

# The library's adders, which abc does not find by itself. A constant input makes a half adder.
ADDERS = """\
(* techmap_celltype = "$fa" *)
module _00_adder (A, B, C, X, Y);
    parameter WIDTH = 1;
    input  [WIDTH-1:0] A, B, C;
    output [WIDTH-1:0] X, Y;
    parameter _TECHMAP_CONSTVAL_A_ = {{WIDTH{{1'bx}}}};
    parameter _TECHMAP_CONSTVAL_B_ = {{WIDTH{{1'bx}}}};
    parameter _TECHMAP_CONSTVAL_C_ = {{WIDTH{{1'bx}}}};
    genvar n;
    generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
        if (_TECHMAP_CONSTVAL_A_[n] === 1'b0)
            {b_and_c}
        else if (_TECHMAP_CONSTVAL_B_[n] === 1'b0)
            {a_and_c}
        else if (_TECHMAP_CONSTVAL_C_[n] === 1'b0)
            {a_and_b}
        else
            {all_three}
    end endgenerate
endmodule
"""


@dataclass(frozen=True)
class Recipe:
    """A way of mapping.

    Attributes
    ----------
    what : it in words.
    ripple : carries ripple; else they run through a parallel prefix tree.
    adders : the library's full adders are used.
    abc : commands of abc, {D} is the option with its target of delay.
    target : that delay as a part of the period. abc stops where it believes to be there, and it knows neither the
        registers' delays, nor what is left to inputs and outputs, nor what is behind a module's ports.
    """
    name:   str
    what:   str
    ripple: bool
    adders: bool
    abc:    str
    target: float = 0.6


# Structure for the mapper to choose from, and strengths for the clock.
CLEAN = "strash; ifraig; scorr; dc2; dc2; strash; dch -f"
SIZE  = "buffer -c; topo; upsize {D}; dnsize {D}"

# From the smallest to the fastest: the first that meets the clock is taken.
RECIPES = (
    Recipe("small",   "ripple carry, the library's adders, least area", True,  True,  f"{CLEAN}; amap"),
    Recipe("gates",   "ripple carry in gates, least area",              True,  False, f"{CLEAN}; amap"),
    Recipe("prefix",  "prefix adders, least area",                      False, True,  f"{CLEAN}; amap"),
    Recipe("fast",    "prefix adders in gates, less delay",             False, False,
        f"{CLEAN}; &get -n; &nf {{D}}; &put; {SIZE}"),
    Recipe("fastest", "prefix adders in gates, least delay",            False, False,
        f"{CLEAN}; map {{D}}; {SIZE}", target=0.4),
)


# Files ----------------------------------------------------------------------------------------------

# What logic may be made of; constraints around the logic of a module, for abc; modules that are put in the place of
# carries and of adders.
USABLE, CONSTRAINTS, RIPPLES, ADDER_MAP = "usable.lib", "logic.constr", "ripple.v", "adders.v"


def recipes(pdk: Pdk) -> list[Recipe]:
    """RECIPES, without those that use adders where the library has none."""
    return [recipe for recipe in RECIPES if not recipe.adders or adders_verilog(pdk)]


def write_files(config: AsicConfig, pdk: Pdk, folder: Path) -> None:
    """Write what scripts read beside the design and the library."""
    corner = pdk.corner(config.corner)
    for name, text in {
        USABLE:      without_cells(corner.liberty.read_text(), corner.library.cells.keys() - pdk.usable.keys()),
        CONSTRAINTS: f"set_driving_cell {pdk.driver}\nset_load {pdk.load_ff}\n",
        RIPPLES:     RIPPLE,
        ADDER_MAP:   adders_verilog(pdk),
    }.items():
        write_text(folder/name, text)


def adders_verilog(pdk: Pdk) -> str:
    """Verilog of $fa by the library's full and half adders; "" where it has not both."""
    def instance(inputs: str) -> str:
        cell, carry, total = found[len(inputs)]
        names = [pin.name for pin in cell.pins.values() if pin.direction == "input"]
        pins  = dict(zip((*names, carry, total), (*inputs, "X", "Y"), strict=True))
        return f"{cell.name} add ({', '.join(f'.{pin}({net}[n])' for pin, net in pins.items())});"

    found = {inputs: adder(pdk.usable.values(), inputs) for inputs in (2, 3)}
    return "" if None in found.values() else ADDERS.format(b_and_c=instance("BC"), a_and_c=instance("AC"),
        a_and_b=instance("AB"), all_three=instance("ABC"))


def without_cells(liberty: str, names: Collection[str]) -> str:
    """Text of a Liberty without some of its cells: Yosys 0.23 cannot be told which ones to leave alone."""
    for match in reversed(list(re.finditer(r"^\s*cell\s*\(\s*\"?(\w+)\"?\s*\)\s*\{", liberty, re.MULTILINE))):
        if match[1] in names:
            depth = 1
            for brace in re.compile(r"[{}]").finditer(liberty, match.end()):
                depth += 1 if brace[0] == "{" else -1
                if depth == 0:
                    liberty = liberty[:match.start()] + liberty[brace.end():]
                    break
    return liberty

# Script ---------------------------------------------------------------------------------------------

def script(tool: Tool, recipe: Recipe, config: AsicConfig, rtl: Rtl, pdk: Pdk, folder: Path) -> str:
    """Yosys' script of a recipe.

    Parameters
    ----------
    rtl : its `modules` stay modules of their own; all others dissolve in those above.
    folder : where the files of write_files() are, and where the netlist goes, {recipe.name}.json.
    """
    def name(path: Path) -> str:
        return f'"{tool.path(path)}"'

    def file(text: str) -> str:
        return name(folder/text)

    def tie(level: str) -> str:
        return pdk.variable(f"TIE{level}_CELL_AND_PORT")

    liberty     = name(pdk.corner(config.corner).liberty)
    buffer      = pdk.buffers[0]
    abc         = recipe.abc.replace(" ", ",")
    picoseconds = recipe.target*config.period_ns*1000
    return "\n".join([
        *[f"read_liberty -lib -ignore_miss_func {path}" for path in (liberty, *(name(pdk.macros[macro].liberty)
            for macro in rtl.macros))],
        *[f"read_verilog {name(path)}" for path in rtl.sources],
        f"hierarchy -check -top {rtl.top}",
        *[f"setattr -mod -set keep_hierarchy 1 {module}" for module in rtl.modules if module != rtl.top],
        # Registers keep their names: before anything else, aliases go, of which later passes may take any.
        "proc",
        "flatten",
        "opt_clean -purge",
        # Coarse cells, as Yosys' own script has them.
        f"synth -flatten -run coarse:fine -top {rtl.top}",
        "opt -fast -full",
        "memory_map",
        "opt -undriven -fine",
        f"techmap -map +/techmap.v {f'-map {file(RIPPLES)}' if recipe.ripple else ''}",
        "opt -fast",
        *(["extract_fa -fa", f"techmap -map {file(ADDER_MAP)}", "techmap", "opt -fast"] if recipe.adders else ()),
        # After the adders, which is a little smaller.
        *(_clock_gates(pdk.clock_gate) if tool.number >= CLOCKGATE_VERSION else ()),
        # A flip-flop is named after the register that it drives.
        "opt_clean -purge",
        "rename -wire -suffix _reg t:$_DFF*",
        f"dfflibmap -liberty {file(USABLE)}",
        "opt_clean -purge",
        "setundef -zero",
        f"abc -liberty {file(USABLE)} -constr {file(CONSTRAINTS)} -D {picoseconds:.0f} -script +{abc}",
        "opt_clean -purge",
        f"hilomap -singleton -hicell {tie('HI')} -locell {tie('LO')}",
        f"insbuf -buf {buffer.name} {' '.join(buffer_pins(buffer))}",
        "opt_clean -purge",
        "check -mapped -assert",
        f"write_json {file(f'{recipe.name}.json')}",
        "",
    ])


def _clock_gates(gate: Cell) -> list[str]:
    """Clock gates for registers with an enable.

    A reset goes before an enable in the sources, so that the clock must run for it, too: the first step makes it
    part of the enable, the second one part of the data.
    """
    plain = "-cell $_DFFE_PP_ 01 -cell $_DFF_P_ 01"
    pins  = {pin.gate: pin.name for pin in gate.pins.values()}
    test  = f" -tie_lo {pins['test']}" if "test" in pins else ""
    return [
        f"dfflegalize -cell $_SDFFCE_PP?P_ 01 -cell $_SDFF_PP?_ 01 {plain}",
        f"dfflegalize {plain}",
        "opt -fast -nodffe -nosdff",
        f"clockgate -pos {gate.name} {pins['enable']}:{pins['clock']}:{pins['out']}{test} "
            f"-min_net_size {CLOCKGATE_BITS}",
    ]
