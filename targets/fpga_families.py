#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""FPGA families whose cells Yosys makes of the core, and the models of these cells for simulation."""

from dataclasses import dataclass

from targets import ecp5_cells, gowin_cells
from targets.core_sim import TOP


@dataclass(frozen=True)
class Family:
    """FPGAs of the same cells.

    Attributes
    ----------
    name : of Yosys's synthesis and of the folder of its models.
    title : for people.
    options : of the synthesis.
    files : with models, in that folder; not all versions have all of them.
    models : ours by name, of cells that are black boxes to Yosys.
    table : ports of a look-up table LUT4, its output first.
    """
    name:    str
    title:   str
    options: str
    files:   tuple[str, ...]
    models:  dict[str, str]
    table:   tuple[str, ...]

    @property
    def script(self) -> str:
        """Script of Yosys: core.v to netlist.v."""
        return (f"read_verilog core.v\nsynth_{self.name} {self.options}-top {TOP}\n"
            "write_verilog -noattr netlist.v\n")

    @property
    def mutant(self) -> str:
        """A look-up table whose output is the opposite while it is the chosen one."""
        output, *inputs = self.table
        wired = ", ".join(f".{name}({name})" for name in inputs)
        return f"""
module qclif_mutant(input {', '.join(inputs)}, output {output});
    parameter [15:0] INIT = 0;
    parameter NUMBER = 0;
    import "DPI-C" function int qclif_mutant();
    int chosen;
    wire right, wrong;
    initial chosen = qclif_mutant();
    LUT4 #(.INIT(INIT))  lut_right({wired}, .{output}(right));
    LUT4 #(.INIT(~INIT)) lut_wrong({wired}, .{output}(wrong));
    assign {output} = chosen == NUMBER ? wrong : right;
endmodule
"""


FAMILIES = {family.name: family for family in (
    Family("ecp5", "ECP5", "", ("cells_sim.v", "common_sim.vh", "ccu2c_sim.vh"),
        {"DP16KD": ecp5_cells.block_ram_verilog(), "MULT18X18D": ecp5_cells.multiplier_verilog()},
        ("Z", "A", "B", "C", "D")),
    Family("gowin", "Gowin", "-noiopads ", ("cells_sim.v",),
        {**gowin_cells.block_rams(), **gowin_cells.multipliers()}, ("F", "I0", "I1", "I2", "I3")),
)}
