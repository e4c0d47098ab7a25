/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Memories that each fill a block RAM, of all widths that it has, and products: one module to be synthesised, and a
 * bench that runs it beside its netlist, which is called `netlist`. */

module ram #(parameter WIDTH = 9, ADDRESS = 11) (
    input clk, write, read,
    input [13:0] write_address, read_address,
    input [35:0] data,
    output reg [WIDTH-1:0] q
);
    // Read and write never meet in the bench.
    (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:2**ADDRESS-1];
    always @(posedge clk) begin
        if (write)
            words[write_address[ADDRESS-1:0]] <= data;
        if (read)
            q <= words[read_address[ADDRESS-1:0]];
    end
endmodule

module top(
    input clk, write, read,
    input [13:0] write_address, read_address,
    input [35:0] data,
    output [69:0] q,
    output [35:0] signed_product, product
);
    ram #( 1, 14) ram1 (clk, write, read, write_address, read_address, data, q[0]);
    ram #( 2, 13) ram2 (clk, write, read, write_address, read_address, data, q[2:1]);
    ram #( 4, 12) ram4 (clk, write, read, write_address, read_address, data, q[6:3]);
    ram #( 9, 11) ram9 (clk, write, read, write_address, read_address, data, q[15:7]);
    ram #(18, 10) ram18(clk, write, read, write_address, read_address, data, q[33:16]);
    ram #(36,  9) ram36(clk, write, read, write_address, read_address, data, q[69:34]);
    assign signed_product = $signed(data[17:0])*$signed(data[35:18]);
    assign product        = data[17:0]*data[35:18];
endmodule

`ifdef BENCH
module bench;
    reg clk = 0, write = 0, read = 0;
    reg [13:0] write_address = 0, read_address = 0;
    reg [35:0] data = 0;
    wire [69:0] q, netlist_q;
    wire [35:0] signed_product, product, netlist_signed_product, netlist_product;
    integer n, wrong = 0, compared = 0;

    top     rtl(clk, write, read, write_address, read_address, data, q, signed_product, product);
    netlist gates(.clk(clk), .write(write), .read(read), .write_address(write_address), .read_address(read_address),
        .data(data), .q(netlist_q), .signed_product(netlist_signed_product), .product(netlist_product));

    // Other addresses even in the smallest memory, and all lines of the largest one.
    function [13:0] spread(input [4:0] line);
        spread = {line, 4'b0000, line} ^ 14'b00110011000000;
    endfunction

    initial begin
        for (n = 0; n < 4000; n = n + 1) begin
            write         = n < 32 || $random;
            read          = n >= 32 && $random;
            write_address = spread(n < 32 ? n : $random);
            read_address  = spread($random);
            if (write_address == read_address)
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
