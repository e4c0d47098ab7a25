# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From a NIR graph to layers of leaky integrate-and-fire neurons in real numbers, step by step.

NIR's equations are continuous in time, tau dv/dt = (v_leak - v) + R I; a step of dt is one of Euler's, as frameworks
read them: v += dt/tau*(v_leak - v + R I), I being the weights of the spikes of the step. IF has no time constant:
v += R I in a step. The current of CubaLIF is I += dt/tau_syn*(w_in S - I).
"""

import dataclasses

import nir
import numpy as np

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.exchange.chain import Chain, Link, order_graph, refusal
from host.exchange.lif import LIFLayer, LIFNetwork

# Seconds of a step where neither option nor metadata name them: snntorch writes and reads this one.
DT = 1e-4

# Rounding of float32 parameters, relative.
ROUNDING = 1e-5


def lif_network(graph: nir.NIRGraph, dt: float | None = None) -> LIFNetwork:
    """The layers that a graph describes.

    Parameters
    ----------
    graph : a chain as host.exchange.chain names it; parameters of a population may be scalars.
    dt : seconds of a step; None takes the graph's metadata "dt", else DT.

    Raises
    ------
    QCLIFError : anything that is not such a graph, by the node's name and type.
    """
    if dt is None:
        dt = metadata_dt(graph)
    if not 0 < dt < np.inf:
        raise QCLIFError(f"a step is {dt} s, it must be above 0: give another --dt")
    chain  = order_graph(graph)
    shape  = chain.input_shape
    inputs = int(np.prod(shape))
    if len(shape) not in (1, 2, 3) or (len(shape) == 3 and shape[0] not in (1, 2)):
        raise QCLIFError(f"the Input has shape {list(shape)}: [I], [H, W] or [polarities, H, W] is needed")
    _check_size("the Input has", inputs, "inputs")
    layers, sources = [], inputs
    for link in chain.links:
        layers.append(_layer(chain, link, sources, dt))
        sources = layers[-1].neurons
        _check_size(f"up to {link.neurons!r} the graph has", sum(layer.neurons for layer in layers), "neurons")
    if len(shape) == 2:
        # Some exporters leave a batch of one in front.
        shape = shape[1:] if shape[0] == 1 else (1, *shape)
    if len(shape) == 3:
        # The contract counts the polarities of a pixel one after another.
        order     = np.arange(inputs).reshape(shape).transpose(1, 2, 0).ravel()
        layers[0] = dataclasses.replace(layers[0], weights=layers[0].weights[order])
    return LIFNetwork(layers, shape, *_readout(chain, sources, dt), dt)


def metadata_dt(graph: nir.NIRGraph) -> float:
    """Seconds of a step as the graph's metadata name them, else DT; raises QCLIFError where they are no number."""
    try:
        return float(graph.metadata.get("dt", DT))
    except (TypeError, ValueError) as error:
        raise QCLIFError(f"the graph's metadata has dt {graph.metadata['dt']!r}: seconds are needed; give --dt"
            ) from error


def _check_size(what: str, size: int, name: str) -> None:
    low, high, text = LIMITS[name]
    if not max(low, 1) <= size <= high:
        raise QCLIFError(f"{what} {size} {name}, the limits are {max(low, 1)} to {high} ({text}): build the network "
            "within them")


def _layer(chain: Chain, link: Link, sources: int, dt: float) -> LIFLayer:
    node         = chain.nodes[link.neurons]
    weight, bias = _weights(chain, link.weights, sources)
    n            = weight.shape[1]
    value        = _parameters(link.neurons, node, n)
    for name in ("tau", "tau_mem", "tau_syn"):
        bad = np.flatnonzero(value[name] < dt*(1 - ROUNDING)) if name in value else []
        if len(bad):
            raise refusal(link.neurons, node, f"{name}[{bad[0]}] is {value[name][bad[0]]:g} s, below a step of "
                f"{dt:g} s", "give a smaller --dt")
    threshold = value["v_threshold"] - value.get("v_leak", 0)
    bad = np.flatnonzero(threshold <= 0)
    if len(bad):
        raise refusal(link.neurons, node, f"v_threshold[{bad[0]}] is not above v_leak, so that it fires by itself",
            "only neurons that rest below their threshold are possible")
    # Share of the difference to rest that a step takes away.
    step = np.minimum(dt/value.get("tau", value.get("tau_mem", np.inf)), 1)
    gain = value["r"]*(1 if isinstance(node, nir.IF) else step)*value.get("w_in", 1)
    back = [_weights(chain, name, n, n) for name in link.recurrent]
    return LIFLayer(link.neurons, type(node).__name__,
        weights       = weight*gain,
        recurrent     = sum((w for w, _ in back), np.zeros((n, n)))*gain,
        bias          = (bias + sum(b for _, b in back))*gain,
        decay         = np.ones(n) if isinstance(node, nir.IF) else 1 - step,
        threshold     = threshold,
        reset         = value["v_reset"] - value.get("v_leak", 0),
        synapse_decay = 1 - np.minimum(dt/value["tau_syn"], 1) if "tau_syn" in value else np.zeros(n))


def _readout(chain: Chain, sources: int, dt: float) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Weights [sources, O] or None, bias and decay [O]."""
    low, high, _ = LIMITS["outputs"]
    if chain.readout is None:
        # The spikes of the last population themselves, where they can be classes.
        return np.eye(sources) if sources <= high else None, np.zeros(sources), np.ones(sources)
    weight, bias = _weights(chain, chain.readout, sources)
    outputs = weight.shape[1]
    if outputs > high:
        raise refusal(chain.readout, chain.nodes[chain.readout], f"{outputs} outputs, the limits are {low} to {high}",
            "build the network within them")
    if chain.integrator is None:
        return weight, bias, np.ones(outputs)
    node  = chain.nodes[chain.integrator]
    value = _parameters(chain.integrator, node, outputs)
    bad   = np.flatnonzero(value["tau"] < dt*(1 - ROUNDING))
    if len(bad):
        raise refusal(chain.integrator, node, f"tau[{bad[0]}] is {value['tau'][bad[0]]:g} s, below a step of {dt:g} s",
            "give a smaller --dt")
    step = np.minimum(dt/value["tau"], 1)
    return weight*step*value["r"], step*(value["r"]*bias + value["v_leak"]), 1 - step


def _weights(chain: Chain, name: str, sources: int, targets: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Weights [sources, targets] and bias [targets] of a Linear or Affine node."""
    node   = chain.nodes[name]
    weight = _numbers(name, node, "weight")
    shape  = [weight.shape[0] if targets is None and weight.ndim else targets, sources]
    if list(weight.shape) != shape:
        raise refusal(name, node, f"weight has shape {list(weight.shape)}, [{targets or 'neurons'}, {sources}] is "
            "needed between its neighbours", "rows are targets, columns sources")
    bias = _numbers(name, node, "bias") if isinstance(node, nir.Affine) else np.zeros(shape[0])
    if bias.shape != (shape[0],):
        raise refusal(name, node, f"bias has shape {list(bias.shape)}, [{shape[0]}] is needed", "one value a target")
    return weight.T, bias


def _parameters(name: str, node: nir.NIRNode, n: int) -> dict[str, np.ndarray]:
    """Parameters of a neuron node, [n] each."""
    values = {}
    for field in ("tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"):
        if hasattr(node, field):
            value = _numbers(name, node, field)
            if value.size != 1 and value.shape != (n,):
                raise refusal(name, node, f"{field} has shape {list(value.shape)}, [{n}] is needed after these weights",
                    "one value a neuron, or one for all")
            values[field] = np.broadcast_to(value.ravel(), n).copy()
    return values


def _numbers(name: str, node: nir.NIRNode, field: str) -> np.ndarray:
    array = np.asarray(getattr(node, field))
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise refusal(name, node, f"{field} is {array.dtype if array.dtype.kind not in 'iuf' else 'not finite'}",
            "finite numbers are needed")
    return array.astype(float)
