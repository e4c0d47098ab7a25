"""What a PDK has: cells in their corners, SRAM macros, rules."""
