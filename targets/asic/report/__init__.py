"""What a run gave: records, tables, plots."""
