# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Two builds with their networks, for the tests of the registers."""

import numpy as np
import pytest

from accel.config import QCLIFConfig
from tests.helpers.strategies import random_network


@pytest.fixture
def silent():
    """A build and a network that never fires."""
    config  = QCLIFConfig(neurons=3, inputs=4, contexts=1, lanes=2, step_events=3)
    network = random_network(config)
    for name in ("w_sensory", "w_context", "bias_soma", "bias_apical"):
        setattr(network, name, np.zeros_like(getattr(network, name)))
    return config, network


@pytest.fixture
def firing():
    """A build and a network of which each neuron fires in each step; two slices a word, and a gap behind three."""
    config  = QCLIFConfig(neurons=10, inputs=3, contexts=1, lanes=10, weight_bits=8, spike_fifo=10)
    network = random_network(config, apical_shift=1)
    for name in ("bias_soma", "bias_apical", "threshold"):
        setattr(network, name, np.full(config.neurons, 1 if name == "threshold" else 100))
    for name in ("w_sensory", "w_context", "w_recurrent_soma", "w_recurrent_apical", "leak_soma", "leak_apical"):
        setattr(network, name, np.zeros_like(getattr(network, name)))
    return config, network
