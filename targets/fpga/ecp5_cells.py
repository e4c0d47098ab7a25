# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Models for simulation of the ECP5 cells that Yosys only knows as black boxes: block RAM and multiplier.

They have the modes that Yosys's mapping of the core uses, and stop at others, so that nothing is simulated that the
chip would do otherwise.
"""

from targets.fpga.block_ram import ports_verilog


def _pins(direction: str, name: str, count: int) -> str:
    return f"{direction} " + ", ".join(f"{name}{n}" for n in reversed(range(count)))


def _bus(name: str, count: int) -> str:
    return "{" + ", ".join(f"{name}{n}" for n in reversed(range(count))) + "}"


def block_ram_verilog() -> str:
    """Module DP16KD: two ports of 1 to 18 bits, or one that writes and one that reads 36. One of them writes at a
    time."""
    ports = ",\n    ".join([
        *(_pins("input", f"{bus}{port}", count) for port in "AB" for bus, count in (("DI", 18), ("AD", 14), ("CS", 3))),
        *(_pins("output", f"DO{port}", 18) for port in "AB"),
        *(f"input CLK{port}, CE{port}, OCE{port}, WE{port}, RST{port}" for port in "AB"),
    ])
    return f"""
module DP16KD(
    {ports}
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter GSR = "ENABLED";

    wire [13:0] address_a = {_bus("ADA", 14)}, address_b = {_bus("ADB", 14)};
    wire [17:0] in_a = {_bus("DIA", 18)}, in_b = {_bus("DIB", 18)};
    wire write_a = CEA && WEA && {_bus("CSA", 3)} == 0, write_b = CEB && WEB && {_bus("CSB", 3)} == 0;

    // A port of 36 bits takes the data pins of both.
    wire [35:0] data_a = DATA_WIDTH_A == 36 ? {{in_b, in_a}} : {{18'd0, in_a}};
    wire [35:0] data_b = {{18'd0, in_b}};
    wire reset_a = RSTA, reset_b = RSTB;
    localparam WIDTH_A = DATA_WIDTH_A, WIDTH_B = DATA_WIDTH_B;
    localparam MODE_A = WRITEMODE_A == "READBEFOREWRITE" ? 2 : 0, MODE_B = WRITEMODE_B == "READBEFOREWRITE" ? 2 : 0;
{ports_verilog(9)}
    assign {_bus("DOA", 18)} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {_bus("DOB", 18)} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];

    always @(posedge CLKB) if (RSTA || RSTB ? RESETMODE != "SYNC" : write_a && write_b)
        $stop;

    initial if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
            || WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH" || CLKAMUX != "CLKA"
            || CLKBMUX != "CLKB" || DATA_WIDTH_B == 36 && DATA_WIDTH_A != 36)
        $stop;
endmodule
"""


def multiplier_verilog() -> str:
    """Module MULT18X18D without its registers."""
    ports = ",\n    ".join([*(_pins("input", name, 18) for name in "ABC"), _pins("output", "P", 36),
        "input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB"])
    return f"""
module MULT18X18D(
    {ports}
);
    wire signed [18:0] a = {{SIGNEDA && A17, {_bus("A", 18)}}};
    wire signed [18:0] b = {{SIGNEDB && B17, {_bus("B", 18)}}};
    wire signed [37:0] product = a*b;
    assign {_bus("P", 36)} = product[35:0];
endmodule
"""
