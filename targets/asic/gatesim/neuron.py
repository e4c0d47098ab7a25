# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The neuron alone: its ports, and random cases for them with what the golden model answers."""

import numpy as np
import torch

from host.network.golden import GoldenModel
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.netlist.steps import Steps

OUTPUTS = ("spike", "v_apical", "v_soma")

STEPS = Steps((), ("sys_rst", "step", "i_soma", "i_apical", "leak_soma", "leak_apical", "threshold"), OUTPUTS)

# Neurons whose parameters differ: each of them takes its cases from reset.
SEQUENCES = 256

# Share of clocks without a step, in which nothing may change.
HOLDS = 1/16


def random_cases(config: AsicConfig, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random cases, and what the golden model answers; limits and small values are frequent.

    Parameters
    ----------
    count : steps at least; resets and clocks without a step come on top.

    Returns
    -------
    cases [n, 7], inputs of STEPS, and expected [n, 3], its outputs, int64.
    """
    sizes, rng = config.sizes, np.random.default_rng(seed)
    steps      = -(-count//SEQUENCES)
    low        = -2**(sizes.current_bits - 1)
    currents   = _mixed(rng, low, -low - 1, sizes.current_bits, (2, steps, SEQUENCES))
    leaks      = _mixed(rng, 0, sizes.state_max, sizes.state_bits, (2, SEQUENCES))
    threshold  = np.maximum(1, _mixed(rng, 0, sizes.state_max, sizes.state_bits, (SEQUENCES,)))
    answers    = _golden(config, currents, leaks, threshold)

    cases    = np.zeros((SEQUENCES, steps + 1, 7), np.int64)
    expected = np.zeros((SEQUENCES, steps + 1, 3), np.int64)
    cases[:, 0, 0]    = 1 # Reset.
    cases[:, :, 1]    = 1
    cases[:, 1:, 2:4] = currents.transpose(2, 1, 0)
    cases[:, :, 4:6]  = leaks.T[:, None]
    cases[:, :, 6]    = threshold[:, None]
    expected[:, 1:]   = answers
    return _with_holds(rng, cases.reshape(-1, 7), expected.reshape(-1, 3))


def _mixed(rng: np.random.Generator, low: int, high: int, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    """Integers from low to high: uniform ones, ones of any magnitude, and the limits with 0 and 1."""
    uniform = rng.integers(low, high + 1, shape)
    scaled  = uniform >> rng.integers(0, bits, shape)
    limits  = rng.choice([low, high, 0, 1], shape)
    return np.choose(rng.integers(0, 4, shape), [uniform, uniform, scaled, limits])


def _golden(config: AsicConfig, currents: np.ndarray, leaks: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Spike, V_a and V_s int64 [neurons, steps, 3] of neurons whose currents [2, steps, neurons] come as events.

    Each neuron has two sources a compartment, of weight 1 and -1: a current is that many events.
    """
    sizes   = config.sizes
    neurons = currents.shape[-1]
    pair    = np.concatenate([np.eye(neurons), -np.eye(neurons)]).astype(np.int32)
    nothing = np.zeros((neurons, neurons), np.int32)
    zeros   = nothing[0]
    network = Network(
        w_sensory=pair, w_context=pair, w_recurrent_soma=nothing, w_recurrent_apical=nothing,
        bias_soma=zeros, bias_apical=zeros, leak_soma=leaks[0].astype(np.int32),
        leak_apical=leaks[1].astype(np.int32), threshold=threshold.astype(np.int32),
        weight_bits=sizes.weight_bits, state_bits=sizes.state_bits, current_bits=sizes.current_bits,
        apical_shift=0, product_shift=config.product_shift)
    counts  = np.concatenate([np.maximum(sign*current, 0) for current in currents for sign in (1, -1)], axis=1)
    with torch.no_grad():
        spikes, v_a, v_s = GoldenModel(network)(torch.from_numpy(counts[:, None]), states=True)
    return np.stack([each[:, 0].numpy().astype(np.int64).T for each in (spikes, v_a, v_s)], axis=-1)


def _with_holds(rng: np.random.Generator, cases: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cases with clocks in between in which the inputs are others and no step is taken."""
    at    = rng.choice(np.arange(1, len(cases)), int(HOLDS*len(cases)), replace=False)
    holds = cases[rng.integers(0, len(cases), len(at))]
    holds[:, :2] = 0
    return np.insert(cases, at, holds, axis=0), np.insert(expected, at, expected[at - 1], axis=0)
