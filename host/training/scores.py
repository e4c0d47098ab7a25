#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Statistics of answers: how sure an accuracy is, and what a guess would reach."""

import math

import numpy as np

# Two-sided 95 % of the normal distribution.
Z_95 = 1.959963984540054


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
