# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: rounding, leaks and encoders of imported networks, and graphs that are refused."""

import json
from itertools import pairwise

import nir
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.spike_train import SpikeTrain
from host.exchange.compare import compare, random_inputs
from host.exchange.dialect import DT
from host.exchange.fit import SAMPLES_MIN, fit_readout
from host.exchange.graph_file import write_graph
from host.exchange.graph_lif import lif_network
from host.exchange.inputs import choose_encoder, in_encoder_order
from host.exchange.leak import coincident_leak, linear_leak, open_gates
from host.exchange.lif import RESETS, V_RESET
from host.exchange.quantize import quantize
from host.network.golden import GoldenModel
from host.network.network import Network
from tests.helpers.nir_graphs import START, N, R, W, broken, command, encoder, graph, lif, quantized, refuse, weights

# Quantisation -------------------------------------------------------------------------------------

@pytest.mark.parametrize("bits", [(2, 4, 4), (4, 6, 12), (4, 12, 12), (8, 8, 12), (8, 12, 16), (8, 16, 20)])
@pytest.mark.parametrize("reset", RESETS)
def test_widths(bits, reset):
    """V_a is open from the first step on, or soon; where the weights cannot move so wide a state, that is said."""
    made = lif_network(graph({"w": nir.Linear(weights(5, 8, scale=0.5)), "n": lif(5)}))
    if reset == V_RESET and bits in ((2, 4, 4), (4, 12, 12), (8, 16, 20)):
        remedy = {(2, 4, 4): "more --weight-bits", (4, 12, 12): "--state-bits 6", (8, 16, 20): "--state-bits 13"}[bits]
        refuse(lambda: quantize(made, encoder(8), *bits, reset), "thresholds", f"{bits[0]} bits", f"give {remedy}")
        return
    result = quantize(made, encoder(8), *bits, reset)
    w_max  = 2**(bits[0] - 1) - 1
    assert w_max/2 <= np.abs(result.network.w_sensory).max() <= w_max + 1
    v_a  = GoldenModel(result.network).run(random_inputs(8, 0.1, 0)[:1], states=True)[0].v_a
    gate = result.gate
    assert gate.rise_steps == (15 if bits[0] == 2 else 9 if (bits[0], reset) == (4, V_RESET) else 1)
    assert (v_a[gate.rise_steps - 1:] == gate.open).all() and (v_a[:gate.rise_steps - 1] < gate.open).all()
    assert (open_gates(result.network) == gate.open).all()


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("size, tau, inputs", [(30, 10, 40), (60, 4, 20)])
def test_wider_states_are_no_worse(reset, size, tau, inputs):
    """On the data of the calibration, to what rounding scatters: or the width is refused."""
    affine  = nir.Affine(weights(size, inputs, seed=tau, scale=0.3), weights(1, size, scale=0.05)[0])
    made    = lif_network(graph({"w": affine, "n": lif(size, tau=tau*DT, r=float(tau))}))
    samples = [SpikeTrain.from_dense(each.dense(inputs)[:60]) for each in random_inputs(inputs, 0.1, 1)]
    shares  = []
    for bits in (8, 10, 12, 14, 16):
        try:
            network = quantize(made, encoder(inputs), 8, bits, min(bits + 4, 20), reset).network
        except QCLIFError as error:
            assert "give --state-bits" in str(error) and (reset, bits) in {(V_RESET, 14), (V_RESET, 16)}
            continue
        network.leak_soma = coincident_leak(made, network, samples, reset)
        shares.append(compare(made, network, samples, [-1]*4, reset).equal_share)
    assert len(shares) >= 3 and all(wide > narrow - 0.01 for narrow, wide in pairwise(shares)), shares


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


@pytest.mark.parametrize("seed, size", [(0, 30), (3, 50)])
def test_fitted_readout_predicts_classes_better(seed, size):
    """Logits nearer to those in real numbers on samples that it has not seen; with few, the readout stays."""
    out     = nir.Linear(weights(4, size, seed + 1))
    hidden  = lif(size, tau=10*DT, r=10.0)
    made    = lif_network(graph({"w": nir.Linear(weights(size, 40, seed)), "n": hidden, "r": out}))
    network = quantized(made).network
    kept    = network.readout.copy()
    rng     = np.random.default_rng(seed)
    samples = [SpikeTrain.from_dense(rng.random((25, 40)) < 0.3*rng.random(40)) for _ in range(250)]
    assert fit_readout(made, network, samples[:SAMPLES_MIN - 1], V_RESET) is None
    np.testing.assert_array_equal(network.readout, kept)
    wanted = np.array([made.run(each.dense(40))[2] for each in samples[150:]])

    def apart():
        logits = np.array([each.logits for each in GoldenModel(network).run(samples[150:])], float)
        # In any unit: the readout has one of its own.
        return 1 - (logits*wanted).sum()**2/((logits**2).sum()*(wanted**2).sum())

    before = apart()
    agreed = compare(made, network, samples[150:], [-1]*100, V_RESET).class_agreement
    assert fit_readout(made, network, samples[:150], V_RESET) is not None
    assert apart() < 0.7*before and np.abs(network.readout).max() == 2047
    assert compare(made, network, samples[150:], [-1]*100, V_RESET).class_agreement > agreed - 0.02


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
    ([512], [], Encoder(count_threshold=1)), ([578], [], Encoder((34, 34), (17, 17), 2, 10000, 1)),
    ([2, 16, 16], [], Encoder(count_threshold=1)), ([20], [], Encoder((20, 1), (20, 1), 1, count_threshold=1)),
    ([1, 512], ["--count-threshold", 3], Encoder()), ([2, 3, 5], [], Encoder((5, 3), (5, 3), 2, count_threshold=1)),
    ([3, 5], ["--count-threshold", 2], Encoder((5, 3), (5, 3), 1, count_threshold=2)),
    ([1, 3, 5], ["--sensor-size", 50, 30], Encoder((50, 30), (5, 3), 1, count_threshold=1)),
    ([20], ["--grid", 5, 2, "--polarities", 2, "--bin-us", 1000], Encoder((5, 2), (5, 2), 2, 1000, 1)),
    ([20], ["--grid", 5, 2], "give --grid and --polarities that make 20"),
    ([2, 3, 5], ["--grid", 3, 5], "leave --grid and --polarities out"),
    ([2, 3, 5], ["--input-order", "yxp"], "leave --input-order out"),
    ([3, 2, 5], [], "the Input has shape [3, 2, 5]"), ([2, 2, 2, 1], [], "the Input has shape [2, 2, 2, 1]"),
    ([20], ["--bin-us", 0], "bin_us is 0"), ([20], ["--classes", "a", "b"], "classes has 2 names, readout 3 columns")])
def test_encoder(tmp_path, capsys, shape, options, expected):
    found = imported_encoder(tmp_path, capsys, shape, *options)
    assert found == expected if isinstance(expected, Encoder) else expected in found and found.count("\n") == 1


def test_polarities_of_an_input_shape_are_reordered():
    """The graph counts [polarity, y, x], the contract y, x, polarity."""
    w    = weights(3, 30)
    made = lif_network(graph({"f": nir.Flatten(np.array([2, 3, 5]), 0), "w": nir.Linear(w), "n": lif(3)}))
    made, line = in_encoder_order(made, choose_encoder(made, {}), None)
    assert "counted p, y, x" in line
    for p, y, x in np.ndindex(2, 3, 5):
        np.testing.assert_array_equal(made.sensory[(y*5 + x)*2 + p], w[:, (p*3 + y)*5 + x])


# Refusals -----------------------------------------------------------------------------------------

def nested(**inner):
    return nir.NIRGraph({"i": nir.Input(np.array([5])), "n": N, "o": nir.Output(np.array([5]))} | inner,
        [("i", "n"), ("n", "o")], type_check=False)


def nest_loop():
    """A nested graph that leads back to itself."""
    inner = nested()
    inner.edges += [("i", "i")]
    return inner


@pytest.mark.parametrize("made, words", [
    (graph({"c": nir.Conv1d(8, weights(2, 3)[None], 1, 0, 1, 1, np.zeros(1)), "w": W, "n": N}), ["node 'c' (Conv1d)"]),
    (graph({"w": W, "i": nir.I(np.ones(5))}), ["node 'i' (I)", "possible are LIF"]),
    (graph({"w": W, "i": nir.Threshold(np.ones(5))}), ["node 'i' (Threshold)"]),
    (graph({"w": W, "d": nir.Delay(np.ones(5)), "n": N}), ["node 'd' (Delay)"]),
    (graph({"w": W}), ["node 'out' (Output)", "no neurons"]),
    (graph({"w": W, "l": nir.LI(np.ones(5), np.ones(5), np.zeros(5))}), ["node 'out' (Output)", "no neurons"]),
    (graph({"w": W, "l": nir.LI(np.full(5, DT), np.ones(5), np.zeros(5)), "v": R, "n": N}),
        ["node 'l' (LI)", "no spikes"]),
    (graph({"w": W, "n": N, "r": R}, [*START, ("n", "r"), ("r", "n")]), ["node 'out' (Output)", "no way leads to it"]),
    (graph({"w": W, "n": N}, [*START, ("n", "out"), ("w", "out")]), ["node 'out' (Output)", "past all neurons"]),
    (graph({"w": W, "n": N, "x": R}, [*START, ("n", "out")]), ["node 'x' (Linear)", "no way leads to it from 'in'"]),
    (graph({"w": W, "n": N, "x": lif(5)}, [*START, ("n", "out"), ("n", "x")]),
        ["node 'x' (LIF)", "no way leads from it"]),
    (graph({"w": W, "a": R, "b": R, "n": N},
        [("in", "w"), ("w", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "out")]),
        ["(Linear)", "without neurons between"]),
    (graph({"w": W, "n": N}, [*START, ("n", "out"), ("n", "nowhere")]), ["'nowhere'", "no node"]),
    (graph({"w": W, "n": N}, [*START, ("n", "out"), ("n", "in")]), ["node 'in' (Input)", "'n' leads to it"]),
    (graph({"w": W, "n": N}, [*START, ("n", "out"), ("out", "w")]), ["node 'out' (Output)", "it leads to 'w'"]),
    (graph({"w": W, "n": N, "second": nir.Input(np.array([8]))}), ["2 nodes of type Input"]),
    (graph({"w": nir.Linear(weights(1025, 2)), "n": lif(1025)}), ["1025 neurons", "1 to 1024"]),
    (graph({"w": nir.Linear(weights(2, 4097)), "n": lif(2)}), ["4097 inputs", "1 to 4096"]),
    (graph({"w": W, "n": N, "r": nir.Linear(weights(65, 5))}), ["node 'out' (Output)", "65 outputs"]),
    (broken("w", weight=weights(5, 7)), ["node 'w' (Affine)", "[5, 7]", "8"]),
    (broken("w", weight=weights(6, 8)), ["node 'w' (Affine)", "bias has shape [5]"]),
    (broken("w", weight=np.ones((5, 8, 1))), ["node 'w' (Affine)", "[5, 8, 1]"]),
    (broken("w", weight=np.full((5, 8), np.nan)), ["node 'w' (Affine)", "not finite"]),
    (broken("w", weight=np.full((5, 8), "a")), ["node 'w' (Affine)", "finite numbers"]),
    (broken("n", tau=np.full(4, 1.0)), ["node 'n' (LIF)", "tau has shape [4]", "[5]"]),
    (broken("n", tau=np.zeros(5)), ["node 'n' (LIF)", "tau is 0 s"]),
    (broken("n", tau=np.full(5, DT/2)), ["node 'n' (LIF)", "tau is 5e-05 s", "--dt"]),
    (broken("n", v_threshold=np.zeros(5)), ["node 'n' (LIF)", "v_threshold[0]", "v_leak"]),
    (broken("n", v_threshold=np.full(5, np.inf)), ["node 'n' (LIF)", "v_threshold is not finite"]),
    (broken("r", weight=weights(3, 4)), ["node 'r' (Linear)", "[3, 4]"]),
    (graph({"w": W, "a": nested(), "a.n": N}), ["two nodes", "'a.n'"]),
    (graph({"w": W, "a": nested(j=nir.Input(np.array([5])))}), ["nested graph 'a'", "2 nodes of type Input"]),
    (graph({"w": W, "a": nest_loop(), "n": N}), ["node 'a.i' (Input)", "leads back to itself"]),
    (graph({"w": W, "a": nested(d=nir.Delay(np.ones(5)))}), ["node 'a.d' (Delay)"]),
    (broken("in", input_type={"input": np.array(["8"])}, output_type={"output": np.array([8])}), ["node 'in' (Input)"]),
    (broken("in", input_type={"input": np.array([-8])}, output_type={"output": np.array([8])}), ["node 'in' (Input)"]),
    (graph({"w": W, "n": N}, metadata={"dt": "soon"}), ["metadata has dt 'soon'"]),
    (graph({"w": W, "n": N}, metadata={"dt": -1.0}), ["a step is -1.0 s"]),
])
def test_other_graphs_are_refused(made, words):
    refuse(lambda: lif_network(made), *words)


def test_layers_that_are_too_many_together():
    made = graph({"w": nir.Linear(weights(600, 2)), "n": lif(600), "v": nir.Linear(weights(600, 600)), "m": lif(600)})
    refuse(lambda: lif_network(made), "1200 neurons ('n' 600, 'm' 600)", "2 inputs", "1 to 1024")


def test_network_without_weights():
    refuse(lambda: quantized(lif_network(graph({"w": nir.Linear(np.zeros((5, 8))), "n": N}))), "all weights are 0")


@pytest.mark.parametrize("option, value", [("--weight-bits", 9), ("--state-bits", 3), ("--dt", 0), ("--clip", 1),
    ("--reset", "never"), ("--random-rate", -1)])
def test_options_out_of_range(tmp_path, capsys, option, value):
    with pytest.raises(SystemExit) as end:
        command("import", tmp_path/"a.nir", tmp_path/"a.npz", option, value)
    assert end.value.code == 2 and option in capsys.readouterr().err
