# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: graphs that other people's programs wrote, each read as it is meant, or refused for the true reason."""

import json
import os
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from accel.errors import EXIT_SILENT
from host.events.event_array import EVENT
from host.exchange.dialect import Dialect
from host.exchange.graph_file import read_graph, write_graph
from host.exchange.graph_lif import lif_network
from host.network.network import Network
from tests.helpers.nir_graphs import assert_same, command, graph, integrate, lif, weights

NEEDS = pytest.mark.skipif("QCLIF_CASES" not in os.environ,
    reason="no files of others: set QCLIF_CASES to a folder with nir/*.nir")


def case(name):
    return Path(os.environ["QCLIF_CASES"])/"nir"/name


@pytest.fixture
def run(tmp_path, capsys):
    """Imports a graph (a file or a graph): exit code, network, report, and what was printed."""
    def imported(given, *options):
        if not isinstance(given, Path):
            write_graph(tmp_path/"a.nir", given)
            given = tmp_path/"a.nir"
        for name in ("a.npz", "a.json"):
            (tmp_path/name).unlink(missing_ok=True)
        code = command("import", given, tmp_path/"a.npz", "--json", tmp_path/"a.json", *options)
        out  = capsys.readouterr()
        if code == 2:
            assert out.err.count("\n") == 1
            return code, None, None, out.err
        # As lines were before the console broke them.
        report = json.loads((tmp_path/"a.json").read_text())
        return code, Network.load(tmp_path/"a.npz"), report, " ".join(out.out.split())
    return imported


def has(lines, *texts):
    return any(all(text in line for text in texts) for line in lines)

# Order of inputs ----------------------------------------------------------------------------------

@NEEDS
def test_flat_and_shaped_inputs_give_the_same_network(run):
    shaped, flat = (run(case(name)) for name in ("i2x17x17.nir", "i578.nir"))
    assert_same(shaped[1], flat[1])
    assert has(flat[2]["notes"], "without a shape, taken as p, y, x of 2x17x17", "--input-order")
    assert has(shaped[2]["notes"], "counted p, y, x as the Input's shape [2, 17, 17] tells")
    other = run(case("i578.nir"), "--input-order", "yxp")[1]
    assert not np.array_equal(flat[1].w_sensory, other.w_sensory)
    # The graph's own row of (p, y, x) stands where the encoder counts (y, x, p).
    np.testing.assert_array_equal(flat[1].w_sensory[(3*17 + 5)*2 + 1], other.w_sensory[17*17 + 3*17 + 5])


@pytest.mark.parametrize("order", ["pyx", "yxp", "xpy"])
@pytest.mark.parametrize("sizes", [{"p": 2, "y": 3, "x": 4}, {"p": 1, "y": 5, "x": 2}])
def test_a_network_trained_on_flattened_images_knows_them(tmp_path, run, order, sizes):
    """Each class is one pixel of one polarity: all are right in their order, few in another."""
    shape   = [sizes[axis] for axis in order]
    inputs  = int(np.prod(shape))
    events  = np.zeros(10*inputs, EVENT)
    labels  = []
    for label, index in enumerate(np.ndindex(*shape)):
        place = dict(zip(order, index, strict=True))
        rows  = slice(10*label, 10*label + 10)
        for axis in "pyx":
            events[axis][rows] = place[axis]
        events["t"][rows] = np.arange(10)*5000
        labels.append(label)
    np.savez(tmp_path/"r.npz", events=events, offsets=np.arange(inputs + 1)*10, labels=labels)
    options = ["--grid", sizes["x"], sizes["y"], "--polarities", sizes["p"], "--events", tmp_path/"r.npz"]
    made    = graph({"w": nir.Linear(2*np.eye(inputs)), "n": integrate(inputs)})
    right   = run(made, *options, "--input-order", order)[2]["spikes"]
    assert right["integer_accuracy"] == right["float_accuracy"] == 1
    same    = sizes["p"] == 1 and order.replace("p", "") == "yx"
    default = run(made, *options)[2]["spikes"]["integer_accuracy"]
    assert default == 1 if order == "pyx" or same else default < 0.5

# Silence ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("made", [graph({"w": nir.Linear(weights(4, 6, scale=1e-3)), "n": lif(4, tau=2e-4)}),
    graph({"w": nir.Linear(-np.abs(weights(3, 5))), "n": integrate(3)})])
def test_silence_is_no_agreement(run, made):
    code, network, report, printed = run(made)
    assert code == EXIT_SILENT and network is not None
    assert report["spikes"]["equal_share"] is None and report["spikes"]["class_agreement"] is None
    assert has(report["warnings"], "neither network fires", "nothing was compared")
    assert "100.0%" not in printed and "nothing to compare" in printed and "warning: neither network fires" in printed


def test_outputs_that_hear_nothing_agree_on_no_class(run):
    out = nir.Linear(np.hstack([np.zeros((2, 4)), weights(2, 1)]))
    w   = weights(5, 6)
    w[4] = -1
    code, _, report, printed = run(graph({"w": nir.Linear(w), "n": integrate(5), "r": out}))
    assert code == 0 and report["spikes"]["class_agreement"] is None and "same class" not in printed


def test_events_count_one_by_one(run):
    """What other frameworks count as a spike is one event."""
    made = graph({"w": nir.Linear(weights(4, 512)), "n": lif(4)})
    assert run(made)[1].encoder.count_threshold == 1
    assert run(made, "--count-threshold", 3)[1].encoder.count_threshold == 3

# IF -----------------------------------------------------------------------------------------------

def unit(network):
    """Integers for 1 in the graph's units."""
    return network.threshold[0]*2**network.product_shift/network.bias_apical[0]


@NEEDS
def test_if_of_spikingjelly(run):
    code, network, report, _ = run(case("spikingjelly_if.nir"))
    weight = nir.read(case("spikingjelly_if.nir")).nodes["_0"].weight.T
    assert code == 0 and np.abs(network.w_sensory - weight*unit(network)).max() < 0.51
    assert has(report["notes"], "'_1' (IF): r, 10000", "raises the potential by 1", "the reference in real numbers",
        "recognised")
    assert not has(report["notes"], "cut at the widest weight")


@pytest.mark.parametrize("r, options, gain", [(1.0, [], 1), (1000.0, ["--dt", 1e-3], 1), (2.5, ["--if-r", "step"], 2.5),
    (500.0, ["--dt", 1e-3, "--if-r", "second"], 0.5), (1e4, ["--if-r", "step"], 1e4)])
def test_r_of_if(run, r, options, gain):
    w    = weights(5, 8, scale=1/gain)
    made = graph({"w": nir.Linear(w), "n": nir.IF(r=np.full(5, r), v_threshold=np.ones(5))})
    code, network, report, _ = run(made, *options)
    assert code == 0 and np.abs(network.w_sensory - gain*w.T*unit(network)).max() < 0.51
    assert has(report["notes"], "(IF): r", f"by {gain:g}", "--if-r")


@pytest.mark.parametrize("r", [2.5, 500.0, np.array([1.0, 1.0, 1e4])])
def test_r_that_says_neither(run, r):
    made = graph({"w": nir.Linear(weights(3, 8)), "n": nir.IF(r=np.broadcast_to(r, 3).copy(), v_threshold=np.ones(3))})
    code, _, _, error = run(made)
    assert code == 2 and "node 'n' (IF): r is" in error and "--if-r step" in error and "--dt" in error


def test_a_scale_that_cannot_be_meant_is_told(run):
    """Also where integers and real numbers agree on it."""
    made = graph({"w": nir.Linear(weights(5, 8)), "n": nir.IF(r=np.full(5, 1e4), v_threshold=np.ones(5))})
    code, _, _, error = run(made, "--if-r", "step")
    assert code == 2 and "thresholds" in error
    report = run(made, "--dt", 1e-12, "--if-r", "second")[2]
    assert has(report["warnings"], "its largest weight is", "thresholds", "both may be wrong alike")

# Seconds of a step --------------------------------------------------------------------------------

@NEEDS
def test_time_constants_in_steps(run):
    code, _, _, error = run(case("sinabs_lif.nir"))
    assert code == 2 and "node '1' (LIF): tau is 20 s, 200000 steps" in error and "--dt" in error and "sinabs" in error
    for options in (["--framework", "sinabs"], ["--dt", 1]):
        code, network, report, _ = run(case("sinabs_lif.nir"), *options)
        assert code == 0 and network.leak_soma.any()
        assert report["layers"][0]["decay"][0] == pytest.approx(0.95, abs=2e-3)


@pytest.mark.parametrize("tau, dt", [(0.5, 1e-2), (40.0, 1.0)])
def test_a_step_that_cannot_be_is_told(run, tau, dt):
    made = graph({"w": nir.Linear(weights(5, 8)), "n": lif(5, tau=tau, r=tau/dt)})
    code, _, _, error = run(made)
    assert code == 2 and f"tau is {tau:g} s" in error and "give --dt" in error
    assert run(made, "--dt", dt)[0] == 0


def test_a_step_that_nothing_confirms_is_told(run):
    made = graph({"w": nir.Linear(weights(5, 8, scale=100)), "n": lif(5, tau=1e-2, r=1.0)})
    assert has(run(made)[2]["warnings"], "assumed", "--dt")
    for options in ([], ["--dt", 1e-3]):
        confirmed = graph({"w": nir.Linear(weights(5, 8)), "n": lif(5, tau=1e-3, r=10.0)}) if not options else made
        assert not run(confirmed, *options)[2]["warnings"]


@pytest.mark.parametrize("dt, options, told", [(1e-4, [], "--bin-us 100"), (1e-3, [], "--bin-us 1000"),
    (5e-3, [], None), (1e-3, ["--bin-us", 5000], None), (1.0, [], None)])
def test_steps_of_recordings_and_of_the_graph(run, dt, options, told):
    made  = graph({"w": nir.Linear(weights(5, 512)), "n": lif(5, tau=10*dt, r=10.0)}, metadata={"dt": dt})
    notes = run(made, *options)[2]["notes"]
    assert has(notes, "a step of recordings is 5000 us", told) if told else not has(notes, "a step of recordings")

# Widths -------------------------------------------------------------------------------------------

@NEEDS
@pytest.mark.parametrize("reset", ["v_reset", "subtract-late"])
def test_wide_states_of_digits(run, reset):
    """As many are right as in narrow ones: V_a is open from the first step on."""
    options  = ["--reset", reset, "--calibrate", case("digits_cal.npz"), "--events"]
    accuracy = {}
    for bits in ((8, 12), (16, 20)):
        widths = ["--state-bits", bits[0], "--current-bits", bits[1]]
        report = run(case("digits_lif.nir"), *widths, *options, case("digits_cal.npz"))[2]["spikes"]
        test   = run(case("digits_lif.nir"), *widths, *options, case("digits_test.npz"))[2]["spikes"]
        accuracy[bits] = report["equal_share"], test["integer_accuracy"]
        assert abs(test["integer_accuracy"] - test["float_accuracy"]) < 0.021 and test["float_accuracy"] > 0.95
    (narrow, first), (wide, second) = accuracy.values()
    assert wide > narrow - 0.01 and second > first - 0.02

# The true reason ----------------------------------------------------------------------------------

@NEEDS
def test_axes_of_batch_and_time(run):
    code, _, _, error = run(case("rockpool_T10.nir"))
    assert code == 2 and "its synaptic current (tau_syn)" in error and "--drop-synapse" in error
    code, network, report, _ = run(case("rockpool_T10.nir"), "--framework", "rockpool", "--drop-synapse")
    assert code == 0 and (network.inputs, network.neurons) == (100, 20)
    assert has(report["notes"], "[1, 10, 100]", "batch and time", "[100]")


@pytest.mark.parametrize("shape, options, dropped", [([7, 8], [], [7]), ([1, 8], [], None), ([1, 3, 8], [], [1, 3]),
    ([5, 2, 1, 4], [], [5]), ([8, 1], [], None)])
def test_other_axes(run, shape, options, dropped):
    nodes = {"w": nir.Linear(weights(5, 8)), "n": lif(5)}
    if len(shape) == 4:
        nodes = {"f": nir.Flatten({"input": np.array(shape)}, 1)} | nodes
    made = graph(nodes)
    made.nodes["in"] = nir.Input(np.array(shape))
    code, network, report, _ = run(made, *options)
    assert code == 0 and network.inputs == 8
    assert has(report["notes"], f"its first axes {dropped}") if dropped else not has(report["notes"], "its first axes")


@NEEDS
def test_rest_above_the_threshold(run):
    """One neuron is driven by its rest alone: a bias, as often as NIR's equations say."""
    code, network, report, _ = run(case("two_lif_neurons.nir"), "--dt", 1e-3)
    assert code == 0 and network.bias_soma[0] > 0 and has(report["notes"], "'lif1'", "v_leak", "above v_threshold")
    spikes = lif_network(read_graph(case("two_lif_neurons.nir")), Dialect(1e-3)).run(np.zeros((200, 1)))[0]
    v, times = 0.0, []
    for t in range(200):
        v += 0.1*(1.2 - v)
        if v > 1:
            v, times = 0.0, [*times, t]
    assert times == np.flatnonzero(spikes[:, 0]).tolist() and len(times) > 5


def test_rest_above_the_threshold_and_reset_below_rest(run):
    node = lif(2, tau=2e-4, v_leak=[-1.0, 3.0], v_threshold=[0.5, 1.0], v_reset=[-1.0, -0.5])
    made = graph({"w": nir.Linear(weights(2, 4)), "n": node})
    x    = np.random.default_rng(1).integers(0, 2, (60, 4))
    # Each from where it rests here: v_leak, or v_reset.
    v, ours = np.array([-1.0, -0.5]), lif_network(made).run(x)[0]
    for t, row in enumerate(x):
        v     = v + 0.5*(node.v_leak - v + node.r*(weights(2, 4) @ row))
        fired = v > node.v_threshold
        np.testing.assert_array_equal(ours[t], fired)
        v     = np.where(fired, node.v_reset, v)
    node.v_reset[1] = 1.5
    code, _, _, error = run(made)
    assert code == 2 and "node 'n' (LIF): v_threshold[1] is 1" in error and "fires in every step" in error


@NEEDS
@pytest.mark.parametrize("name, neurons", [("braille_noDelay_bias_zero.nir", 45),
    ("braille_noDelay_noBias_subtract.nir", 47)])
def test_braille(run, name, neurons):
    code, _, _, error = run(case(name))
    assert code == 2 and "node 'lif1.lif' (CubaLIF)" in error and "--drop-synapse" in error
    code, network, report, _ = run(case(name), "--drop-synapse", "--random-rate", 0.2)
    assert code == 0 and network.neurons == neurons and report["layers"][0]["recurrent"]


@pytest.mark.parametrize("size, code", [(1, 0), (2, 2)])
def test_nested_graphs_with_one_value_for_all(run, size, code):
    """As exporters write a layer: nir's own check of types would refuse the file, and blame it."""
    inner = nir.NIRGraph({"i": nir.Input(np.array([5])), "n": lif(size), "o": nir.Output(np.array([5]))},
        [("i", "n"), ("n", "o")], type_check=False)
    result, network, _, error = run(graph({"w": nir.Linear(weights(5, 8)), "layer": inner}))
    assert result == code
    assert network.neurons == 5 if not code else "node 'layer.n' (LIF): tau has shape [2], [5]" in error


def test_nested_pooling_without_a_stride(run):
    """nir computes with it before anything is refused."""
    pool  = nir.SumPool2d(np.array([1, 1]), np.array([0, 3]), np.array([1, 1]))
    inner = nir.NIRGraph({"i": nir.Input(np.array([2, 4, 4])), "p": pool, "o": nir.Output(np.array([3]))},
        [("i", "p"), ("p", "o")], type_check=False)
    made  = graph({"s": nir.Scale(np.ones((2, 4, 4))), "layer": inner, "w": nir.Linear(weights(5, 8)), "n": lif(5)})
    code, _, _, error = run(made)
    assert code == 2 and "node 'layer.p' (SumPool2d): stride is [0, 3]" in error


def test_graphs_that_promise_more_than_they_hold(run, tmp_path):
    """A small file of zeros that unpack to gigabytes, and one that leads elsewhere."""
    for change in ("zeros", "link", "text"):
        write_graph(tmp_path/"b.nir", graph({"w": nir.Linear(weights(5, 8)), "n": lif(5)}))
        with h5py.File(tmp_path/"b.nir", "r+") as file:
            node = file["node/nodes/w"]
            del node["weight"]
            if change == "zeros":
                node.create_dataset("weight", (2**14, 2**14), "f4", compression="gzip", chunks=(2**10, 2**10))
            elif change == "text":
                node.create_dataset("weight", (2**10, 2**10), "S200", compression="gzip")
            else:
                node["weight"] = h5py.ExternalLink("/dev/zero", "weight")
        assert (tmp_path/"b.nir").stat().st_size < 2**20
        code, _, _, error = run(tmp_path/"b.nir")
        assert code == 2 and "'weight'" in error, change
