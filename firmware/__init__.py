# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware in C, and what it is generated from: protocol and sizes."""

from pathlib import Path

# The C sources, their Makefile and linker script.
FOLDER = Path(__file__).resolve().parent
