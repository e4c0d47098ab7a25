"""Verilog of the flow's designs."""
