# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR files: read with one-line errors, written whole or not at all."""

import os
import stat

import nir
import numpy as np

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.decoding_process import DamagedError
from host.events.formats.hdf5 import SIGNATURE
from host.exchange.hdf5_tree import NESTED_MAX, Tree, read_tree

# Where HDF5's signature is: at the beginning, or behind a block of its user's, so many bytes at most.
SIGNATURE_WITHIN = 2**16

# What nir raises for nodes that lack something.
FAILURES = (KeyError, ValueError, TypeError, AssertionError, AttributeError, IndexError, RuntimeError, MemoryError,
    ArithmeticError)


def read_graph(path: str | os.PathLike) -> nir.NIRGraph:
    """The graph of a NIR file.

    Types of a node's input and output are left as they are: exporters write scalar parameters for a whole layer,
    which nir's own check refuses.

    Raises
    ------
    QCLIFError : the file is missing, no HDF5, no NIR, damaged, too large, or has a node that this nir does not know.
    """
    try:
        # Not a pipe, which would be waited for.
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                begins = file.read(SIGNATURE_WITHIN)
        else:
            begins = b""
        if SIGNATURE not in begins:
            raise QCLIFError(f"{path}: not an HDF5 file: a NIR file is needed, as nir.write makes it")
    except OSError as error:
        raise QCLIFError(f"{path}: {os.strerror(error.errno or 0)}: a NIR file is needed, as nir.write makes it"
            ) from error
    try:
        tree = read_tree(path)
        node = tree.get("node")
        if not isinstance(node, dict):
            raise QCLIFError(f"{path}: an HDF5 file without a NIR graph in it: write it with nir.write")
        _check_types(path, node, "graph")
        if node["type"] != nir.NIRGraph.__name__:
            raise QCLIFError(f"{path}: a single {node['type']}, not a graph: write a NIRGraph")
        with np.errstate(all="ignore"):
            return nir.dict2NIRNode(_unchecked(node))
    except DamagedError as error:
        # The file begins as HDF5 does, and the library says so where even that is not whole.
        raise QCLIFError(f"{path}: not an HDF5 file, or a damaged one ({error}): a NIR file is needed, as nir.write "
            "makes it") from error
    except FAILURES as error:
        raise QCLIFError(f"{path}: not a readable NIR file ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}): write it again with nir.write") from error


def _unchecked(node: Tree) -> Tree:
    """A node as nir takes it, without its check of types, in nested graphs as well."""
    if node["type"] != nir.NIRGraph.__name__:
        return node
    inner = {name: _unchecked(each) for name, each in node.get("nodes", {}).items()}
    return node | {"nodes": inner, "type_check": False}


def _check_types(path: str | os.PathLike, node: Tree, name: str, depth: int = 0) -> None:
    """Refuse node types that nir does not know, by name."""
    kind = node["type"]
    if not isinstance(kind, str) or kind not in nir.ir.__all__:
        raise QCLIFError(f"{path}: node {name!r} has type {str(kind)[:40]!r}, which nir {nir.__version__} does not "
            f"know: write the graph with nodes of this version")
    for child, inner in node.get("nodes", {}).items():
        if depth < NESTED_MAX:
            _check_types(path, inner, child, depth + 1)


def write_graph(path: str | os.PathLike, graph: nir.NIRGraph) -> None:
    """Write a graph to a file of exactly this name; raises QCLIFError where it cannot be written."""
    with whole_file(path) as file:
        nir.write(file, graph)
