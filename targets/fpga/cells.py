# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Models for simulation of the cells that Yosys only knows as black boxes: block RAMs and multipliers.

They have the modes that Yosys's mapping of the core uses, and stop at others, so that nothing is simulated that the
chip would do otherwise.
"""


def _ports_verilog(byte: int, start: str = "") -> str:
    """Contents and both ports of a block RAM of 512 words of four bytes: the inside of a module.

    What one port reads while the other one writes it comes out inverted: whether a real one gives the old value, the
    new one or neither, no design may depend on it. Contents are at first what the simulator starts registers with.

    The module has CLKA and CEA, address_a (14 bits), write_a, reset_a, and data_a of a word, WIDTH_A, the bits that the
    port sees (1, 2, 4, or bytes), and MODE_A, what it reads while it writes (0: nothing, 1: the new value, 2: the old
    one); the same for B. It finds what the ports read in out_a and out_b.

    Parameters
    ----------
    byte : its bits, 8 or 9; ports below nine bits do not see the ninth.
    start : what the ports read at first, as " = 0"; "": as the contents.
    """
    top = 4*byte - 1
    return f"""
    reg [{top}:0] words [0:511];
    reg [{top}:0] out_a{start}, out_b{start};

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
    function [{top}:0] enabled(input [13:0] address, input integer width);
        case (width)
            {4*byte}:      enabled = {{{{{byte}{{address[3]}}}}, {{{byte}{{address[2]}}}}, {{{byte}{{address[1]}}}},
                {{{byte}{{address[0]}}}}}};
            {2*byte}:      enabled = {{{{{byte}{{address[1]}}}}, {{{byte}{{address[0]}}}}}};
            default: enabled = (1 << width) - 1;
        endcase
    endfunction

    wire same = word_a == word_b;
""" + "".join(f"""
    wire [5:0]  place_{low} = place(address_{low}, WIDTH_{port});
    wire [{top}:0] mask_{low}  = write_{low} ? enabled(address_{low}, WIDTH_{port}) << place_{low} : 0;
    wire [8:0]  word_{low}  = address_{low}[13:5];

    always @(posedge CLK{port}) begin
        if (CE{port} && !(write_{low} && MODE_{port} == 0))
            out_{low} <= (write_{low} && MODE_{port} == 1
                ? data_{low} << place_{low} & mask_{low} | words[word_{low}] & ~mask_{low}
                : words[word_{low}] ^ (same ? mask_{other} : 0)) >> place_{low};
        if (reset_{low})
            out_{low} <= 0;
        if (write_{low})
            words[word_{low}] <= words[word_{low}] & ~mask_{low} | data_{low} << place_{low} & mask_{low};
    end
""" for port, low, other in (("A", "a", "b"), ("B", "b", "a")))

# ECP5 ---------------------------------------------------------------------------------------------

def _pins(direction: str, name: str, count: int) -> str:
    return f"{direction} " + ", ".join(f"{name}{n}" for n in reversed(range(count)))


def _bus(name: str, count: int) -> str:
    return "{" + ", ".join(f"{name}{n}" for n in reversed(range(count))) + "}"


def _ecp5_block_ram() -> str:
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
{_ports_verilog(9)}
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


def _ecp5_multiplier() -> str:
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

# Gowin --------------------------------------------------------------------------------------------

def _gowin_block_ram(name: str, byte: int, one_way: bool) -> str:
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
{_ports_verilog(byte, " = 0")}
    assign DOA = out_a[{wide - 1}:0];
    assign DOB = out_b[{wide - 1}:0];

    always @(posedge CLKB) if (RESETA || RESETB || write_a && write_b)
        $stop;

    initial if (READ_MODE0 != 0 || READ_MODE1 != 0)
        $stop;
endmodule
"""


def _gowin_multiplier(bits: int) -> str:
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

# Models by name -----------------------------------------------------------------------------------

ECP5  = {"DP16KD": _ecp5_block_ram(), "MULT18X18D": _ecp5_multiplier()}
GOWIN = {
    **{name: _gowin_block_ram(name, byte, one_way) for name, byte, one_way in
        (("SDPB", 8, True), ("SDPX9B", 9, True), ("DPB", 8, False), ("DPX9B", 9, False))},
    **{f"MULT{bits}X{bits}": _gowin_multiplier(bits) for bits in (9, 18)},
}
