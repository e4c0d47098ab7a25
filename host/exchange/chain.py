# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The order of a NIR graph's nodes: populations one after another, each with the weights that lead to it and back."""

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
    nodes, edges = _unnested(graph, "")
    # Of a nested graph, Input and Output only pass on, too.
    for name in [name for name, node in nodes.items() if isinstance(node, nir.Flatten)
            or (isinstance(node, (nir.Input, nir.Output)) and name not in graph.nodes)]:
        ins  = [a for a, b in edges if b == name]
        outs = [b for a, b in edges if a == name]
        edges = [edge for edge in edges if name not in edge] + [(a, b) for a in ins for b in outs]
        del nodes[name]
    return nodes, list(dict.fromkeys(edges))


def _unnested(graph: nir.NIRGraph, prefix: str) -> tuple[dict[str, nir.NIRNode], list[tuple[str, str]]]:
    """Nodes and edges of a graph and of those nested in it, whose nodes are called outer.inner."""
    nodes, inner_edges, first, last = {}, [], {}, {}
    for name, node in graph.nodes.items():
        first[name] = last[name] = prefix + name
        inner = {prefix + name: node}
        if isinstance(node, nir.NIRGraph):
            first[name], last[name] = (f"{prefix}{name}.{_single(node.nodes, kind)}"
                for kind in (nir.Input, nir.Output))
            inner, edges = _unnested(node, f"{prefix}{name}.")
            inner_edges += edges
        elif not isinstance(node, KNOWN):
            raise refusal(prefix + name, node, "it has no place in a qCLIF network")
        if nodes.keys() & inner.keys():
            raise QCLIFError("two nodes, one in a nested graph, come to the same name outer.inner: rename one of them")
        nodes |= inner
    missing = [name for edge in graph.edges for name in edge if name not in first]
    if missing:
        raise QCLIFError(f"an edge names {prefix + missing[0]!r}, which is no node of the graph: correct the edge")
    return nodes, [(last[a], first[b]) for a, b in graph.edges] + inner_edges
