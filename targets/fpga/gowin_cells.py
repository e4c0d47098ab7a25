# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Models for simulation of the Gowin cells that Yosys only knows as black boxes: block RAM and multiplier.

As with those of targets.fpga.ecp5_cells, they have the modes that Yosys's mapping of the core uses, and stop at others.
"""

from targets.fpga.block_ram import ports_verilog


def _block_ram_verilog(name: str, byte: int, one_way: bool) -> str:
    """A block RAM of bytes of eight or nine bits: with a port that writes and one that reads, or with two that do
    both."""
    wide = 4*byte if one_way else 2*byte
    if one_way:
        ports = f"input [{wide - 1}:0] DI, output [{wide - 1}:0] DO, input OCE"
        pins  = f"""
    wire WREA = 1, WREB = 0, OCEA = 1, OCEB = OCE;
    wire [{wide - 1}:0] DIA = DI, DIB = 0;
    wire [{wide - 1}:0] DOA, DOB;
    parameter READ_MODE = 0;
    localparam READ_MODE0 = 0, READ_MODE1 = READ_MODE, WRITE_MODE0 = 0, WRITE_MODE1 = 0;
    assign DO = DOB;"""
    else:
        ports = (f"input [{wide - 1}:0] DIA, DIB, output [{wide - 1}:0] DOA, DOB,\n"
            "    input WREA, WREB, OCEA, OCEB")
        pins  = "\n    parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0;"
    return f"""
module {name}(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB,
    input [13:0] ADA, ADB,
    input [2:0] BLKSELA, BLKSELB,
    {ports}
);{pins}
    parameter BIT_WIDTH_0 = {wide}, BIT_WIDTH_1 = {wide}, BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC";

    wire write_a = CEA && WREA && BLKSELA == BLK_SEL_0, write_b = CEB && WREB && BLKSELB == BLK_SEL_1;
    wire [13:0] address_a = ADA, address_b = ADB;
    wire [{4*byte - 1}:0] data_a = DIA, data_b = DIB;
    wire reset_a = RESETA, reset_b = RESETB;
    localparam WIDTH_A = BIT_WIDTH_0, WIDTH_B = BIT_WIDTH_1, MODE_A = WRITE_MODE0, MODE_B = WRITE_MODE1;
{ports_verilog(byte, " = 0")}
    assign DOA = out_a[{wide - 1}:0];
    assign DOB = out_b[{wide - 1}:0];

    always @(posedge CLKB) if (RESETA || RESETB || write_a && write_b)
        $stop;

    initial if (READ_MODE0 != 0 || READ_MODE1 != 0)
        $stop;
endmodule
"""


def block_rams() -> dict[str, str]:
    """Models of SDPB, SDPX9B, DPB and DPX9B by name."""
    return {name: _block_ram_verilog(name, byte, one_way) for name, byte, one_way in
        (("SDPB", 8, True), ("SDPX9B", 9, True), ("DPB", 8, False), ("DPX9B", 9, False))}


def multipliers() -> dict[str, str]:
    """Models of MULT9X9 and MULT18X18 by name."""
    return {f"MULT{bits}X{bits}": _multiplier_verilog(bits) for bits in (9, 18)}


def _multiplier_verilog(bits: int) -> str:
    """A multiplier without its registers."""
    return f"""
module MULT{bits}X{bits}(
    input [{bits - 1}:0] A, B, SIA, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [{2*bits - 1}:0] DOUT,
    output [{bits - 1}:0] SOA, SOB
);
    parameter AREG = 0, BREG = 0, OUT_REG = 0, PIPE_REG = 0, ASIGN_REG = 0, BSIGN_REG = 0, SOA_REG = 0;
    parameter MULT_RESET_MODE = "SYNC";

    wire signed [{bits}:0] a = {{ASIGN && A[{bits - 1}], A}};
    wire signed [{bits}:0] b = {{BSIGN && B[{bits - 1}], B}};
    wire signed [{2*bits + 1}:0] product = a*b;
    assign DOUT = product[{2*bits - 1}:0];
    assign SOA  = 0;
    assign SOB  = 0;

    initial if (AREG || BREG || OUT_REG || PIPE_REG || ASIGN_REG || BSIGN_REG || SOA_REG)
        $stop;
    always @*
        if (ASEL || BSEL)
            $stop;
endmodule
"""
