#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""How Yosys makes cells of a design: scripts that end in a netlist as JSON, for small or for fast logic."""

from dataclasses import dataclass
from pathlib import Path

from targets.tools.eda import Tool

# Cells that the flow scripts do not use on this library: they are hard to route.
DONT_USE = ("AOI211_X1", "OAI211_X1", "TAPCELL_X1", "FILLCELL_X1")

# What drives inputs and what outputs drive (fF), as in the flow scripts.
DRIVER, LOAD_FF = "BUF_X1", 3.898

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
    parameter _TECHMAP_CONSTVAL_A_ = {WIDTH{1'bx}};
    parameter _TECHMAP_CONSTVAL_B_ = {WIDTH{1'bx}};
    parameter _TECHMAP_CONSTVAL_C_ = {WIDTH{1'bx}};
    genvar n;
    generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
        if (_TECHMAP_CONSTVAL_A_[n] === 1'b0)
            HA_X1 half (.A(B[n]), .B(C[n]), .CO(X[n]), .S(Y[n]));
        else if (_TECHMAP_CONSTVAL_B_[n] === 1'b0)
            HA_X1 half (.A(A[n]), .B(C[n]), .CO(X[n]), .S(Y[n]));
        else if (_TECHMAP_CONSTVAL_C_[n] === 1'b0)
            HA_X1 half (.A(A[n]), .B(B[n]), .CO(X[n]), .S(Y[n]));
        else
            FA_X1 full (.A(A[n]), .B(B[n]), .CI(C[n]), .CO(X[n]), .S(Y[n]));
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


@dataclass(frozen=True)
class Inputs:
    """What a script reads and writes.

    Attributes
    ----------
    keep : modules that stay modules of their own; all others dissolve in those above.
    liberty : all cells. `usable` : those that logic may be made of.
    macros : Liberty of the macros.
    constraints : file of constraints() for abc.
    ripple, adders : files of RIPPLE and ADDERS.
    """
    top:         str
    sources:     tuple[Path, ...]
    keep:        tuple[str, ...]
    liberty:     Path
    usable:      Path
    macros:      tuple[Path, ...]
    constraints: Path
    ripple:      Path
    adders:      Path
    netlist:     Path
    period_ns:   float


def constraints() -> str:
    """For abc: around the logic of a module."""
    return f"set_driving_cell {DRIVER}\nset_load {LOAD_FF}\n"


def script(tool: Tool, recipe: Recipe, inputs: Inputs) -> str:
    """Yosys' script of a recipe."""
    def name(path: Path) -> str:
        return f'"{tool.path(path)}"'

    abc         = recipe.abc.replace(" ", ",")
    picoseconds = recipe.target*inputs.period_ns*1000
    return "\n".join([
        *[f"read_liberty -lib -ignore_miss_func {name(path)}" for path in (inputs.liberty, *inputs.macros)],
        *[f"read_verilog {name(path)}" for path in inputs.sources],
        f"hierarchy -check -top {inputs.top}",
        *[f"setattr -mod -set keep_hierarchy 1 {module}" for module in inputs.keep],
        # Registers keep their names: before anything else, aliases go, of which later passes may take any.
        "proc",
        "flatten",
        "opt_clean -purge",
        # Coarse cells, as Yosys' own script has them.
        f"synth -flatten -run coarse:fine -top {inputs.top}",
        "opt -fast -full",
        "memory_map",
        "opt -undriven -fine",
        f"techmap -map +/techmap.v {f'-map {name(inputs.ripple)}' if recipe.ripple else ''}",
        "opt -fast",
        *(["extract_fa -fa", f"techmap -map {name(inputs.adders)}", "techmap", "opt -fast"] if recipe.adders else ()),
        # After the adders, which is a little smaller.
        *_clock_gates(tool, inputs),
        # A flip-flop is named after the register that it drives.
        "opt_clean -purge",
        "rename -wire -suffix _reg t:$_DFF*",
        f"dfflibmap -liberty {name(inputs.liberty)}",
        "opt_clean -purge",
        "setundef -zero",
        f"abc -liberty {name(inputs.usable)} -constr {name(inputs.constraints)} -D {picoseconds:.0f} -script +{abc}",
        "opt_clean -purge",
        "hilomap -singleton -hicell LOGIC1_X1 Z -locell LOGIC0_X1 Z",
        f"insbuf -buf {DRIVER} A Z",
        "opt_clean -purge",
        "check -mapped -assert",
        f"write_json {name(inputs.netlist)}",
        "",
    ])


def _clock_gates(tool: Tool, inputs: Inputs) -> list[str]:
    """Clock gates for registers with an enable.

    A reset goes before an enable in the sources, so that the clock must run for it, too: the first step makes it
    part of the enable, the second one part of the data.
    """
    if tool.number < CLOCKGATE_VERSION:
        return []
    plain = "-cell $_DFFE_PP_ 01 -cell $_DFF_P_ 01"
    return [
        f"dfflegalize -cell $_SDFFCE_PP?P_ 01 -cell $_SDFF_PP?_ 01 {plain}",
        f"dfflegalize {plain}",
        "opt -fast -nodffe -nosdff",
        f"clockgate -liberty \"{tool.path(inputs.liberty)}\" -dont_use CLKGATETST* -min_net_size {CLOCKGATE_BITS}",
    ]

