#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Plots of runs, recordings and training: functions that take arrays and give matplotlib figures; one idea a module."""
