# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The benchmark of training compares like with like; how fast it is, no test says."""

import sys

import numba
import pytest
import torch

from host.training.architecture import Architecture
from host.training.bptt.operation import spike_counts
from host.training.model import SpikingNetwork
from targets.benchmark import training
from targets.benchmark.training import RLeakyNetwork, Setup, bench_training, firing_network, plain_loop, random_batch
from targets.tools.progress import StageDisplay

TINY = Setup(inputs=24, neurons=9, steps=12, batch=5, activity=0.2, rate=0.1, repeats=2)
KEYS = ["network", "device", "threads", "written", "forward_ms", "backward_ms", "total_ms", "times_faster",
    "inputs_active", "firing"]


def dense(batch, model):
    return torch.from_numpy(batch.dense(model.architecture.inputs)).float()


def test_the_peer_computes_the_contract():
    """At the size that is measured, where neurons fire as often as asked."""
    batch  = random_batch(Setup())
    model  = firing_network("qclif", Setup(), batch)
    counts = plain_loop(model, dense(batch, model))
    assert counts.dtype == torch.float32
    assert torch.equal(counts, spike_counts(batch, model.architecture.inputs, model.rule, model.values())[:, 0])
    assert 0.03 < counts.mean().item()/Setup().steps < 0.05


def test_the_peer_saturates_and_clamps_as_the_contract():
    """Where currents leave their range and states both of their bounds."""
    batch, model = random_batch(TINY), SpikingNetwork(Architecture("qclif", TINY.neurons, TINY.inputs))
    with torch.no_grad():
        for weight in (model.w_sensory, model.w_recurrent_soma, model.w_recurrent_apical):
            weight.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
        model.exponent.fill_(3)
    counts = plain_loop(model, dense(batch, model))
    assert counts.sum() > 50
    assert torch.equal(counts, spike_counts(batch, TINY.inputs, model.rule, model.values())[:, 0])
    counts.sum().backward()
    for name, value in model.named_parameters():
        if name not in ("readout", "w_context"):
            assert value.grad.isfinite().all() and value.grad.any(), name


def test_snntorch_computes_the_same_lif():
    pytest.importorskip("snntorch", reason="a peer of the benchmark: pip install snntorch")
    batch  = random_batch(TINY)
    model  = firing_network("lif", TINY, batch)
    counts = RLeakyNetwork(model)(dense(batch, model))
    assert counts.sum() > 10
    # Real numbers: the same spikes, as no potential lies within rounding of its threshold.
    assert torch.equal(counts, spike_counts(batch, TINY.inputs, model.rule, model.values())[:, 0])


def test_rows_of_a_tiny_network():
    pytest.importorskip("snntorch", reason="a peer of the benchmark: pip install snntorch")
    threads = torch.get_num_threads()
    with StageDisplay(interactive=False) as progress:
        rows = [row for row in bench_training(progress, TINY) if row["device"] == "cpu"]
    assert all(list(row) == KEYS for row in rows)
    assert [(row["network"], row["written"]) for row in rows] == [
        ("qclif", "torch, step by step"), ("qclif", "dense.py (torch)"), ("qclif", "kernel.py (events)"),
        ("lif", "snntorch RLeaky"), ("lif", "dense.py (torch)"), ("lif", "kernel.py (events)")]
    assert len({row["firing"] for row in rows[:3]}) == 1 and rows[0]["firing"] > 0
    assert rows[0]["times_faster"] == rows[3]["times_faster"] == 1
    assert all(row["threads"] == numba.get_num_threads() for row in rows)
    assert torch.get_num_threads() == threads


def test_without_snntorch_its_row_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "snntorch", None)
    batch, notes = random_batch(TINY), []
    found = training.ways(firing_network("lif", TINY, batch), batch, "cpu", notes.append)
    assert [way.text for way in found] == ["dense.py (torch)", "kernel.py (events)"]
    assert notes == ["snntorch is not installed, its row is left out: pip install snntorch brings it"]
