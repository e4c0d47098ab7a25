# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Training computes what the accelerator computes: forward bit for bit at every step, gradients as torch's autograd."""

import math
import re
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.data.batch import Batch
from host.events.encoder import Encoder
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.network import Network
from host.training.architecture import NEURONS, Architecture
from host.training.bptt import dense, kernel
from host.training.bptt.neurons import Values
from host.training.bptt.operation import spike_counts
from host.training.convert import start_from, to_network
from host.training.model import SpikingNetwork
from tests.helpers.recordings import clips_batch, event_set

INPUTS = 12
ENCODER = Encoder(sensor_size=(INPUTS, 1), grid=(INPUTS, 1), polarities=1)


def architectures(neurons=tuple(NEURONS), contexts=3):
    """Small networks of any width."""
    return st.builds(Architecture, neuron=st.sampled_from(neurons), neurons=st.integers(1, 9), inputs=st.just(INPUTS),
        contexts=st.integers(0, contexts), outputs=st.integers(1, 4), weight_bits=st.integers(2, 8),
        state_bits=st.integers(4, 16), current_bits=st.integers(4, 20))


def excited(architecture, seed, exponent=2):
    """A network whose every parameter is drawn over its whole range, so that clamps and saturation are at work."""
    model = SpikingNetwork(architecture, seed)
    rng   = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            low = 0.0 if name in ("leak_apical", "leak_soma", "threshold") else -1.0
            value.copy_(torch.rand(value.shape, generator=rng)*(1 - low) + low)
        for leak in (model.leak_apical, model.leak_soma):
            leak *= 0.2
        model.bias_apical.abs_()
        model.exponent.fill_(exponent)
    model.clamp()
    return model


def random_batch(seed, sources, size=3, length=20, clips=2):
    """Samples of several clips and lengths, with counts above 1 and steps without anything."""
    rng    = np.random.default_rng(seed)
    bounds = np.sort(rng.integers(1, length + 1, (size, clips + 1)), axis=1)
    bounds[:, 0] = 0
    steps  = [SpikeTrain.from_dense(rng.poisson(0.15, (each[-1], sources))) for each in bounds]
    return clips_batch(steps, rng.integers(0, 2, (size, clips)), bounds)


def run_kernel(model, batch):
    """What kernel.forward() gives: counts, currents, V_a and V_s before the reset."""
    arrays = [value.detach().numpy() for value in model.values()]
    return kernel.forward(batch.offsets, batch.sources, batch.bounds, batch.length, model.architecture.soma_sources,
        *arrays, model.rule)

# Forward ------------------------------------------------------------------------------------------

@settings(max_examples=100)
@given(architectures(["qclif", "qlif"]), st.integers(0, 10**6), st.integers(0, 12))
def test_forward_equals_the_golden_model_at_every_step(architecture, seed, exponent):
    if architecture.neuron == "qlif":
        architecture = Architecture(**{**vars(architecture), "contexts": 0})
    model   = excited(architecture, seed, exponent)
    batch   = random_batch(seed, INPUTS + architecture.contexts)
    network = to_network(model, ENCODER, [])
    counts, _, v_a, u = run_kernel(model, batch)
    logits = model(batch)[1].sum(dim=1)
    golden = GoldenModel(network).run(batch.to_steps(), states=True)
    for b, (result, length) in enumerate(zip(golden, batch.lengths, strict=True)):
        fired = u[b, :length] >= network.threshold
        np.testing.assert_array_equal(v_a[b, :length], result.v_a)
        np.testing.assert_array_equal(u[b, :length] - fired*network.threshold, result.v_s)
        assert SpikeTrain.from_dense(fired) == result.spikes
        np.testing.assert_array_equal(counts[b].sum(axis=0), fired.sum(axis=0))
        # What the loss sees are the very logits of the firmware's readout.
        np.testing.assert_array_equal(logits[b].detach().numpy(), result.logits)


@pytest.mark.parametrize("bits", [(8, 8, 12), (4, 4, 12), (2, 16, 20), (8, 4, 4)])
def test_forward_of_a_full_network_on_gestures(bits):
    from host.data import synthetic
    from host.data.batch import encode

    gestures = event_set("gestures", synthetic.recordings(4, duration_us=300_000), synthetic.GESTURES)
    model    = SpikingNetwork(Architecture("qclif", 200, 512, 10, 11, *bits), seed=1)
    batch    = encode(gestures, np.arange(4), Encoder())
    assert 0.01 < model.calibrate(batch, 0.05) < 0.25
    network  = to_network(model, Encoder(), list(synthetic.GESTURES))
    counts   = run_kernel(model, batch)[0][:, 0]
    golden   = GoldenModel(network).run(batch.to_steps())
    for b, result in enumerate(golden):
        np.testing.assert_array_equal(counts[b], np.bincount(result.spikes.sources, minlength=200))


@settings(max_examples=40)
@given(architectures(["qclif", "qlif", "qclif-exponential"]), st.integers(0, 10**6))
def test_kernels_equal_torch_in_integers(architecture, seed):
    model = excited(architecture, seed)
    batch = random_batch(seed, INPUTS + architecture.contexts)
    found = dense.spike_counts(batch, architecture.soma_sources, model.rule, model.values())
    np.testing.assert_array_equal(run_kernel(model, batch)[0], found.detach().numpy())

# Backward -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("seed", range(6))
def test_gradients_equal_autograd(neuron, seed):
    """Against torch's own gradient of the same network, in float64: what is left is float32's rounding."""
    architecture = Architecture(neuron, 8, INPUTS, 3, 2)
    model  = excited(architecture, seed, 6 if NEURONS[neuron].integer else 1)
    batch  = random_batch(seed, INPUTS + 3)
    weight = torch.from_numpy(np.random.default_rng(seed).normal(size=(batch.size, batch.labels.shape[1], 8)))
    found  = []
    for compute in (spike_counts, dense.spike_counts):
        values = Values(*(value.detach().clone().requires_grad_() for value in model.values()))
        counts = compute(batch, architecture.soma_sources, model.rule, values)
        (counts*weight).sum().backward()
        found.append([counts.detach()] + [torch.zeros_like(value) if value.grad is None else value.grad
            for value in values])
    assert found[0][0].sum() > 10
    np.testing.assert_array_equal(found[0][0], found[1][0])
    for name, ours, theirs in zip(("counts", *Values._fields), *found, strict=True):
        assert theirs.abs().max() > 0 or name in ("leak_apical",), name
        torch.testing.assert_close(ours.double(), theirs.double(), rtol=1e-3, atol=1e-5*float(theirs.abs().max()),
            msg=lambda text, name=name: f"{name}: {text}")


def test_gradient_does_not_depend_on_the_threads():
    import numba

    model, batch = excited(Architecture("qclif", 30, INPUTS, 2), 3), random_batch(3, INPUTS + 2, size=9)
    found, before = [], numba.get_num_threads()
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            model.zero_grad()
            model(batch)[1].sum().backward()
            found.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    finally:
        numba.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_learning_moves_every_parameter():
    model = excited(Architecture("qclif", 20, INPUTS, 3, 2), 1, 6)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    for step in range(3):
        batch = random_batch(step, INPUTS + 3, size=6)
        loss  = torch.nn.functional.cross_entropy(model(batch)[1].float().flatten(0, 1)/1000,
            torch.from_numpy(batch.labels).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.clamp()
    assert all((value.detach() != before[name]).any() for name, value in model.named_parameters())
    to_network(model, ENCODER, [])

# Exactness and refusals ---------------------------------------------------------------------------

def test_sums_that_float32_does_not_hold_are_refused():
    model = excited(Architecture("qclif", 2, INPUTS), 0)
    batch = Batch.from_steps([SpikeTrain.from_lists([[0]*140_000])], np.array([0]))
    with pytest.raises(QCLIFError, match=r"140003 events and spikes.*, is not exact; shorten the time step"):
        model(batch)


@pytest.mark.parametrize("changes, text", [
    ({"neurons": 5000}, "neurons is 5000, the limits of a build are 1 to 1024"),
    ({"weight_bits": 1}, "weight_bits is 1, the limits of a build are 2 to 8"),
    ({"state_bits": 17}, "state_bits is 17"), ({"contexts": 65}, "contexts is 65"),
    ({"neuron": "izhikevich"}, "neuron is 'izhikevich': known are qclif"), ({"leak": "none"}, "leak is 'none'")])
def test_architectures_out_of_limits(changes, text):
    with pytest.raises(QCLIFError, match=text):
        Architecture(**changes)


@pytest.mark.parametrize("neuron, contexts, text", [
    ("clif", 0, "real numbers"), ("qclif-exponential", 0, "exponential"),
    ("qlif", 2, "takes its 2 contexts at the soma")])
def test_only_networks_of_the_contract_have_a_file(neuron, contexts, text):
    with pytest.raises(QCLIFError, match=text):
        to_network(SpikingNetwork(Architecture(neuron, 3, INPUTS, contexts)), ENCODER, [])

# Starting from a network --------------------------------------------------------------------------

def test_starting_from_a_network_gives_it_back(tmp_path):
    source = to_network(excited(Architecture("qclif", 7, INPUTS, 2, 3), 5, 4), ENCODER, [])
    source.save(tmp_path/"net.npz")
    model = SpikingNetwork(Architecture("qclif", 7, INPUTS, 2, 3), 6)
    start_from(model, Network.load(tmp_path/"net.npz"))
    again = to_network(model, ENCODER, [])
    for name, array in source.arrays().items():
        np.testing.assert_array_equal(getattr(again, name), array)
    assert again.config() == source.config()


def test_starting_at_other_widths_keeps_the_values():
    source = to_network(excited(Architecture("qclif", 7, INPUTS, 2, 3), 5, 6), ENCODER, [])
    model  = SpikingNetwork(Architecture("qclif", 7, INPUTS, 2, 3, weight_bits=4, state_bits=4), 6)
    start_from(model, source)
    small  = to_network(model, ENCODER, [])
    assert small.product_shift == 2
    np.testing.assert_array_equal(small.w_sensory, np.clip(np.rint(source.w_sensory/16), -8, 7))
    np.testing.assert_array_equal(small.threshold, np.maximum(1, np.rint(source.threshold*15/255)))


def test_starting_from_another_size_is_refused():
    source = to_network(excited(Architecture("qclif", 7, INPUTS, 2, 3), 5), ENCODER, [])
    with pytest.raises(QCLIFError, match="has 7 neurons, this one 8"):
        start_from(SpikingNetwork(Architecture("qclif", 8, INPUTS, 2, 3)), source)


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("target", [0.02, 0.05, 0.2])
def test_calibration_finds_a_gain_at_which_neurons_fire(neuron, target):
    model = SpikingNetwork(Architecture(neuron, 50, INPUTS, 0, 2), 2)
    rate  = model.calibrate(random_batch(1, INPUTS, size=10, length=60, clips=1), target)
    assert target/4 < rate < 4*target and math.isfinite(model.rule.product_scale)


def test_kernels_are_compiled_anew_when_a_function_that_they_call_changes(tmp_path, monkeypatch):
    before = kernel._folder()
    for name in kernel.SOURCES:
        source = (ROOT/"host"/"training"/"bptt"/name).read_text()
        (tmp_path/name).write_text(source)
    monkeypatch.setattr(kernel, "__file__", str(tmp_path/"kernel.py"))
    assert kernel._folder() == before
    (tmp_path/"neurons.py").write_text(source + "\n")
    assert kernel._folder() != before
    # All that numba compiles into the kernels is in these files.
    called = {module for path in (ROOT/"host"/"training"/"bptt").glob("*.py") if path.name in kernel.SOURCES
        for module in re.findall(r"from host\.training\.bptt\.(\w+) import", path.read_text())}
    assert {f"{name}.py" for name in called} <= set(kernel.SOURCES)


def test_kernels_are_kept_where_nobody_else_can_put_any(tmp_path, monkeypatch):
    """numba unpickles what it finds."""
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path))

    def double(x):
        return 2*x

    def kept():
        assert kernel.compiled()(double)(3) == 6
        return list(kernel._folder().rglob("*.nbi"))

    assert len(kept()) == 1 and kernel._folder().stat().st_mode & 0o777 == 0o700
    for mode in (0o755, 0o770, 0o702):
        shutil.rmtree(kernel._folder())
        kernel._folder().mkdir()
        kernel._folder().chmod(mode)
        assert not kept()
    kernel._folder().rmdir()
    kernel._folder().symlink_to(tmp_path)
    assert not kept()


@pytest.mark.parametrize("name", ["leak_soma", "threshold"])
def test_parameters_that_change_before_the_backward_pass_are_refused(name):
    """The gradient would be that of neither network."""
    model = excited(Architecture("lif", 5, INPUTS, 0, 3), 1)
    counts, logits = model(random_batch(1, INPUTS))
    with torch.no_grad():
        getattr(model, name).mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (counts.sum() + logits.sum()).backward()
