# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From a NIR graph to leaky integrate-and-fire neurons in real numbers, step by step.

NIR's equations are continuous in time, tau dv/dt = (v_leak - v) + R I, and of IF dv/dt = R I; how a step of dt follows
from them is each framework's own affair. host.exchange.dialect has what they do; I is the weights of the spikes of the
step. The current of CubaLIF is tau_syn dI/dt = w_in S - I.
"""

import nir
import numpy as np

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.exchange.dialect import Dialect, Step, steps_of
from host.exchange.lif import LIFNetwork, Population
from host.exchange.linear_map import numbers
from host.exchange.wiring import Wiring, refusal, wire

# Parameters of neurons and integrators, as NIR calls them.
PARAMETERS = ("tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")

# Weights of so many thresholds in one spike, or so few that no step comes near it, are a scale read wrongly.
LARGE, SMALL = 1e3, 1e-5


def lif_network(graph: nir.NIRGraph, dialect: Dialect | None = None) -> LIFNetwork:
    """The network that a graph describes; its inputs are counted as the Input's shape counts them in C order.

    Parameters
    ----------
    graph : as host.exchange.wiring takes it; parameters of a population may be scalars.
    dialect : how the framework that wrote it makes steps; None takes NIR's own words, and dt from the metadata.

    Raises
    ------
    QCLIFError : anything that is not such a graph, by the node's name and type.
    """
    wiring = wire(graph)
    values = {name: _parameters(name, wiring.nodes[name], len(wiring.drives[name].bias)) for name in wiring.populations}
    if wiring.integrator:
        values[wiring.integrator] = _parameters(wiring.integrator, wiring.nodes[wiring.integrator],
            len(wiring.readout.bias))
    steps, dt, remarks, warnings = steps_of(graph, wiring.nodes, values, dialect or Dialect())

    populations = _populations(wiring)
    own   = {each.name: each.own for each in populations}
    n     = populations[-1].own.stop
    shape = wiring.input_shape
    result = {name: np.zeros(n) for name in ("bias", "decay", "threshold", "reset", "synapse_decay")}
    sensory, recurrent = np.zeros((int(np.prod(shape)), n)), np.zeros((n, n))
    for each in populations:
        node, value, step, drive = (table[each.name] for table in (wiring.nodes, values, steps, wiring.drives))
        rest = _rest(each.name, node, value, remarks)
        for origin, matrix in drive.weights.items():
            block = _dense(matrix)*step.gain
            if origin == wiring.source:
                sensory[:, each.own] = block
            else:
                recurrent[own[origin], each.own] = block
        # Rest and v_leak differ only where the neuron is driven to fire by itself.
        pull = (1 - step.decay)*(value.get("v_leak", rest) - rest)
        for name, array in (("bias", drive.bias*step.gain + pull), ("decay", step.decay),
                ("threshold", value["v_threshold"] - rest), ("reset", value["v_reset"] - rest),
                ("synapse_decay", step.synapse_decay)):
            result[name][each.own] = array
    remarks += _input_remarks(wiring) + _order_remarks(wiring, populations)
    readout = _readout(wiring, own, n, steps)
    made    = LIFNetwork(populations, sensory, recurrent, **result, input_shape=shape, readout=readout[0],
        readout_bias=readout[1], readout_decay=readout[2], dt=dt, remarks=remarks, warnings=warnings)
    return _checked(made)


def _checked(network: LIFNetwork) -> LIFNetwork:
    """The same, with a warning where its scale cannot be meant."""
    for name in ("sensory", "recurrent", "bias", "threshold", "reset"):
        if not np.isfinite(getattr(network, name)).all():
            raise QCLIFError("weights and thresholds differ by more than real numbers can: rescale the network")
    for each in network.populations:
        threshold = network.threshold[each.own]
        largest = max(np.abs(array[..., each.own]/threshold).max(initial=0)
            for array in (network.sensory, network.recurrent, network.bias))
        if largest > LARGE or 0 < largest < SMALL:
            network.warnings.append(f"{each.name!r} ({each.kind}): its largest weight is {largest:.3g} thresholds in a "
                f"step of {network.dt:g} s: check --dt, --decay and --if-r; the reference in real numbers takes the "
                "same, so that both may be wrong alike")
    return network


def _populations(wiring: Wiring) -> list[Population]:
    depths, made, start = {}, [], 0
    for name in wiring.populations:
        drive = wiring.drives[name]
        depths[name] = max((depths[origin] + 1 for origin in drive.weights if origin in depths), default=0)
        stop = start + len(drive.bias)
        made.append(Population(name, type(wiring.nodes[name]).__name__, slice(start, stop), depths[name]))
        start = stop
    return made


def _rest(name: str, node: nir.NIRNode, value: dict[str, np.ndarray], remarks: list[str]) -> np.ndarray:
    """Potentials that are 0 here, below every threshold: v_leak, or v_reset where v_leak makes neurons fire."""
    leak = value.get("v_leak", np.zeros_like(value["v_threshold"]))
    high = (leak >= value["v_threshold"]) & ("v_leak" in value)
    rest = np.where(high, value["v_reset"], leak)
    bad  = np.flatnonzero(rest >= value["v_threshold"])
    if len(bad):
        level = f"v_threshold[{bad[0]}] is {value['v_threshold'][bad[0]]:g}"
        raise refusal(name, node, f"{level}, v_leak and v_reset are not below it: the neuron fires in every step, "
            "whatever comes in" if "v_leak" in value else f"{level}, not above 0, where it starts",
            "give it a v_reset below its threshold")
    if high.any():
        remarks.append(f"{name!r}: v_leak of {int(high.sum())} neurons is above v_threshold, they fire by themselves: "
            "it became a bias, rest is at v_reset")
    return rest


def _input_remarks(wiring: Wiring) -> list[str]:
    if not wiring.dropped or set(wiring.dropped) == {1}:
        return []
    return [f"the Input has shape {[*wiring.dropped, *wiring.input_shape]}: its first axes {list(wiring.dropped)} are "
        f"batch and time, a step has {list(wiring.input_shape)}"]


def _order_remarks(wiring: Wiring, populations: list[Population]) -> list[str]:
    """Edges that arrive at another time in one pool than in the graph."""
    depth = {each.name: each.depth for each in populations} | {wiring.source: -1}
    place = {name: index for index, name in enumerate((wiring.source, *wiring.populations))}
    lines = []
    for name in wiring.populations:
        for origin in wiring.drives[name].weights:
            steps = depth[name] - depth[origin] - 1
            if place[origin] < place[name] and steps:
                lines.append(f"{origin!r} leads to {name!r} past others: its spikes come {steps} steps earlier than "
                    "theirs, in the graph in the same step")
            elif place[origin] > place[name]:
                lines.append(f"{origin!r} leads back to {name!r}: its spikes come {-steps} steps later, in the graph "
                    "one")
    return lines


def _readout(wiring: Wiring, own: dict[str, slice], n: int, steps: dict[str, Step]
        ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Weights [N, O] or None, bias and decay [O]."""
    low, high, _ = LIMITS["outputs"]
    drive   = wiring.readout
    outputs = len(drive.bias)
    weights = np.zeros((n, outputs))
    for origin, matrix in drive.weights.items():
        weights[own[origin]] = _dense(matrix)
    if outputs > high:
        last = own[wiring.populations[-1]]
        # Spikes of the last population as they are need no readout: there are no classes then.
        if wiring.integrator is None and np.array_equal(weights[last], np.eye(outputs)) and not drive.bias.any():
            return None, np.zeros(outputs), np.ones(outputs)
        name = wiring.integrator or next(name for name, node in wiring.nodes.items() if isinstance(node, nir.Output))
        raise refusal(name, wiring.nodes[name], f"{outputs} outputs, the limits are {low} to {high}",
            "build the network within them")
    if wiring.integrator is None:
        return weights, drive.bias, np.ones(outputs)
    step = steps[wiring.integrator]
    return weights*step.gain, drive.bias*step.gain + step.pull, step.decay


def _parameters(name: str, node: nir.NIRNode, n: int) -> dict[str, np.ndarray]:
    """Parameters of a neuron node, [n] each."""
    values = {}
    for field in PARAMETERS:
        if hasattr(node, field):
            value = numbers(name, node, field)
            if value.size not in (1, n):
                raise refusal(name, node, f"{field} has shape {list(value.shape)}, [{n}] is needed after these weights",
                    "one value a neuron, or one for all")
            values[field] = np.broadcast_to(value.ravel(), n).copy()
    return values


def _dense(matrix: object) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
