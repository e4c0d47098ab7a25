# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What makes a layout: OpenROAD, its flow scripts and KLayout, where they are and which ones."""

import os
import shutil
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.layout.container import image, missing_container
from targets.tools.builds import digest, file_digest
from targets.tools.process import version_of

INSTALL = ("git clone --recursive https://github.com/The-OpenROAD-Project/OpenROAD-flow-scripts && "
    "OpenROAD-flow-scripts/build_openroad.sh --local && export FLOW_HOME=$PWD/OpenROAD-flow-scripts/flow")

# What runs leave in the flow scripts' folder, and other designs.
NO_SCRIPTS = {"designs", "results", "logs", "objects", "reports", "__pycache__"}


def missing_tool(docker: bool = False) -> str | None:
    """What keeps layout from running, here or in the flow scripts' container, and the remedy; None where nothing is
    known to."""
    if docker:
        return missing_container()
    home = os.environ.get("FLOW_HOME", "")
    if not home:
        return f"FLOW_HOME is not set, it must name the folder flow of OpenROAD's flow scripts: {INSTALL}"
    if not (Path(home)/"scripts"/"variables.mk").is_file():
        return f"FLOW_HOME {home} is not the folder flow of OpenROAD-flow-scripts: scripts/variables.mk is missing"
    if shutil.which("make") is None:
        return "make not found: sudo apt-get install make"
    if shutil.which(_openroad()) is None:
        return f"OpenROAD not found ({_openroad()}): build it with the flow scripts, or set OPENROAD_EXE to the program"
    if (klayout := os.environ.get("KLAYOUT_CMD")) and shutil.which(klayout) is None:
        return f"KLAYOUT_CMD is {klayout!r}, which is no program: correct or unset it"
    return None


def _openroad() -> str:
    """The program that the flow scripts take."""
    built = f"{os.environ.get('FLOW_HOME', '')}/../tools/install/OpenROAD/bin/openroad"
    return os.environ.get("OPENROAD_EXE") or shutil.which("openroad") or built


def layout_tools(docker: bool = False) -> dict[str, str]:
    """Versions of what makes the layout, by name; missing_tool() is None. Of the container, which is fetched when it
    runs, only its name is known."""
    if docker:
        return {"orfs": image()}
    built   = f"{os.environ['FLOW_HOME']}/../tools/install/klayout/klayout"
    klayout = os.environ.get("KLAYOUT_CMD") or shutil.which("klayout") or shutil.which(built)
    return {"openroad": version_of(_openroad(), "-version")} | (
        # Without it, there is no GDS.
        {"klayout": version_of(klayout, "-v").removeprefix("KLayout ")} if klayout else {})


def scripts_digest(platform: str) -> str:
    """Digest of the flow scripts and of their files for a platform; missing_tool() is None."""
    home  = Path(os.environ["FLOW_HOME"])
    names = sorted(path.relative_to(home) for path in home.rglob("*") if path.is_file())
    used  = (name for name in names if not NO_SCRIPTS.intersection(name.parts)
        and (name.parts[0] != "platforms" or {platform, "common"}.intersection(name.parts[1:2])))
    try:
        return digest("".join(f"{name} {file_digest(home/name)}\n" for name in used))
    except OSError as error:
        raise QCLIFError(f"FLOW_HOME: {error.filename} cannot be read ({error.strerror}): make it readable") from error
