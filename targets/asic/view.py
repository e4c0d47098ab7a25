# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Shows the layout of a run in KLayout."""

import os
import shutil
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.report.record import Record, at
from targets.tools.process import run_program


def view(record: Record, pdk: Path | None) -> None:
    """Open the GDS of a run, in its platform's colours where it has any; returns when the window is closed.

    Parameters
    ----------
    pdk : its folder, where one was named.

    Raises
    ------
    QCLIFError : there is no layout, it has no GDS, KLayout is missing, or it fails.
    """
    gds = at("layout", "gds")(record)
    if gds is None:
        raise QCLIFError("--view: this run has no GDS, see the notes of its report for what is missing")
    klayout = os.environ.get("KLAYOUT_CMD") or "klayout"
    if shutil.which(klayout) is None:
        raise QCLIFError(f"--view: {klayout} not found: sudo apt-get install klayout; the layout is {gds}")
    # The flow scripts have the folder of each platform's results by its name.
    layers = _layers(pdk, Path(gds).parents[2].name)
    done   = run_program([klayout, *(["-l", layers] if layers else []), gds])
    if done.status:
        raise QCLIFError(f"--view: {klayout} failed: {done.reason}; the layout is {gds}")


def _layers(pdk: Path | None, platform: str) -> Path | None:
    """The layer properties of a platform: in the folder of the PDK, or in that of the flow scripts."""
    home    = os.environ.get("FLOW_HOME")
    folders = [pdk, os.environ.get("FREEPDK45_HOME"), Path(home)/"platforms"/platform if home else None]
    return next((path for folder in folders if folder for path in sorted(Path(folder).glob("*.lyp"))), None)
