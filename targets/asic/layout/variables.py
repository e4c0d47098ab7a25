# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Variables of OpenROAD's flow scripts that a user sets beside those of the flow: `--orfs VAR=value`.

They are values by name; one that is a path is a file, which is copied beside the layout's config.mk.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from accel.errors import QCLIFError
from targets.tools.builds import file_digest

_NAME = re.compile(r"\b[A-Z][A-Z0-9_]*\b")

# Variables that are the flow's own, or nobody's: names, and why.
OWNED = {
    r"DESIGN_NAME|DESIGN_NICKNAME|DESIGN_CONFIG|DESIGN_FOLDER|VERILOG_\w+|SDC_FILE|SYNTH_\w+|ABC_\w+":
        "the layout is of the netlist and the constraints that were timed and simulated; --design, --frequency and the "
        "sizes make another",
    r"PLATFORM|PLATFORM_\w+|TECH_LEF|SC_LEF|LIB_FILES|GDS_FILES|ADDITIONAL_(LEFS|LIBS|GDS)":
        "cells and macros are those of --pdk and --sram",
    r"CORE_UTILIZATION|CORE_ASPECT_RATIO|CORE_MARGIN|FLOORPLAN_DEF|FOOTPRINT\w*":
        "the flow has a floorplan, and the scripts take one alone: set DIE_AREA and CORE_AREA, um",
    r"POST_PDN_TCL|TAPCELL_TCL":
        "the flow cuts the rows around macros there, and the placer relies on it; PDN_TCL and MACRO_PLACEMENT_TCL can "
        "be set",
    r"WORK_HOME|FLOW_VARIANT|DESIGN_HOME|(SCRIPTS|UTILS|TEST|LOG|OBJECTS|REPORTS|RESULTS)_DIR":
        "what comes out is looked for where it is",
    r"FLOW_HOME|\w+_(EXE|CMD)":
        "programs are those of the environment: set it there",
    r"SHELL|PATH|HOME|MAKE\w*":
        "make and its shell go by it",
}

# Files of these are looked for here; the scripts would look for them in their own folder.
_FILES = re.compile(r"\w+_(TCL|FILE)")

# What make takes for something else than text: a variable or a comment, unless escaped, and a line that goes on.
_MISREAD = re.compile(r"(?<!\$)(?:\$\$)*\$(?!\$)|(?<!\\)(?:\\\\)*#|(?<!\\)(?:\\\\)*\\$|[\x00-\x1f\x7f]")


def variable(text: str) -> tuple[str, str | Path]:
    """(name, value) of "VAR=value", as argparse takes a type; a value that names a file is its path.

    Raises
    ------
    argparse.ArgumentTypeError : there is no such name, the flow owns it, make would misread the value, or a file is
        missing.
    """
    name, equals, value = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r}: VAR=value is needed, with a name of capitals, digits and _, as "
            f"PLACE_DENSITY=0.6")
    for names, why in OWNED.items():
        if re.fullmatch(names, name):
            raise argparse.ArgumentTypeError(f"{name} cannot be set: {why}")
    if found := _MISREAD.search(value):
        raise argparse.ArgumentTypeError(f"{name}: make would misread {found[0]!r} of {value!r}: write $$ for $ and "
            f"\\# for #, in one line")
    path = Path(value)
    # A number is no file, whatever lies here.
    if re.search(r"[A-Za-z]", value) and path.is_file():
        return name, path.resolve()
    if value and _FILES.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{name}: no file {value} here: name one, which is copied to the layout")
    return name, value


def check_known(variables: Mapping[str, str | Path], home: Path, platform: str) -> None:
    """Raise a QCLIFError where the flow scripts in `home` have no such variable anywhere: they would not say so."""
    places = (home, home/"scripts", home/"platforms"/platform)
    text   = "\n".join(path.read_text(errors="replace") for place in places if place.is_dir()
        for path in place.iterdir() if path.is_file())
    known  = set(_NAME.findall(text))
    if unknown := [name for name in variables if name not in known]:
        raise QCLIFError(f"--orfs {unknown[0]}: nothing in {home} reads a variable of that name: see "
            f"{home/'scripts'/'variables.yaml'} for those that there are")


def files_of(variables: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files that values name, by where they are beside config.mk."""
    return {f"orfs/{name}{value.suffix}": value for name, value in variables.items() if isinstance(value, Path)}


def variables_mk(variables: Mapping[str, str | Path]) -> str:
    """Lines for config.mk; `override`, as a platform's config.mk, read later, sets some without asking."""
    values = {name: f"$(DESIGN_FOLDER)orfs/{name}{value.suffix}" if isinstance(value, Path) else value
        for name, value in variables.items()}
    return "".join(f"override {name} = {value}\nexport {name}\n" for name, value in values.items())


def identity(variables: Mapping[str, str | Path]) -> list[str]:
    """What a layout's key has of them: files count by their content."""
    return [f"{name}={file_digest(value) if isinstance(value, Path) else value}\n"
        for name, value in sorted(variables.items())]
