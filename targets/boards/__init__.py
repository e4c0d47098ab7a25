#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""FPGA boards: descriptions, fit, build, report and loading, shared by all board targets."""
