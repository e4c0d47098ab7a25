"""Liberty files: cells, functions, power."""
