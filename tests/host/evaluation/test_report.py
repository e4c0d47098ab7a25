# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Measures of an evaluation against naive ones: costs, answers, latency, worst pairs."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from host.evaluation.report import worst_pairs
from host.evaluation.trials import Answers, confined, decision_steps, running_classes
from host.events.spike_train import SpikeTrain
from host.plots.curves import accuracy_over_time
from host.runs.synaptic_operations import cost_measures, rows_per_step, spread, synaptic_operations
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import configs, inputs_of, networks
from tests.helpers.strategies import random_network as extreme_network


def sequences(draw, network, most=4):
    """Steps of one to `most` samples."""
    return [SpikeTrain.from_lists(steps) for steps in draw(st.lists(inputs_of(network), min_size=1, max_size=most))]

# Workload -----------------------------------------------------------------------------------------

@settings(max_examples=50)
@given(st.data())
def test_costs(data):
    config  = data.draw(configs())
    network = data.draw(networks(config))
    inputs  = sequences(data.draw, network)
    rows, events, fired, sops, active = [], [], [], [], {"sensory": 0, "context": 0, "neurons": 0}
    spikes, ever = [], set()
    for sample in inputs:
        reference, before, operations = Reference(network), [], 0
        outputs = []
        for t in range(len(sample)):
            sources = sample.step(t).tolist()
            rows.append(len(sources) + len(before))
            operations += network.neurons*(len(sources) + 2*len(before))
            before = reference.step(sources)
            outputs.append(before)
            events.append(len(sources))
            fired.append(len(before))
            ever |= set(before)
            active["sensory"] += len({source for source in sources if source < network.inputs})
            active["context"] += len({source for source in sources if source >= network.inputs})
            active["neurons"] += len(before)
        sops.append(operations)
        spikes.append(SpikeTrain.from_lists(outputs))
    measures = cost_measures(network, inputs, spikes)
    steps    = len(rows)
    assert {name: measures[name] for name in ("steps", "events", "spikes", "rows", "sops")} == {
        "steps": steps, "events": sum(events), "spikes": sum(fired), "rows": sum(rows), "sops": sum(sops)}
    for name, values in {"events_per_step": events, "spikes_per_step": fired, "rows_per_step": rows,
            "steps_per_inference": [len(sample) for sample in inputs], "sops_per_inference": sops}.items():
        assert measures[name] == spread(np.array(values))
    sizes = {"sensory": network.inputs, "context": network.contexts, "neurons": network.neurons}
    assert measures["active"] == {name: count/(steps*sizes[name]) if sizes[name] else None
        for name, count in active.items()}
    assert measures["silent_neurons"] == (network.neurons - len(ever))/network.neurons
    for name, share in measures["zero_weights"].items():
        weights = getattr(network, name).ravel().tolist()
        assert share == (weights.count(0)/len(weights) if weights else None)


def test_a_source_of_several_events_is_active_once():
    network = extreme_network(QCLIFConfig(neurons=2, inputs=4, contexts=2))
    inputs  = [SpikeTrain.from_lists([[1, 1, 3], [3], [], [3, 4, 4, 5]])]
    measures = cost_measures(network, inputs, [SpikeTrain.from_lists([[], [0], [1], []])])
    assert measures["active"] == {"sensory": 4/16, "context": 2/8, "neurons": 2/8}
    assert measures["rows"] == 8 + 2 and measures["sops"] == 2*8 + 2*2*2


def test_the_spikes_of_the_last_step_cost_nothing():
    inputs, spikes = SpikeTrain.from_lists([[0], []]), SpikeTrain.from_lists([[0, 1], [0, 1, 2]])
    assert rows_per_step(inputs, spikes).tolist() == [1, 2]
    assert synaptic_operations(inputs, spikes, 3) == 3 + 2*2*3


def test_spread():
    assert spread(np.arange(1, 11)) == {"mean": 5.5, "median": 5.5, "p90": 9, "most": 10}
    assert spread(np.array([7])) == {"mean": 7, "median": 7, "p90": 7, "most": 7}


# Answers ------------------------------------------------------------------------------------------

def naive_course(reference, steps):
    """Class after each step, and steps until it is stable."""
    sums   = [reference.logits(steps[:t + 1]) for t in range(len(steps))]
    course = [logits.index(max(logits)) for logits in sums]
    stable = next(t for t in range(len(course)) if all(each == course[-1] for each in course[t:]))
    return course, stable + 1


@settings(max_examples=50)
@given(st.data())
def test_answers(data):
    """Of sequences of several clips: each clip counts the spikes of its own steps alone."""
    network = data.draw(networks(QCLIFConfig(neurons=5, inputs=4, contexts=0)))
    clips   = data.draw(st.integers(1, 3))
    steps   = st.lists(st.sets(st.integers(0, network.neurons - 1)).map(sorted), min_size=clips, max_size=12)
    spikes  = data.draw(st.lists(steps, min_size=1, max_size=4))
    cut     = [sorted(data.draw(st.sets(st.integers(1, len(each) - 1), min_size=clips - 1, max_size=clips - 1)))
        if clips > 1 else [] for each in spikes]
    bounds  = np.array([[0, *inner, len(each)] for inner, each in zip(cut, spikes, strict=True)])
    labels  = np.array(data.draw(st.lists(st.lists(st.integers(0, 2), min_size=clips, max_size=clips),
        min_size=len(spikes), max_size=len(spikes))))
    answers = Answers.of([SpikeTrain.from_lists(each) for each in spikes], bounds, labels, network.readout)
    reference = Reference(network)
    expected  = [naive_course(reference, each[start:stop]) for each, row in zip(spikes, bounds.tolist(), strict=True)
        for start, stop in pairwise(row)]
    assert [course.tolist() for course in answers.courses] == [course for course, _ in expected]
    assert answers.predictions.tolist() == [course[-1] for course, _ in expected]
    assert answers.latencies.tolist() == [latency for _, latency in expected]
    longest = max(len(course) for course, _ in expected)
    stopped = [sum(course[min(t, len(course) - 1)] == label for (course, _), label in
        zip(expected, labels.ravel().tolist(), strict=True))/len(expected) for t in range(longest)]
    assert answers.accuracy_over_time().tolist() == pytest.approx(stopped)


@pytest.mark.parametrize(("course", "steps"), [([2], 1), ([1, 1, 1], 1), ([0, 1, 1], 2), ([0, 1, 0], 3)])
def test_decision_steps(course, steps):
    assert decision_steps(np.array(course)) == steps


def test_running_classes_do_not_overflow():
    """Logits far beyond 32 bits: the readout's largest values, summed step by step."""
    readout = np.array([[2**31 - 1, -2**31]]*3, np.int32)
    assert running_classes(SpikeTrain.from_lists([[0, 1, 2]]*3), readout).tolist() == [0, 0, 0]
    assert running_classes(SpikeTrain.from_lists([[], [0]]), readout[:, ::-1].copy()).tolist() == [0, 1]


def test_worst_pairs():
    counts = np.array([[5, 1, 0], [3, 0, 3], [0, 0, 9]])
    pairs  = [(pair["label"], pair["taken_for"], pair["clips"], pair["share"]) for pair in
        worst_pairs(counts, ("a", "b", "c"))]
    assert pairs == [("b", "a", 3, 0.5), ("b", "c", 3, 0.5), ("a", "b", 1, 1/6)]
    assert len(worst_pairs(counts, ("a", "b", "c"), 1)) == 1


def test_spikes_that_cannot_be_are_left_out():
    spikes = SpikeTrain.from_lists([[0, 3], [-1, 2], [1]])
    assert confined(spikes, 2, 3) == SpikeTrain.from_lists([[0], [2]])
    assert confined(spikes, 4, 9) == SpikeTrain.from_lists([[0, 3], [2], [1], []])


def test_plot_of_accuracy_over_time():
    axes = accuracy_over_time(np.array([0.25, 0.5, 1.0]), 0.3, 2.5, 5000, "title").axes[0]
    line, guess, latency = axes.lines
    assert line.get_xydata().tolist() == [[5, 0.25], [10, 0.5], [15, 1]]
    assert guess.get_ydata() == [0.3, 0.3] and latency.get_xdata() == [12.5, 12.5]
    assert axes.get_xlabel() == "time (ms)"
    steps = accuracy_over_time(np.array([0.25]), 0.3, 1.0).axes[0]
    assert steps.lines[0].get_xydata().tolist() == [[1, 0.25]] and steps.get_xlabel() == "time step"
