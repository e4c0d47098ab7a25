# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The networks that are shipped: what is said of them holds for their integers."""

import json

import numpy as np
import pytest

from accel.config import QCLIFConfig
from host.cli.network_choice import SHIPPED
from host.data.datasets import load
from host.network.golden import GoldenModel
from host.network.network import Network
from host.training.convert import start_from, to_network
from host.training.experiment import TEST_SEED, Data, make_model, make_task
from host.training.settings import Settings
from host.training.tasks import evaluation_batches

NETWORKS = SHIPPED.parent


def settings_of(name):
    """The settings that made a shipped network."""
    return Settings(**json.loads((NETWORKS/f"{name}.json").read_text())["settings"])


def answers(network, settings, eventset):
    """Labels, predictions and spikes a neuron and step of the golden model."""
    labels, predictions, spikes, steps = [], [], 0, 0
    for batch in evaluation_batches(make_task(settings, eventset), TEST_SEED):
        for result, label in zip(GoldenModel(network).run(batch.to_steps()), batch.labels[:, 0], strict=True):
            labels.append(label)
            predictions.append(result.predicted)
            spikes += len(result.spikes.sources)
            steps  += len(result.spikes)
    return np.array(labels), np.array(predictions), spikes/(steps*network.neurons)


@pytest.mark.parametrize("name", ["synthetic11", "nmnist", "cue11"])
def test_settings_and_network_agree(name):
    network, settings = Network.load(NETWORKS/f"{name}.npz"), settings_of(name)
    for key in ("neurons", "weight_bits", "state_bits", "current_bits"):
        assert getattr(network, key) == getattr(settings, key)
    assert network.encoder.to_dict() == json.loads((NETWORKS/f"{name}.json").read_text())["encoder"]
    if name != "nmnist":
        network.check_fits(QCLIFConfig())


@pytest.mark.parametrize("name", ["synthetic11", "cue11"])
def test_score_of_the_gestures(name):
    network, told = Network.load(NETWORKS/f"{name}.npz"), json.loads((NETWORKS/f"{name}.json").read_text())["test"]
    labels, predictions, rate = answers(network, settings_of(name), load("synthetic", "", "test"))
    assert len(labels) == told["answers"] and (labels == predictions).mean() == told["accuracy"] >= 0.97
    assert rate == pytest.approx(told["rate"], abs=1e-12)


def test_digits_that_it_was_trained_with(qclif_data):
    network, settings = Network.load(NETWORKS/"nmnist.npz"), settings_of("nmnist")
    labels, predictions, rate = answers(network, settings, load("nmnist", qclif_data, "train"))
    assert len(labels) == 1000 and (labels == predictions).mean() > 0.98 and rate < 0.03


def test_training_can_go_on_from_a_shipped_network(qclif_data):
    network, settings = Network.load(NETWORKS/"nmnist.npz"), settings_of("nmnist")
    recordings, _, _  = Data(qclif_data).divide(settings)
    model = make_model(settings, make_task(settings, recordings))
    start_from(model, network)
    again = to_network(model, network.encoder, network.classes)
    for name, array in network.arrays().items():
        np.testing.assert_array_equal(getattr(again, name), array)
