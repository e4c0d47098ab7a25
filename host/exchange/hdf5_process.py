# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""HDF5 files, read in a process of their own: what is damaged can keep its library busy for ever, or end it.

The process stays for the next file. Only names, texts and arrays of numbers come out of it.
"""

import atexit
import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import BinaryIO

import numpy as np

from accel.errors import QCLIFError
from host.common.folders import ROOT

# Seconds of computing and bytes of memory that a file may take.
CPU_S, MEMORY = 5, 2**29

# A graph that fits has less: 4096 inputs, 1024 neurons, all that leads to them, and in its metadata the network that an
# export keeps. Small files may promise much more, since HDF5 compresses, and need not hold what was never written.
NUMBERS_MAX = 2**24
TEXT_MAX    = 2**20
OBJECTS_MAX = 20_000
NESTED_MAX  = 32

# What h5py raises for files that are damaged.
FAILURES = (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError, MemoryError, OSError)

# Kind of an item that is no array; the others are types of numpy.
GROUP = "group"

PROGRAM = "import host.exchange.hdf5_process as it; it.serve()"

# Content of a group by name: groups, texts, arrays.
Tree = dict[str, "Tree | str | np.ndarray"]

_child: subprocess.Popen | None = None


class DamagedError(Exception):
    """A file that cannot be read; says why."""


def read_tree(path: str | os.PathLike) -> Tree:
    """Everything in an HDF5 file.

    Raises
    ------
    QCLIFError : more than the limits above, or links to elsewhere.
    DamagedError : it cannot be read.
    """
    child = _running()
    try:
        child.stdin.write(json.dumps(os.fspath(os.path.abspath(path))).encode() + b"\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline() or "null")
        if answer is None:
            raise EOFError
        tree: Tree = {}
        for names, kind, shape in answer.get("items", ()):
            group = tree
            for name in names[:-1]:
                group = group[name]
            group[names[-1]] = {} if kind == GROUP else _received(child.stdout, np.dtype(kind), shape)
    except (BrokenPipeError, EOFError, ValueError) as error:
        _end()
        raise DamagedError("its reader was ended by it") from error
    if "error" in answer:
        raise QCLIFError(f"{path}: {answer['error']}")
    if "damage" in answer:
        raise DamagedError(answer["damage"])
    return tree


def _received(stream: BinaryIO, dtype: np.dtype, shape: list[int]) -> str | np.ndarray:
    size    = int(np.prod(shape))*dtype.itemsize
    content = bytearray(size)
    if stream.readinto(content) != size:
        raise EOFError
    array = np.frombuffer(content, dtype).reshape(shape) if size else np.zeros(shape, dtype)
    return str(array[()]) if dtype.kind == "U" and not shape else array[()]


def _running() -> subprocess.Popen:
    global _child
    if _child is None or _child.poll() is not None:
        _end()
        paths  = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        _child = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": paths})
    return _child


@atexit.register
def _end() -> None:
    global _child
    if _child is not None:
        _child.kill()
        _child.communicate()
        _child = None


# The process --------------------------------------------------------------------------------------

def serve() -> None:
    """Read the files that standard input names, until it ends."""
    # Ctrl-C is for those who wait; standard output is the answers' alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import h5py  # noqa: F401

    with open("/proc/self/statm") if os.path.exists("/proc/self/statm") else open(os.devnull) as file:
        used = int((file.read().split() or ["0"])[0])*resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_S, resource.RLIM_INFINITY))
        arrays = []
        try:
            items = _items(json.loads(line), arrays)
            answer = {"items": items}
        except QCLIFError as error:
            answer, arrays = {"error": str(error)}, []
        except FAILURES as error:
            answer, arrays = {"damage": f"{type(error).__name__}: {' '.join(str(error).split())}"}, []
        out.write(json.dumps(answer).encode() + b"\n")
        for array in arrays:
            out.write(array.tobytes())
        out.flush()


def _items(path: str, arrays: list[np.ndarray]) -> list[tuple[list[str], str, tuple[int, ...]]]:
    """Names, kinds and shapes of all that is in a file, groups before what they hold; arrays get the content."""
    import h5py

    items, total = [], 0
    with h5py.File(path, "r") as root:
        todo = [([], root)]
        while todo:
            names, group = todo.pop()
            if len(names) > NESTED_MAX:
                raise QCLIFError(f"more than {NESTED_MAX} groups in one another: write the graph with nir.write")
            for name in group:
                if len(items) >= OBJECTS_MAX:
                    raise QCLIFError(f"more than {OBJECTS_MAX} groups and arrays: write the graph with nir.write")
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise QCLIFError(f"{name!r} is a link to elsewhere: write the graph with nir.write")
                item = group[name]
                if isinstance(item, h5py.Group):
                    items.append(([*names, name], GROUP, ()))
                    todo.append(([*names, name], item))
                    continue
                total += _check_size(name, item, total)
                value  = _value(name, item)
                items.append(([*names, name], value.dtype.str, value.shape))
                arrays.append(value)
    return items


def _check_size(name: str, item: object, before: int) -> int:
    """Numbers or texts of a dataset; refuses what the file does not hold itself, or too many, before they are read."""
    import h5py

    if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
        raise QCLIFError(f"{name!r} is no array within the file: write the graph with nir.write")
    size = item.size or 0
    if item.dtype.kind not in "iufb" and size*max(item.dtype.itemsize, 1) > TEXT_MAX:
        raise QCLIFError(f"{name!r} has {size} texts of {item.dtype.itemsize} bytes: write the graph with nir.write")
    if before + size > NUMBERS_MAX:
        raise QCLIFError(f"at {name!r} it has {before + size} numbers, at most {NUMBERS_MAX} are read: a network for "
            "this core has far less")
    return size


def _value(name: str, item: object) -> np.ndarray:
    """The content of a dataset: numbers as they are, anything else as text."""
    value = np.asarray(item[()])
    if value.dtype.kind in "iufb":
        return value
    if value.dtype.kind not in "OS":
        raise QCLIFError(f"{name!r} is of type {value.dtype}: numbers or texts are needed")
    texts = [each.decode() if isinstance(each, bytes) else str(each) for each in value.ravel()]
    if len(texts)*max(map(len, texts), default=0) > TEXT_MAX:
        raise QCLIFError(f"{name!r} has too long texts: write the graph with nir.write")
    return np.array(texts, dtype=np.str_).reshape(value.shape)
