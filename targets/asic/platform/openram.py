# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""SRAM macros compiled by OpenRAM in FreePDK45: real layout, analytical models of delay and power.

OpenRAM lives in an environment of its own, as it needs an older numpy than the rest. Its compiler needs minutes for
a macro, most of them to route the supply, so that macros are kept by all that they depend on, and are compiled only
where somebody asks for it (python -m targets.asic.openram).

Its Liberty is made fit for power analysis and placement. OpenRAM writes the power of a macro that is accessed at
100 MHz, in milliwatt, where Liberty has the energy of an edge of the clock, here in picojoule. It allows its outputs
less load than the smallest buffer's input has, as it expects one of its own flip-flops there. And the leakage of each
bit cell and of each gate is a round 1 nW, which its technology file calls temporary: simulated with the transistors
that it is made of, a bit cell leaks more.
"""

import os
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.common.folders import build_root
from targets.asic.platform.macros import OPENRAM_PORTS, Macro, read_macro
from targets.asic.platform.pdk import Pdk
from targets.tools.builds import digest, made_once, write_text, writing
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
    with writing(environment.parent):
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
    name = macro_name(depth, width)
    return _read(made_once(_entry(depth, width), lambda work: _compile(name, _config(depth, width), work, progress),
        lambda stage: progress(stage, 0, None)), name)


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
    return replace(pdk, macros=macros, identity=digest("\n".join(texts)))


def _config(depth: int, width: int) -> str:
    return CONFIG.format(name=macro_name(depth, width), depth=depth, width=width)


def _entry(depth: int, width: int) -> Path:
    """Folder of a macro: its name tells all that it depends on."""
    key = digest("\n".join([OPENRAM, *PACKAGES, _config(depth, width)]))
    return folder()/f"{macro_name(depth, width)}-{key[:12]}"


def _read(entry: Path, name: str) -> Macro:
    """The macro of a folder; its Liberty is fitted anew, which takes no time."""
    text    = fit_liberty((entry/f"{name}.raw.lib").read_text())
    liberty = entry/f"{name}.lib"
    if not liberty.exists() or liberty.read_text() != text:
        write_text(liberty, text)
    return read_macro(liberty, entry/f"{name}.lef", entry/f"{name}.gds", OPENRAM_PORTS,
        "delete its folder and run again")


def _compile(name: str, config: str, kept: Path, progress: Progress) -> None:
    """Run the compiler, and leave what is kept in a folder."""
    compiler = find_openram()
    if compiler is None:
        raise QCLIFError("OpenRAM is missing: python -m targets.asic.openram --install")

    def on_line(line: str) -> None:
        if stage := _STAGE.match(line):
            progress(f"OpenRAM {name}: {stage[1].lower()} done", 0, None)

    progress(f"OpenRAM {name}", 0, None)
    log = folder()/f"{name}.log"
    with tempfile.TemporaryDirectory(dir=kept) as temporary:
        work = Path(temporary)
        (work/"config.py").write_text(config)
        (work/"temporary").mkdir()
        # Paths of another Python, and another OpenRAM, would come before its own.
        env   = {key: None for key in os.environ if key.startswith(("PYTHON", "OPENRAM"))}
        # Without a buffer, so that its stages are told as they end.
        env  |= {"OPENRAM_TMP": str(work/"temporary"), "PYTHONUNBUFFERED": "1"}
        done  = run_program([_python(), compiler, "config.py"], work, log, env, on_line)
        found = {kind: sorted((work/"out").glob(f"{name}*.{kind}")) for kind in ("lib", "lef", "gds", "v")}
        if done.status or not all(found.values()):
            raise QCLIFError(f"OpenRAM fails for {name}: {done.reason}; see {log}")
        for kind, paths in found.items():
            shutil.copyfile(paths[0], kept/f"{name}.{'raw.lib' if kind == 'lib' else kind}")
    log.unlink()

# Liberty -------------------------------------------------------------------------------------------

# What OpenRAM's models take for the rate of accesses.
EVENTS_HZ = 100e6

# An access is charged half with each edge of the clock. mW to pJ.
EDGE_PJ = 1e-3/EVENTS_HZ*1e12/2

# nW of a bit cell at 1.1 V and 25 C: ngspice's of OpenRAM's netlist of it, with the typical transistors that come with
# OpenRAM. It stands for gates, too. OpenRAM's own simulations (technology/freepdk45/sim_data) have the same of large
# macros: 5.2 nW a bit at 1.0 V, where the cell alone leaks 5.3.
CELL_NW = 8.27

# What OpenRAM's models take for it.
OPENRAM_CELL_NW = 1.0

# pF: ten times the input of the smallest buffer. Delays are extrapolated to it, along their tables' slope.
MAX_LOAD_PF = 0.01

_POWER = re.compile(r"((?:rise|fall)_power\s*\(scalar\)\s*\{\s*values\s*\(\s*\")([^\"]+)(\")")
_LEAKS = re.compile(r"(\bcell_leakage_power\s*:\s*|\bleakage_power\s*\(\)\s*\{\s*value\s*:\s*)([\d.e+-]+)")
_LOAD  = re.compile(r"(\bmax_capacitance\s*:\s*)([\d.e+-]+)")
# They would keep OpenROAD from buffering what is at the macro's pins.
_HANDS = re.compile(r"^\s*(?:dont_use|map_only|dont_touch)\s*:\s*true\s*;\s*\n", re.MULTILINE)


def fit_liberty(text: str) -> str:
    """Liberty with energies where OpenRAM wrote power, leakage of real cells, and loads that a wire and a gate have.

    Raises
    ------
    QCLIFError : the text is not as this version of OpenRAM writes it.
    """
    text, powers = _POWER.subn(lambda match: f"{match[1]}{float(match[2])*EDGE_PJ:.6e}{match[3]}", text)
    text, leaks  = _LEAKS.subn(lambda match: f"{match[1]}{float(match[2])*CELL_NW/OPENRAM_CELL_NW:.6e}", text)
    text, loads  = _LOAD.subn(rf"\g<1>{MAX_LOAD_PF}", text)
    if not powers or not leaks or not loads:
        raise QCLIFError("OpenRAM's Liberty has no power of its clock, no leakage, or no load of its outputs: it was "
            "written by another version; python -m targets.asic.openram --install brings the one that is known")
    return _HANDS.sub("", text)
