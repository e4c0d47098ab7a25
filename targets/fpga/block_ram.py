# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the models of all families' block RAMs have in common, as Verilog."""


def ports_verilog(byte: int, start: str = "") -> str:
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

{_wires("A", top)}{_wires("B", top)}
    wire same = word_a == word_b;
{_access("A", "b")}{_access("B", "a")}"""


def _wires(port: str, top: int) -> str:
    """The place and the bits that a port writes."""
    low = port.lower()
    return f"""
    wire [5:0]  place_{low} = place(address_{low}, WIDTH_{port});
    wire [{top}:0] mask_{low}  = write_{low} ? enabled(address_{low}, WIDTH_{port}) << place_{low} : 0;
    wire [8:0]  word_{low}  = address_{low}[13:5];"""


def _access(port: str, other: str) -> str:
    """What a port does each clock, beside another one."""
    low = port.lower()
    return f"""
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
"""
