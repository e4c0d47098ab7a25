# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: other frameworks' networks in, with a report that can be recomputed."""

import json
import re

import nir
import numpy as np
import pytest
import torch

from accel.errors import EXIT_SILENT
from host.common.folders import ROOT
from host.exchange.compare import compare, random_inputs
from host.exchange.dialect import DT, Dialect
from host.exchange.graph_file import write_graph
from host.exchange.graph_lif import lif_network
from host.exchange.lif import RESETS, SUBTRACT, SUBTRACT_LATE, V_RESET
from host.network.golden import GoldenModel
from host.network.network import Network
from tests.helpers.naive_contract import Reference
from tests.helpers.nir_graphs import START, assert_same, command, graph, integrate, lif, quantized, weights

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
    """The measures of the report, computed again from snntorch's forward pass and the golden model."""
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
    measures = report["spikes"]
    assert (measures["float_spikes"], measures["integer_spikes"], measures["equal"]) == (real, integer, both)
    assert measures["equal_share"] == both/(real + integer - both) > least_equal
    assert 1/most_ratio < measures["count_ratio"] == integer/real < most_ratio
    assert measures["class_agreement"] == same/len(inputs)
    # The clamp at rest is what costs most; without inhibition it has no part.
    assert (measures["below_rest"] == 0) is excitatory
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
    np.testing.assert_array_equal(made.sensory, weights(5, 8).T)


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
    """Neurons that hand each spike on: exact, a step later in each layer, from the first step on."""
    relays = {f"{kind}{k}": node for k in range(3) for kind, node in
        (("w", nir.Linear(np.eye(4)[np.roll(np.arange(4), k)]*1.25)), ("n", integrate(4)))}
    made   = lif_network(graph(relays))
    result = quantized(made)
    network = result.network
    assert (network.neurons, network.outputs, result.gate.rise_steps) == (12, 4, 1)
    steps  = random_inputs(4, 0.3, 1)[0]
    spikes = GoldenModel(network).run([steps])[0].spikes.dense(12)
    late   = made.delayed(made.run(steps.dense(4))[0])
    np.testing.assert_array_equal(spikes, late)
    assert late[:, 8:].sum() > 100
    whole  = compare(made, network, [steps], [-1], V_RESET)
    assert whole.equal_share == 1 and whole.silence is None


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
    kept = graph({"w": nir.Linear(weights(5, 8)), "n": lif(5, tau=1e-2)}, metadata={"dt": 2e-3})
    made = {dt: lif_network(kept, Dialect(dt)) for dt in (None, 1e-3)}
    assert made[None].decay[0] == pytest.approx(0.8) and made[1e-3].decay[0] == pytest.approx(0.9)


def test_what_the_readme_says_of_snntorch(tmp_path, capsys, monkeypatch):
    """Its lines run, and without one value a neuron the exporter fails as it says."""
    snn, exporter = snntorch()
    block, = re.findall(r"```python\n(.*?)```", (ROOT/"host/exchange/README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    code = command("import", "graph.nir", "net.npz", "--framework", "snntorch", "--random-rate", 0.5)
    assert code in (0, EXIT_SILENT)
    assert "warning: neither the graph's metadata" not in capsys.readouterr().out
    assert Network.load("net.npz").neurons == 4
    for values in ({"beta": 0.9}, {"beta": 0.9*torch.ones(4)}):
        net = torch.nn.Sequential(torch.nn.Linear(8, 4), snn.Leaky(init_hidden=True, **values))
        with pytest.raises((ValueError, AssertionError)):
            exporter.export_to_nir(net, torch.zeros(1, 8), ignore_dims=[0])
