#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Orders in which a raster shows neurons: by number, by rate, by the class they prefer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError


class Order(NamedTuple):
    """Which row each neuron has, row 0 on top.

    Parameters
    ----------
    rows : int [N], row of each neuron.
    name : what the axis is called.
    groups : (name, first row, row after the last) of each group of neurons, or none.
    """
    rows:   np.ndarray
    name:   str
    groups: Sequence[tuple[str, int, int]] = ()


# Each order is made from the spike counts [samples, N] of a run, the labels [samples] and the names of the classes.

def by_number(counts: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()) -> Order:
    """Neuron n in row n."""
    return Order(np.arange(counts.shape[1]), "neuron")


def by_rate(counts: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()) -> Order:
    """Most active on top; equal ones by number."""
    return Order(_rows(np.argsort(-counts.sum(axis=0), kind="stable")), "neurons by rate")


def by_class(counts: np.ndarray, labels: np.ndarray, names: Sequence[str] = ()) -> Order:
    """By preferred class, that in whose samples a neuron fires most on average; inside a class by that average.

    Parameters
    ----------
    counts : spikes [samples, N].
    labels : class [samples], -1 where unknown: such samples take no part.
    names : what the classes are called; a class without a name is called by its number.

    Raises
    ------
    QCLIFError : no sample has a label.
    """
    classes = np.unique(labels[labels >= 0])
    if not len(classes):
        raise QCLIFError("no sample has a label: neurons cannot be ordered by class, order them by rate")
    means     = np.array([counts[labels == each].mean(axis=0) for each in classes])
    preferred = means.argmax(axis=0)
    best      = means.max(axis=0)
    # Neurons that are silent in all of these samples prefer none: a group of their own.
    preferred[best == 0] = len(classes)
    order  = np.lexsort((-best, preferred))
    titles = [names[each] if each < len(names) else str(each) for each in classes] + ["silent"]
    bounds = np.searchsorted(preferred[order], np.arange(len(titles) + 1)).tolist()
    groups = [(title, first, stop) for title, first, stop in zip(titles, bounds, bounds[1:], strict=False)
        if first < stop]
    return Order(_rows(order), "neurons by preferred class", groups)


# Name of an order, as --sort takes it.
ORDERS = {"number": by_number, "rate": by_rate, "class": by_class}


def _rows(order: np.ndarray) -> np.ndarray:
    """Row of each neuron, of the neuron in each row."""
    rows = np.empty(len(order), np.int64)
    rows[order] = np.arange(len(order))
    return rows
