# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The sweeps: which settings vary, over which seeds and folds, and what is plotted against what."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from host.training.settings import Settings
from host.training.tasks import RELEVANCE

FOLDS = 5

Changes = dict[str, object]


@dataclass(frozen=True)
class Sweep:
    """Trainings whose settings differ in a few fields.

    Parameters
    ----------
    changes : settings of each variation, beside the base.
    x, group : settings that the plot has on its axis and its lines; x None makes no plot.
    log2, group_name : its axis in powers of two, and how it names a line.
    every_fold : True scores each variation on all folds of the training split; else a seed is scored on the data set's
        test split, or, where there is none, on the fold of its number.
    choices : settings among which each run chooses by trials on a part of its own training recordings; none: it takes
        those of the base.
    """
    text:       str
    changes:    Sequence[Changes]
    x:          str | None
    group:      str | None
    log2:       bool = False
    group_name: str = "{}"
    base:       Changes = field(default_factory=dict)
    every_fold: bool = False
    choices:    Sequence[Changes] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Settings that vary."""
        return _names(self.changes)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Settings that each run chooses."""
        return _names(self.choices)


def _names(changes: Sequence[Changes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in changes for name in each))


def _grid(**values: Sequence[object]) -> list[Changes]:
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


# Validation would take recordings away, and nothing is chosen by it: all epochs are run.
_WHOLE = {"validation": 0.0}

# The contract at 8 and 4 bits, beside the real-valued neurons.
_CONTRACT_AND_REAL = [{"neuron": "qclif", "weight_bits": w, "state_bits": s} for w, s in ((8, 8), (4, 8), (4, 4))] + [
    {"neuron": neuron, "weight_bits": 8, "state_bits": 8} for neuron in ("clif", "lif")]

# What decides most about a training: step size, scale of the logits, and whether recordings turn and grow.
_CHOICES = [geometry | each for geometry in ({"rotate": 0.0, "zoom": 0.0}, {"rotate": 10.0, "zoom": 0.1})
    for each in _grid(learning_rate=(0.003, 0.01), logit_gain=(1.0, 3.0))]

SWEEPS: Mapping[str, Sweep] = {
    "folds": Sweep("cross-validation of the contract at 8 and 4 bits, beside the real-valued neurons",
        _CONTRACT_AND_REAL, None, None, base=_WHOLE, every_fold=True),
    "nested": Sweep("the same, with settings that each fold chooses among its own training recordings",
        _CONTRACT_AND_REAL, None, None, base=_WHOLE, every_fold=True, choices=_CHOICES),
    "precision": Sweep("lowest usable precision",
        _grid(state_bits=(8, 6, 4), weight_bits=(8, 6, 5, 4, 3, 2)), "weight_bits", "state_bits",
        group_name="{}-bit states", base=_WHOLE),
    "neurons": Sweep("size of the network, qCLIF against the contract's LIF",
        _grid(neuron=("qclif", "qlif"), neurons=(10, 25, 50, 100, 200)), "neurons", "neuron", True,
        base=_WHOLE),
    "neuron": Sweep("what the neuron brings: apical gate, integers, linear leak",
        _grid(neuron=("qclif", "qclif-exponential", "qlif", "clif", "clif-linear", "lif")), None, None, base=_WHOLE),
    "context": Sweep("what the cue brings, by its relevance",
        _grid(neuron=("qclif", "lif"), relevance=(*RELEVANCE.values(), 0.55)) + [{"neuron": "qclif", "relevance": 1.0,
            "cued": False}], "relevance", "kind", base=_WHOLE | {"task": "context"}),
}


@dataclass(frozen=True)
class Run:
    """One training of a sweep.

    Parameters
    ----------
    fold, folds : what it is scored on; 0 folds: the test split.
    recordings : identity of the recordings; "" for synthetic ones, which the settings tell.
    inner : scored on a part of what it would train with, so that what it is scored on later stays unseen.
    """
    settings:   Settings
    fold:       int
    folds:      int
    recordings: str = ""
    inner:      bool = False

    @property
    def key(self) -> str:
        """Text that differs between runs that differ in anything, and stays as it is when settings gain fields."""
        return json.dumps([self.fold, self.folds, self.settings.changed, self.recordings, *["inner"]*self.inner],
            sort_keys=True)


def runs(sweep: Sweep, base: Settings, seeds: int, has_test: bool, recordings: str = "") -> Iterator[Run]:
    """The runs of a sweep, seed by seed, so that an interrupted sweep has something of everything.

    Parameters
    ----------
    seeds : 0 to seeds - 1 are run; every fold is where the sweep wants them all.
    """
    base = dataclasses.replace(base, **sweep.base)
    for seed, changes in product(range(FOLDS if sweep.every_fold else seeds), sweep.changes):
        in_folds = sweep.every_fold or not has_test
        settings = dataclasses.replace(base, seed=0 if sweep.every_fold else seed, **changes)
        yield Run(settings, seed % FOLDS if in_folds else 0, FOLDS if in_folds else 0, recordings)


def trials(sweep: Sweep, run: Run) -> list[Run]:
    """A run with each of the sweep's choices and half the epochs, scored within its own training recordings."""
    return [dataclasses.replace(run, inner=True, settings=dataclasses.replace(run.settings,
        epochs=max(1, run.settings.epochs//2), **choice)) for choice in sweep.choices]
