#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What builds share: locks, digests of what they depend on, and the ends of their logs."""

import ast
import contextlib
import fcntl
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from host.common.folders import ROOT

SOURCE_SUFFIXES = (".py", ".c", ".h", ".S", ".ld", ".v", ".vlt")

# Beside the Python modules of a folder that something depends on, these are its source, too.
OTHER_SOURCES = (".cpp", ".h", ".c", ".v", ".tcl", ".S", ".ld")


@contextlib.contextmanager
def locked(path: Path, progress: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock of a build's directory; the value is its file descriptor."""
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that does the same")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def tree_digest(folders: tuple[str, ...], extra: list[str] = ()) -> str:
    """SHA-256 of the names and contents of the source files in folders of the checkout."""
    result = hashlib.sha256("\n".join(extra).encode())
    for folder in folders:
        for path in sorted((ROOT/folder).rglob("*")):
            if path.suffix in SOURCE_SUFFIXES or path.name == "Makefile":
                result.update(f"{path.relative_to(ROOT)}\0".encode())
                result.update(path.read_bytes())
    return result.hexdigest()


def last_lines(log: str, count: int = 8) -> str:
    """The end of a log, for an error message."""
    return "\n".join(log.splitlines()[-count:])

# Digests -----------------------------------------------------------------------------------------

def file_digest(path: Path) -> str:
    """Digest of a file's content."""
    return digest(path.read_bytes())


def digest(content: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()

@functools.cache
def source_digest(module: str) -> str:
    """Digest of a module's source, and of all modules of this repository that it imports, directly or not."""
    result = hashlib.sha256()
    for path in sorted(_sources(module)):
        result.update(f"{path.relative_to(ROOT)}\0".encode())
        result.update(path.read_bytes())
    return result.hexdigest()


def _sources(module: str) -> set[Path]:
    found, todo = set(), [module]
    while todo:
        path = _path(todo.pop())
        if path is None or path in found:
            continue
        found |= {path} | {each for each in path.parent.iterdir() if each.suffix in OTHER_SOURCES}
        todo  += _imports(ast.parse(path.read_text()))
    return found


def _path(module: str) -> Path | None:
    """File of a module of this repository; None for others' modules, and for what is none."""
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base/"__init__.py") if path.is_file()), None)


def _imports(tree: ast.Module) -> list[str]:
    """Names of all that is imported anywhere in a module; a name that is imported from a package may be a module."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
