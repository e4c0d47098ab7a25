# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR graphs in graphs, as one: recurrent layers come as graphs of their own, and whole networks inside another one."""

import nir

from accel.errors import QCLIFError

POSSIBLE = ("possible are LIF, IF and CubaLIF between Input and Output, any Linear, Affine, Scale, Flatten, Conv2d, "
    "SumPool2d and AvgPool2d between them, and LI before the Output")

# Most edges through a nested graph's border.
EDGES_MAX = 10_000

Nodes = dict[str, nir.NIRNode]
Edges = list[tuple[str, str]]


def flattened(graph: nir.NIRGraph) -> tuple[Nodes, Edges]:
    """Nodes and edges without nested graphs, whose nodes are called outer.inner.

    Raises
    ------
    QCLIFError : a nested graph without one Input and one Output, an edge that leads to no node, or two nodes that come
        to the same name; names the graph.
    """
    nodes, edges = _unnested(graph, "")
    # Of a nested graph, Input and Output only pass on what comes.
    before, after = {}, {}
    for a, b in edges:
        after.setdefault(a, {})[b] = None
        before.setdefault(b, {})[a] = None
    for name in [name for name, node in nodes.items() if isinstance(node, (nir.Input, nir.Output))
            and name not in graph.nodes]:
        ins, outs = before.pop(name, {}), after.pop(name, {})
        if name in ins:
            raise QCLIFError(f"node {name!r} ({type(nodes[name]).__name__}): it leads back to itself without neurons "
                "between: only spikes come a step later")
        if len(ins)*len(outs) > EDGES_MAX:
            raise QCLIFError(f"{len(ins)} edges lead to {name!r} and {len(outs)} from it: build a smaller network")
        for a in ins:
            after[a].pop(name)
        for b in outs:
            before[b].pop(name)
        for a in ins:
            for b in outs:
                after[a][b] = before[b][a] = None
        del nodes[name]
    return nodes, [(a, b) for a, targets in after.items() for b in targets]


def _unnested(graph: nir.NIRGraph, prefix: str) -> tuple[Nodes, Edges]:
    """Nodes and edges of a graph and of those nested in it."""
    nodes, inner_edges, first, last = {}, [], {}, {}
    for name, node in graph.nodes.items():
        first[name] = last[name] = prefix + name
        inner = {prefix + name: node}
        if isinstance(node, nir.NIRGraph):
            first[name], last[name] = (f"{prefix}{name}.{_border(node, prefix + name, kind)}"
                for kind in (nir.Input, nir.Output))
            inner, edges = _unnested(node, f"{prefix}{name}.")
            inner_edges += edges
        if nodes.keys() & inner.keys():
            raise QCLIFError(f"two nodes, one in the nested graph {prefix + name!r}, come to the same name "
                f"{sorted(nodes.keys() & inner.keys())[0]!r}: rename one of them")
        nodes |= inner
    missing = [name for edge in graph.edges for name in edge if name not in first]
    if missing:
        raise QCLIFError(f"an edge names {prefix + missing[0]!r}, which is no node of the graph: correct the edge")
    return nodes, [(last[a], first[b]) for a, b in graph.edges] + inner_edges


def _border(graph: nir.NIRGraph, name: str, kind: type) -> str:
    """The name of a nested graph's one Input or Output."""
    found = [each for each, node in graph.nodes.items() if isinstance(node, kind)]
    if len(found) != 1:
        raise QCLIFError(f"the nested graph {name!r} has {len(found)} nodes of type {kind.__name__}, 1 is needed: make "
            "it a graph of one input and one output, or take it apart")
    return found[0]
