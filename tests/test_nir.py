#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""NIR: our networks out and back bit for bit; other frameworks' in, with a report that can be recomputed."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from host.encoder import Encoder
from host.errors import QCLIFError
from host.events import EVENT
from host.golden import GoldenModel
from host.leak import coincident_leak, linear_leak
from host.lif_compare import compare, random_inputs
from host.lif_network import RESETS, SUBTRACT, SUBTRACT_LATE, V_RESET
from host.network import Network, network_id
from host.nir import main
from host.nir_export import from_graph, inexpressible, to_graph
from host.nir_file import read_graph, write_graph
from host.nir_lif import DT, lif_network
from host.quantize_lif import quantize
from tests.networks import configs, networks, random_network
from tests.reference import Reference

ROOT = Path(__file__).resolve().parent.parent

BITS = (8, 8, 12)


def lif(n, **values):
    """A LIF of n neurons whose potential rises by a spike's weight and halves in a step."""
    values = {"tau": 2*DT, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | values
    return nir.LIF(**{name: np.broadcast_to(np.array(value, float), n).copy() for name, value in values.items()})


def integrate(n, threshold=1.0):
    return nir.IF(r=np.ones(n), v_threshold=np.full(n, threshold))


def graph(nodes, edges=None, **kwargs):
    """A graph of nodes by name between "in" and "out"; one after another where no edges are given."""
    names = ["in", *nodes, "out"]
    edges = edges or list(pairwise(names))
    first = next(iter(nodes.values()))
    nodes = {"in": nir.Input(first.input_type["input"])} | nodes
    if "out" not in nodes:
        nodes["out"] = nir.Output(np.array([1]))
    return nir.NIRGraph(nodes, edges, type_check=False, **kwargs)


def weights(n, i, seed=0, scale=1.0):
    return scale*np.random.default_rng(seed).normal(0, 1, (n, i))


def encoder(inputs):
    return Encoder((inputs, 1), (inputs, 1), 1)


def quantized(network, reset=V_RESET, **kwargs):
    return quantize(network, encoder(network.inputs), *BITS, reset, **kwargs)


def assert_same(a, b):
    assert a.config() == b.config() and a.arrays().keys() == b.arrays().keys()
    for name, array in a.arrays().items():
        np.testing.assert_array_equal(array, b.arrays()[name])
        assert array.dtype == b.arrays()[name].dtype
    assert network_id(a) == network_id(b)


def refuse(call, *texts):
    with pytest.raises(QCLIFError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for text in texts:
        assert str(text) in message


def command(*args):
    """Exit code of the command, in this process."""
    return main([str(arg) for arg in args])


# Export -------------------------------------------------------------------------------------------

@settings(max_examples=30)
@given(st.data())
def test_export_and_import_give_the_same_integers(tmp_path_factory, data):
    network = data.draw(networks(data.draw(configs())))
    if data.draw(st.booleans()):
        network.readout = None
    network.classes = data.draw(st.lists(st.text(max_size=5), min_size=network.outputs, max_size=network.outputs))
    folder = tmp_path_factory.mktemp("nir")
    write_graph(folder/"net.nir", to_graph(network, DT))
    assert_same(from_graph(read_graph(folder/"net.nir")), network)
    assert [each.name for each in folder.iterdir()] == ["net.nir"]


def test_commands_there_and_back(tmp_path, capsys):
    random_network(QCLIFConfig(neurons=9, inputs=6, contexts=2)).save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir", "--json", tmp_path/"a.json") == 0
    printed = capsys.readouterr().out
    listed  = json.loads((tmp_path/"a.json").read_text())["inexpressible"]
    for word in ("apical compartment", "multiplication by V_a", "linear leak", "saturation", "reset"):
        assert f"- {word}" in printed and any(line.startswith(word) for line in listed)
    assert command("import", tmp_path/"a.nir", tmp_path/"b.npz") == 0
    assert (tmp_path/"a.npz").read_bytes() == (tmp_path/"b.npz").read_bytes()


def test_strict_refuses_and_writes_nothing(tmp_path, capsys):
    random_network(QCLIFConfig(neurons=2, inputs=2, contexts=1)).save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir", "--strict") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --strict: NIR cannot express apical compartment") and error.count("\n") == 1
    assert not (tmp_path/"a.nir").exists()


def test_graph_holds_the_true_integers():
    network = random_network(QCLIFConfig(neurons=7, inputs=5, contexts=2, weight_bits=8), seed=2)
    network.leak_soma[:] = np.minimum(network.leak_soma, network.threshold)
    nodes = to_graph(network, DT).nodes
    np.testing.assert_array_equal(nodes["sensory"].weight.T, network.w_sensory)
    np.testing.assert_array_equal(nodes["sensory"].bias, network.bias_soma)
    np.testing.assert_array_equal(nodes["recurrent"].weight.T, network.w_recurrent_soma)
    np.testing.assert_array_equal(nodes["readout"].weight.T, network.readout)
    soma = nodes["soma"]
    np.testing.assert_allclose(soma.v_threshold*255/2**6, network.threshold)
    # A spike raises the potential by its weight, and the leak is the one that the import would give back.
    np.testing.assert_allclose(soma.r*DT/soma.tau, 1)
    back = linear_leak(1 - DT/soma.tau, network.threshold)
    np.testing.assert_allclose(back, network.leak_soma, atol=1e-3*255)


def test_plain_lif_lacks_less_than_a_contextual_one():
    network = random_network(QCLIFConfig(neurons=3, inputs=2, contexts=0))
    assert inexpressible(network)[0].startswith("apical compartment")
    network.w_recurrent_apical[:] = network.leak_apical[:] = 0
    network.bias_apical[:] = 127
    lines = inexpressible(network)
    assert not any(line.startswith("apical") for line in lines)
    assert any(line.startswith("linear leak") for line in lines)
    network.leak_soma[:] = 0
    assert not any(line.startswith("linear leak") for line in inexpressible(network))
    assert isinstance(to_graph(network, DT).nodes["soma"], nir.IF)


def test_changed_graph_is_not_mistaken_for_the_network_in_its_metadata(tmp_path, capsys):
    network = random_network(QCLIFConfig(neurons=4, inputs=3, contexts=0), seed=1)
    for change in ("weight", "node", "edge"):
        changed = to_graph(network, DT)
        if change == "weight":
            changed.nodes["sensory"].weight[1, 2] += 1
        elif change == "node":
            del changed.nodes["recurrent"]
        else:
            changed.edges.remove(("soma", "recurrent"))
        refuse(lambda: from_graph(changed), "changed after the export", "--ignore-metadata")  # noqa: B023
    changed = to_graph(network, DT)
    changed.nodes["sensory"].weight[1, 2] += 1
    write_graph(tmp_path/"a.nir", changed)
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz") == 2
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz", "--ignore-metadata") == 0
    capsys.readouterr()


@pytest.mark.parametrize("change, text", [({"threshold": None}, "threshold missing"), ({"config": "{"}, "not JSON"),
    ({"w_sensory": np.full((3, 4), 900)}, "w_sensory[0, 0] is 900"), (None, "a group is needed")])
def test_damaged_metadata(change, text):
    damaged = to_graph(random_network(QCLIFConfig(neurons=4, inputs=3, contexts=0)), DT)
    if change is None:
        damaged.metadata["qclif"] = "nothing"
    else:
        kept = damaged.metadata["qclif"] | change
        damaged.metadata["qclif"] = {name: value for name, value in kept.items() if value is not None}
    refuse(lambda: from_graph(damaged), "metadata qclif", text)


# Another framework --------------------------------------------------------------------------------

def step_function(x):
    """Spikes of potentials above threshold in their own precision; snntorch's own are always float32."""
    return (x > 0).to(x.dtype)


def snntorch():
    """The package and its exporter, or a skip that says what to install."""
    reason = "needs another framework to compare with: pip install snntorch nirtorch"
    return (pytest.importorskip("snntorch", reason=reason),
        pytest.importorskip("snntorch.export_nir", reason=reason, exc_type=ImportError))


class Peer:
    """A network of snntorch, in double precision, and the graph it exports."""
    def __init__(self, *modules):
        self.net   = torch.nn.Sequential(*modules).double()
        inputs     = self.net[0].weight.shape[1]
        self.graph = snntorch()[1].export_to_nir(self.net, torch.zeros(1, inputs, dtype=torch.double), ignore_dims=[0])

    def spikes(self, counts, layer=1):
        """Spikes bool [T, n] of a module's neurons and the output's sum over the steps, of its own forward pass."""
        fired, outputs = [], []
        with torch.no_grad():
            for module in self.net:
                if hasattr(module, "reset_mem"):
                    module.reset_mem()
            for row in torch.tensor(counts, dtype=torch.double):
                value = row[None]
                for index, module in enumerate(self.net):
                    value = module(value)
                    if index == layer:
                        fired.append(value[0].numpy() > 0)
                outputs.append(value[0].numpy())
        return np.array(fired), np.sum(outputs, axis=0)


def rleaky(n=40, inputs=64, gain=3.0, excitatory=False, seed=0, **kwargs):
    snn, _ = snntorch()
    torch.manual_seed(seed)
    neurons = snn.RLeaky(beta=0.8, linear_features=n, init_hidden=True, spike_grad=step_function, **kwargs)
    peer    = Peer(torch.nn.Linear(inputs, n), neurons, torch.nn.Linear(n, 4, bias=False))
    with torch.no_grad():
        for parameter in (*peer.net[0].parameters(), *peer.net[1].recurrent.parameters()):
            # In place: the exported graph shares the memory.
            parameter.mul_(gain)
            if excitatory:
                parameter.abs_()
    return peer


@pytest.mark.parametrize("reset, gain, options", [(V_RESET, 3, {"reset_mechanism": "zero", "reset_delay": False}),
    # Potentials stay below two thresholds: above, snntorch without delay takes the rest for a spike of the step before.
    (SUBTRACT, 1, {"reset_mechanism": "subtract", "reset_delay": False}), (SUBTRACT_LATE, 3, {})])
def test_real_neurons_are_those_of_snntorch(reset, gain, options):
    peer   = rleaky(gain=gain, **options)
    counts = random_inputs(64, 0.3, 3)[0].dense(64)
    spikes, _, logits = lif_network(peer.graph).run(counts, reset)
    theirs, outputs   = peer.spikes(counts)
    np.testing.assert_array_equal(spikes, theirs)
    np.testing.assert_allclose(logits, outputs)
    assert spikes.sum() > 300


@pytest.mark.parametrize("excitatory, least_equal, most_ratio", [(True, 0.7, 1.1), (False, 0.3, 1.4)])
def test_snntorch_network_and_its_report(tmp_path, capsys, excitatory, least_equal, most_ratio):
    """The figures of the report, computed again from snntorch's forward pass and the golden model."""
    peer = rleaky(gain=1 if excitatory else 3, excitatory=excitatory)
    nir.write(tmp_path/"a.nir", peer.graph)
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz", "--reset", SUBTRACT_LATE, "--random-rate", 0.1,
        "--seed", 7, "--json", tmp_path/"a.json") == 0
    capsys.readouterr()
    report  = json.loads((tmp_path/"a.json").read_text())
    network = Network.load(tmp_path/"a.npz")
    assert (network.neurons, network.inputs, network.contexts, network.outputs) == (40, 64, 0, 4)
    inputs  = random_inputs(64, 0.1, 7)
    results = GoldenModel(network).run(inputs, states=True)
    real, integer, both, same = 0, 0, 0, 0
    for steps, result in zip(inputs, results, strict=True):
        theirs, outputs = peer.spikes(steps.dense(64))
        ours     = result.spikes.dense(40).astype(bool)
        real    += int(theirs.sum())
        integer += int(ours.sum())
        both    += int((theirs & ours).sum())
        same    += int(np.argmax(outputs)) == result.predicted
    figures = report["spikes"]
    assert (figures["float_spikes"], figures["integer_spikes"], figures["equal"]) == (real, integer, both)
    assert figures["equal_share"] == both/(real + integer - both) > least_equal
    assert 1/most_ratio < figures["count_ratio"] == integer/real < most_ratio
    assert figures["class_agreement"] == same/len(inputs)
    # The clamp at rest is what costs most; without inhibition it has no part.
    assert (figures["below_rest"] == 0) is excitatory
    # Exactly the contract's integers.
    reference = Reference(network)
    for t in range(len(inputs[0])):
        assert reference.step(inputs[0].step(t)) == results[0].spikes.step(t).tolist()
        assert list(reference.v_s) == results[0].v_s[t].tolist()


def test_report_of_the_rounding(tmp_path, capsys):
    peer = rleaky()
    nir.write(tmp_path/"a.nir", peer.graph)
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz", "--json", "-") == 0
    arrays  = {each["name"]: each for each in json.loads(capsys.readouterr().out)["arrays"]}
    network = Network.load(tmp_path/"a.npz")
    exact   = {"w_sensory": peer.net[0].weight.detach().numpy().T,
        "w_recurrent_soma": peer.net[1].recurrent.weight.detach().numpy().T}
    for name, values in exact.items():
        scale, most = arrays[name]["scale"]
        assert scale == pytest.approx(most)
        error = getattr(network, name) - values*scale
        assert arrays[name]["rms_error"] == pytest.approx(np.sqrt(np.mean(error**2)))
        assert arrays[name]["max_error"] == pytest.approx(np.abs(error).max()) and np.abs(error).max() < 0.5001
        assert arrays[name]["zeroed"] == np.mean(getattr(network, name) == 0)
    assert max(np.abs(getattr(network, name)).max() for name in ("w_sensory", "w_recurrent_soma", "bias_soma")) > 63


@pytest.mark.parametrize("kind", ["Leaky", "RLeaky one to one", "two layers", "Synaptic"])
def test_other_modules_of_snntorch(kind):
    snn, _ = snntorch()
    torch.manual_seed(1)
    one    = torch.ones(20)
    shared = {"init_hidden": True, "spike_grad": step_function}
    make   = {
        "Leaky":             lambda: snn.Leaky(beta=0.8*one, threshold=0.5 + torch.rand(20), **shared),
        "RLeaky one to one": lambda: snn.RLeaky(beta=0.8, V=torch.rand(20), all_to_all=False, **shared),
        "Synaptic":          lambda: snn.Synaptic(alpha=0.5*one, beta=0.8*one, threshold=one, **shared),
    }
    last = [snn.Leaky(beta=0.5*torch.ones(3), threshold=torch.ones(3), **shared)] if kind == "two layers" else []
    peer = Peer(torch.nn.Linear(32, 20), make.get(kind, make["Leaky"])(), torch.nn.Linear(20, 3, bias=False), *last)
    with torch.no_grad():
        peer.net[0].weight.mul_(4)
    network = lif_network(peer.graph)
    counts  = random_inputs(32, 0.1, 5)[0].dense(32)
    spikes, _, logits = network.run(counts, SUBTRACT_LATE)
    theirs, outputs   = peer.spikes(counts)
    np.testing.assert_array_equal(spikes[:, :20], theirs)
    assert theirs.sum() > 100
    np.testing.assert_allclose(logits, outputs)
    assert quantized(network, SUBTRACT_LATE).network.neurons == (23 if last else 20)


# Nodes --------------------------------------------------------------------------------------------

def test_lif_equations():
    """By hand: tau dv/dt = (v_leak - v) + R I with steps of dt, v above v_threshold set to v_reset."""
    node = lif(2, tau=[1e-3, 5e-4], r=[2.0, 0.5], v_leak=[0.25, -1.0], v_threshold=[0.5, -0.5], v_reset=[0.125, -1.0])
    w    = np.array([[3.0, 1.0], [0.0, 4.0]])
    made = lif_network(graph({"w": nir.Affine(w, np.array([0.5, 1.0])), "n": node}))
    x    = np.random.default_rng(2).integers(0, 2, (200, 2))
    spikes, potentials, _ = made.run(x)
    v = node.v_leak.copy()
    for t, row in enumerate(x):
        v    += DT/node.tau*(node.v_leak - v + node.r*(w @ row + [0.5, 1.0]))
        fired = v > node.v_threshold
        v     = np.where(fired, node.v_reset, v)
        np.testing.assert_array_equal(spikes[t], fired)
        np.testing.assert_allclose(potentials[t], v - node.v_leak, atol=1e-12)
    assert spikes.any(axis=0).all()


def test_rest_may_lie_anywhere():
    w = weights(5, 8)
    at_zero, shifted = (quantized(lif_network(graph({"w": nir.Linear(w), "n": lif(5, v_leak=v, v_reset=v,
        v_threshold=v + 1)}))).network for v in (0.0, -64.0))
    assert_same(at_zero, shifted)


@pytest.mark.parametrize("reset", RESETS)
def test_thresholds_of_neurons(reset):
    """A neuron's weights and threshold share any factor: the integers are the same."""
    w, factor = weights(5, 8), np.array([0.25, 1.0, 2.0, 4.0, 64.0])
    same, varied = (quantized(lif_network(graph({"w": nir.Linear(w*f[:, None]), "n": lif(5, v_threshold=f)})), reset)
        for f in (np.ones(5), factor))
    assert_same(same.network, varied.network)
    assert varied.roundings[0].scale[1] == pytest.approx(256*varied.roundings[0].scale[0])
    level = same.network.threshold
    assert (level == level[0]).all()
    assert level[0] == 255 if reset == V_RESET else 95 <= level[0] <= 191


def test_scalar_parameters_and_nested_graphs():
    """What frameworks write for a whole layer, and for a recurrent one."""
    w, back = weights(5, 8), weights(5, 5, seed=1)
    flat    = graph({"w": nir.Linear(w), "n": lif(5), "b": nir.Linear(back)},
        [*START, ("n", "b"), ("b", "n"), ("n", "out")])
    scalar  = graph({"w": nir.Linear(w), "n": lif(1), "b": nir.Linear(back)}, flat.edges)
    inner   = nir.NIRGraph({"input": nir.Input(np.array([5])), "lif": lif(5), "w_rec": nir.Linear(back),
        "output": nir.Output(np.array([5]))}, [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    nested  = graph({"w": nir.Linear(w), "n": inner})
    first   = quantized(lif_network(flat)).network
    assert first.w_recurrent_soma.any()
    for other in (scalar, nested):
        assert_same(first, quantized(lif_network(other)).network)


def test_integrate_and_fire_has_no_leak():
    made = lif_network(graph({"w": nir.Linear(weights(5, 8)), "n": integrate(5)}))
    assert not quantized(made).network.leak_soma.any()
    np.testing.assert_array_equal(made.layers[0].weights, weights(5, 8).T)


def test_readouts():
    w, out = weights(5, 8), weights(3, 5, seed=1)
    chain  = {"w": nir.Linear(w), "n": lif(5)}
    li     = {"r": nir.Affine(out, np.ones(3)), "l": nir.LI(np.full(3, 4*DT), np.full(3, 4.0), np.zeros(3))}
    sizes  = {name: lif_network(graph(chain | more)) for name, more in {
        "none": {}, "linear": {"r": nir.Linear(out)}, "li": li}.items()}
    np.testing.assert_array_equal(quantized(sizes["none"]).network.readout, np.eye(5))
    linear = quantized(sizes["linear"]).network
    assert np.abs(linear.readout).max() == 2047
    assert_same(linear, quantized(sizes["li"]).network)
    x = np.random.default_rng(1).integers(0, 2, (50, 8))
    spikes, _, logits = sizes["li"].run(x)
    level = total = np.zeros(3)
    for z in spikes:
        level = 0.75*level + out @ z + 1
        total = total + level
    np.testing.assert_allclose(logits, total)


def test_layers_are_blocks_of_one_pool():
    """Neurons that hand each spike on: exact, a step later in each layer, once V_a has risen."""
    relays = {f"{kind}{k}": node for k in range(3) for kind, node in
        (("w", nir.Linear(np.eye(4)[np.roll(np.arange(4), k)]*1.25)), ("n", integrate(4)))}
    made   = lif_network(graph(relays))
    result = quantized(made)
    network, rise = result.network, result.rise_steps
    assert (network.neurons, network.outputs, rise) == (12, 4, 3)
    steps  = random_inputs(4, 0.3, 1)[0]
    spikes = GoldenModel(network).run([steps])[0].spikes.dense(12)
    late   = made.delayed(made.run(steps.dense(4))[0])
    np.testing.assert_array_equal(spikes[rise + 2:], late[rise + 2:])
    assert late[:, 8:].sum() > 100
    whole  = compare(made, network, [steps], [-1], V_RESET)
    assert whole.equal_share > 0.98


def test_synaptic_current_is_dropped_only_when_asked(tmp_path, capsys):
    node = nir.CubaLIF(tau_syn=np.full(5, 2*DT), tau_mem=np.full(5, 2*DT), r=np.full(5, 2.0), v_leak=np.zeros(5),
        v_threshold=np.ones(5), w_in=np.full(5, 2.0))
    write_graph(tmp_path/"a.nir", graph({"w": nir.Linear(weights(5, 8)), "n": node}))
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz") == 2
    assert "node 'n' (CubaLIF): its synaptic current" in capsys.readouterr().err
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz", "--drop-synapse") == 0
    assert "whole charge comes in one step" in capsys.readouterr().out
    # The same charge: twice the weights, by w_in.
    made = quantized(lif_network(graph({"w": nir.Linear(2*weights(5, 8)), "n": lif(5)}))).network
    np.testing.assert_array_equal(Network.load(tmp_path/"a.npz").w_sensory, made.w_sensory)


def test_step_in_seconds():
    made = {dt: lif_network(graph({"w": nir.Linear(weights(5, 8)), "n": lif(5, tau=1e-2)}, metadata={"dt": 2e-3}), dt)
        for dt in (None, 1e-3)}
    assert made[None].layers[0].decay[0] == pytest.approx(0.8) and made[1e-3].layers[0].decay[0] == pytest.approx(0.9)


# Quantisation -------------------------------------------------------------------------------------

@pytest.mark.parametrize("bits", [(2, 4, 4), (4, 12, 12), (8, 8, 12), (8, 16, 20)])
@pytest.mark.parametrize("reset", RESETS)
def test_widths(bits, reset):
    made   = lif_network(graph({"w": nir.Linear(weights(5, 8, scale=0.5)), "n": lif(5)}))
    result = quantize(made, encoder(8), *bits, reset)
    w_max  = 2**(bits[0] - 1) - 1
    assert w_max/2 <= np.abs(result.network.w_sensory).max() <= w_max + 1
    v_a = GoldenModel(result.network).run(random_inputs(8, 0.1, 0)[:1], states=True)[0].v_a
    rise = min(result.rise_steps, len(v_a))
    assert (v_a[rise - 1:] == result.network.state_max).all() or rise == len(v_a)
    assert (v_a[:rise - 1] < result.network.state_max).all()


def test_clipping_makes_finer_steps():
    w = weights(20, 30)
    w[0, 0] = 50
    made = lif_network(graph({"w": nir.Linear(w), "n": lif(20)}))
    whole, clipped = quantized(made), quantized(made, clip=0.01)
    assert whole.roundings[0].saturated == 0 < clipped.roundings[0].saturated <= 0.01
    assert clipped.roundings[0].scale[0] > 4*whole.roundings[0].scale[0]
    assert clipped.network.w_sensory[0, 0] == 127


@given(st.floats(0, 1), st.integers(1, 65535))
def test_linear_leak_takes_as_much(decay, level):
    leak, = linear_leak(np.array([decay]), level)
    u     = (np.arange(20000) + 0.5)/20000*level
    assert np.minimum(leak, u).mean() == pytest.approx((1 - decay)*u.mean(), abs=1e-6*level)


def test_calibrated_leak_agrees_better():
    made    = lif_network(graph({"w": nir.Linear(weights(30, 40)), "n": lif(30, tau=10*DT, r=10.0)}))
    network = quantized(made).network
    samples = random_inputs(40, 0.1, 1)
    before  = compare(made, network, samples, [-1]*4, V_RESET)
    network.leak_soma = coincident_leak(made, network, samples, V_RESET)
    after   = compare(made, network, samples, [-1]*4, V_RESET)
    assert after.equal_share > before.equal_share
    assert abs(after.count_ratio - 1) < abs(before.count_ratio - 1)


def test_recordings_calibrate_and_compare(tmp_path, capsys):
    write_graph(tmp_path/"a.nir", graph({"w": nir.Linear(weights(10, 40)), "n": lif(10, tau=10*DT, r=10.0)}))
    rng    = np.random.default_rng(1)
    events = np.zeros(6000, EVENT)
    events["x"], events["t"] = rng.integers(0, 40, 6000), np.sort(rng.integers(0, 10**6, 6000))
    np.savez(tmp_path/"rec.npz", events=events, label=3)
    options = ["--events", tmp_path/"rec.npz", "--count-threshold", 1, "--bin-us", 4000, "--json", tmp_path/"a.json"]
    reports = []
    for more in ([], ["--calibrate", tmp_path/"rec.npz"]):
        assert command("import", tmp_path/"a.nir", tmp_path/"a.npz", *options, *more) == 0
        reports.append(json.loads((tmp_path/"a.json").read_text()))
    capsys.readouterr()
    assert [each["leak_calibrated"] for each in reports] == [False, True]
    assert all(each["inputs"] == "recordings" and each["spikes"]["steps"] == 250 for each in reports)
    assert reports[1]["spikes"]["equal_share"] > reports[0]["spikes"]["equal_share"]
    assert reports[0]["spikes"]["integer_accuracy"] in (0, 1)


# Encoder ------------------------------------------------------------------------------------------

def imported_encoder(tmp_path, capsys, shape, *options):
    inputs = int(np.prod(shape))
    nodes  = {"w": nir.Linear(weights(3, inputs)), "n": lif(3)}
    if len(shape) > 1:
        nodes = {"f": nir.Flatten(np.array(shape), 0)} | nodes
    write_graph(tmp_path/"a.nir", graph(nodes))
    code = command("import", tmp_path/"a.nir", tmp_path/"a.npz", *options)
    return Network.load(tmp_path/"a.npz").encoder if code == 0 else capsys.readouterr().err


@pytest.mark.parametrize("shape, options, expected", [
    ([512], [], Encoder()), ([578], [], Encoder((34, 34), (17, 17), 2, 10000, 2)), ([2, 16, 16], [], Encoder()),
    ([20], [], Encoder((20, 1), (20, 1), 1)), ([1, 512], [], Encoder()), ([2, 3, 5], [], Encoder((5, 3), (5, 3), 2)),
    ([3, 5], [], Encoder((5, 3), (5, 3), 1)), ([1, 3, 5], ["--sensor-size", 50, 30], Encoder((50, 30), (5, 3), 1)),
    ([20], ["--grid", 5, 2, "--polarities", 2, "--bin-us", 1000, "--count-threshold", 1],
        Encoder((5, 2), (5, 2), 2, 1000, 1)),
    ([20], ["--grid", 5, 2], "give --grid and --polarities that make 20"),
    ([2, 3, 5], ["--grid", 3, 5], "leave --grid and --polarities out"),
    ([20], ["--bin-us", 0], "bin_us is 0"), ([20], ["--classes", "a", "b"], "classes has 2 names, readout 3 columns")])
def test_encoder(tmp_path, capsys, shape, options, expected):
    found = imported_encoder(tmp_path, capsys, shape, *options)
    assert found == expected if isinstance(expected, Encoder) else expected in found and found.count("\n") == 1


def test_polarities_of_an_input_shape_are_reordered():
    """The graph counts [polarity, y, x], the contract y, x, polarity."""
    w    = weights(3, 30)
    made = lif_network(graph({"f": nir.Flatten(np.array([2, 3, 5]), 0), "w": nir.Linear(w), "n": lif(3)}))
    for p, y, x in np.ndindex(2, 3, 5):
        np.testing.assert_array_equal(made.layers[0].weights[(y*5 + x)*2 + p], w[:, (p*3 + y)*5 + x])


# Refusals -----------------------------------------------------------------------------------------

def broken(node="n", **changes):
    """A good graph with another value in a node."""
    made = graph({"w": nir.Affine(weights(5, 8), np.zeros(5)), "n": lif(5), "r": nir.Linear(weights(3, 5))})
    for name, value in changes.items():
        setattr(made.nodes[node], name, value)
    return made


W, N, R = nir.Linear(weights(5, 8)), lif(5), nir.Linear(weights(5, 5))
START   = [("in", "w"), ("w", "n")]


@pytest.mark.parametrize("made, words", [
    (graph({"c": nir.Conv1d(8, weights(2, 3)[None], 1, 0, 1, 1, np.zeros(1)), "w": W, "n": N}), ["node 'c' (Conv1d)"]),
    (graph({"s": nir.Scale(np.ones(8)), "w": W, "n": N}), ["node 's' (Scale)", "possible is Input"]),
    (graph({"w": W, "i": nir.I(np.ones(5))}), ["node 'i' (I)"]),
    (graph({"w": W, "i": nir.Threshold(np.ones(5))}), ["node 'i' (Threshold)"]),
    (graph({"w": W, "d": nir.Delay(np.ones(5)), "n": N}), ["node 'd' (Delay)"]),
    (graph({"w": W, "r": R, "n": N}), ["node 'r' (Linear)", "follows 'w'"]),
    (graph({"n": N}), ["node 'n' (LIF)", "without weights"]),
    (graph({"w": W, "n": N, "m": lif(5)}), ["node 'm' (LIF)", "without weights"]),
    (graph({"w": W}), ["node 'out' (Output)"]),
    (graph({"w": W, "l": nir.LI(np.ones(5), np.ones(5), np.zeros(5))}), ["node 'l' (LI)"]),
    (graph({"w": W, "n": N, "r": R}, [*START, ("n", "r"), ("r", "n")]),
        ["node 'n'", "0 edges lead on"]),
    (graph({"w": W, "n": N, "r": R, "q": R}, [*START, ("n", "r"), ("r", "out"), ("n", "q"), ("q", "out")]),
        ["node 'n' (LIF)", "2 edges lead on"]),
    (graph({"w": W, "n": N, "r": R, "m": lif(5), "q": R},
        [*START, ("n", "r"), ("r", "m"), ("m", "out"), ("m", "q"), ("q", "n")]), ["node 'n' (LIF)", "'q' leads to it"]),
    (graph({"w": W, "n": N, "x": R}, [*START, ("n", "out")]), ["node 'x' (Linear)", "0 edges"]),
    (graph({"w": W, "n": N, "x": lif(5)}, [*START, ("n", "out")]), ["node 'x' (LIF)", "not on the way"]),
    (graph({"w": W, "n": N}, [*START, ("n", "out"), ("n", "nowhere")]), ["'nowhere'", "no node"]),
    (graph({"w": W, "n": N, "second": nir.Input(np.array([8]))}), ["2 nodes of type Input"]),
    (graph({"w": nir.Linear(weights(1025, 2)), "n": lif(1025)}), ["1025 neurons", "1 to 1024"]),
    (graph({"w": nir.Linear(weights(2, 4097)), "n": lif(2)}), ["4097 inputs", "1 to 4096"]),
    (graph({"w": W, "n": N, "r": nir.Linear(weights(65, 5))}), ["node 'r' (Linear)", "65 outputs"]),
    (broken("w", weight=weights(5, 7)), ["node 'w' (Affine)", "[5, 7]", "8"]),
    (broken("w", weight=weights(6, 8)), ["node 'w' (Affine)", "bias has shape [5]"]),
    (broken("w", weight=np.ones((5, 8, 1))), ["node 'w' (Affine)", "[5, 8, 1]"]),
    (broken("w", weight=np.full((5, 8), np.nan)), ["node 'w' (Affine)", "not finite"]),
    (broken("w", weight=np.full((5, 8), "a")), ["node 'w' (Affine)", "finite numbers"]),
    (broken("n", tau=np.full(4, 1.0)), ["node 'n' (LIF)", "tau has shape [4]", "[5]"]),
    (broken("n", tau=np.zeros(5)), ["node 'n' (LIF)", "tau[0] is 0 s", "--dt"]),
    (broken("n", v_threshold=np.zeros(5)), ["node 'n' (LIF)", "v_threshold[0]", "v_leak"]),
    (broken("n", v_threshold=np.full(5, np.inf)), ["node 'n' (LIF)", "v_threshold is not finite"]),
    (broken("r", weight=weights(3, 4)), ["node 'r' (Linear)", "[3, 4]"]),
    (graph({"f": nir.Flatten(np.array([2, 2, 2, 1]), 0), "w": W, "n": N}), ["the Input has shape [2, 2, 2, 1]"]),
    (graph({"w": W, "a": nir.NIRGraph({"i": nir.Input(np.array([5])), "n": N, "o": nir.Output(np.array([5]))},
        [("i", "n"), ("n", "o")]), "a.n": N}), ["two nodes"]),
    (broken("in", input_type={"input": np.array(["8"])}, output_type={"output": np.array([8])}), ["node 'in' (Input)"]),
    (graph({"w": W, "n": N}, metadata={"dt": "soon"}), ["metadata has dt 'soon'"]),
    (graph({"w": W, "n": N}, metadata={"dt": -1.0}), ["a step is -1.0 s"]),
])
def test_other_graphs_are_refused(made, words):
    refuse(lambda: lif_network(made), *words)


def test_layers_that_are_too_many_together():
    made = graph({"w": nir.Linear(weights(600, 2)), "n": lif(600), "v": nir.Linear(weights(600, 600)), "m": lif(600)})
    refuse(lambda: lif_network(made), "up to 'm'", "1200 neurons", "1 to 1024")


def test_network_without_weights():
    refuse(lambda: quantized(lif_network(graph({"w": nir.Linear(np.zeros((5, 8))), "n": N}))), "all weights are 0")


@pytest.mark.parametrize("option, value", [("--weight-bits", 9), ("--state-bits", 3), ("--dt", 0), ("--clip", 1),
    ("--reset", "never"), ("--random-rate", -1)])
def test_options_out_of_range(tmp_path, capsys, option, value):
    with pytest.raises(SystemExit) as end:
        command("import", tmp_path/"a.nir", tmp_path/"a.npz", option, value)
    assert end.value.code == 2 and option in capsys.readouterr().err


# Files --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_files_that_are_no_hdf5(tmp_path, content):
    (tmp_path/"a.nir").write_bytes(content)
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a.nir: not an HDF5 file")


def test_files_that_are_not_there(tmp_path):
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a.nir: No such file")
    refuse(lambda: read_graph(tmp_path), str(tmp_path))
    refuse(lambda: write_graph(tmp_path/"no"/"a.nir", broken()), "No such file", "choose another file")


def test_hdf5_that_is_no_nir(tmp_path):
    with h5py.File(tmp_path/"a.nir", "w") as file:
        file["data"] = np.zeros(3)
    refuse(lambda: read_graph(tmp_path/"a.nir"), "without a NIR graph")
    nir.write(tmp_path/"a.nir", lif(3))
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a single LIF")
    write_graph(tmp_path/"a.nir", broken())
    with h5py.File(tmp_path/"a.nir", "r+") as file:
        del file["node/nodes/n/type"]
        file["node/nodes/n/type"] = "Unheard"
    refuse(lambda: read_graph(tmp_path/"a.nir"), "node 'n' has type 'Unheard'")
    with h5py.File(tmp_path/"a.nir", "r+") as file:
        del file["node/nodes/n/type"]
    refuse(lambda: read_graph(tmp_path/"a.nir"), "not a readable NIR file")


@settings(max_examples=60)
@given(st.data())
def test_damaged_files_give_one_line_or_a_graph(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("nir")/"a.nir"
    write_graph(path, broken())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[:data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)
    try:
        lif_network(read_graph(path))
    except QCLIFError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("start", [["-m", "host.nir"], ["host/nir.py"]])
def test_both_ways_to_start_it(tmp_path, start):
    """The command has the name of the package that it imports."""
    (tmp_path/"a.nir").write_bytes(b"no graph")
    done = subprocess.run([sys.executable, *start, "import", str(tmp_path/"a.nir"), str(tmp_path/"a.npz")],
        capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "not an HDF5 file" in done.stderr
