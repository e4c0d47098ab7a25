# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What builds share: folders that are made once, locks between processes, and digests of what a build depends on.

What is decided by a digest alone is a folder that is there whole or not at all (`made_once`). What is built in steps,
of which only some run again, is a folder with a lock and a record of what is finished (`locked`, `read_record`).
"""

import ast
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.folders import ROOT
from targets.tools.process import held_locks
from targets.tools.progress import StageProgress, no_stage

# Files that decide what is built, beside Makefiles.
SOURCES = (".py", ".c", ".cpp", ".h", ".S", ".ld", ".tcl", ".v", ".vlt")

# Folders ------------------------------------------------------------------------------------------

@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of a folder that cannot be written in one line.

    Raises
    ------
    QCLIFError : in the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise QCLIFError(f"cannot write to {folder}: {error.strerror or error}; choose another --output-dir, or set "
            "QCLIF_BUILD_DIR to another folder") from error


def check_name(folder: Path) -> None:
    """Raise a QCLIFError where a build's folder has a blank in its name."""
    if re.search(r"\s", str(folder)):
        raise QCLIFError(f"{str(folder)!r}: make and LiteX's scripts take no blanks in names: choose another "
            "--output-dir")


def write_text(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all, in a folder that is made where it does not exist.

    Raises
    ------
    QCLIFError : that cannot be done.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def locked(path: Path, progress: StageProgress = no_stage) -> Iterator[None]:
    """Hold a lock between processes (and threads): a file, made with its folder where it does not exist.

    The programs that run meanwhile hold it, too, so that a killed build which still writes keeps others out.

    Parameters
    ----------
    progress : told when the lock is another's.

    Raises
    ------
    QCLIFError : the file cannot be written.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that does the same")
            fcntl.flock(lock, fcntl.LOCK_EX)
        held_locks.add(lock.fileno())
        try:
            yield
        finally:
            held_locks.discard(lock.fileno())
            fcntl.flock(lock, fcntl.LOCK_UN)


def made_once(folder: Path, make: Callable[[Path], None], progress: StageProgress = no_stage) -> Path:
    """A folder that is there whole or not at all: found, or made now by the first who needs it.

    Parameters
    ----------
    folder : its name tells all that its content depends on, mostly by a digest.
    make : fills an empty folder, which gets its name at the end; must leave no path of it inside.
    progress : told when another process makes the same.

    Returns
    -------
    The folder.

    Raises
    ------
    QCLIFError : it cannot be written; and whatever make() raises: then what there is keeps a name of its own until
        the next attempt, as its logs may be needed.
    """
    if folder.is_dir():
        return folder
    with locked(folder.with_name(f".{folder.name}.lock"), progress):
        if not folder.is_dir():
            work = folder.with_name(f".{folder.name}.part")
            with writing(work):
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir()
            try:
                make(work)
            except (KeyboardInterrupt, SystemExit):
                shutil.rmtree(work, ignore_errors=True)
                raise
            with writing(folder):
                os.rename(work, folder)
    return folder


def read_record(path: Path) -> dict[str, object]:
    """What write_record() has written to a file; {} where there is none, or it is damaged."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def write_record(path: Path, record: dict[str, object]) -> None:
    """Write what is finished of a build to a file, whole or not at all; it is JSON."""
    write_text(path, json.dumps(record))

# Digests ------------------------------------------------------------------------------------------

def digest(content: bytes | str) -> str:
    """SHA-256 of bytes, or of a text."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """Digest of a file's content."""
    return digest(path.read_bytes())


def folder_digest(folder: Path) -> str:
    """Digest of all source files below a folder."""
    result = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in SOURCES and path.is_file():
            result.update(f"{path.relative_to(folder)}\0".encode())
            result.update(path.read_bytes())
    return result.hexdigest()


@functools.cache
def source_digest(module: str, *folders: str) -> str:
    """Digest of the source of a module, of all modules of this repository that it imports, directly or not, and of all
    source files below further folders.

    What is not Python in the folder of a module counts, too, but not the firmware: no module reads it.
    """
    result = hashlib.sha256()
    for path in sorted(_sources(module).union(*((ROOT/folder).rglob("*") for folder in folders))):
        if path.suffix in SOURCES or path.name == "Makefile":
            result.update(f"{path.relative_to(ROOT)}\0".encode())
            result.update(path.read_bytes())
    return result.hexdigest()


def _sources(module: str) -> set[Path]:
    found, todo = set(), [module]
    while todo:
        # Of others' modules, and of what is none, there is no file.
        base = ROOT.joinpath(*todo.pop().split("."))
        path = next((path for path in (base.with_suffix(".py"), base/"__init__.py") if path.is_file()), None)
        if path is None or path in found:
            continue
        found.add(path)
        if path.parent != ROOT/"firmware":
            found |= {each for each in path.parent.iterdir() if each.suffix != ".py"}
        todo  += _imports(ast.parse(path.read_text()))
    return found


def _imports(tree: ast.Module) -> list[str]:
    """Names of all that is imported anywhere in a module; a name that is imported from a package may be a module."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
