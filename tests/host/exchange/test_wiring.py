# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: what needs no hardware of its own is multiplied out, and edges of any kind lead where they should."""

from itertools import pairwise

import nir
import numpy as np
import pytest
import torch

from host.exchange.compare import compare, random_inputs
from host.exchange.graph_lif import lif_network
from host.exchange.lif import V_RESET
from host.exchange.nesting import flattened
from host.network.golden import GoldenModel
from tests.helpers.nir_graphs import (
    START,
    N,
    R,
    W,
    assert_same,
    encoder,
    graph,
    integrate,
    lif,
    quantized,
    refuse,
    weights,
)

# Nodes that add and multiply ----------------------------------------------------------------------

def conv(out, into, kernel, seed=0, **values):
    values = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, "input_shape": None,
        "bias": weights(1, out, seed + 1)[0]} | values
    rng = np.random.default_rng(seed)
    return nir.Conv2d(weight=rng.normal(0, 1, (out, into//values["groups"], *kernel)), **values)


def pool(kind, kernel, stride, padding=(0, 0)):
    return kind(kernel_size=np.array(kernel), stride=np.array(stride), padding=np.array(padding))


def applied(node, x):
    """What torch gives for a node, x [channels, H, W]."""
    x, function = torch.tensor(x)[None], torch.nn.functional
    if isinstance(node, nir.Conv2d):
        padding = node.padding if isinstance(node.padding, str) else tuple(np.ravel(node.padding).tolist())
        return function.conv2d(x, torch.tensor(node.weight), torch.tensor(node.bias), node.stride, padding,
            node.dilation, node.groups)[0].numpy()
    sizes = [tuple(each.tolist()) for each in (node.kernel_size, node.stride, node.padding)]
    mean  = function.avg_pool2d(x, *sizes)[0].numpy()
    return mean*np.prod(sizes[0]) if isinstance(node, nir.SumPool2d) else mean


@pytest.mark.parametrize("node", [
    conv(3, 2, (3, 3)), conv(2, 2, (2, 3), stride=(2, 1), padding=(1, 2)),
    conv(4, 2, (2, 2), groups=2, dilation=(2, 1)), conv(1, 2, (3, 4), padding="same"),
    conv(2, 2, (3, 3), padding="valid", stride=(3, 2)), pool(nir.SumPool2d, (2, 2), (2, 2)),
    pool(nir.AvgPool2d, (3, 2), (1, 2), (1, 1)), pool(nir.SumPool2d, (6, 7), (1, 1))])
def test_windows_are_unrolled_as_torch_moves_them(node):
    x    = np.random.default_rng(5).normal(0, 1, (2, 6, 7))
    want = applied(node, x)
    made = graph({"c": node, "f": nir.Flatten({"input": np.array(want.shape)}, 0), "n": integrate(want.size)})
    made.nodes["in"] = nir.Input(np.array(x.shape))
    network = lif_network(made)
    np.testing.assert_allclose(x.ravel() @ network.sensory + network.bias, want.ravel(), atol=1e-12)


def test_nodes_in_a_row_are_one_matrix():
    """Scale, Linear after Linear, Affine: the product of all, biases too; and several ways that meet are added."""
    a, b, c = weights(6, 8), weights(4, 6, 1), weights(5, 4, 2)
    s, t    = weights(1, 8, 3)[0], weights(1, 5, 4)[0]
    bias    = weights(1, 4, 5)[0]
    made    = graph({"s": nir.Scale(s), "a": nir.Linear(a), "b": nir.Affine(b, bias), "c": nir.Linear(c),
        "t": nir.Scale(t), "n": integrate(5), "w": W},
        [*pairwise(["in", "s", "a", "b", "c", "t", "n", "out"]), ("in", "w"), ("w", "n")])
    network = lif_network(made)
    np.testing.assert_allclose(network.sensory, (np.diag(t) @ c @ b @ a @ np.diag(s) + W.weight).T)
    np.testing.assert_allclose(network.bias, t*(c @ bias))


def test_a_convolutional_network_as_torch_runs_it():
    """Conv2d, neurons in a grid, pooling, Linear: spikes of a loop over torch's own convolution."""
    first, back, out = conv(3, 2, (3, 3), padding=(1, 1)), pool(nir.SumPool2d, (2, 2), (2, 2)), weights(4, 27, 3)
    grid  = {"v_threshold": np.full((3, 6, 6), 2.0), "r": np.ones((3, 6, 6))}
    made  = graph({"c": first, "n": nir.IF(**grid), "p": back, "f": nir.Flatten({"input": np.array([3, 3, 3])}, 0),
        "w": nir.Linear(out), "m": integrate(4)})
    made.nodes["in"] = nir.Input(np.array([2, 6, 6]))
    network = lif_network(made)
    assert (network.inputs, network.neurons, network.depth) == (72, 112, 1)
    x = np.random.default_rng(4).integers(0, 2, (30, 2, 6, 6)).astype(float)
    u, v, fired = np.zeros((3, 6, 6)), np.zeros(4), []
    for frame in x:
        u  = u + applied(first, frame)
        z  = u > 2
        u  = np.where(z, 0, u)
        v  = v + out @ applied(back, z.astype(float)).ravel()
        y  = v > 1
        v  = np.where(y, 0, v)
        fired.append(np.concatenate([z.ravel(), y]))
    np.testing.assert_array_equal(network.run(x.reshape(30, -1))[0], np.array(fired))
    assert np.sum(fired) > 200


@pytest.mark.parametrize("made, shape, words", [
    (graph({"c": conv(8, 2, (3, 3), padding="same"), "n": integrate(8*16*16)}), [2, 16, 16],
        ["2048 neurons", "512 inputs", "1 to 1024", "'n' (IF)"]),
    (graph({"c": conv(2, 3, (3, 3)), "n": N}), [2, 6, 6], ["node 'c' (Conv2d)", "[2, 3, 3, 3]", "2 channels come in"]),
    (graph({"c": conv(2, 2, (9, 9)), "n": N}), [2, 6, 6], ["node 'c' (Conv2d)", "0 numbers come out"]),
    (graph({"p": pool(nir.SumPool2d, (0, 2), (2, 2)), "n": N}), [2, 6, 6],
        ["node 'p' (SumPool2d)", "kernel_size is [0, 2]"]),
    (graph({"c": conv(2, 2, (3, 3)), "n": N}), [72], ["node 'c' (Conv2d)", "[channels, H, W] is needed"]),
    (graph({"c": conv(900, 2, (8, 8), padding="same"), "n": N}), [2, 32, 32], ["node 'c' (Conv2d)", "921600 numbers"]),
    (graph({"c": conv(60, 2, (31, 31), padding="same"), "p": pool(nir.SumPool2d, (32, 32), (32, 32)), "n": N}),
        [2, 32, 32], ["node 'c' (Conv2d)", "118087680 weights"]),
    (graph({"s": nir.Scale(np.ones(7)), "w": W, "n": N}), [8], ["node 's' (Scale)", "[7]", "[8]"]),
    (graph({"w": W, "v": nir.Linear(weights(4, 8)), "n": N}, [*START, ("in", "v"), ("v", "n"), ("n", "out")]), [8],
        ["node 'n' (LIF)", "5 numbers come from 'w', 4 from 'v'"]),
])
def test_what_does_not_fit(made, shape, words):
    made.nodes["in"] = nir.Input(np.array(shape))
    refuse(lambda: lif_network(made), *words)

# Edges --------------------------------------------------------------------------------------------

def by_hand(x, steps, sizes, ways, w_in):
    """Spikes of IF populations, by name in order; ways are (source, target, weights), a step late if they lead back."""
    names = list(sizes)
    u     = {name: np.zeros(n) for name, n in sizes.items()}
    z     = {name: np.zeros(n) for name, n in sizes.items()}
    fired = []
    for t in range(steps):
        old = dict(z)
        for name in names:
            total = w_in[name] @ x[t] if name in w_in else np.zeros(sizes[name])
            for source, target, weight in ways:
                if target == name:
                    total = total + weight @ (z if names.index(source) < names.index(name) else old)[source]
            v       = u[name] + total
            z[name] = (v > 1).astype(float)
            u[name] = np.where(v > 1, 0, v)
        fired.append(np.concatenate([z[name] for name in names]))
    return np.array(fired) > 0


@pytest.mark.parametrize("seed", [0, 1])
def test_skip_and_feedback_edges(seed):
    """a -> b -> c, a -> c past b, c -> a back, the input to b past a, c to itself: by hand, and as one pool."""
    sizes = {"a": 5, "b": 4, "c": 3}
    ways  = [(p, q, weights(sizes[q], sizes[p], 7*seed + k, 0.6)) for k, (p, q) in
        enumerate([("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("c", "c")])]
    w_in  = {name: weights(sizes[name], 8, 20 + seed + k, 0.5) for k, name in enumerate("ab")}
    nodes = {name: integrate(n) for name, n in sizes.items()}
    edges = [("c", "out")]
    for name, w in w_in.items():
        nodes[f"in_{name}"] = nir.Linear(w)
        edges += [("in", f"in_{name}"), (f"in_{name}", name)]
    for source, target, w in ways:
        nodes[f"{source}{target}"] = nir.Linear(w)
        edges += [(source, f"{source}{target}"), (f"{source}{target}", target)]
    made = graph(nodes, edges)
    made.nodes["in"] = nir.Input(np.array([8]))
    network = lif_network(made)
    assert [each.name for each in network.populations] == ["a", "b", "c"]
    assert [each.depth for each in network.populations] == [0, 1, 2]
    x = np.random.default_rng(seed).integers(0, 2, (80, 8))
    fired = by_hand(x, 80, sizes, ways, w_in)
    np.testing.assert_array_equal(network.run(x)[0], fired)
    assert fired.sum() > 100
    notes = "; ".join(network.remarks)
    for text in ("'a' leads to 'c' past others: its spikes come 1 steps earlier", "'in' leads to 'b' past others",
            "'c' leads back to 'a': its spikes come 3 steps later"):
        assert text in notes
    pool = quantized(network).network
    own = {each.name: each.own for each in network.populations}
    assert {(p, q) for p in own for q in own if pool.w_recurrent_soma[own[p], own[q]].any()} == {
        (source, target) for source, target, _ in ways}
    # Feedback comes later in the pool, which goes its own ways; but it fires with the graph more than by chance.
    agreement = compare(network, pool, random_inputs(8, 0.2, 1), [-1]*4, V_RESET)
    cells     = agreement.steps*network.neurons
    assert agreement.equal > 1.2*agreement.float_spikes*agreement.integer_spikes/cells


def test_neurons_without_weights_between_them():
    """An edge alone is a weight of 1: relays, exact a step later."""
    made    = graph({"n": integrate(4, 0.5), "m": integrate(4, 0.5)})
    made.nodes["in"] = nir.Input(np.array([4]))
    network = lif_network(made)
    np.testing.assert_array_equal(network.sensory[:, :4], np.eye(4))
    np.testing.assert_array_equal(network.recurrent[:4, 4:], np.eye(4))
    steps  = random_inputs(4, 0.3, 1)[0]
    spikes = GoldenModel(quantized(network).network).run([steps])[0].spikes.dense(8)
    np.testing.assert_array_equal(spikes[:, :4], steps.dense(4))
    np.testing.assert_array_equal(spikes[1:, 4:], steps.dense(4)[:-1])


def test_outputs_may_hear_every_population():
    a, b, w = weights(3, 5, 1), weights(3, 4, 2), weights(4, 5, 3)
    made = graph({"w": W, "n": N, "v": nir.Linear(w), "m": lif(4), "a": nir.Linear(a), "b": nir.Linear(b)},
        [*START, ("n", "v"), ("v", "m"), ("n", "a"), ("a", "out"), ("m", "b"), ("b", "out")])
    network = lif_network(made)
    np.testing.assert_array_equal(network.readout, np.vstack([a.T, b.T]))
    spikes, _, logits = network.run(np.random.default_rng(1).integers(0, 2, (50, 8)))
    np.testing.assert_allclose(logits, spikes.sum(axis=0) @ network.readout)

# Nested graphs ------------------------------------------------------------------------------------

def nest(nodes, edges, size):
    return nir.NIRGraph({"input": nir.Input(np.array([size])), "output": nir.Output(np.array([size]))} | nodes, edges,
        type_check=False)


def test_graphs_in_graphs_in_graphs():
    """A whole network inside another, with a recurrent layer inside: the same network as without any nesting."""
    flat  = graph({"w": W, "n": N, "b": R, "s": nir.Scale(np.full(5, 2.0))},
        [*START, ("n", "b"), ("b", "n"), ("n", "s"), ("s", "out")])
    layer = nest({"n": N, "b": R}, [("input", "n"), ("n", "b"), ("b", "n"), ("n", "output")], 5)
    whole = nest({"w": W, "layer": layer, "s": nir.Scale(np.full(5, 2.0))},
        [("input", "w"), ("w", "layer"), ("layer", "s"), ("s", "output")], 8)
    made  = graph({"net": whole})
    made.nodes["in"] = nir.Input(np.array([8]))
    first, second = (quantized(lif_network(each)).network for each in (flat, made))
    assert_same(first, second)
    assert sorted(flattened(made)[0]) == ["in", "net.layer.b", "net.layer.n", "net.s", "net.w", "out"]


def test_a_nested_graph_that_only_passes_on():
    made  = graph({"w": W, "pass": nest({}, [("input", "output")], 5), "n": N})
    plain = graph({"w": W, "n": N})
    np.testing.assert_array_equal(lif_network(made).sensory, lif_network(plain).sensory)
    assert encoder(8).inputs == 8
