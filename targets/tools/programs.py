#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The programs and headers that a simulator is built with, and how to get those that are missing."""

import functools
import shutil
import subprocess

from accel.errors import QCLIFError

# Program or header: Debian's package.
PROGRAMS = {
    "verilator":               "verilator",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "make":                    "make",
    "g++":                     "g++",
}
HEADERS = {
    "json-c/json.h":  "libjson-c-dev",
    "event2/event.h": "libevent-dev",
    "zlib.h":         "zlib1g-dev",
}


def check_tools() -> None:
    """Raise a QCLIFError that names everything missing and the one command that installs it."""
    missing = _missing(PROGRAMS)
    if "g++" not in missing:
        missing.update({name: package for name, package in HEADERS.items() if not _has_header(name)})
    _refuse(missing)


def check_programs(programs: dict[str, str]) -> None:
    """Raise a QCLIFError that names all programs that are missing, of names and Debian packages, and the remedy."""
    _refuse(_missing(programs))


def _missing(programs: dict[str, str]) -> dict[str, str]:
    return {name: package for name, package in programs.items() if shutil.which(name) is None}


def _refuse(missing: dict[str, str]) -> None:
    if missing:
        raise QCLIFError(f"{', '.join(missing)} not found: sudo apt-get install "
            f"{' '.join(dict.fromkeys(missing.values()))}")


def _has_header(name: str) -> bool:
    source = f"#include <{name}>\n"
    return subprocess.run(["g++", "-E", "-x", "c++", "-"], input=source, text=True, capture_output=True,
        check=False).returncode == 0


@functools.cache
def tool_version(program: str) -> str:
    """What `program --version` says; empty when there is no such program."""
    if shutil.which(program) is None:
        return ""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
