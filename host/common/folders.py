#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Where the project is, and where it keeps what it makes."""

import os
from pathlib import Path

# The checkout, or the folder of the installed packages.
ROOT = Path(__file__).resolve().parents[2]


def build_root() -> Path:
    """Directory of all builds: $QCLIF_BUILD_DIR, or build/ in the checkout."""
    return Path(os.environ.get("QCLIF_BUILD_DIR") or ROOT/"build").resolve()


def cache_folder() -> Path:
    """Directory of decoded and encoded recordings: $QCLIF_CACHE, or cache/ in the directory of all builds."""
    return Path(os.environ.get("QCLIF_CACHE") or build_root()/"cache").expanduser().resolve()
