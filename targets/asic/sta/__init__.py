"""Timing of a netlist."""
