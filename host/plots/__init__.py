"""Plots of runs, recordings and training: functions that take arrays and give matplotlib figures; one idea a module.

A new plot is a function that fills a style.new_figure() and is decorated with style.styled. A plot of a run becomes a
method of runplots.RunPlots, too, and a line of run_plots() in host/plot.py, which writes it.
"""
