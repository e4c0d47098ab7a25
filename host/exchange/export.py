# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network of the contract as the closest NIR graph, whole in its metadata, and back.

The graph holds what NIR has words for: sensory weights and bias, recurrent weights as a loop, and a LIF (IF without
leak) whose potential is V_s in units of a current, V_s*2**product_shift/V_max, so that the weights are the true
integers. V_a is taken as V_max. The metadata hold every integer, and only these are read back.
"""

import json

import nir
import numpy as np

from accel.errors import QCLIFError
from host.exchange.graph_lif import metadata_dt
from host.network.network import Network, network_from_file

KEY = "qclif"

# Share of the potential that a step takes at least in a LIF: NIR has no infinite time constant.
STEP_MIN = 1e-6


def to_graph(network: Network, dt: float) -> nir.NIRGraph:
    """The closest graph of a valid network, with steps of dt seconds; inexpressible() says what it lacks."""
    gain      = network.state_max/2**network.product_shift
    threshold = network.threshold/gain
    zeros     = np.zeros(network.neurons)
    if network.leak_soma.any():
        # The exponential leak that takes as much from all levels up to the threshold: host.exchange.leak the other way.
        step = np.clip(1 - (1 - np.minimum(network.leak_soma/network.threshold, 1))**2, STEP_MIN, 1)
        neurons = nir.LIF(tau=dt/step, r=1/step, v_leak=zeros, v_threshold=threshold, v_reset=zeros)
    else:
        neurons = nir.IF(r=np.ones(network.neurons), v_threshold=threshold, v_reset=zeros)
    nodes = {
        "input":     nir.Input(np.array([network.inputs])),
        "sensory":   nir.Affine(network.w_sensory.T.astype(np.float32), network.bias_soma.astype(np.float32)),
        "soma":      neurons,
        "recurrent": nir.Linear(network.w_recurrent_soma.T.astype(np.float32)),
    }
    edges = [("input", "sensory"), ("sensory", "soma"), ("soma", "recurrent"), ("recurrent", "soma")]
    last  = "soma"
    if network.outputs:
        nodes["readout"] = nir.Linear(network.readout.T.astype(np.float64))
        edges.append(("soma", last := "readout"))
    nodes["output"] = nir.Output(np.array([network.outputs or network.neurons]))
    config = json.dumps(network.config())
    return nir.NIRGraph(nodes, [*edges, (last, "output")],
        metadata={"dt": dt, KEY: network.arrays() | {"config": config}})


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
    fresh   = to_graph(network, metadata_dt(graph))
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
    pinned = not (network.w_context.any() or network.w_recurrent_apical.any() or network.leak_apical.any()
        or (network.bias_apical >> network.apical_shift <= 0).any())
    lines = []
    if not pinned:
        lines.append(f"apical compartment: {network.contexts} contexts, w_context, w_recurrent_apical, bias_apical and "
            "leak_apical are in the metadata alone, V_a is taken as V_max")
    lines.append("multiplication by V_a: (i_s*V_a) >> product_shift became the constant gain V_max/2**"
        f"{network.product_shift}, not rounded down" + (", from the first step on" if pinned else ""))
    if network.leak_soma.any():
        lines.append(f"linear leak of the soma, {network.leak_soma.min()} to {network.leak_soma.max()} a step: became "
            "the exponential one that takes as much between rest and threshold")
    return [*lines,
        f"saturation: states at 0 and {network.state_max} ({network.state_bits} bits), currents at "
        f"{network.current_bits} bits",
        "reset: the contract subtracts the threshold at once, NIR sets v_reset; and V_s fires at the threshold, NIR "
        "above it",
        "encoder of events, names of the classes, and the sum of the readout over all steps"]
