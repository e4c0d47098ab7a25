# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Nodes of a NIR graph that only add and multiply, as matrices: convolutions and pooling unrolled, place by place.

Between two populations of neurons a graph may have any number of them; their product is one matrix of weights.
"""

from dataclasses import dataclass

import nir
import numpy as np
from scipy import sparse

from accel.errors import QCLIFError

LINEAR = (nir.Linear, nir.Affine, nir.Scale, nir.Flatten, nir.Conv2d, nir.SumPool2d, nir.AvgPool2d)

# Most outputs of such a node, and numbers of its matrix: what is larger does not become a network of 1024 neurons.
OUTPUTS_MAX = 2**16
NUMBERS_MAX = 2**23

Matrix = np.ndarray | sparse.csr_array
Shape  = tuple[int, ...]


def refusal(name: str, node: nir.NIRNode, why: str, remedy: str) -> QCLIFError:
    """The error that names a node, its type, what is wrong with it and what to do."""
    return QCLIFError(f"node {name!r} ({type(node).__name__}): {why}: {remedy}")


def numbers(name: str, node: nir.NIRNode, field: str) -> np.ndarray:
    """A field of a node as float64, of any shape; raises QCLIFError where it is missing or not all are finite."""
    array = np.asarray(getattr(node, field, None))
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise refusal(name, node, f"{field} is {array.dtype if array.dtype.kind not in 'iuf' else 'not finite'}",
            "finite numbers are needed")
    return array.astype(float)


@dataclass(frozen=True, eq=False)
class LinearMap:
    """What a node does to what comes in: x @ matrix + bias.

    Parameters
    ----------
    matrix : [sources, targets], both counted as C order counts their shapes.
    bias : [targets].
    """
    matrix: Matrix
    bias:   np.ndarray


def product(a: Matrix, b: Matrix) -> Matrix | None:
    """The product of two matrices; None where it would have more than NUMBERS_MAX numbers, or take as long."""
    if sparse.issparse(a) and sparse.issparse(b):
        terms = int(np.bincount(a.indices, minlength=a.shape[1]) @ np.diff(b.indptr))
    else:
        terms = a.shape[0]*b.shape[1]
    return a @ b if terms <= NUMBERS_MAX else None


def output_shape(name: str, node: nir.NIRNode, shape: Shape) -> Shape:
    """Shape of what a node of LINEAR gives for what comes in with a shape, without making its matrix.

    Raises
    ------
    QCLIFError : the node's parameters do not fit the shape, or more than OUTPUTS_MAX come out.
    """
    if isinstance(node, (nir.Linear, nir.Affine)):
        weight = numbers(name, node, "weight")
        if weight.ndim != 2 or weight.shape[1] != int(np.prod(shape)):
            raise refusal(name, node, f"weight has shape {list(weight.shape)}, [targets, {int(np.prod(shape))}] is "
                "needed after what leads to it", "rows are targets, columns sources")
        result = weight.shape[:1]
        if isinstance(node, nir.Affine) and (bias := numbers(name, node, "bias")).shape != result:
            raise refusal(name, node, f"bias has shape {list(bias.shape)}, {list(result)} is needed",
                "one value a target")
    elif isinstance(node, nir.Scale):
        scale = numbers(name, node, "scale")
        if scale.size not in (1, int(np.prod(shape))):
            raise refusal(name, node, f"scale has shape {list(scale.shape)}, {list(shape)} comes in",
                "one factor for each, or one for all, is needed")
        result = shape
    elif isinstance(node, nir.Flatten):
        result = (int(np.prod(shape)),)
    else:
        result = _Window.of(name, node, shape).output
    if not 0 < int(np.prod(result)) <= OUTPUTS_MAX:
        raise refusal(name, node, f"{int(np.prod(result))} numbers come out ({list(result)}), at most {OUTPUTS_MAX} "
            "can", "build a smaller network")
    return result


def linear_map(name: str, node: nir.NIRNode, shape: Shape) -> LinearMap:
    """A node of LINEAR as a matrix, for what comes in with a shape; raises QCLIFError where it does not fit."""
    output = output_shape(name, node, shape)
    size   = int(np.prod(output))
    if isinstance(node, (nir.Linear, nir.Affine)):
        bias = numbers(name, node, "bias") if isinstance(node, nir.Affine) else np.zeros(size)
        return LinearMap(numbers(name, node, "weight").T, bias)
    if isinstance(node, nir.Scale):
        scale = np.broadcast_to(numbers(name, node, "scale").ravel(), size)
        return LinearMap(sparse.diags_array(scale).tocsr(), np.zeros(size))
    if isinstance(node, nir.Flatten):
        return LinearMap(sparse.eye_array(size, format="csr"), np.zeros(size))
    return _Window.of(name, node, shape).unrolled()


@dataclass(frozen=True, eq=False)
class _Window:
    """A convolution or a pooling in two dimensions: one kernel at many positions.

    Parameters
    ----------
    weight : [channels out, channels in of a group, kernel height, kernel width].
    bias : [channels out].
    groups : of channels that do not mix.
    stride, padding, dilation : (height, width); padding before the first and behind the last.
    shape, output : [channels, height, width] of what comes in and of what goes out.
    """
    name:     str
    node:     nir.NIRNode
    weight:   np.ndarray
    bias:     np.ndarray
    groups:   int
    stride:   tuple[int, int]
    padding:  tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    shape:    Shape
    output:   Shape

    @classmethod
    def of(cls, name: str, node: nir.NIRNode, shape: Shape) -> "_Window":
        """The window of a Conv2d, SumPool2d or AvgPool2d."""
        if len(shape) != 3:
            raise refusal(name, node, f"what comes in has shape {list(shape)}", "[channels, H, W] is needed")
        channels = shape[0]
        dilation, groups = (1, 1), channels
        if isinstance(node, nir.Conv2d):
            weight, bias = numbers(name, node, "weight"), numbers(name, node, "bias")
            dilation     = _pair(name, node, "dilation", 1)
            groups       = _integers(name, node, "groups", 1)[0]
            if (weight.ndim != 4 or weight.shape[1]*groups != channels or weight.shape[0] % groups
                    or bias.shape != weight.shape[:1]):
                raise refusal(name, node, f"weight has shape {list(weight.shape)}, bias {list(bias.shape)}, groups "
                    f"{groups}; {channels} channels come in", "[out, in/groups, kernel height, kernel width] and [out] "
                    "are needed")
        else:
            kernel = _pair(name, node, "kernel_size", 1)
            if int(np.prod(kernel)) > OUTPUTS_MAX:
                raise refusal(name, node, f"kernel_size is {list(kernel)}", "a kernel smaller than the input is needed")
            weight = np.full((channels, 1, *kernel), 1/np.prod(kernel) if isinstance(node, nir.AvgPool2d) else 1.0)
            bias   = np.zeros(channels)
        reach  = [d*(size - 1) for d, size in zip(dilation, weight.shape[2:], strict=True)]
        stride = _pair(name, node, "stride", 1)
        # As frameworks pad "same": where both sides cannot get as much, the last gets one more.
        padding = {"same": tuple((r//2, r - r//2) for r in reach), "valid": ((0, 0), (0, 0))}.get(
            str(np.asarray(node.padding).item()) if np.asarray(node.padding).dtype.kind in "UO"
            and np.asarray(node.padding).size == 1 else "")
        padding = padding or tuple((p, p) for p in _pair(name, node, "padding", 0))
        output  = tuple(max((size + sum(p) - r - 1)//s + 1, 0)
            for size, p, r, s in zip(shape[1:], padding, reach, stride, strict=True))
        return cls(name, node, weight, bias, groups, stride, padding, dilation, shape, (len(weight), *output))

    def unrolled(self) -> LinearMap:
        """The matrix of all positions."""
        outputs, inputs, *kernel = self.weight.shape
        _, height, width = self.shape
        _, rows, columns = self.output
        terms = self.weight.size*rows*columns
        if terms > NUMBERS_MAX:
            raise refusal(self.name, self.node, f"unrolled it has {terms} weights, at most {NUMBERS_MAX} are possible",
                "build a smaller network")
        # Where each element of the kernel looks, [kernel, positions]; what lies in the padding is 0 and left out.
        y, x = (np.arange(k)[:, None]*d - before + np.arange(n)*s for k, d, (before, _), n, s in
            zip(kernel, self.dilation, self.padding, (rows, columns), self.stride, strict=True))
        ky, kx, oy, ox = (each.ravel() for each in np.indices((*kernel, rows, columns)))
        iy, ix = y[ky, oy], x[kx, ox]
        inside = (iy >= 0) & (iy < height) & (ix >= 0) & (ix < width)
        ky, kx, oy, ox, iy, ix = (each[inside] for each in (ky, kx, oy, ox, iy, ix))
        out, into = (each.reshape(-1, 1) for each in np.indices((outputs, inputs)))
        channel   = out//(outputs//self.groups)*inputs + into
        source    = (channel*height + iy)*width + ix
        target    = (out*rows + oy)*columns + ox
        values    = self.weight[out, into, ky, kx]
        matrix    = sparse.coo_array((values.ravel(), (source.ravel(), target.ravel())),
            shape=(int(np.prod(self.shape)), int(np.prod(self.output)))).tocsr()
        return LinearMap(matrix, np.repeat(self.bias, rows*columns))


def _pair(name: str, node: nir.NIRNode, field: str, low: int) -> tuple[int, int]:
    values = _integers(name, node, field, low)
    return (values[0], values[-1])


def _integers(name: str, node: nir.NIRNode, field: str, low: int) -> list[int]:
    """One or two integers of a node, `low` at least."""
    array = np.ravel(np.asarray(getattr(node, field)))
    if array.dtype.kind not in "iu" or array.size not in (1, 2) or not ((array >= low) & (array <= OUTPUTS_MAX)).all():
        raise refusal(name, node, f"{field} is {str(array.tolist())[:60]}", f"one or two integers from {low} up are "
            "needed")
    return array.tolist()
