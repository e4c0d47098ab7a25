# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What of a NIR graph leads to what: its populations of neurons in order, and the weights between any two of them.

A spike reaches what lies further on in the same step, and what lies before it, or itself, in the next one: these are
the edges that close a circle, seen from the Input.
"""

from dataclasses import dataclass
from math import prod

import nir
import numpy as np

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.exchange.drives import Drive, multiplied_out
from host.exchange.linear_map import LINEAR, Shape, output_shape
from host.exchange.linear_map import refusal as refusal_with
from host.exchange.nesting import POSSIBLE, flattened

NEURONS = (nir.LIF, nir.IF, nir.CubaLIF)


def refusal(name: str, node: nir.NIRNode, why: str, remedy: str = POSSIBLE) -> QCLIFError:
    """The error that names a node, its type, what is wrong with it and what to do."""
    return refusal_with(name, node, why, remedy)


@dataclass(frozen=True, eq=False)
class Wiring:
    """A graph as populations and what leads to each.

    Parameters
    ----------
    nodes : by name; those of a nested graph are called outer.inner.
    source : the Input's name.
    input_shape : of one step, without axes of batch and time.
    dropped : axes in front of input_shape that the Input has, too.
    populations : names of nodes with neurons, each behind those whose spikes reach it in the same step.
    drives : what arrives at each of them.
    integrator : the LI before the Output, or None.
    readout : what arrives at it, or without one at the Output.
    """
    nodes:       dict[str, nir.NIRNode]
    source:      str
    input_shape: Shape
    dropped:     Shape
    populations: list[str]
    drives:      dict[str, Drive]
    integrator:  str | None
    readout:     Drive


def wire(graph: nir.NIRGraph) -> Wiring:
    """The wiring of a graph, nested graphs taken apart.

    Raises
    ------
    QCLIFError : a node that has no place in it, edges that lead nowhere, sizes that do not fit each other or are more
        than the core has; names the node.
    """
    nodes, edges = flattened(graph)
    source = _single(nodes, nir.Input)
    target = _single(nodes, nir.Output)
    before = {name: [] for name in nodes}
    after  = {name: [] for name in nodes}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    for name, node in nodes.items():
        if not isinstance(node, (nir.Input, nir.Output, nir.LI, *NEURONS, *LINEAR)):
            raise refusal(name, node, "it has no place in a qCLIF network")
    if before[source]:
        raise refusal(source, nodes[source], f"{before[source][0]!r} leads to it", "edges lead on from an Input")
    if after[target]:
        raise refusal(target, nodes[target], f"it leads to {after[target][0]!r}", "edges lead to an Output")
    _check_ways(nodes, before, after, source, target)
    order       = _in_order(after, source)
    populations = [name for name in order if isinstance(nodes[name], NEURONS)]
    if not populations:
        raise refusal(target, nodes[target], "no neurons lead to it")
    integrator  = _integrator(nodes, before, after, target)
    shape, dropped = _input_shape(nodes, after, source)
    linear      = _linear_in_order(nodes, before)
    shapes      = _shapes(nodes, before, order, {source: shape})
    _check_sizes(nodes, populations, shapes, prod(shape))
    drives = multiplied_out(nodes, before, after, [*populations, integrator or target], linear, shapes)
    end    = drives.pop(integrator or target)
    if source in end.weights:
        raise refusal(target, nodes[target], "the Input leads to it past all neurons")
    return Wiring(nodes, source, shape, dropped, populations, drives, integrator, end)


def _single(nodes: dict[str, nir.NIRNode], kind: type) -> str:
    found = [name for name, node in nodes.items() if isinstance(node, kind)]
    if len(found) != 1:
        raise QCLIFError(f"the graph has {len(found)} nodes of type {kind.__name__}, 1 is needed: {POSSIBLE}")
    return found[0]


# Order --------------------------------------------------------------------------------------------

def _check_ways(nodes: dict[str, nir.NIRNode], before: dict[str, list[str]], after: dict[str, list[str]], source: str,
        target: str) -> None:
    """Refuse nodes that are not on a way from the Input to the Output."""
    for start, onwards, what in ((source, after, f"no way leads to it from {source!r}"),
            (target, before, f"no way leads from it to {target!r}")):
        seen, todo = {start}, [start]
        while todo:
            fresh = [name for name in onwards[todo.pop()] if name not in seen]
            seen.update(fresh)
            todo += fresh
        for name, node in nodes.items():
            if name not in seen:
                raise refusal(name, node, what, "connect it, or leave it out")


def _in_order(after: dict[str, list[str]], source: str) -> list[str]:
    """All nodes, each behind those that lead to it but for edges that close a circle: depth first, from behind."""
    done, seen = [], {source}
    ways = [(source, iter(after[source]))]
    while ways:
        name, rest = ways[-1]
        fresh = next((each for each in rest if each not in seen), None)
        if fresh is None:
            ways.pop()
            done.append(name)
        else:
            seen.add(fresh)
            ways.append((fresh, iter(after[fresh])))
    return done[::-1]


def _integrator(nodes: dict[str, nir.NIRNode], before: dict[str, list[str]], after: dict[str, list[str]], target: str
        ) -> str | None:
    """The LI before the Output, or None."""
    found = [name for name, node in nodes.items() if isinstance(node, nir.LI)]
    for name in found:
        if after[name] != [target] or before[target] != [name]:
            raise refusal(name, nodes[name], "it has no spikes, so that it can only be the one node before the Output")
    return found[0] if found else None


def _linear_in_order(nodes: dict[str, nir.NIRNode], before: dict[str, list[str]]) -> list[str]:
    """Nodes of LINEAR, each behind those of them that lead to it."""
    waiting = {name: sum(isinstance(nodes[each], LINEAR) for each in before[name]) for name, node in nodes.items()
        if isinstance(node, LINEAR)}
    behind  = {name: [] for name in waiting}
    for name in waiting:
        for each in before[name]:
            if each in behind:
                behind[each].append(name)
    order = [name for name, count in waiting.items() if not count]
    for name in order:
        for each in behind[name]:
            waiting[each] -= 1
            if not waiting[each]:
                order.append(each)
    left = [name for name in waiting if name not in set(order)]
    if left:
        raise refusal(left[0], nodes[left[0]], "it leads back to itself without neurons between",
            "only spikes come a step later")
    return order


# Sizes --------------------------------------------------------------------------------------------

def _input_shape(nodes: dict[str, nir.NIRNode], after: dict[str, list[str]], source: str) -> tuple[Shape, Shape]:
    """Shape of one step of the Input, and the axes before it: some exporters write those of batch and time, too."""
    node  = nodes[source]
    shape = np.ravel(np.asarray(node.input_type["input"]))
    if shape.dtype.kind not in "iu" or not shape.size or not ((shape > 0) & (shape < 2**31)).all():
        raise refusal(source, node, f"its shape is {str(shape.tolist())[:60]}", "integers from 1 up are needed")
    shape = tuple(shape.tolist())
    # What comes next knows how many of the last axes are those of a step.
    step = shape
    todo, seen = list(after[source]), set()
    while todo:
        name = todo.pop()
        follower = nodes[name]
        if isinstance(follower, nir.Flatten) and name not in seen:
            todo += after[name]
        elif isinstance(follower, (nir.Linear, nir.Affine)) and np.ndim(follower.weight) == 2:
            wanted = np.shape(follower.weight)[1]
            fits   = [axes for axes in range(len(shape)) if prod(shape[axes:]) == wanted]
            # [time, ...], or a batch of one before anything.
            if fits and (fits[0] == 1 or shape[0] == 1):
                step = shape[fits[0]:]
        elif isinstance(follower, (nir.Conv2d, nir.SumPool2d, nir.AvgPool2d)) and len(shape) > 3:
            step = shape[-3:]
        seen.add(name)
    while len(step) > 3 or len(step) == 2:
        if step[0] != 1:
            break
        step = step[1:]
    dropped = shape[:len(shape) - len(step)]
    if prod(step) > LIMITS["inputs"][1]:
        raise QCLIFError(f"the Input has {prod(step)} inputs, the limits are 1 to {LIMITS['inputs'][1]} "
            f"({LIMITS['inputs'][2]}): build the network within them")
    return step, dropped


def _shapes(nodes: dict[str, nir.NIRNode], before: dict[str, list[str]], order: list[str], shapes: dict[str, Shape]
        ) -> dict[str, Shape]:
    """Shape of what each node gives, from that of the Input; in an order in which one before each is known."""
    for name in order:
        node = nodes[name]
        if name in shapes or not isinstance(node, (*LINEAR, *NEURONS)):
            continue
        shape = next(shapes[each] for each in before[name] if each in shapes)
        if isinstance(node, LINEAR):
            shapes[name] = output_shape(name, node, shape)
        else:
            # Neurons behind a Linear may stand in a grid again.
            grids = [np.shape(value) for value in vars(node).values() if isinstance(value, np.ndarray)
                and value.size == prod(shape)]
            shapes[name] = max([shape, *grids], key=len)
    return shapes


def _check_sizes(nodes: dict[str, nir.NIRNode], populations: list[str], shapes: dict[str, Shape], inputs: int) -> None:
    """Refuse more neurons than the core has, and say how many it would take."""
    sizes = {name: prod(shapes[name]) for name in populations}
    low, high, text = LIMITS["neurons"]
    total = sum(sizes.values())
    if total > high:
        most   = max(sizes, key=sizes.get)
        listed = ", ".join(f"{name!r} {size}" for name, size in list(sizes.items())[:8])
        raise QCLIFError(f"the graph needs {total} neurons ({listed}) and {inputs} inputs, the limits are {low} to "
            f"{high} neurons ({text}) and {LIMITS['inputs'][1]} inputs: build the network within them, {most!r} "
            f"({type(nodes[most]).__name__}) first")
