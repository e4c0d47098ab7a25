# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The neuron and the spatial design: their sums against integers, their Verilog against the golden model."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migen import Signal

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from targets.asic.design import AsicConfig
from targets.asic.gatesim.simulate import HARNESSES, random_cases
from targets.asic.gatesim.spatial import run_spatial
from targets.asic.rtl.adder_tree import CarrySaveAdder
from targets.asic.rtl.generate import generate
from targets.asic.rtl.spatial import SpatialSynapses
from targets.netlist.gates import build_design
from targets.netlist.steps import pack, run_steps, unpack
from tests.accel.test_neuron import contract
from tests.helpers.needs import needs_verilator
from tests.helpers.simulation import run_simulation
from tests.helpers.strategies import random_network as uniform_network

NO_MACROS = SimpleNamespace(macros={})



def built(config, folder):
    """Program of a design."""
    rtl = generate(config, NO_MACROS, folder)
    return build_design(HARNESSES[config.design], rtl.top, rtl.sources)

# Sums ---------------------------------------------------------------------------------------------

def integers(bits):
    """Signed integers of a width; the limits are frequent."""
    low, high = -2**(bits - 1), 2**(bits - 1) - 1
    return st.sampled_from([low, high, 0]) | st.integers(low, high)


@settings(max_examples=60)
@given(data=st.data(), widths=st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_adder_is_exact(data, widths):
    terms = [Signal((bits, True)) for bits in widths]
    dut   = CarrySaveAdder(terms)
    rows  = data.draw(st.lists(st.tuples(*map(integers, widths)), min_size=1, max_size=4))
    rows += [[-2**(bits - 1) for bits in widths], [2**(bits - 1) - 1 for bits in widths]]
    sums  = []

    def run():
        for row in rows:
            for term, value in zip(terms, row, strict=True):
                yield term.eq(value)
            yield
            sums.append((yield dut.total))

    run_simulation(dut, run())
    assert sums == [sum(row) for row in rows]
    assert -2**(len(dut.total) - 1) <= sum(rows[-2]) < -2**(len(dut.total) - 2) # No bit more than it takes.


@settings(max_examples=20)
@given(data=st.data(), sources=st.integers(1, 20), weight_bits=st.integers(2, 8))
def test_synapses_add_the_weights_of_spikes(data, sources, weight_bits):
    dut     = SpatialSynapses(sources, weight_bits, 10)
    weights = data.draw(st.lists(integers(weight_bits), min_size=sources, max_size=sources))
    spikes  = data.draw(st.lists(st.integers(0, 1), min_size=sources, max_size=sources))
    current = data.draw(integers(10))
    total   = []

    def run():
        yield dut.weights.eq(sum((w & 2**weight_bits - 1) << n*weight_bits for n, w in enumerate(weights)))
        yield dut.spikes.eq(sum(z << n for n, z in enumerate(spikes)))
        yield dut.current.eq(current)
        yield
        total.append((yield dut.total))

    run_simulation(dut, run())
    assert total == [current + sum(w*z for w, z in zip(weights, spikes, strict=True))]


@pytest.mark.parametrize("bits", [1, 7, 8, 18])
def test_words_of_ports(bits):
    values = np.random.default_rng(0).integers(0, 2**bits, (3, 5))
    words  = np.concatenate([pack(values, bits), pack(values[:, ::-1], bits)], axis=1)
    first, second = unpack(words, 5, (bits, bits))
    assert np.array_equal(first, values) and np.array_equal(second, values[:, ::-1])
    assert pack(np.array([-1, 0, 1]), 8).tolist() == [0x0100ff]

# Neuron -------------------------------------------------------------------------------------------

NEURONS = {
    "paper":  (QCLIFConfig(current_bits=8), 6),
    "four":   (QCLIFConfig(state_bits=4, current_bits=4, weight_bits=4), 2),
    "wide":   (QCLIFConfig(state_bits=16, current_bits=20), 9),
    "uneven": (QCLIFConfig(state_bits=5, current_bits=13), 0),
    "shift":  (QCLIFConfig(state_bits=4, current_bits=6), 31),
}


@pytest.mark.parametrize("name", NEURONS)
@needs_verilator
def test_neuron_equals_golden_model(name, tmp_path):
    """100,000 random cases and the limits, with clocks without a step in between."""
    sizes, shift = NEURONS[name]
    config = AsicConfig("neuron", sizes, product_shift=shift)
    cases, expected = random_cases(config, 100_000)
    assert cases[:, 1].sum() >= 100_000 and (cases[:, 1] == 0).sum() > 1000
    assert name == "shift" or 0.01 < expected[:, 0].mean() < 0.99
    assert np.array_equal(run_steps(built(config, tmp_path), (), cases), expected)


def test_cases_follow_the_contract():
    """The expected answers once more, by plain integers: the golden model got what the cases say."""
    sizes  = QCLIFConfig(state_bits=6, current_bits=9)
    config = AsicConfig("neuron", sizes, product_shift=4)
    cases, expected = random_cases(config, 2000, seed=3)
    after = (0, 0, 0)
    for (reset, step, soma, apical, leak_soma, leak_apical, threshold), answer in zip(cases.tolist(), expected.tolist(),
            strict=True):
        if reset:
            after = (0, 0, 0)
        elif step:
            after = contract({"soma": soma, "apical": apical, "bias_soma": 0, "bias_apical": 0, "v_soma": after[1],
                "v_apical": after[0], "leak_soma": leak_soma, "leak_apical": leak_apical, "threshold": threshold},
                sizes, 0, 4)
        assert answer == [after[2], after[0], after[1]]


@needs_verilator
def test_a_wrong_neuron_is_found(tmp_path):
    """One more bit of shift than the golden model's."""
    config = AsicConfig("neuron", QCLIFConfig(current_bits=8), product_shift=7)
    cases, expected = random_cases(AsicConfig("neuron", config.sizes, product_shift=6), 5000)
    assert not np.array_equal(run_steps(built(config, tmp_path), (), cases), expected)

# Spatial ------------------------------------------------------------------------------------------

def agree(config, program, network, samples):
    for steps, golden in zip(samples, GoldenModel(network).run(samples, states=True), strict=True):
        run = run_spatial(program, config, network, steps)
        assert run.spikes == golden.spikes
        assert np.array_equal(run.v_a, golden.v_a) and np.array_equal(run.v_s, golden.v_s)


def once(steps):
    """Steps in which each source comes at most once."""
    return SpikeTrain.from_dense(np.minimum(steps.dense(522), 1))


@needs_verilator
def test_synthetic_gestures(tmp_path):
    sizes   = QCLIFConfig(neurons=10, current_bits=8)
    samples = [once(Encoder().encode(each.events, poisson_context(200, n, contexts=10)))
        for n, each in enumerate(synthetic.recordings(2))]
    network = random_network(sizes, Encoder(), samples)
    config  = AsicConfig("spatial", sizes, product_shift=network.product_shift)
    agree(config, built(config, tmp_path), network, samples)


@needs_verilator
def test_real_gestures(qclif_data, tmp_path):
    sizes   = QCLIFConfig(neurons=10, current_bits=8)
    encoder = Encoder(bin_us=1000, count_threshold=1)
    samples = [encoder.encode(each.events) for each in read_files(sorted((qclif_data/"dvs128_gesture").glob("*.npz")))]
    network = random_network(sizes, encoder, samples)
    config  = AsicConfig("spatial", sizes, product_shift=network.product_shift)
    agree(config, built(config, tmp_path), network, samples)


@pytest.mark.parametrize("sizes", [
    QCLIFConfig(neurons=5, inputs=12, contexts=0, weight_bits=4, state_bits=4, current_bits=4),
    QCLIFConfig(neurons=3, inputs=40, contexts=3, weight_bits=8, state_bits=16, current_bits=20),
    QCLIFConfig(neurons=1, inputs=4, contexts=1, weight_bits=2, state_bits=5, current_bits=6),
], ids=["four", "wide", "single"])
@needs_verilator
def test_extreme_networks(sizes, tmp_path):
    """Saturations, clamps and all sources at once."""
    rng     = np.random.default_rng(1)
    config  = AsicConfig("spatial", sizes, apical_shift=1, product_shift=3)
    program = built(config, tmp_path)
    for seed in range(8):
        network = uniform_network(sizes, seed, ("uniform", "extreme", "excited")[seed % 3], apical_shift=1,
            product_shift=3)
        dense   = rng.integers(0, 3, (60, sizes.sources))*rng.integers(0, 2, (60, 1))
        dense[:, sizes.inputs:] = np.minimum(dense[:, sizes.inputs:], 1)
        agree(config, program, network, [SpikeTrain.from_dense(dense)])
    smaller = (max(1, sizes.neurons - 1), max(1, sizes.inputs - 2), max(0, sizes.contexts - 1))
    network = uniform_network(sizes, 9, "excited", smaller, apical_shift=1, product_shift=3)
    agree(config, program, network, [SpikeTrain.from_dense(rng.integers(0, 2, (60, smaller[1] + smaller[2])))])


def test_spatial_errors(tmp_path):
    sizes   = QCLIFConfig(neurons=2, inputs=3, contexts=1, step_events=4)
    config  = AsicConfig("spatial", sizes)
    network = uniform_network(sizes)
    with pytest.raises(QCLIFError, match=r"^product_shift of the network is 6, of the design 5: generate the design"):
        run_spatial(tmp_path, AsicConfig("spatial", sizes, product_shift=5), network, SpikeTrain.from_lists([[0]]))
    with pytest.raises(QCLIFError, match=r"^a context comes more than once in a step"):
        run_spatial(tmp_path, config, network, SpikeTrain.from_lists([[3, 3]]))
    with pytest.raises(QCLIFError, match=r"^a step has 5 events, the design is for 4: raise --step-events"):
        run_spatial(tmp_path, config, network, SpikeTrain.from_lists([[0]*5]))
    with pytest.raises(QCLIFError, match=r"^product_shift is 32, the limits are 0 to 31"):
        AsicConfig("spatial", sizes, product_shift=32)
