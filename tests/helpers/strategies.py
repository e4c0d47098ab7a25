# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Random builds, networks and inputs for property tests; extremes are as likely as ordinary values."""

import numpy as np
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from host.events.encoder import Encoder
from host.network.network import Network


@st.composite
def configs(draw, neurons=12, inputs=10, contexts=3, lanes=8):
    """A small build; widths over their whole ranges, N not a multiple of P, C = 0 and N = 1, and all Q from 1 to P are
    among them."""
    lanes = draw(st.integers(1, lanes))
    return QCLIFConfig(
        neurons      = draw(st.integers(1, neurons)),
        inputs       = draw(st.integers(1, inputs)),
        contexts     = draw(st.integers(0, contexts)),
        lanes        = lanes,
        updates      = draw(st.sampled_from([2**n for n in range(lanes.bit_length()) if lanes % 2**n == 0])),
        weight_bits  = draw(st.integers(2, 8)),
        state_bits   = draw(st.integers(4, 16)),
        current_bits = draw(st.integers(4, 20)),
    )


def random_network(config, seed=0, style="uniform", sizes=None, apical_shift=0, product_shift=6):
    """A network of sizes (N, I, C), by default the build's; `style` sets how extreme its values are."""
    neurons, inputs, contexts = sizes or (config.neurons, config.inputs, config.contexts)
    rng = np.random.default_rng(seed)

    def values(low, high, *shape):
        if style == "extreme":
            return rng.choice([low, high], shape)
        return rng.integers(low, high + 1, shape)

    def weights(*shape):
        return values(config.weight_min, config.weight_max, *shape)

    leaks     = values(0, config.state_max, 2, neurons)
    biases    = weights(2, neurons)
    threshold = values(1, config.state_max, neurons)
    if style == "excited":
        leaks     = leaks >> rng.integers(0, config.state_bits, (2, neurons))
        biases    = np.abs(biases) - (biases == config.weight_min)
        threshold = np.maximum(1, threshold >> rng.integers(0, config.state_bits, neurons))
    network = Network(
        w_sensory=weights(inputs, neurons), w_context=weights(contexts, neurons),
        w_recurrent_soma=weights(neurons, neurons), w_recurrent_apical=weights(neurons, neurons),
        bias_soma=biases[0], bias_apical=biases[1], leak_apical=leaks[0], leak_soma=leaks[1], threshold=threshold,
        readout=rng.integers(-1000, 1000, (neurons, 3)),
        weight_bits=config.weight_bits, state_bits=config.state_bits, current_bits=config.current_bits,
        apical_shift=apical_shift, product_shift=product_shift,
        encoder=Encoder(sensor_size=(inputs, 1), grid=(inputs, 1), polarities=1),
    )
    network.validate()
    return network


@st.composite
def networks(draw, config):
    """A network on the build, or a smaller one."""
    sizes = (draw(st.integers(1, config.neurons)), draw(st.integers(1, config.inputs)),
        draw(st.integers(0, config.contexts)))
    return random_network(config, draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from(["uniform", "extreme", "excited"])), sizes,
        draw(st.integers(0, 31) | st.integers(0, 3)), draw(st.integers(0, 31) | st.integers(0, 6)))


def inputs_of(network, steps=8, events=12):
    """Strategy: lists of sources, step by step; empty steps, full ones and repeated sources among them."""
    source = st.integers(0, network.inputs + network.contexts - 1)
    return st.lists(st.lists(source, max_size=events), min_size=1, max_size=steps)
