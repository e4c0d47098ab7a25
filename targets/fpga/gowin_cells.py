#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Models for simulation of the Gowin cells that Yosys only knows as black boxes: block RAM and multiplier.

As with those of targets.fpga.ecp5_cells, they have the modes that Yosys's mapping of the core uses, and stop at others.
"""


def _block_ram_verilog(name: str, byte: int, one_way: bool) -> str:
    """A block RAM of bytes of eight or nine bits: with a port that writes and one that reads, or with two that do both.

    What one port reads while the other one writes it comes out inverted: whether a real one gives the old value, the
    new one or neither, no design may depend on it.
    """
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

    // Four bytes a word.
    reg [{4*byte - 1}:0] words [0:511];
    reg [{4*byte - 1}:0] out_a = 0, out_b = 0;

    wire write_a = CEA && WREA && BLKSELA == BLK_SEL_0, write_b = CEB && WREB && BLKSELB == BLK_SEL_1;
    assign DOA = out_a[{wide - 1}:0];
    assign DOB = out_b[{wide - 1}:0];

    // Place in a word of what a port sees.
    function [5:0] place(input [13:0] address, input integer width);
        case (width)
            {4*byte}:      place = 0;
            {2*byte}:      place = {2*byte}*address[4];
            {byte}:       place = {byte}*address[4:3];
            4:       place = {byte}*address[4:3] + 4*address[2];
            2:       place = {byte}*address[4:3] + 2*address[2:1];
            default: place = {byte}*address[4:3] + address[2:0];
        endcase
    endfunction

    // The bits of it that it writes: wide ports have enables of bytes in the place of low addresses.
    function [{4*byte - 1}:0] enabled(input [13:0] address, input integer width);
        case (width)
            {4*byte}:      enabled = {{{{{byte}{{address[3]}}}}, {{{byte}{{address[2]}}}}, {{{byte}{{address[1]}}}},
                {{{byte}{{address[0]}}}}}};
            {2*byte}:      enabled = {{{{{byte}{{address[1]}}}}, {{{byte}{{address[0]}}}}}};
            default: enabled = (1 << width) - 1;
        endcase
    endfunction

    wire [5:0] place_a = place(ADA, BIT_WIDTH_0), place_b = place(ADB, BIT_WIDTH_1);
    wire [{4*byte - 1}:0] mask_a = write_a ? enabled(ADA, BIT_WIDTH_0) << place_a : 0;
    wire [{4*byte - 1}:0] mask_b = write_b ? enabled(ADB, BIT_WIDTH_1) << place_b : 0;
    wire [{4*byte - 1}:0] data_a = DIA, data_b = DIB;
    wire [8:0] word_a = ADA[13:5], word_b = ADB[13:5];
    wire same = word_a == word_b;

    always @(posedge CLKA) begin
        if (CEA && !(write_a && WRITE_MODE0 == 0))
            out_a <= (write_a && WRITE_MODE0 == 1 ? data_a << place_a & mask_a | words[word_a] & ~mask_a
                : words[word_a] ^ (same ? mask_b : 0)) >> place_a;
        if (write_a)
            words[word_a] <= words[word_a] & ~mask_a | data_a << place_a & mask_a;
    end

    always @(posedge CLKB) begin
        if (CEB && !(write_b && WRITE_MODE1 == 0))
            out_b <= (write_b && WRITE_MODE1 == 1 ? data_b << place_b & mask_b | words[word_b] & ~mask_b
                : words[word_b] ^ (same ? mask_a : 0)) >> place_b;
        if (write_b)
            words[word_b] <= words[word_b] & ~mask_b | data_b << place_b & mask_b;
        if (RESETA || RESETB || write_a && write_b)
            $stop;
    end

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
