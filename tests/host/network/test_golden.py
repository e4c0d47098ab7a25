# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The golden model against the naive reference: the same spikes, states and logits, integer for integer."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data.batch import Batch
from host.events.spike_train import SpikeTrain
from host.network import golden
from host.network.golden import GoldenModel
from host.network.network import predicted
from host.network.readout import readout_logits
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import configs, inputs_of, networks, random_network


def run_reference(network, steps):
    """Spikes as Steps, V_a and V_s [T, N]."""
    reference = Reference(network)
    spikes, v_a, v_s = [], [], []
    for t in range(len(steps)):
        spikes.append(reference.step(steps.step(t)))
        v_a.append(list(reference.v_a))
        v_s.append(list(reference.v_s))
    return SpikeTrain.from_lists(spikes), np.array(v_a), np.array(v_s)


def assert_same(network, steps, result):
    spikes, v_a, v_s = run_reference(network, steps)
    np.testing.assert_array_equal(result.v_a, v_a)
    np.testing.assert_array_equal(result.v_s, v_s)
    assert result.spikes == spikes
    by_step = [spikes.step(t).tolist() for t in range(len(spikes))]
    logits  = Reference(network).logits(by_step)
    assert result.logits.tolist() == logits
    assert result.predicted == logits.index(max(logits))


def one_neuron(**values):
    """N = I = C = 1: x[0] has weight 1 on the soma, c[0] weight 1 on the apical side, all else 0."""
    network = random_network(QCLIFConfig(neurons=1, inputs=1, contexts=1), product_shift=0)
    for name, array in network.arrays().items():
        setattr(network, name, np.full_like(array, name in ("w_sensory", "w_context", "threshold")))
    for name, value in values.items():
        setattr(network, name, np.full_like(getattr(network, name), value) if name in network.arrays() else value)
    network.validate()
    return network


@settings(max_examples=150)
@given(st.data())
def test_run_equals_reference(data):
    network = data.draw(networks(data.draw(configs())))
    samples = [SpikeTrain.from_lists(each) for each in data.draw(st.lists(inputs_of(network), min_size=1, max_size=3))]
    for steps, result in zip(samples, GoldenModel(network).run(samples, states=True), strict=True):
        assert_same(network, steps, result)


@settings(max_examples=50)
@given(st.data())
def test_forward_equals_run(data):
    network = data.draw(networks(data.draw(configs())))
    samples = [SpikeTrain.from_lists(each) for each in data.draw(st.lists(inputs_of(network), min_size=1, max_size=3))]
    model   = GoldenModel(network)
    counts  = Batch.from_steps(samples, np.zeros(len(samples))).dense(network.inputs + network.contexts)
    spikes, v_a, v_s = model(torch.from_numpy(counts), states=True)
    assert spikes.shape == v_a.shape == v_s.shape == (max(map(len, samples)), len(samples), network.neurons)
    for b, (steps, result) in enumerate(zip(samples, model.run(samples, states=True), strict=True)):
        assert SpikeTrain.from_dense(spikes[:len(steps), b].numpy()) == result.spikes
        np.testing.assert_array_equal(v_a[:len(steps), b].numpy(), result.v_a)
        np.testing.assert_array_equal(v_s[:len(steps), b].numpy(), result.v_s)


@pytest.mark.parametrize("size", [1, 300, 2000])
def test_chunks_and_batches_change_nothing(monkeypatch, size):
    network = random_network(QCLIFConfig(neurons=20, inputs=16, contexts=2), seed=4, style="excited")
    rng     = np.random.default_rng(5)
    samples = [SpikeTrain.from_dense(rng.integers(0, 3, (length, 18))) for length in (0, 7, 40, 1, 23)]
    whole   = GoldenModel(network).run(samples, states=True)
    monkeypatch.setattr(golden, "CHUNK_SIZE", size)
    monkeypatch.setattr(golden, "BATCH_SAMPLES", 2)
    parts = GoldenModel(network).run(samples, states=True)
    for a, b, steps in zip(whole, parts, samples, strict=True):
        assert len(a.spikes) == len(steps)
        assert a.spikes == b.spikes
        np.testing.assert_array_equal(a.v_a, b.v_a)
        np.testing.assert_array_equal(a.v_s, b.v_s)
        np.testing.assert_array_equal(a.logits, b.logits)
    assert sum(len(each.spikes.sources) for each in whole)


def test_sums_beyond_float32_are_exact():
    # 127*140001 is odd and beyond 2**24: float32 would lose its last bit before the other source takes it away.
    network = random_network(QCLIFConfig(neurons=1, inputs=1, contexts=2), product_shift=0)
    for name, array in network.arrays().items():
        setattr(network, name, np.zeros_like(array))
    network.w_context[:] = [[127], [-127]]
    network.threshold[:] = 1
    counts = np.zeros((1, 3), np.int64)
    counts[0] = 0, 140001, 140000
    result, = GoldenModel(network).run([SpikeTrain.from_dense(counts)], states=True)
    assert result.v_a.tolist() == [[127]]


def test_reduced_precision_of_the_caller_takes_no_part():
    model  = GoldenModel(random_network(QCLIFConfig(neurons=4, inputs=4, contexts=0)))
    counts = torch.ones(1, 1, 4, dtype=torch.int32)
    assert model._exact_dtype(counts) == torch.float32
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert model._exact_dtype(counts) == torch.float64
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("threshold, spikes, v_s", [(20, 1, 0), (21, 0, 20), (19, 1, 1)])
def test_threshold_tie_fires(threshold, spikes, v_s):
    network   = one_neuron(threshold=threshold, bias_apical=2)
    result,   = GoldenModel(network).run([SpikeTrain.from_lists([[0]*10])], states=True)
    assert (len(result.spikes.sources), int(result.v_s[0, 0])) == (spikes, v_s)


def test_shifts_floor():
    # -9 >> 3 is -2 in the product, -1 >> 3 is -1 in the apical sum: neither is rounded towards 0.
    network = one_neuron(bias_apical=9, leak_apical=9, bias_soma=-1, product_shift=3, threshold=255)
    result, = GoldenModel(network).run([SpikeTrain.from_lists([[0]*5, []])], states=True)
    assert result.v_a.ravel().tolist() == [9, 9] and result.v_s.ravel().tolist() == [4, 2]
    network = one_neuron(bias_apical=-1, apical_shift=3, threshold=255)
    result, = GoldenModel(network).run([SpikeTrain.from_lists([[1]*65, [], []])], states=True)
    assert result.v_a.ravel().tolist() == [8, 7, 6]


@pytest.mark.parametrize("state_bits, current_bits", [(16, 20), (16, 17), (16, 16), (15, 16), (12, 20), (4, 4)])
@pytest.mark.parametrize("weight", [127, -128])
def test_largest_products(state_bits, current_bits, weight):
    config  = QCLIFConfig(neurons=2, inputs=1, contexts=1, state_bits=state_bits, current_bits=current_bits)
    network = random_network(config, seed=3, style="excited", product_shift=current_bits - 1)
    network.w_sensory[:] = [[127, weight]]
    network.w_context[:] = 127
    network.leak_apical[:] = network.w_recurrent_apical[:] = 0
    steps   = SpikeTrain.from_dense(np.array([[5000, 5000], [4200, 5000], [0, 5000], [5000, 5000]]))
    result, = GoldenModel(network).run([steps], states=True)
    assert result.v_a.max() == network.state_max
    assert_same(network, steps, result)


def test_states_clamp_at_both_ends():
    up, = GoldenModel(one_neuron(bias_apical=127, bias_soma=127, threshold=255)).run(
        [SpikeTrain.from_lists([[]]*3)], states=True)
    assert up.v_a.ravel().tolist() == [127, 254, 255]
    assert up.v_s.ravel().tolist() == [0, 0, 0] and up.spikes.sources.tolist() == [0, 0, 0]
    down, = GoldenModel(one_neuron(bias_apical=-128, bias_soma=-128)).run([SpikeTrain.from_lists([[]]*2)], states=True)
    assert not down.v_a.any() and not down.v_s.any()


def test_plain_lif_network_is_a_special_case():
    # The greatest apical bias and no apical leak hold V_a at V_max.
    network = one_neuron(bias_apical=127, w_context=0)
    result, = GoldenModel(network).run([SpikeTrain.from_lists([[]]*5)], states=True)
    assert result.v_a[3:].tolist() == [[255], [255]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_same_integers():
    network = random_network(QCLIFConfig(), seed=1, style="excited", product_shift=3)
    rng     = np.random.default_rng(2)
    samples = [SpikeTrain.from_dense(rng.random((60, 522)) < 0.08) for _ in range(3)]
    for a, b in zip(GoldenModel(network).run(samples, states=True), GoldenModel(network).cuda().run(samples,
            states=True), strict=True):
        assert a.spikes == b.spikes
        np.testing.assert_array_equal(a.v_a, b.v_a)
        np.testing.assert_array_equal(a.v_s, b.v_s)
        np.testing.assert_array_equal(a.logits, b.logits)


def test_files_and_events_need_no_torch():
    program = ("import sys; import host.network.network, host.runs.result, host.events.formats, host.data.synthetic; "
        "sys.exit(bool({'torch', 'tonic'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


# Readout ------------------------------------------------------------------------------------------

def test_class_is_the_first_maximum():
    assert predicted(np.array([3, 7, 7])) == 1
    assert predicted(np.zeros(0)) == -1


@pytest.mark.parametrize("counts, fits", [(1, True), (2, False)])
def test_logits_fit_32_bits(counts, fits):
    readout = np.array([[-2**31], [0]], np.int32)
    if fits:
        assert readout_logits(np.array([counts, 5]), readout).tolist() == [-2**31]
    else:
        with pytest.raises(QCLIFError, match=r"logit 0 is -4294967296"):
            readout_logits(np.array([counts, 5]), readout)


# Input --------------------------------------------------------------------------------------------

def test_no_samples_and_no_steps():
    model = GoldenModel(random_network(QCLIFConfig(neurons=3, inputs=2, contexts=0)))
    assert model.run([]) == []
    result, = model.run([SpikeTrain.from_lists([])], states=True)
    assert len(result.spikes) == 0 and result.v_a.shape == (0, 3) and result.logits.tolist() == [0, 0, 0]


@pytest.mark.parametrize("source", [-1, 5])
def test_unknown_source_is_refused(source):
    model = GoldenModel(random_network(QCLIFConfig(neurons=3, inputs=4, contexts=1)))
    with pytest.raises(QCLIFError, match=f"source {source}, the network has 0 to 4"):
        model.run([SpikeTrain.from_lists([[0], [source]])])
