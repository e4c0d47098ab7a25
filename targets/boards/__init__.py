# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""FPGA boards: descriptions, fit, build, report and loading, shared by all board targets."""

# LiteX's parser, which the options are made with, cannot be imported before LiteX's SoC.
import litex.soc.integration.soc_core  # noqa: F401
