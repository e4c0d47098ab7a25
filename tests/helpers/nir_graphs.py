# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Small NIR graphs, and what the tests of NIR have in common."""

from itertools import pairwise

import nir
import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.exchange.dialect import DT
from host.exchange.lif import V_RESET
from host.exchange.quantize import quantize
from host.network.network import network_id
from host.nir import main
from tests.helpers.strategies import random_network

BITS = (8, 8, 12)


def lif(n, **values):
    """A LIF of n neurons whose potential rises by a spike's weight and halves in a step."""
    values = {"tau": 2*DT, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | values
    return nir.LIF(**{name: np.broadcast_to(np.array(value, float), n).copy() for name, value in values.items()})


def integrate(n, threshold=1.0):
    return nir.IF(r=np.ones(n), v_threshold=np.full(n, threshold))


def graph(nodes, edges=None, **kwargs):
    """A graph of nodes by name between "in" and "out"; one after another where no edges are given."""
    names = ["in", *nodes, "out"]
    edges = edges or list(pairwise(names))
    first = next(iter(nodes.values()))
    nodes = {"in": nir.Input(first.input_type["input"])} | nodes
    if "out" not in nodes:
        nodes["out"] = nir.Output(np.array([1]))
    return nir.NIRGraph(nodes, edges, type_check=False, **kwargs)


def weights(n, i, seed=0, scale=1.0):
    return scale*np.random.default_rng(seed).normal(0, 1, (n, i))


def encoder(inputs):
    return Encoder((inputs, 1), (inputs, 1), 1)


def quantized(network, reset=V_RESET, **kwargs):
    return quantize(network, encoder(network.inputs), *BITS, reset, **kwargs)


def plain_network(neurons=7, inputs=5, seed=2, thresholds=(150,), leaks=(30,), grid=None):
    """A network whose V_a stays open, with a readout."""
    network = random_network(QCLIFConfig(neurons=neurons, inputs=inputs, contexts=0, weight_bits=8), seed=seed)
    network.w_recurrent_apical[:] = 0
    network.bias_apical[:], network.leak_apical[:] = 100, 100
    network.threshold[:] = np.resize(thresholds, neurons)
    network.leak_soma[:] = np.resize(leaks, neurons)
    network.w_recurrent_soma //= 4
    network.encoder = Encoder(*grid) if grid else network.encoder
    network.validate()
    return network


def assert_same(a, b):
    assert a.config() == b.config() and a.arrays().keys() == b.arrays().keys()
    for name, array in a.arrays().items():
        np.testing.assert_array_equal(array, b.arrays()[name])
        assert array.dtype == b.arrays()[name].dtype
    assert network_id(a) == network_id(b)


def refuse(call, *texts):
    with pytest.raises(QCLIFError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for text in texts:
        assert str(text) in message


def command(*args):
    """Exit code of the command, in this process."""
    return main([str(arg) for arg in args])


def broken(node="n", **changes):
    """A good graph with another value in a node."""
    made = graph({"w": nir.Affine(weights(5, 8), np.zeros(5)), "n": lif(5), "r": nir.Linear(weights(3, 5))})
    for name, value in changes.items():
        setattr(made.nodes[node], name, value)
    return made


W, N, R = nir.Linear(weights(5, 8)), lif(5), nir.Linear(weights(5, 5))
START   = [("in", "w"), ("w", "n")]
