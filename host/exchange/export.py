# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network of the contract as the closest NIR graph, whole in its metadata, and back.

The graph holds what NIR has words for, in the form that other frameworks load: one LIF for all neurons, of one time
constant and one threshold, with r = 1. Its potential is V_s in units of the input, V_s*2**product_shift/V_a, with a V_a
for each neuron that does not change; the weights of a neuron with another threshold are scaled to the common one.
Spikes come back through two Linear, the second of ones: frameworks take a LIF and one Linear in a circle for a layer of
their own, and that not always rightly. The metadata hold every integer, and only these are read back.
"""

import json
from collections.abc import Sequence

import nir
import numpy as np

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.exchange.dialect import Dialect, metadata_dt
from host.exchange.graph_lif import lif_network
from host.exchange.inputs import FRAMES, encoder_rows, in_encoder_order
from host.exchange.leak import open_gates
from host.exchange.lif import V_RESET, LIFNetwork
from host.network.network import Network, network_from_file

# The network and the V_a of each neuron, in the metadata.
KEY, OPEN = "qclif", "qclif_open"

# Share of the potential that a step takes: a time constant is neither infinite nor a step.
STEP_MIN, STEP_MAX = 1e-6, 0.999


def is_pinned(network: Network) -> bool:
    """Whether V_a of every neuron stays open at one value, as the import makes it."""
    return not (network.w_context.any() or network.w_recurrent_apical.any()) and bool((open_gates(network) > 0).all())


def typical_gates(network: Network, samples: Sequence[SpikeTrain]) -> np.ndarray:
    """V_a of each neuron where nothing can change it: what it comes to, or its mean over the samples, float64 [N]."""
    if is_pinned(network) or not sum(map(len, samples)):
        return open_gates(network).astype(float)
    from host.network.golden import GoldenModel

    model  = GoldenModel(network)
    states = (result.v_a for sample in samples for result in model.run([sample], states=True))
    return sum(v_a.sum(axis=0, dtype=float) for v_a in states)/sum(map(len, samples))


def to_graph(network: Network, dt: float, gates: np.ndarray | None = None) -> nir.NIRGraph:
    """The closest graph of a valid network; inexpressible() says what it lacks.

    Parameters
    ----------
    dt : seconds of a step.
    gates : V_a of each neuron [N]; None takes what it comes to without contexts and spikes.
    """
    gates = np.asarray(open_gates(network) if gates is None else gates, float)
    scale, threshold, step = _common(network, gates)
    n     = network.neurons
    rows  = np.argsort(encoder_rows(network.encoder, FRAMES))
    zeros = np.zeros(n)
    nodes = {
        "input":   nir.Input(np.array([network.inputs])),
        "sensory": nir.Affine(_weights(network.w_sensory[rows]*scale), _weights(network.bias_soma*scale)),
        # v += dt/tau*(I - v): the threshold is as much smaller as the currents are.
        "soma":    nir.LIF(tau=np.full(n, dt/step), r=np.ones(n), v_leak=zeros, v_threshold=np.full(n, threshold*step),
            v_reset=zeros),
    }
    edges = [("input", "sensory"), ("sensory", "soma")]
    if network.w_recurrent_soma.any():
        nodes |= {"recurrent": nir.Linear(_weights(network.w_recurrent_soma*scale)),
            "back": nir.Linear(np.eye(n, dtype=np.float32))}
        # Before the readout: Norse takes for the output what it comes to last.
        edges += [("soma", "recurrent"), ("recurrent", "back"), ("back", "soma")]
    readout = network.readout if network.outputs else np.eye(n)
    nodes["readout"] = nir.Linear(_weights(readout))
    nodes["output"]  = nir.Output(np.array([readout.shape[1]]))
    edges += [("soma", "readout"), ("readout", "output")]
    config = json.dumps(network.config())
    return nir.NIRGraph(nodes, edges, metadata={"dt": dt, OPEN: gates,
        KEY: network.arrays() | {"config": config}})


def exported_lif(graph: nir.NIRGraph, network: Network) -> LIFNetwork:
    """What a graph of to_graph() says without its metadata, inputs in the order of the network's encoder."""
    lif = lif_network(graph, Dialect(metadata_dt(graph), V_RESET))
    return in_encoder_order(lif, network.encoder, FRAMES)[0]


def _common(network: Network, gates: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Factor [N] of each neuron's weights, the threshold of all in their units, and the share that a step takes."""
    used      = gates > 0
    threshold = network.threshold*2.0**network.product_shift/np.where(used, gates, 1)
    common    = float(np.median(threshold[used])) if used.any() else 1.0
    # The exponential leak that takes as much from all levels up to the threshold: host.exchange.leak the other way.
    steps = 1 - (1 - np.minimum(network.leak_soma/network.threshold, 1))**2
    return np.where(used, common/threshold, 0.0), common, float(np.clip(steps.mean(), STEP_MIN, STEP_MAX))


def _weights(values: np.ndarray) -> np.ndarray:
    """As NIR has them: rows are targets, in the precision of frameworks."""
    # Not -0, which weights of neurons without a gate would become.
    return values.T.astype(np.float32) + np.float32(0)


def from_graph(graph: nir.NIRGraph) -> Network | None:
    """The network that to_graph() kept in the metadata, integer for integer; None in another's graph.

    Raises
    ------
    QCLIFError : the metadata are damaged, or the graph was changed after the export.
    """
    if KEY not in graph.metadata:
        return None
    kept = graph.metadata[KEY]
    if not isinstance(kept, dict):
        raise QCLIFError(f"metadata {KEY} is of type {type(kept).__name__}, a group is needed: export it again")
    network = network_from_file({name: np.asarray(value) for name, value in kept.items()}, f"metadata {KEY}")
    gates   = np.asarray(graph.metadata.get(OPEN))
    if gates.dtype.kind not in "iuf" or gates.shape != (network.neurons,) or not np.isfinite(gates).all():
        raise QCLIFError(f"metadata {OPEN} is not a number for each of {network.neurons} neurons: export it again")
    fresh   = to_graph(network, metadata_dt(graph), gates)
    changed = sorted(name for name in {*fresh.nodes, *graph.nodes}
        if not _same(fresh.nodes.get(name), graph.nodes.get(name)))
    if changed or set(fresh.edges) != set(graph.edges):
        what = f"node {changed[0]!r} was" if changed else "the edges were"
        raise QCLIFError(f"{what} changed after the export, the network in the metadata is an older one: give "
            "--ignore-metadata to import the graph itself")
    return network


def _same(a: nir.NIRNode | None, b: nir.NIRNode | None) -> bool:
    """Whether two nodes have one type and equal parameters."""
    if a is None or b is None:
        return False
    a, b = (dict(node.to_dict(), metadata=None) for node in (a, b))
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def inexpressible(network: Network) -> list[str]:
    """What the graph of to_graph() cannot say, a line each; never empty."""
    pinned = is_pinned(network)
    lines  = []
    if not pinned:
        lines.append(f"apical compartment: {network.contexts} contexts, w_context, w_recurrent_apical, bias_apical and "
            "leak_apical are in the metadata alone, V_a is taken as its mean on the inputs of the comparison")
    lines.append(f"multiplication by V_a: (i_s*V_a) >> {network.product_shift} became a constant gain, not rounded down"
        + (", from the first step on" if pinned else ""))
    if len(set(network.threshold.tolist())) > 1:
        lines.append(f"thresholds, {network.threshold.min()} to {network.threshold.max()}: became one, with scaled "
            "weights")
    if network.leak_soma.any():
        lines.append(f"linear leak of the soma, {network.leak_soma.min()} to {network.leak_soma.max()} a step: became "
            "one exponential leak for all, which takes as much on average between rest and threshold")
    return [*lines,
        f"saturation: states at 0 and {network.state_max} ({network.state_bits} bits), currents at "
        f"{network.current_bits} bits",
        "reset: the contract subtracts the threshold at once, NIR sets v_reset; and V_s fires at the threshold, NIR "
        "above it",
        "encoder of events, names of the classes, and the sum of the readout over all steps; inputs are counted "
        f"{', '.join(FRAMES)} (polarities, rows, columns)"]
