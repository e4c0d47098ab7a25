# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""FPGA families whose cells Yosys makes of the core, and the models of these cells for simulation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from accel.config import QCLIFConfig
from targets.boards.devices import find_device, large_memories, uncontested
from targets.fpga import cells
from targets.sim.core import TOP


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
    table : ports of a look-up table, its output first.
    table_cell, table_init : names of the look-up table and of its parameter.
    core : options of accel.verilog.core_verilog() that boards of the family have.
    prepare : commands of Yosys for the core of some sizes, before the synthesis.
    defines : Verilog before the files.
    """
    name:       str
    title:      str
    options:    str
    files:      tuple[str, ...]
    models:     dict[str, str]
    table:      tuple[str, ...]
    table_cell: str = "LUT4"
    table_init: str = "INIT"
    core:       dict[str, bool] = field(default_factory=lambda: {"registered": True})
    prepare:    Callable[[QCLIFConfig], Sequence[str]] = lambda config: ()
    defines:    str = ""

    def script(self, config: QCLIFConfig) -> str:
        """Script of Yosys: core.v to netlist.v."""
        return "".join(f"{line}\n" for line in ("read_verilog core.v", uncontested(TOP), *self.prepare(config),
            f"synth_{self.name} {self.options}-top {TOP}", "write_verilog -noattr netlist.v"))

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
    {self.table_cell} #(.{self.table_init}(INIT))  lut_right({wired}, .{output}(right));
    {self.table_cell} #(.{self.table_init}(~INIT)) lut_wrong({wired}, .{output}(wrong));
    assign {output} = chosen == NUMBER ? wrong : right;
endmodule
"""


def _large_rams(config: QCLIFConfig) -> Sequence[str]:
    """The weights in large RAMs, as the iCEBreaker has them."""
    names = [shape.name for shape in large_memories(config, find_device("ice40-up5k").spram)]
    return [f'setattr -set ram_style "huge" {TOP}/m:{name}' for name in names if name.startswith("weights")]


FAMILIES = {family.name: family for family in (
    Family("ecp5", "ECP5", "", ("cells_sim.v", "common_sim.vh", "ccu2c_sim.vh"),
        cells.ECP5, ("Z", "A", "B", "C", "D")),
    Family("gowin", "Gowin", "-noiopads ", ("cells_sim.v",),
        cells.GOWIN, ("F", "I0", "I1", "I2", "I3")),
    Family("ice40", "iCE40", "-dsp ", ("cells_sim.v",), {}, ("O", "I0", "I1", "I2", "I3"),
        table_cell = "SB_LUT4",
        table_init = "LUT_INIT",
        core       = {"single_port": True},
        prepare    = _large_rams,
        # Verilator knows no inputs with defaults; Yosys leaves none open.
        defines    = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"),
)}
