"""Harnesses that drive a design of the flow under Verilator, as RTL or as netlist."""
