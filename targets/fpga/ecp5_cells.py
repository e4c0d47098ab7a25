#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Models for simulation of the ECP5 cells that Yosys only knows as black boxes: block RAM and multiplier.

They have the modes that Yosys's mapping of the core uses, and stop at others, so that nothing is simulated that the
chip would do otherwise.
"""

def _pins(direction: str, name: str, count: int) -> str:
    return f"{direction} " + ", ".join(f"{name}{n}" for n in reversed(range(count)))


def _bus(name: str, count: int) -> str:
    return "{" + ", ".join(f"{name}{n}" for n in reversed(range(count))) + "}"


def block_ram_verilog() -> str:
    """Module DP16KD: two ports of 1 to 18 bits, or one that writes and one that reads 36. One of them writes at a time.

    What one port reads while the other one writes it comes out inverted: whether a real one gives the old value, the
    new one or neither, no design may depend on it. Contents are at first what the simulator starts registers with.
    """
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

    // Four bytes of nine bits each; ports below nine bits do not see the ninth.
    reg [35:0] words [0:511];
    reg [35:0] out_a, out_b;

    wire [13:0] address_a = {_bus("ADA", 14)}, address_b = {_bus("ADB", 14)};
    wire [17:0] in_a = {_bus("DIA", 18)}, in_b = {_bus("DIB", 18)};
    wire write_a = CEA && WEA && {_bus("CSA", 3)} == 0, write_b = CEB && WEB && {_bus("CSB", 3)} == 0;

    // A port of 36 bits takes the data pins of both.
    wire [35:0] data_a = DATA_WIDTH_A == 36 ? {{in_b, in_a}} : {{18'd0, in_a}};
    wire [35:0] data_b = {{18'd0, in_b}};
    assign {_bus("DOA", 18)} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {_bus("DOB", 18)} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];

    // Place in a word of what a port sees.
    function [5:0] place(input [13:0] address, input integer width);
        case (width)
            36:      place = 0;
            18:      place = 18*address[4];
            9:       place = 9*address[4:3];
            4:       place = 9*address[4:3] + 4*address[2];
            2:       place = 9*address[4:3] + 2*address[2:1];
            default: place = 9*address[4:3] + address[2:0];
        endcase
    endfunction

    // The bits of it that it writes: wide ports have enables of bytes in the place of low addresses.
    function [35:0] enabled(input [13:0] address, input integer width);
        case (width)
            36:      enabled = {{{{9{{address[3]}}}}, {{9{{address[2]}}}}, {{9{{address[1]}}}}, {{9{{address[0]}}}}}};
            18:      enabled = {{{{9{{address[1]}}}}, {{9{{address[0]}}}}}};
            default: enabled = (1 << width) - 1;
        endcase
    endfunction

    wire [5:0]  place_a = place(address_a, DATA_WIDTH_A), place_b = place(address_b, DATA_WIDTH_B);
    wire [35:0] mask_a  = write_a ? enabled(address_a, DATA_WIDTH_A) << place_a : 0;
    wire [35:0] mask_b  = write_b ? enabled(address_b, DATA_WIDTH_B) << place_b : 0;
    wire [8:0]  word_a  = address_a[13:5], word_b = address_b[13:5];
    wire        same    = word_a == word_b;

    always @(posedge CLKA) begin
        if (CEA && (!write_a || WRITEMODE_A == "READBEFOREWRITE"))
            out_a <= (words[word_a] ^ (same ? mask_b : 0)) >> place_a;
        if (RSTA)
            out_a <= 0;
        if (write_a)
            words[word_a] <= words[word_a] & ~mask_a | data_a << place_a & mask_a;
    end

    always @(posedge CLKB) begin
        if (CEB && (!write_b || WRITEMODE_B == "READBEFOREWRITE"))
            out_b <= (words[word_b] ^ (same ? mask_a : 0)) >> place_b;
        if (RSTB)
            out_b <= 0;
        if (write_b)
            words[word_b] <= words[word_b] & ~mask_b | data_b << place_b & mask_b;
        if (RSTA || RSTB ? RESETMODE != "SYNC" : write_a && write_b)
            $stop;
    end

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
