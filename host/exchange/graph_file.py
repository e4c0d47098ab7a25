# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR files: read with one-line errors, written whole or not at all."""

import os

import h5py
import nir

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# What nir and h5py raise for files that are damaged or of another kind.
FAILURES = (KeyError, ValueError, TypeError, AssertionError, AttributeError, IndexError, RuntimeError, MemoryError)


def read_graph(path: str | os.PathLike) -> nir.NIRGraph:
    """The graph of a NIR file.

    Types of a node's input and output are left as they are: exporters write scalar parameters for a whole layer,
    which nir's own check refuses.

    Raises
    ------
    QCLIFError : the file is missing, no HDF5, no NIR, damaged, or has a node that this nir does not know.
    """
    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get("node"), h5py.Group):
                raise QCLIFError(f"{path}: an HDF5 file without a NIR graph in it: write it with nir.write")
            _check_types(path, file["node"], "graph")
            kind = file["node/type"][()].decode()
            if kind != nir.NIRGraph.__name__:
                raise QCLIFError(f"{path}: a single {kind}, not a graph: write a NIRGraph")
        return nir.read(path, type_check=False)
    except OSError as error:
        reason = "not an HDF5 file" if os.path.isfile(path) else os.strerror(error.errno or 0)
        raise QCLIFError(f"{path}: {reason}: a NIR file is needed, as nir.write makes it") from error
    except FAILURES as error:
        raise QCLIFError(f"{path}: not a readable NIR file ({type(error).__name__}: "
            f"{' '.join(str(error).split())}): write it again with nir.write") from error


def _check_types(path: str | os.PathLike, group: h5py.Group, name: str) -> None:
    """Refuse node types that nir does not know, by name."""
    kind = group["type"][()].decode()
    if kind not in nir.ir.__all__:
        raise QCLIFError(f"{path}: node {name!r} has type {kind!r}, which nir {nir.__version__} does not know: "
            f"write the graph with nodes of this version")
    for child, node in group.get("nodes", {}).items():
        _check_types(path, node, child)


def write_graph(path: str | os.PathLike, graph: nir.NIRGraph) -> None:
    """Write a graph to a file of exactly this name; raises QCLIFError where it cannot be written."""
    with whole_file(path) as file:
        nir.write(file, graph)
