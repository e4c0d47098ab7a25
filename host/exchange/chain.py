#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The order of a NIR graph's nodes: populations one after another, each with the weights that lead to it and back."""

from collections.abc import Iterator
from dataclasses import dataclass

import nir
import numpy as np

from accel.errors import QCLIFError

POSSIBLE = ("possible is Input -> Linear or Affine -> LIF, IF or CubaLIF (and back through a Linear or Affine), more "
    "such layers, then Linear or Affine, LI -> Output")

WEIGHTS = (nir.Linear, nir.Affine)
NEURONS = (nir.LIF, nir.IF, nir.CubaLIF)
KNOWN   = (nir.Input, nir.Output, nir.Flatten, nir.LI, *WEIGHTS, *NEURONS)


@dataclass(frozen=True, eq=False)
class Link:
    """A population, the weights of its input and those of its own spikes, by their names in the graph."""
    neurons:   str
    weights:   str
    recurrent: list[str]


@dataclass(frozen=True, eq=False)
class Chain:
    """A graph in order.

    Parameters
    ----------
    nodes : by name; those of a nested graph are called outer.inner.
    links : at least one.
    readout, integrator : Linear or Affine after the last population, and LI after it; None where there is none.
    input_shape : shape of the Input node.
    """
    nodes:       dict[str, nir.NIRNode]
    links:       list[Link]
    readout:     str | None
    integrator:  str | None
    input_shape: tuple[int, ...]


def refusal(name: str, node: nir.NIRNode, why: str, remedy: str = POSSIBLE) -> QCLIFError:
    """The error that names a node, its type, what is wrong with it and what to do."""
    return QCLIFError(f"node {name!r} ({type(node).__name__}): {why}: {remedy}")


def order_graph(graph: nir.NIRGraph) -> Chain:
    """The chain that a graph is, nested graphs taken apart.

    Raises
    ------
    QCLIFError : a node of another type, or edges that make no chain; names the node.
    """
    nodes, edges = _flatten(graph)
    source = _single(nodes, nir.Input)
    _single(nodes, nir.Output)
    shape  = np.ravel(nodes[source].input_type["input"])
    if shape.dtype.kind not in "iu":
        raise refusal(source, nodes[source], f"its shape is of type {shape.dtype}", "integers are needed")
    before, after = _neighbours(nodes, edges)
    links = []
    here, arrived, readout, integrator = source, None, None, None
    while True:
        back    = [name for name in after[here] if arrived and after[name] == [here]]
        onwards = [name for name in after[here] if name not in back]
        if arrived:
            links.append(Link(here, arrived, back))
            stray = sorted({*before[here]} - {arrived, *back})
            if stray:
                raise refusal(here, nodes[here], f"{stray[0]!r} leads to it, too, from elsewhere than the one before")
        if len(onwards) != 1:
            raise refusal(here, nodes[here], f"{len(onwards)} edges lead on from it, one is needed")
        name, = onwards
        if isinstance(nodes[name], nir.Output) and links:
            break
        if not isinstance(nodes[name], WEIGHTS):
            raise refusal(name, nodes[name], f"it follows {here!r} ({type(nodes[here]).__name__}) without weights "
                "between them")
        target, = after[name]
        if isinstance(nodes[target], NEURONS):
            here, arrived = target, name
            continue
        readout = name
        if links and isinstance(nodes[target], nir.LI) and len(after[target]) == 1:
            integrator, target = target, after[target][0]
        if not links or not isinstance(nodes[target], nir.Output):
            raise refusal(target, nodes[target], f"it follows {readout!r} ({type(nodes[readout]).__name__})")
        break
    seen = {source, readout, integrator, *(name for link in links for name in (link.neurons, link.weights,
        *link.recurrent))}
    for name, node in nodes.items():
        if name not in seen and not isinstance(node, nir.Output):
            raise refusal(name, node, "it is not on the way from Input to Output")
    return Chain(nodes, links, readout, integrator, tuple(shape.tolist()))


def _neighbours(nodes: dict[str, nir.NIRNode], edges: list[tuple[str, str]]
        ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Nodes before and after each one; refuses weights that do not lead from one node to one."""
    before, after = ({name: [] for name in nodes} for _ in range(2))
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    for name, node in nodes.items():
        if isinstance(node, WEIGHTS) and (len(before[name]), len(after[name])) != (1, 1):
            raise refusal(name, node, f"{len(before[name])} edges lead to it and {len(after[name])} from it, one of "
                "each is needed")
    return before, after


def _single(nodes: dict[str, nir.NIRNode], kind: type) -> str:
    found = [name for name, node in nodes.items() if isinstance(node, kind)]
    if len(found) != 1:
        raise QCLIFError(f"the graph has {len(found)} nodes of type {kind.__name__}, 1 is needed: {POSSIBLE}")
    return found[0]


def _flatten(graph: nir.NIRGraph) -> tuple[dict[str, nir.NIRNode], list[tuple[str, str]]]:
    """Nodes and edges without nested graphs and without Flatten, which only renumbers."""
    walked = list(_walk(graph, ""))
    nodes  = dict(walked)
    if len(nodes) < len(walked):
        raise QCLIFError("two nodes, one in a nested graph, come to the same name outer.inner: rename one of them")
    edges = list(_edges(graph, ""))
    for name in [name for name, node in nodes.items() if isinstance(node, nir.Flatten) or _is_inner(name, node, graph)]:
        ins  = [a for a, b in edges if b == name]
        outs = [b for a, b in edges if a == name]
        edges = [edge for edge in edges if name not in edge] + [(a, b) for a in ins for b in outs]
        del nodes[name]
    return nodes, list(dict.fromkeys(edges))


def _is_inner(name: str, node: nir.NIRNode, graph: nir.NIRGraph) -> bool:
    return isinstance(node, (nir.Input, nir.Output)) and name not in graph.nodes


def _walk(graph: nir.NIRGraph, prefix: str) -> Iterator[tuple[str, nir.NIRNode]]:
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            for kind in (nir.Input, nir.Output):
                _single(node.nodes, kind)
            yield from _walk(node, f"{prefix}{name}.")
        elif isinstance(node, KNOWN):
            yield prefix + name, node
        else:
            raise refusal(prefix + name, node, "it has no place in a qCLIF network")


def _edges(graph: nir.NIRGraph, prefix: str) -> Iterator[tuple[str, str]]:
    def end(name: str, kind: type) -> str:
        if name not in graph.nodes:
            raise QCLIFError(f"an edge names {prefix + name!r}, which is no node of the graph: correct the edge")
        node = graph.nodes[name]
        return f"{prefix}{name}.{_single(node.nodes, kind)}" if isinstance(node, nir.NIRGraph) else prefix + name

    for a, b in graph.edges:
        yield end(a, nir.Output), end(b, nir.Input)
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            yield from _edges(node, f"{prefix}{name}.")
