"""From Verilog to cells."""
