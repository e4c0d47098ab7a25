# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: rounding, leaks and encoders of imported networks, and graphs that are refused."""

import json

import nir
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.exchange.compare import compare, random_inputs
from host.exchange.graph_file import write_graph
from host.exchange.graph_lif import DT, lif_network
from host.exchange.leak import coincident_leak, linear_leak
from host.exchange.lif import RESETS, V_RESET
from host.exchange.quantize import quantize
from host.network.golden import GoldenModel
from host.network.network import Network
from tests.helpers.nir_graphs import START, N, R, W, broken, command, encoder, graph, lif, quantized, refuse, weights

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
