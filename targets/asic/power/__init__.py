"""Power of a netlist."""
