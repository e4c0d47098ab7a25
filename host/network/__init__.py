# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Networks of the contract: their file, the golden model, random ones, the readout."""

from host.network.network import Network

__all__ = ["Network"]
