# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Network files: round trips, identity, every refusal in one line; random networks at their target rate."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.encoder import Encoder, poisson_context
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.network import ARRAYS, NUMBERS, Network, network_id
from host.network.random_network import random_network as calibrated_network
from tests.helpers.strategies import configs, networks, random_network


def small():
    network = random_network(QCLIFConfig(neurons=5, inputs=4, contexts=2, weight_bits=6), seed=3)
    network.classes = ["a", "b", "c"]
    return network


def write(path, network, changes=(), config=()):
    """A file as anyone might write it: changed arrays, changed config; None leaves a key out."""
    file   = {**network.arrays(), **dict(changes)}
    values = {**network.config(), **dict(config)}
    values = {key: value for key, value in values.items() if value is not None}
    file.setdefault("config", np.array(json.dumps(values)))
    np.savez(path, **{key: value for key, value in file.items() if value is not None})


def refuse(path, *texts):
    with pytest.raises(QCLIFError) as error:
        Network.load(path)
    message = str(error.value)
    assert "\n" not in message and str(path) in message
    for text in texts:
        assert text in message


# Files --------------------------------------------------------------------------------------------

@settings(max_examples=40)
@given(st.data())
def test_round_trip(tmp_path_factory, data):
    network = data.draw(networks(data.draw(configs())))
    path    = tmp_path_factory.mktemp("network")/"net.npz"
    network.save(path)
    loaded = Network.load(path)
    assert loaded.config() == network.config()
    assert loaded.arrays().keys() == network.arrays().keys()
    for name, array in network.arrays().items():
        assert loaded.arrays()[name].dtype == np.int32
        np.testing.assert_array_equal(loaded.arrays()[name], array)
    assert network_id(loaded) == network_id(network) != 0
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first
    assert [each.name for each in path.parent.iterdir()] == ["net.npz"]


def test_plain_numpy_file_without_readout(tmp_path):
    write(tmp_path/"net.npz", small(), {"readout": None, "w_sensory": small().w_sensory.astype(np.int8)},
        {"classes": [], "trained_by": "anyone"})
    network = Network.load(tmp_path/"net.npz")
    assert (network.neurons, network.inputs, network.contexts, network.outputs) == (5, 4, 2, 0)


def test_identity_follows_everything_that_changes_results():
    seen = {network_id(small())}
    for name, array in small().arrays().items():
        network = small()
        changed = array.copy()
        changed.flat[-1] += -1 if changed.flat[-1] > 1 else 1
        setattr(network, name, changed)
        seen.add(network_id(network))
    for name in NUMBERS:
        network = small()
        setattr(network, name, getattr(network, name) + 1)
        seen.add(network_id(network))
    network = small()
    network.encoder = Encoder((4, 1), (4, 1), 1, bin_us=1000)
    seen.add(network_id(network))
    assert len(seen) == 2 + len(ARRAYS) + len(NUMBERS)


def test_missing_and_damaged_files(tmp_path):
    path = tmp_path/"net.npz"
    refuse(path, "No such file")
    refuse(tmp_path, "directory")
    for content in (b"", b"PK\x03\x04", b"not a network", b"\x93NUMPY"):
        path.write_bytes(content)
        refuse(path, "not a readable .npz file")
    np.save(tmp_path/"net.npy", np.zeros(3))
    (tmp_path/"net.npy").rename(path)
    refuse(path, "an .npz file is needed")
    small().save(path)
    path.write_bytes(path.read_bytes()[:-200])
    refuse(path, "not a readable .npz file")


def test_python_objects_are_not_loaded(tmp_path):
    write(tmp_path/"net.npz", small(), {"bias_soma": np.array([None]*5, object)})
    refuse(tmp_path/"net.npz", "not a readable .npz file")


@pytest.mark.parametrize("name", [*(name for name in ARRAYS if name != "readout"), "config"])
def test_missing_array(tmp_path, name):
    network = small()
    file = {**network.arrays(), "config": np.array(json.dumps(network.config()))}
    del file[name]
    np.savez(tmp_path/"net.npz", **file)
    refuse(tmp_path/"net.npz", f"{name} missing")


@pytest.mark.parametrize("name, shape, needed", [
    ("w_context", (2, 6), "[2, 5]"), ("w_recurrent_soma", (5, 4), "[5, 5]"), ("threshold", (4,), "[5]"),
    ("readout", (6, 3), "[5, 3]"), ("bias_soma", (5, 1), "[N]"), ("w_sensory", (4,), "[I, N]")])
def test_wrong_shape_names_both(tmp_path, name, shape, needed):
    write(tmp_path/"net.npz", small(), {name: np.ones(shape, np.int32)})
    refuse(tmp_path/"net.npz", name, str(list(shape)), needed)


@pytest.mark.parametrize("name, value, limits", [
    ("w_sensory", 32, "-32 to 31"), ("w_recurrent_apical", -33, "-32 to 31"), ("bias_apical", 2**40, "-32 to 31"),
    ("threshold", 0, "1 to 255"), ("threshold", 256, "1 to 255"), ("leak_soma", -1, "0 to 255"),
    ("leak_apical", 2**32, "0 to 255"), ("readout", 2**31, "-2147483648 to 2147483647")])
def test_value_out_of_range(tmp_path, name, value, limits):
    array = getattr(small(), name).astype(np.int64)
    array.flat[-2] = value
    write(tmp_path/"net.npz", small(), {name: array})
    refuse(tmp_path/"net.npz", name, str(value), limits)


def test_huge_unsigned_values_do_not_wrap(tmp_path):
    write(tmp_path/"net.npz", small(), {"threshold": np.full(5, 2**64 - 1, np.uint64)})
    refuse(tmp_path/"net.npz", "threshold[0] is 18446744073709551615")


@pytest.mark.parametrize("dtype", [np.float32, bool, "U3"])
def test_types_other_than_integers(tmp_path, dtype):
    write(tmp_path/"net.npz", small(), {"bias_soma": np.ones(5).astype(dtype)})
    refuse(tmp_path/"net.npz", "bias_soma is of type", "integers are needed")


@pytest.mark.parametrize("changes, text", [
    ({"format_version": 2}, "format_version 2"), ({"format_version": None}, "format_version None"),
    ({"weight_bits": 9}, "weight_bits is 9: an integer from 2 to 8"), ({"state_bits": "8"}, "state_bits is '8'"),
    ({"current_bits": None}, "config has no current_bits"), ({"product_shift": 32}, "product_shift is 32"),
    ({"encoder": None}, "config has no encoder"), ({"encoder": {"grid": [1, 1]}}, "encoder: the keys are grid"),
    ({"encoder": 7}, "encoder: the keys are 7"), ({"classes": ["a"]}, "classes has 1 names, readout 3"),
    ({"classes": "abc"}, "classes 'abc'"),
    ({"encoder": Encoder((4, 1), (3, 1), 1).to_dict()}, "4 rows, the encoder gives 3 inputs")])
def test_bad_config(tmp_path, changes, text):
    write(tmp_path/"net.npz", small(), config=changes)
    refuse(tmp_path/"net.npz", text)


@pytest.mark.parametrize("config, text", [("{", "not JSON"), ("[1]", "a JSON object is needed"), (7, "JSON")])
def test_config_is_no_object(tmp_path, config, text):
    write(tmp_path/"net.npz", small(), {"config": np.array(config)})
    refuse(tmp_path/"net.npz", text)


def test_too_many_neurons(tmp_path):
    write(tmp_path/"net.npz", small(), {"w_sensory": np.zeros((4, 1025), np.int8)})
    refuse(tmp_path/"net.npz", "N is 1025, the limits are 1 to 1024")


# Builds -------------------------------------------------------------------------------------------

BUILD = {"neurons": 5, "inputs": 4, "contexts": 2, "outputs": 3, "weight_bits": 6}


def test_network_fits_its_build_and_greater_ones():
    small().check_fits(QCLIFConfig(**BUILD))
    small().check_fits(QCLIFConfig())


@pytest.mark.parametrize("name", BUILD)
def test_network_larger_than_build(name):
    build = QCLIFConfig(**(BUILD | {name: BUILD[name] - 1}))
    with pytest.raises(QCLIFError, match=f"the network has {BUILD[name]} {name}, the build {BUILD[name] - 1}"):
        small().check_fits(build)


@pytest.mark.parametrize("name", ["state_bits", "current_bits"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_widths_that_change_results_are_equal(name, difference):
    build = QCLIFConfig(**{name: getattr(QCLIFConfig(), name) + difference})
    with pytest.raises(QCLIFError, match=f"{name} .* they must be equal"):
        small().check_fits(build)


# Random networks ----------------------------------------------------------------------------------

def inputs(encoder, contexts, steps=300, active=40):
    """Two samples of Poisson inputs, the second with a context cue."""
    rng = np.random.default_rng(11)
    samples = []
    for cue in range(2):
        counts = rng.random((steps, encoder.inputs + contexts)) < active/encoder.inputs
        counts[:, encoder.inputs:] = 0
        steps_of = SpikeTrain.from_dense(counts)
        if contexts:
            rows = poisson_context(steps, cue % contexts, contexts=contexts, seed=cue)
            steps_of = SpikeTrain.from_pairs(np.concatenate([steps_of.indices(), rows[:, 0]]),
                np.concatenate([steps_of.sources, rows[:, 1] + encoder.inputs]), steps)
        samples.append(steps_of)
    return samples


@pytest.mark.parametrize("sizes, rate", [
    ({}, 0.03), ({}, 0.1), ({"neurons": 37, "weight_bits": 4, "state_bits": 12, "contexts": 0}, 0.03),
    ({"neurons": 1, "contexts": 1}, 0.05), ({"weight_bits": 2, "state_bits": 4, "current_bits": 4}, 0.03),
    ({"state_bits": 16, "current_bits": 20}, 0.03)])
def test_random_network_fires_at_its_rate(sizes, rate):
    config  = QCLIFConfig(**sizes)
    samples = inputs(Encoder(), config.contexts)
    network = calibrated_network(config, Encoder(), samples, rate, seed=1)
    network.check_fits(config)
    results = GoldenModel(network).run(samples)
    fired   = sum(len(each.spikes.sources) for each in results)
    assert rate/2 <= fired/(sum(map(len, samples))*config.neurons) <= 2*rate


def test_every_path_of_a_random_network_counts():
    config  = QCLIFConfig(neurons=40)
    samples = inputs(Encoder(), 10)
    network = calibrated_network(config, Encoder(), samples, classes=["a", "b"], seed=2)
    assert network.outputs == 2 and network.readout.any()
    whole, = GoldenModel(network).run(samples[1:])
    for name in ("w_sensory", "w_context", "w_recurrent_soma", "w_recurrent_apical"):
        kept = getattr(network, name)
        setattr(network, name, np.zeros_like(kept))
        part, = GoldenModel(network).run(samples[1:])
        setattr(network, name, kept)
        assert part.spikes != whole.spikes


def test_random_network_is_reproducible():
    samples = inputs(Encoder(), 3, steps=60)
    config  = QCLIFConfig(neurons=12, contexts=3)
    ids = [network_id(calibrated_network(config, Encoder(), samples, seed=seed)) for seed in (7, 7, 8)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("rate, samples, text", [(0, 1, "rate is 0"), (1.5, 1, "rate is 1.5"), (0.1, 0, "no steps")])
def test_random_network_refuses(rate, samples, text):
    with pytest.raises(QCLIFError, match=text):
        calibrated_network(QCLIFConfig(neurons=2), Encoder(), [SpikeTrain.from_lists([[0]])]*samples, rate)
