"""Runs: recordings through a device, each compared with the golden model."""
