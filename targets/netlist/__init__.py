"""Netlists of gates: read, simulated, and how often their nets change."""
