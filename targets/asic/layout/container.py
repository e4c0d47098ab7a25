# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""OpenROAD's flow scripts in their container, where they need not be installed.

It sees the layout's folder alone, under the same path, so that its results are where they would be without it. Paths in
it are those of the flow scripts' own launcher, flow/util/docker_shell. Untested: no Docker was at hand.
"""

import os
import shutil
from pathlib import Path

from targets.tools.process import run_program

# The flow scripts in it.
HOME = "/OpenROAD-flow-scripts"


def image() -> str:
    """The image, which their launcher takes from OR_IMAGE, too."""
    return os.environ.get("OR_IMAGE") or "openroad/orfs:latest"


def missing_container() -> str | None:
    """What keeps containers from running, and the remedy."""
    if shutil.which("docker") is None:
        return "docker not found: sudo apt-get install docker.io"
    asked = run_program(["docker", "version", "--format", "{{.Server.Version}}"])
    return f"docker: {asked.reason}: start it, and join the group docker" if asked.status else None


def container_command(script: Path) -> list[str]:
    """What runs a script of a layout's folder."""
    variables = {"FLOW_HOME": f"{HOME}/flow", "OPENROAD_EXE": f"{HOME}/tools/install/OpenROAD/bin/openroad",
        # KLayout keeps its settings there.
        "HOME": "/tmp"}
    # --init ends what make has started when we are interrupted.
    return ["docker", "run", "--rm", "--init", f"--user={os.getuid()}:{os.getgid()}",
        f"--volume={script.parent}:{script.parent}", *(f"--env={name}={value}" for name, value in variables.items()),
        image(), "sh", str(script)]
