"""Benchmarks: `python -m targets.benchmark`."""
