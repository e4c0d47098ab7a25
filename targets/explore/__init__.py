# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Finds the lanes P, neurons a clock Q, memories and clock that suit a network and its recordings best.

What a design takes is foretold by models that are calibrated on figures of the real flows, `calibration.json`. There
are some hundred shapes and a dozen clocks, and a model answers in a fraction of a millisecond: all of them are tried,
and no optimiser is needed.
"""
