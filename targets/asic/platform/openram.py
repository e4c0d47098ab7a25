# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""SRAM macros compiled by OpenRAM in FreePDK45: real layout, analytical models of delay and power.

OpenRAM lives in an environment of its own, as it needs an older numpy than the rest. Its compiler needs minutes for
a macro, most of them to route the supply, so that macros are kept by all that they depend on, and are compiled only
where somebody asks for it (python -m targets.asic.openram).
"""

import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.console import Progress, no_progress
from host.common.folders import build_root
from targets.asic.platform.macros import OPENRAM_PORTS, Macro, read_macro
from targets.asic.platform.openram_liberty import fit_liberty
from targets.asic.platform.pdk import Pdk
from targets.tools.builds import last_lines
from targets.tools.process import run_program

# numpy 2.4 no longer makes numbers of arrays with one element, which OpenRAM relies on. What else OpenRAM asks for
# is of other technologies or its own tests.
OPENRAM  = "openram==1.2.48"
PACKAGES = ("numpy==2.2.6", "scipy==1.15.3", "scikit-learn==1.6.1")

# What the core's memories, slices of 32 bits, are made of with --sram-objective energy and area. The supply of larger
# macros takes long to route.
SET = ((64, 32), (256, 32))
COMMAND = "python -m targets.asic.openram --install --set"

# Words and bits of a macro.
DEPTHS = (16, 4096)
WIDTHS = (2, 256)

CONFIG = """\
word_size = {width}
num_words = {depth}
num_rw_ports = 1
num_r_ports = 0
num_w_ports = 0
tech_name = "freepdk45"
use_specified_corners = [("TT", 1.1, 25)]
supply_voltages = [1.1]
temperatures = [25]
process_corners = ["TT"]
analytical_delay = True
check_lvsdrc = False
route_supplies = "ring"
use_conda = False
output_name = "{name}"
output_path = "out"
"""

_STAGE = re.compile(r"^\*\* ([A-Z][\w ]*): [\d.]+ seconds")

# Installation --------------------------------------------------------------------------------------

def folder() -> Path:
    """Where OpenRAM and its macros are."""
    return build_root()/"asic"/"openram"


def _python() -> Path:
    return folder()/"environment"/"bin"/"python"


def find_openram() -> Path | None:
    """OpenRAM's compiler, None where it is not installed."""
    found = sorted(folder().glob("environment/lib/python*/site-packages/openram/sram_compiler.py"))
    return found[0] if found and _python().exists() else None


def install(progress: Progress = no_progress) -> None:
    """Make OpenRAM's environment anew.

    Raises
    ------
    QCLIFError : Python's venv or pip fail, with their last line.
    """
    environment = folder()/"environment"
    with _writable(environment.parent):
        shutil.rmtree(environment, ignore_errors=True)
        environment.parent.mkdir(parents=True, exist_ok=True)
    pip = [_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for stage, command in (("make the environment", [sys.executable, "-m", "venv", environment]),
            ("install its packages", [*pip, *PACKAGES]), ("install OpenRAM", [*pip, "--no-deps", OPENRAM])):
        progress(stage, 0, None)
        done = run_program(command)
        if done.status:
            shutil.rmtree(environment, ignore_errors=True)
            raise QCLIFError(f"OpenRAM cannot be installed: {stage} fails with: {done.reason}")

# Macros --------------------------------------------------------------------------------------------

def macro_name(depth: int, width: int) -> str:
    """Name of a macro's cell."""
    return f"openram45_{depth}x{width}"


def compiled() -> dict[str, Macro]:
    """Macros that were compiled before, by this version with these settings, by name; smallest first."""
    found = [_read(path, path.name.rpartition("-")[0]) for path in folder().glob("openram45_*x*-*")
        if (size := re.match(r"openram45_(\d+)x(\d+)-", path.name)) and path == _entry(int(size[1]), int(size[2]))]
    return {macro.name: macro for macro in sorted(found, key=lambda macro: (macro.depth*macro.width, macro.depth))}


def compile_macro(depth: int, width: int, progress: Progress = no_progress) -> Macro:
    """A macro of `depth` words of `width` bits, compiled where it was not before.

    Parameters
    ----------
    depth : a power of two.

    Raises
    ------
    QCLIFError : a size out of its limits, OpenRAM is missing or fails.
    """
    for what, value, (low, high) in (("words", depth, DEPTHS), ("bits", width, WIDTHS)):
        if not low <= value <= high:
            raise QCLIFError(f"OpenRAM macro {depth}x{width}: {value} {what}, the limits are {low} to {high}: choose "
                f"another --size")
    if depth & (depth - 1):
        raise QCLIFError(f"OpenRAM macro {depth}x{width}: {depth} words are no power of two: choose another --size")
    name, entry = macro_name(depth, width), _entry(depth, width)
    if not entry.is_dir():
        compiler = find_openram()
        if compiler is None:
            raise QCLIFError("OpenRAM is missing: python -m targets.asic.openram --install")
        with _writable(folder()), tempfile.TemporaryDirectory(dir=folder(), prefix=f".{name}-") as temporary:
            _compile(compiler, name, CONFIG.format(name=name, depth=depth, width=width), Path(temporary), progress)
            # Another process may have compiled the same: both are alike.
            with contextlib.suppress(FileExistsError):
                os.replace(Path(temporary)/"macro", entry)
    return _read(entry, name)


def openram_pdk(pdk: Pdk) -> Pdk:
    """A PDK with the macros that were compiled before in the place of its own.

    Raises
    ------
    QCLIFError : there are none.
    """
    macros = compiled()
    if not macros:
        sizes = ", ".join(f"{depth}x{width}" for depth, width in SET)
        raise QCLIFError(f"no macros of OpenRAM: {COMMAND} compiles those that suit the core ({sizes})")
    texts = [pdk.identity, *(macro.liberty.read_text() for macro in macros.values())]
    return replace(pdk, macros=macros, identity=hashlib.sha256("\n".join(texts).encode()).hexdigest())


def _entry(depth: int, width: int) -> Path:
    """Folder of a macro: its name tells all that it depends on."""
    name = macro_name(depth, width)
    text = "\n".join([OPENRAM, *PACKAGES, CONFIG.format(name=name, depth=depth, width=width)])
    return folder()/f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _read(entry: Path, name: str) -> Macro:
    """The macro of a folder; its Liberty is fitted anew, which takes no time."""
    with _writable(entry):
        text    = fit_liberty((entry/f"{name}.raw.lib").read_text())
        liberty = entry/f"{name}.lib"
        if not liberty.exists() or liberty.read_text() != text:
            with whole_file(liberty) as file:
                file.write(text.encode())
    return read_macro(liberty, entry/f"{name}.lef", entry/f"{name}.gds", OPENRAM_PORTS,
        "delete its folder and run again")


def _compile(compiler: Path, name: str, config: str, work: Path, progress: Progress) -> None:
    """Run the compiler in a folder, and leave what is kept in its folder `macro`."""
    (work/"config.py").write_text(config)
    log  = folder()/f"{name}.log"
    # Paths of another Python, and another OpenRAM, would come before its own.
    env  = {key: None for key in os.environ if key.startswith(("PYTHON", "OPENRAM"))}
    # Without a buffer, so that its stages are told as they end.
    env |= {"OPENRAM_TMP": str(work/"temporary"), "PYTHONUNBUFFERED": "1"}

    def on_line(line: str) -> None:
        if stage := _STAGE.match(line):
            progress(f"OpenRAM {name}: {stage[1].lower()} done", 0, None)

    (work/"temporary").mkdir()
    progress(f"OpenRAM {name}", 0, None)
    done = run_program([_python(), compiler, "config.py"], work, log, env, on_line)
    found = {kind: sorted((work/"out").glob(f"{name}*.{kind}")) for kind in ("lib", "lef", "gds", "v")}
    if done.status or not all(found.values()):
        raise QCLIFError(f"OpenRAM fails for {name}: {last_lines(done.text, 1)}; see {log}")
    kept = work/"macro"
    kept.mkdir()
    for kind, paths in found.items():
        shutil.copyfile(paths[0], kept/f"{name}.{'raw.lib' if kind == 'lib' else kind}")
    log.unlink()


@contextlib.contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be written ({error.strerror or error}): make room, or set QCLIF_BUILD_DIR to "
            f"another folder") from error
