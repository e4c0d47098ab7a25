"""Plots of runs, recordings and training: functions that take arrays and give matplotlib figures; one idea a module."""
