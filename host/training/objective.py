# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What training minimises and evaluation counts, how sure an accuracy is, and what a guess would reach."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from host.data.batch import Batch
from host.training.model import READOUT_SCALE, SpikingNetwork
from host.training.settings import Settings

# Two-sided 95 % of the normal distribution.
Z_95 = 1.959963984540054


def objective(counts: Tensor, logits: Tensor, batch: Batch, weights: Tensor, settings: Settings) -> Tensor:
    """Cross entropy of the answers, and a penalty on neurons that fire above the target rate.

    Parameters
    ----------
    counts, logits : as SpikingNetwork.forward() gives them.
    weights : how much each class counts [O].
    """
    labels  = torch.from_numpy(batch.labels).to(logits.device)
    lengths = torch.from_numpy(np.diff(batch.bounds)).to(logits.device)
    # A clip of any length weighs alike.
    scaled  = logits*(settings.logit_gain/READOUT_SCALE)/lengths.clamp(min=1)[..., None]
    entropy = torch.nn.functional.cross_entropy(scaled.float().flatten(0, 1), labels.flatten(), weight=weights,
        label_smoothing=settings.label_smoothing)
    rates   = counts.sum(dim=(0, 1))/lengths.sum()
    return entropy + settings.rate_penalty*(rates - settings.target_rate).relu().mean()


@dataclass(frozen=True)
class Score:
    """How well a network did on samples.

    Attributes
    ----------
    loss : mean of the objective over batches.
    rate : spikes a neuron and step.
    labels, predictions : class of each clip, int64 [clips]; a prediction is the first maximum of the logits.
    """
    loss:        float
    rate:        float
    labels:      np.ndarray
    predictions: np.ndarray

    @property
    def accuracy(self) -> float:
        return float((self.labels == self.predictions).mean())


class Tally:
    """Gathers a Score batch by batch."""
    def __init__(self) -> None:
        self.losses, self.labels, self.predictions = [], [], []
        self.spikes = self.steps = 0

    def add(self, loss: Tensor, counts: Tensor, logits: Tensor, batch: Batch) -> None:
        """Count what a network gave for a batch."""
        self.losses.append(loss.item())
        self.labels.append(batch.labels.ravel())
        self.predictions.append(logits.detach().cpu().numpy().argmax(axis=2).ravel())
        self.spikes += counts.sum().item()
        self.steps  += int(batch.lengths.sum())*counts.shape[2]

    @property
    def score(self) -> Score:
        return Score(float(np.mean(self.losses)), self.spikes/max(1, self.steps), np.concatenate(self.labels),
            np.concatenate(self.predictions))


@torch.no_grad()
def score(model: SpikingNetwork, batches: Iterable[Batch], weights: Tensor, settings: Settings) -> Score:
    """Score of a network on batches, without training on them."""
    tally = Tally()
    for batch in batches:
        counts, logits = model(batch)
        tally.add(objective(counts, logits, batch, weights, settings), counts, logits, batch)
    return tally.score

# Statistics of answers ----------------------------------------------------------------------------

def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson's, which holds near 0 and 1 as well).

    Parameters
    ----------
    hits, trials : 0 <= hits <= trials.

    Returns
    -------
    (low, high) : 0 to 1; (0, 1) where nothing was tried.
    """
    if not trials:
        return 0.0, 1.0
    share  = hits/trials
    centre = share + Z_95**2/(2*trials)
    spread = Z_95*math.sqrt(share*(1 - share)/trials + Z_95**2/(4*trials**2))
    return max(0.0, (centre - spread)/(1 + Z_95**2/trials)), min(1.0, (centre + spread)/(1 + Z_95**2/trials))


def majority(labels: np.ndarray) -> float:
    """Accuracy of always answering the most frequent label [n]; 0 where there is none."""
    return float(np.bincount(labels).max()/len(labels)) if len(labels) else 0.0


def precision_recall(labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """Precision and recall of the answer 1 (yes) among 0 and 1; 0 where it never was given, or never was right."""
    right = int(((labels == 1) & (predictions == 1)).sum())
    return {"precision": right/max(1, int((predictions == 1).sum())), "recall": right/max(1, int((labels == 1).sum()))}


def answer_measures(labels: np.ndarray, predictions: np.ndarray, yes_no: bool) -> dict[str, object]:
    """Accuracy, its 95 % interval and what a guess would reach, as JSON takes them, of labels and answers [n], n >= 1.

    Parameters
    ----------
    yes_no : the classes are no (0) and yes (1), which have a precision and a recall, too.
    """
    hits = int((labels == predictions).sum())
    return {
        "accuracy":          hits/len(labels),
        "accuracy_interval": list(wilson_interval(hits, len(labels))),
        "majority":          majority(labels),
    } | (precision_recall(labels, predictions) if yes_no else {})
