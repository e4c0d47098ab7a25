# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The link to a SoC: port, frames, window, session, and the device at its other end."""

from host.link.link import Link

__all__ = ["Link"]
