# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What training minimises and evaluation counts, recomputed number by number; statistics against published values."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from host.events.spike_train import SpikeTrain
from host.training.model import READOUT_SCALE
from host.training.objective import Score, Tally, majority, objective, precision_recall, score, wilson_interval
from host.training.results import score_measures
from host.training.settings import Settings
from tests.helpers.recordings import clips_batch

B, K, N, CLASSES = 3, 2, 4, 3


def made(seed=0):
    """Counts, logits and the batch that they could be of: clips of different lengths."""
    rng    = np.random.default_rng(seed)
    bounds = np.array([[0, 4, 10], [0, 7, 8], [0, 1, 5]])
    batch  = clips_batch([SpikeTrain.from_lists([[]]*each[-1]) for each in bounds],
        rng.integers(0, CLASSES, (B, K)), bounds)
    counts = torch.tensor(rng.integers(0, 4, (B, K, N)), dtype=torch.float32)
    logits = torch.tensor(rng.integers(-2000, 2000, (B, K, CLASSES)), dtype=torch.float64)
    return counts, logits, batch


def entropy(logits, batch, weights, smoothing, gain):
    """Cross entropy clip by clip, in plain Python: smoothing spreads a share of the target over all classes."""
    total = norm = 0.0
    for b in range(B):
        for k in range(K):
            length = batch.bounds[b, k + 1] - batch.bounds[b, k]
            units  = [gain*float(each)/READOUT_SCALE/length for each in logits[b, k]]
            norms  = math.log(sum(math.exp(each) for each in units))
            losses = [weight*(norms - each) for weight, each in zip(weights, units, strict=True)]
            label  = batch.labels[b, k]
            total += (1 - smoothing)*losses[label] + smoothing*sum(losses)/CLASSES
            norm  += weights[label]
    return total/norm


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2.5, 0.5)])
@pytest.mark.parametrize("smoothing", [0, 0.1, 0.9])
@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_objective(weights, smoothing, gain):
    counts, logits, batch = made()
    settings = Settings(label_smoothing=smoothing, target_rate=0.45, rate_penalty=7.0, logit_gain=gain)
    found    = objective(counts, logits, batch, torch.tensor(weights, dtype=torch.float32), settings)
    # 23 steps in all; only what is above the target counts.
    rates    = [float(counts[..., n].sum())/23 for n in range(N)]
    assert min(rates) < 0.45 < max(rates)
    penalty  = 7.0*sum(max(0.0, rate - 0.45) for rate in rates)/N
    assert float(found) == pytest.approx(entropy(logits, batch, weights, smoothing, gain) + penalty, rel=1e-5)


def test_penalty_moves_busy_neurons_alone():
    counts, logits, batch = made()
    counts[..., 0], counts[..., 1:] = 3, 0
    counts.requires_grad_()
    objective(counts, torch.zeros_like(logits), batch, torch.ones(CLASSES), Settings(rate_penalty=7.0)).backward()
    # A spike more is 1/23 of a rate, of which there are N.
    np.testing.assert_allclose(counts.grad[..., 0], 7/23/N, rtol=1e-6)
    assert not counts.grad[..., 1:].any()


def test_clips_of_any_length_weigh_alike():
    """Twice the steps and twice the logits are the same evidence; an empty clip is no division by zero."""
    _, logits, _ = made()
    settings, weights, losses = Settings(rate_penalty=0), torch.ones(CLASSES), []
    for times in (1, 2):
        bounds = np.array([[0, 3*times, 3*times]]*B)
        batch  = clips_batch([SpikeTrain.from_lists([[]]*3*times)]*B, np.ones((B, K), int), bounds)
        scaled = logits.clone()
        scaled[:, 0] *= times
        losses.append(float(objective(torch.zeros(B, K, N), scaled, batch, weights, settings)))
    assert losses[0] == pytest.approx(losses[1]) and math.isfinite(losses[0])

# Counting -----------------------------------------------------------------------------------------

def test_tally_counts_batches():
    tally, losses, expected, labels, spikes = Tally(), [0.5, 2.5], [], [], 0
    for seed, loss in enumerate(losses):
        counts, logits, batch = made(seed)
        tally.add(torch.tensor(loss), counts, logits, batch)
        labels   += batch.labels.ravel().tolist()
        expected += [row.tolist().index(max(row.tolist())) for clip in logits for row in clip]
        spikes   += int(counts.sum())
    found = tally.score
    assert found.loss == 1.5 and found.rate == spikes/(2*23*N)
    assert found.labels.tolist() == labels and found.predictions.tolist() == expected
    assert found.accuracy == sum(a == b for a, b in zip(labels, expected, strict=True))/(2*B*K)


def test_prediction_is_the_first_maximum():
    counts, _, batch = made()
    tally = Tally()
    tally.add(torch.tensor(0.0), counts, torch.tensor([[[1, 5, 5]]*K]*B, dtype=torch.float64), batch)
    assert tally.score.predictions.tolist() == [1]*B*K


def test_score_leaves_the_network_as_it_is():
    parameter = torch.ones(1, requires_grad=True)
    seen      = []

    def model(batch):
        assert not torch.is_grad_enabled()
        counts, logits, _ = made(len(seen))
        seen.append(batch)
        return counts*parameter, logits*parameter
    batches = [made(seed)[2] for seed in range(2)]
    found   = score(model, batches, torch.ones(CLASSES), Settings())
    losses  = [float(objective(*made(seed), torch.ones(CLASSES), Settings())) for seed in range(2)]
    assert seen == batches and parameter.grad is None
    assert found.loss == pytest.approx(sum(losses)/2)


def test_measures_of_a_score():
    found = score_measures(Score(0.25, 0.5, np.array([0, 1, 1, 1]), np.array([1, 1, 0, 1])), 2)
    assert found == {"answers": 4, "accuracy": 0.5, "accuracy_interval": list(wilson_interval(2, 4)), "majority": 0.75,
        "rate": 0.5, "loss": 0.25, "precision": 2/3, "recall": 2/3}
    assert "recall" not in score_measures(Score(0.25, 0.5, np.array([0, 2]), np.array([1, 1])), 3)

# Statistics ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("hits, trials, low, high", [
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
    # Half of them: 0.5 -+ Z/2/sqrt(n + Z**2). None and all of them: Z**2/(n + Z**2) on one side.
    (50, 100, 0.4038, 0.5962), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)])
def test_wilson_interval(hits, trials, low, high):
    assert wilson_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilson_interval_is_where_the_score_test_is_undecided(case):
    """Its ends are the shares from which what was found is 1.96 standard deviations away."""
    hits, trials = case
    low, high    = wilson_interval(hits, trials)
    assert 0 <= low <= hits/trials + 1e-12 and hits/trials - 1e-12 <= high <= 1
    for end in (low, high):
        deviation = 1.959963984540054*math.sqrt(end*(1 - end)/trials)
        assert abs(hits/trials - end) == pytest.approx(deviation, abs=1e-7)
    assert wilson_interval(trials - hits, trials) == pytest.approx((1 - high, 1 - low))


def test_majority():
    assert majority(np.array([2, 0, 2, 1])) == 0.5
    assert majority(np.array([7])) == 1.0 and majority(np.zeros(0, int)) == 0.0


@pytest.mark.parametrize("labels, predictions, precision, recall", [
    ([1, 1, 0, 0, 1], [1, 0, 1, 0, 1], 2/3, 2/3), ([1, 1, 1, 0], [1, 0, 0, 0], 1, 1/3),
    ([0, 0, 1], [1, 1, 1], 1/3, 1), ([0, 0], [1, 1], 0, 0), ([1, 1], [0, 0], 0, 0), ([], [], 0, 0)])
def test_precision_and_recall(labels, predictions, precision, recall):
    found = precision_recall(np.array(labels), np.array(predictions))
    assert found == {"precision": precision, "recall": recall}
