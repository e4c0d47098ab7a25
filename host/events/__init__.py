# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event recordings on their way to a network: formats, one form, and the encoder."""

from host.events.formats import read_files
from host.events.reading import Reading

__all__ = ["Reading", "read_files"]
