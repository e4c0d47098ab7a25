#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What a trained network is worth: its answers, when they come, and what they cost."""
