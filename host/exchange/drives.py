# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What arrives at each population of a NIR graph: nodes that only add and multiply, multiplied out."""

from dataclasses import dataclass

import nir
import numpy as np
from scipy import sparse

from host.exchange.linear_map import NUMBERS_MAX, LinearMap, Matrix, Shape, linear_map, product, refusal

# Most numbers of all matrices that are kept at a time.
KEPT_MAX = 4*NUMBERS_MAX


@dataclass(frozen=True, eq=False)
class Drive:
    """What arrives at a population or at the Output in a step.

    Parameters
    ----------
    weights : by the name of the population it comes from, or of the Input: [sources, targets].
    bias : [targets].
    """
    weights: dict[str, Matrix]
    bias:    np.ndarray


def multiplied_out(nodes: dict[str, nir.NIRNode], before: dict[str, list[str]], after: dict[str, list[str]],
        ends: list[str], linear: list[str], shapes: dict[str, Shape]) -> dict[str, Drive]:
    """What arrives at each of the ends.

    Parameters
    ----------
    nodes : by name.
    before, after : names of nodes that lead to each, and to which it leads.
    linear : nodes of host.exchange.linear_map.LINEAR, each behind those of them that lead to it.
    shapes : of what each node gives.

    Raises
    ------
    QCLIFError : numbers that are added are not as many, or the products are too large; names the node.
    """
    given:   dict[str, Drive] = {}
    needed = {name: len(after[name]) for name in linear}
    result = {}
    kept   = 0

    def arriving(name: str) -> Drive:
        """The sum of all that leads to a node; what nothing else needs is forgotten."""
        nonlocal kept
        weights, bias, size = {}, 0.0, None
        for each in before[name]:
            n = int(np.prod(shapes[each]))
            if size not in (None, n):
                raise refusal(name, nodes[name], f"{size} numbers come from {before[name][0]!r}, {n} from {each!r}",
                    "what is added must be as many")
            size = n
            if each in given:
                part = given[each]
                needed[each] -= 1
                if not needed[each]:
                    del given[each]
                    kept -= sum(matrix.size for matrix in part.weights.values())
            else:
                part = Drive({each: sparse.eye_array(n, format="csr")}, np.zeros(n))
            for origin, matrix in part.weights.items():
                weights[origin] = weights[origin] + matrix if origin in weights else matrix
            bias = bias + part.bias
        return Drive(weights, bias)

    for name in linear:
        drive  = arriving(name)
        shape  = next(shapes[each] for each in before[name])
        step   = linear_map(name, nodes[name], shape)
        made   = {origin: _product(name, nodes[name], matrix, step) for origin, matrix in drive.weights.items()}
        given[name] = Drive(made, step.matrix.T @ drive.bias + step.bias)
        kept += sum(each.size for each in made.values())
        if kept > KEPT_MAX:
            raise refusal(name, nodes[name], "the weights up to it are too many to be multiplied out",
                "build a smaller network")
    for name in ends:
        result[name] = arriving(name)
    return result


def _product(name: str, node: nir.NIRNode, matrix: Matrix, step: LinearMap) -> Matrix:
    made = product(matrix, step.matrix)
    if made is None:
        raise refusal(name, node, "the weights up to it are too many to be multiplied out", "build a smaller network")
    return made
