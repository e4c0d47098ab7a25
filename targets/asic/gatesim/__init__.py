"""Netlists of the flow against the golden model."""
