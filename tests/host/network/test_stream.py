# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The golden model step by step against the naive reference and against the batched one, and the windowed readout."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import DECAY_MAX
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.readout import RunningLogits, check_decay
from host.network.stream import GoldenStream
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import configs, inputs_of, networks, random_network

SMALL = QCLIFConfig(neurons=3, inputs=4, contexts=1)


def with_readout(network, rows):
    return dataclasses.replace(network, readout=np.array(rows, np.int32))


@settings(max_examples=150)
@given(st.data())
def test_every_step_equals_the_reference(data):
    """In pieces of any lengths, with resets in between, from which the reference begins anew."""
    network = data.draw(networks(data.draw(configs())))
    decay   = data.draw(st.integers(0, DECAY_MAX))
    golden  = GoldenStream(network, decay)
    for steps in data.draw(st.lists(inputs_of(network), min_size=1, max_size=3)):
        reference, spikes = Reference(network), []
        cut  = data.draw(st.integers(0, len(steps)))
        done = golden.run(steps[:cut]) + golden.run([np.array(step, np.int32) for step in steps[cut:]])
        assert len(done) == len(steps)
        for step, sources in zip(done, steps, strict=True):
            spikes.append(reference.step(sources))
            assert step.spikes.tolist() == spikes[-1]
            assert (step.v_a.tolist(), step.v_s.tolist()) == (reference.v_a, reference.v_s)
            assert step.logits.tolist() == reference.logits(spikes, decay)
            assert {array.dtype for array in step} == {np.dtype(np.int32)}
        golden.reset()


@pytest.mark.parametrize("config", [
    QCLIFConfig(), QCLIFConfig(neurons=1, inputs=1, contexts=0), QCLIFConfig(neurons=1024, inputs=1000, contexts=64),
    QCLIFConfig(neurons=130, inputs=140, contexts=2, state_bits=16, current_bits=20),
], ids=lambda config: config.neurons)
def test_large_networks_equal_the_batched_model(config):
    network = random_network(config, seed=2, style="excited", product_shift=3)
    rng     = np.random.default_rng(7)
    steps   = SpikeTrain.from_dense(rng.random((40, config.sources)) < rng.random((40, 1))/4)
    result, = GoldenModel(network).run([steps], states=True)
    done    = GoldenStream(network).run([steps.step(t) for t in range(len(steps))])
    assert SpikeTrain.from_lists([step.spikes for step in done]) == result.spikes
    assert len(result.spikes.sources)
    np.testing.assert_array_equal([step.v_a for step in done], result.v_a)
    np.testing.assert_array_equal([step.v_s for step in done], result.v_s)
    np.testing.assert_array_equal(done[-1].logits, result.logits)


def test_what_was_returned_does_not_change():
    golden = GoldenStream(random_network(QCLIFConfig(), style="excited", product_shift=3), 4)
    steps  = golden.run([range(0, 500, 7)]*3)
    before = [[array.copy() for array in step] for step in steps]
    golden.run([range(0, 500, 3)]*5)
    golden.reset()
    for step, copies in zip(steps, before, strict=True):
        for array, copy in zip(step, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_a_network_without_classes():
    network = dataclasses.replace(random_network(SMALL), readout=None)
    step,   = GoldenStream(network, DECAY_MAX).run([[]])
    assert step.logits.shape == (0,)


@pytest.mark.parametrize("source", [-1, 5])
def test_unknown_sources_are_refused(source):
    golden = GoldenStream(random_network(SMALL))
    with pytest.raises(QCLIFError, match=f"source {source}, the network has 0 to 4"):
        golden.run([[0], [0, source]])


def test_more_events_than_a_sum_holds_are_refused():
    golden = GoldenStream(random_network(SMALL))
    with pytest.raises(QCLIFError, match="a step has 8388608 events"):
        golden.run([np.zeros(2**23, np.int32)])


def test_needs_no_torch():
    program = "import sys, host.network.stream; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


# Windowed readout ---------------------------------------------------------------------------------

def test_a_spike_fades():
    logits = RunningLogits(with_readout(random_network(SMALL), [[8, -8], [0, 0], [0, 0]]), 1)
    steps  = [logits.step(np.array(neurons, np.intp)).tolist() for neurons in ([0], [], [], [], [], [0, 0])]
    # lost(1) is 1, and lost(-1) is 0: halves are rounded up.
    assert steps == [[8, -8], [4, -4], [2, -2], [1, -1], [0, -1], [16, -17]]


@pytest.mark.parametrize("decay", [1, 2, 5, DECAY_MAX])
@pytest.mark.parametrize("weight", [1, 3, None])
def test_logits_reach_their_bounds_and_stay_there(decay, weight):
    """What is said in check_decay() of the farthest that a logit goes."""
    most    = 2**(31 - decay) - 1 if weight is None else weight
    network = with_readout(random_network(SMALL), [[most, -most], [0, 0], [0, 0]])
    high, low = 2**decay*most + 2**(decay - 1) - 1, -2**decay*most - 2**(decay - 1)
    assert high + 2**(decay - 1) < 2**31 and low >= -2**31
    logits = RunningLogits(network, decay)
    logits._logits[:] = high, low
    assert logits.step(np.zeros(1, np.intp)).tolist() == [high, low]
    assert all(low <= value <= high for value in logits.step(np.zeros(0, np.intp)).tolist())


@pytest.mark.parametrize("decay", [1, 5, DECAY_MAX])
def test_readouts_that_could_leave_32_bits_are_refused(decay):
    most    = 2**(31 - decay) - 1
    rows    = [[0, most - 1], [5, -1], [-5, 0]]
    check_decay(with_readout(random_network(SMALL), rows), decay)
    network = with_readout(random_network(SMALL), [*rows[:2], [-5, 1]])
    with pytest.raises(QCLIFError, match=f"^decay is {decay}, .* add up to {most + 1}: .* the limit is {most}, "):
        GoldenStream(network, decay)
    GoldenStream(network, 0)


@pytest.mark.parametrize("decay", [-1, DECAY_MAX + 1, 2.0])
def test_decays_out_of_their_limits(decay):
    with pytest.raises(QCLIFError, match="decay"):
        GoldenStream(random_network(SMALL), decay)


def test_a_sum_without_a_window_that_leaves_32_bits_is_refused():
    logits = RunningLogits(with_readout(random_network(SMALL), [[2**31 - 1], [1], [0]]), 0)
    assert logits.step(np.array([0])).tolist() == [2**31 - 1]
    with pytest.raises(QCLIFError, match="logit 0 is 2147483648"):
        logits.step(np.array([1]))
