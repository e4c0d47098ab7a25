# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What HDF5 files hold: names, texts and arrays of numbers, read by a process of its own.

What is damaged can keep HDF5's library busy for ever, or end it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.decoding_process import decode

# Seconds of computing and bytes of memory that a file may take.
CPU_S, UNPACKED_MAX = 5, 2**29

# A graph that fits has less: 4096 inputs, 1024 neurons, all that leads to them, and in its metadata the network that an
# export keeps. Small files may promise much more, since HDF5 compresses, and need not hold what was never written.
NUMBERS_MAX = 2**24
TEXT_MAX    = 2**20
OBJECTS_MAX = 20_000
NESTED_MAX  = 32

# Kinds of items.
GROUP, ARRAY = "group", "array"

# Content of a group by name: groups, texts, arrays.
Tree = dict[str, "Tree | str | np.ndarray"]


def read_tree(path: str | os.PathLike) -> Tree:
    """Everything in an HDF5 file.

    Raises
    ------
    QCLIFError : more than the limits above, or links to elsewhere.
    host.common.decoding_process.DamagedError : it cannot be read.
    """
    items, *arrays = decode(f"{__name__}:decode_tree", Path(path), unpacked=UNPACKED_MAX, cpu_s=CPU_S)
    content = iter(arrays)
    tree: Tree = {}
    for names, kind in items["items"]:
        group = tree
        for name in names[:-1]:
            group = group[name]
        group[names[-1]] = {} if kind == GROUP else _plain(next(content))
    return tree


def _plain(array: np.ndarray) -> str | np.ndarray:
    return str(array[()]) if array.dtype.kind == "U" and not array.ndim else array[()]

# In the process -----------------------------------------------------------------------------------

def decode_tree(path: Path, name: str) -> Iterator[dict | np.ndarray]:
    """A Decoder of host.common.decoding_process: names and kinds of all items, and the arrays among them."""
    arrays: list[np.ndarray] = []
    try:
        yield {"items": _items(path, arrays)}
    except QCLIFError as error:
        raise QCLIFError(f"{name}: {error}") from error
    yield from arrays


def _items(path: Path, arrays: list[np.ndarray]) -> list[tuple[list[str], str]]:
    """Names and kinds of all that is in a file, groups before what they hold; arrays get the content."""
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
                    items.append(([*names, name], GROUP))
                    todo.append(([*names, name], item))
                    continue
                total += _check_size(name, item, total)
                value  = _value(name, item)
                items.append(([*names, name], ARRAY))
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
