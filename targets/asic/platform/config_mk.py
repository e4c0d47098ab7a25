# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Variables of a platform of OpenROAD's flow scripts, as `make` reads them from its config.mk.

Conditions, defaults, wildcards and functions of make are all used by one platform or the other, so that make itself
is what evaluates them.
"""

import os
import shutil
import subprocess
from pathlib import Path

from accel.errors import QCLIFError

# What is read here, as the flow scripts' documentation has it, and the names of our own in nangate45.mk.
VARIABLES = (
    "PLATFORM", "TECH_LEF", "SC_LEF", "GDS_FILES",
    "LIB_FILES", "TYP_LIB_FILES", "SLOW_LIB_FILES", "FAST_LIB_FILES", "TC_LIB_FILES", "WC_LIB_FILES", "BC_LIB_FILES",
    "DONT_USE_CELLS", "TIEHI_CELL_AND_PORT", "TIELO_CELL_AND_PORT", "ABC_DRIVER_CELL", "ABC_LOAD_IN_FF",
    "PLACE_SITE", "IO_PLACER_H", "IO_PLACER_V",
    "QCLIF_DENSE_IO_PLACER_H", "QCLIF_DENSE_IO_PLACER_V", "QCLIF_GRID_RAILS", "QCLIF_GRID_STRAPS", "QCLIF_GRID_MACROS",
    "QCLIF_GRID_ACROSS", "QCLIF_GRID_TAPS",
)

# Variables of Nangate45 that a folder of its files need not have.
NANGATE45 = Path(__file__).with_name("nangate45.mk")


def read_variables(folder: Path) -> dict[str, str]:
    """Variables of a folder by name, those that are empty left out; paths are seen from the folder.

    A folder without a config.mk, and the flow scripts' nangate45, have those of NANGATE45 as well.

    Raises
    ------
    QCLIFError : make is missing, or cannot read the folder's config.mk; its first line of complaint is told.
    """
    if shutil.which("make") is None:
        raise QCLIFError("make not found, which reads a PDK's config.mk: sudo apt-get install make")
    config = folder/"config.mk"
    texts  = [NANGATE45.read_text()]*(not config.is_file() or folder.name == "nangate45")
    texts += ["include config.mk"]*config.is_file()
    texts += [*(f"$(info {name}=$(strip $({name})))" for name in VARIABLES), "all: ;", ""]
    done   = subprocess.run(["make", "-rsf", "-", "PLATFORM_DIR=."], cwd=folder, input="\n".join(texts), text=True,
        capture_output=True, check=False, env={"PATH": os.environ["PATH"]})
    if done.returncode:
        raise QCLIFError(f"{config}: make cannot read it ({done.stderr.strip().partition(chr(10))[0]}): get the "
            f"platform's folder again from the flow scripts")
    pairs = (line.partition("=")[::2] for line in done.stdout.splitlines())
    return {name: value for name, value in pairs if name in VARIABLES and value}
