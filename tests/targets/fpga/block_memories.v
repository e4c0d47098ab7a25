/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Memories that each fill a block RAM, of all widths that it has, and products: one module to be synthesised, and a
 * bench that runs it beside its netlist, which is called `netlist`. */

module ram #(parameter WIDTH = 9, ADDRESS = 11, BYTE = 9) (
    input clk, read,
    input [3:0] write,
    input [13:0] write_address, read_address,
    input [35:0] data,
    output reg [WIDTH-1:0] q
);
    // Read and write never meet in the bench.
    (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:2**ADDRESS-1];
    integer n;
    always @(posedge clk) begin
        for (n = 0; n < WIDTH/BYTE; n = n + 1)
            if (write[n])
                words[write_address[ADDRESS-1:0]][BYTE*n +: BYTE] <= data[BYTE*n +: BYTE];
        if (read)
            q <= words[read_address[ADDRESS-1:0]];
    end
endmodule

module top(
    input clk, read,
    input [3:0] write,
    input [13:0] write_address, read_address,
    input [35:0] data,
    output [69:0] q,
    output [35:0] signed_product, product
);
    ram #( 1, 14, 1) ram1 (clk, read, write, write_address, read_address, data, q[0]);
    ram #( 2, 13, 2) ram2 (clk, read, write, write_address, read_address, data, q[2:1]);
    ram #( 4, 12, 4) ram4 (clk, read, write, write_address, read_address, data, q[6:3]);
    ram #( 9, 11)    ram9 (clk, read, write, write_address, read_address, data, q[15:7]);
    ram #(18, 10)    ram18(clk, read, write, write_address, read_address, data, q[33:16]);
    ram #(36,  9)    ram36(clk, read, write, write_address, read_address, data, q[69:34]);
    assign signed_product = $signed(data[17:0])*$signed(data[35:18]);
    assign product        = data[17:0]*data[35:18];
endmodule

`ifdef BENCH
module bench;
    reg clk = 0, read = 0;
    reg [3:0] write = 0;
    reg [13:0] write_address = 0, read_address = 0;
    reg [35:0] data = 0;
    wire [69:0] q, netlist_q;
    wire [35:0] signed_product, product, netlist_signed_product, netlist_product;
    integer n, wrong = 0, compared = 0;

    top     rtl(clk, read, write, write_address, read_address, data, q, signed_product, product);
    netlist gates(.clk(clk), .write(write), .read(read), .write_address(write_address), .read_address(read_address),
        .data(data), .q(netlist_q), .signed_product(netlist_signed_product), .product(netlist_product));

    // For each line of an address there are two that differ in it alone.
    function [13:0] address(input [5:0] number);
        address = number < 32 ? number : number < 41 ? 32 << (number - 32) : 0;
    endfunction

    initial begin
        for (n = 0; n < 4000; n = n + 1) begin
            write         = n < 41 ? 15 : $random;
            read          = n >= 41 && ($random & 1);
            write_address = address(n < 41 ? n : $random);
            read_address  = address($random);
            if (write_address[8:0] == read_address[8:0])
                read = 0;
            data = {$random, $random};
            #1 clk = 1;
            #1 clk = 0;
            #1;
            if (signed_product !== netlist_signed_product || product !== netlist_product || (n > 64 && q !== netlist_q))
                wrong = wrong + 1;
            compared = compared + 1;
        end
        $display("%0d compared, %0d differ", compared, wrong);
        $finish;
    end
endmodule
`endif
