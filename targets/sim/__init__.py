"""The SoC under Verilator: `python -m targets.sim`."""
