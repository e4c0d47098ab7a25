# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The comparison sees every integer that differs: what every run's "0 mismatches" rests on."""

import dataclasses

import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.sample_exchange import SampleRun
from host.network.golden import GoldenModel
from host.runs.comparison import compare
from tests.helpers.strategies import random_network

CONFIG  = QCLIFConfig(neurons=6, inputs=5, contexts=1, lanes=2)
NETWORK = random_network(CONFIG, seed=3, style="excited")
STEPS   = SpikeTrain.from_lists([[0, 1], [2, 2, 5], [], [0, 1, 2, 3, 4], [3]])
GOLDEN  = GoldenModel(NETWORK).run([STEPS], states=True)[0]
SAMPLE  = Sample("recording", steps=STEPS)
EXACT   = SampleRun(GOLDEN.spikes, STEPS, GOLDEN.logits, {}, GOLDEN.v_a.astype(np.int32), GOLDEN.v_s.astype(np.int32))


def compared(lockstep=True, **changes):
    return compare(SAMPLE, dataclasses.replace(EXACT, **changes), GOLDEN, NETWORK, CONFIG, lockstep)


def changed(array, index):
    array = array.copy()
    array[index] += 1
    return array


def test_exact():
    assert len(GOLDEN.spikes.sources) > 2
    result = compared()
    assert (result.mismatches, result.state_mismatches, result.states) == (0, 0, 2*5*6) and result.divergence is None


@pytest.mark.parametrize("name", ["spikes", "inputs"])
def test_missing_added_doubled_and_late(name):
    steps = [list(getattr(EXACT, name).step(t)) for t in range(5)]
    step  = next(t for t in range(5) if steps[t])
    wrong = {
        "missing": steps[:step] + [steps[step][1:]] + steps[step + 1:],
        "doubled": steps[:step] + [steps[step] + steps[step][:1]] + steps[step + 1:],
        "late":    [[], *steps[:-1]],
        "longer":  [*steps, []],
        "shorter": steps[:-1],
    }
    for what, lists in wrong.items():
        assert compared(**{name: SpikeTrain.from_lists(lists)}).mismatches > 0, what
    doubled = compared(**{name: SpikeTrain.from_lists(wrong["doubled"])})
    assert doubled.mismatches == 1
    assert (doubled.divergence.step, doubled.divergence.device, doubled.divergence.expected) == (step, 2, 1)


@pytest.mark.parametrize("name", ["spikes", "inputs"])
@pytest.mark.parametrize("lists, mismatches, first", [
    ([[1, 1, 2]], 2, (0, 1, 2, 1)), ([[3, 3]], 5, (0, 1, 0, 1)), ([[1, 2, 2]], 0, None), ([[1, 2]], 1, (0, 2, 1, 2)),
    ([[1, 2, 2, 4]], 1, (0, 4, 1, 0)), ([[2, 1, 2]], 0, None), ([[1, 2, 3]], 2, (0, 2, 1, 2))])
def test_how_often_spikes_come_counts(name, lists, mismatches, first):
    """[1, 1, 2] is not [1, 2, 2]."""
    steps    = SpikeTrain.from_lists([[1, 2, 2]])
    expected = dataclasses.replace(GOLDEN, spikes=steps, v_a=GOLDEN.v_a[:1], v_s=GOLDEN.v_s[:1])
    given    = dataclasses.replace(EXACT, **{"spikes": steps, "inputs": steps, name: SpikeTrain.from_lists(lists)},
        v_a=EXACT.v_a[:1], v_s=EXACT.v_s[:1])
    result = compare(Sample("recording", steps=steps), given, expected, NETWORK, CONFIG)
    assert result.mismatches == mismatches
    assert (None if first is None else (result.divergence.step, result.divergence.neuron, result.divergence.device,
        result.divergence.expected)) == first


def test_logit():
    result = compared(logits=changed(EXACT.logits, 1))
    assert result.mismatches == 1 and result.divergence.what == "logit" and result.divergence.neuron == 1


@pytest.mark.parametrize(("name", "what"), [("v_a", "V_a"), ("v_s", "V_s")])
def test_state_names_step_neuron_and_values(name, what):
    result = compared(**{name: changed(getattr(EXACT, name), (3, 2))})
    first  = result.divergence
    value  = int(getattr(EXACT, name)[3, 2])
    assert (result.mismatches, result.state_mismatches) == (0, 1)
    assert (first.what, first.step, first.neuron, first.device, first.expected) == (what, 3, 2, value + 1, value)


def test_states_of_the_last_step_alone():
    last = {"v_a": EXACT.v_a[-1:], "v_s": EXACT.v_s[-1:]}
    assert compared(lockstep=False, **last).state_mismatches == 0
    result = compared(lockstep=False, **last | {"v_s": changed(last["v_s"], (0, 5))})
    assert result.state_mismatches == 1 and result.divergence.step == 4


@pytest.mark.parametrize("changes", [{"v_a": EXACT.v_a[1:]}, {"v_s": EXACT.v_s[:0]}, {"logits": EXACT.logits[:1]}],
    ids=["V_a", "V_s", "logits"])
def test_too_few_are_an_error(changes):
    with pytest.raises(QCLIFError, match="recording"):
        compared(**changes)
