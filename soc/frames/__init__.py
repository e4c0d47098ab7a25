# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The frames of the link in gateware: a CPU sees only whole ones that are right, in a memory on its bus."""
