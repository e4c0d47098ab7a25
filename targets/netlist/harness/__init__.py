#
# This file is part of the qCLIF SoC.
#
"""Harnesses that drive a design of the flow under Verilator, as RTL or as netlist."""
