# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where the project is, and where it keeps what it makes."""

import os
import re
from pathlib import Path

from accel.errors import QCLIFError

# The checkout, or the folder of the installed packages.
ROOT = Path(__file__).resolve().parents[2]


def build_root() -> Path:
    """Folder of all builds: $QCLIF_BUILD_DIR; build/ of the checkout; or, of an installed package and of a checkout
    that cannot be written or has a blank in its name, qclif/ in the user's cache ($XDG_CACHE_HOME, ~/.cache). Raises
    QCLIFError where its name has a blank, which make and LiteX's scripts do not take.
    """
    folder = _made_things()
    if re.search(r"\s", str(folder)):
        raise QCLIFError(f"builds go to {str(folder)!r}, and make takes no blanks in names: set QCLIF_BUILD_DIR to "
            "another folder")
    return folder


def cache_folder() -> Path:
    """Folder of decoded recordings: $QCLIF_CACHE, or cache/ in the folder of all builds."""
    return Path(os.environ.get("QCLIF_CACHE") or _made_things()/"cache").expanduser().resolve()


def _made_things() -> Path:
    if named := os.environ.get("QCLIF_BUILD_DIR"):
        return Path(named).resolve()
    ours     = ROOT/"build"
    checkout = (ROOT/"pyproject.toml").is_file() and os.access(ours if ours.exists() else ROOT, os.W_OK)
    if checkout and not re.search(r"\s", str(ROOT)):
        return ours
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().resolve()/"qclif"
