# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Folders of builds for tests in which everything is built anew."""

from pathlib import Path

from host.common.folders import build_root

# Where the other tests build, whatever a test says later.
_RUNTIME = build_root()/"verilator"


def fresh_builds(folder: Path) -> Path:
    """Make a folder for builds that is empty but for Verilator's own code, which takes longest and is the same
    everywhere; returns it."""
    _RUNTIME.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True)
    (folder/"verilator").symlink_to(_RUNTIME)
    return folder
