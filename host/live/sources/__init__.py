# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where the events of a live run come from, and the steps they become, each when its time has come."""
