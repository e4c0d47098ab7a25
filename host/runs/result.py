# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The result of a run: spikes, logits, labels and the inputs that were sent, in one file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.common.npz import NpzArrays, save_npz
from host.events.encoder import STEPS_MAX
from host.events.sample import UNKNOWN
from host.events.spike_train import SpikeTrain

NEURONS_MAX = LIMITS["neurons"][1]
SOURCES_MAX = LIMITS["inputs"][1] + LIMITS["contexts"][1]

# What a row is made of: each array, and how many values it can have; a sample's number depends on the run.
ROWS = (
    {"sample": None, "step": STEPS_MAX, "neuron": NEURONS_MAX},
    {"in_sample": None, "in_step": STEPS_MAX, "in_source": SOURCES_MAX},
)


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave, as its .npz file holds it. All int32.

    Parameters
    ----------
    sample, step, neuron : [spikes], one row a spike, in order.
    logits : [samples, O].
    label : [samples], -1 where unknown.
    in_sample, in_step, in_source : [inputs], one row an input that was sent; context k is source I + k.
    """
    sample:    np.ndarray
    step:      np.ndarray
    neuron:    np.ndarray
    logits:    np.ndarray
    label:     np.ndarray
    in_sample: np.ndarray
    in_step:   np.ndarray
    in_source: np.ndarray

    @classmethod
    def collect(cls, inputs: Sequence[SpikeTrain], spikes: Sequence[SpikeTrain], logits: Sequence[np.ndarray],
            labels: Sequence[int]) -> "Result":
        """Collect the inputs, the spikes, the logits [O] and the label of each sample."""
        if not len(inputs) == len(spikes) == len(logits) == len(labels):
            raise ValueError(f"{len(inputs)} inputs, {len(spikes)} spikes, {len(logits)} logits and "
                f"{len(labels)} labels: one of each a sample is needed")
        outputs = len(logits[0]) if len(logits) else 0
        return cls(*_rows(spikes), np.asarray(logits, np.int32).reshape(len(inputs), outputs),
            np.asarray(labels, np.int32), *_rows(inputs))

    def save(self, path: str | os.PathLike) -> None:
        """Write the file whole or not at all; equal results give equal bytes."""
        save_npz(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Result":
        """Read a file of save(); raises QCLIFError where it is none."""
        file, arrays = NpzArrays(path, "result"), {}
        for name in (field.name for field in fields(cls)):
            rank = 2 if name == "logits" else 1
            if name not in file:
                raise QCLIFError(f"result {path}: array {name} is missing: is it the result of a run?")
            array = arrays[name] = file[name]
            if array.dtype != np.int32 or array.ndim != rank:
                raise QCLIFError(f"result {path}: {name} has {array.ndim} dimensions of {array.dtype}: {rank} of int32 "
                    "are needed")
        result = cls(**arrays)
        try:
            result._check()
        except QCLIFError as error:
            raise QCLIFError(f"result {path}: {error}: is it the result of a run?") from error
        return result

    def _check(self) -> None:
        """Raise QCLIFError where arrays do not fit each other or a value cannot be."""
        samples = len(self.label)
        if len(self.logits) != samples:
            raise QCLIFError(f"logits of {len(self.logits)} samples, labels of {samples}")
        if (self.label < UNKNOWN).any():
            raise QCLIFError(f"label {self.label.min()}, the least is {UNKNOWN}, unknown")
        for row in ROWS:
            lengths = [len(getattr(self, name)) for name in row]
            if len(set(lengths)) > 1:
                raise QCLIFError(f"{', '.join(row)} have {', '.join(map(str, lengths))} entries, not equally many")
            for name, limit in row.items():
                array = getattr(self, name)
                limit = samples if limit is None else limit
                bad   = np.flatnonzero((array < 0) | (array >= limit))
                if len(bad):
                    raise QCLIFError(f"{name}[{bad[0]}] is {array[bad[0]]}, the limits are 0 to {limit - 1}")

    def sample_steps(self, sample: int) -> tuple[SpikeTrain, SpikeTrain]:
        """Inputs and spikes of a sample (0 to samples - 1), of as many steps each.

        A run does not tell how long a sample was: these end with the last step in which anything came in or fired.
        Steps after it were silent, so that the golden model gives the same spikes without them.
        """
        inputs, spikes = self.in_sample == sample, self.sample == sample
        length = 1 + max(int(steps.max(initial=-1)) for steps in (self.in_step[inputs], self.step[spikes]))
        return (SpikeTrain.from_pairs(self.in_step[inputs], self.in_source[inputs], length),
            SpikeTrain.from_pairs(self.step[spikes], self.neuron[spikes], length))


def _rows(steps: Sequence[SpikeTrain]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample, step and source of every spike in one spike train a sample, int32 [n] each."""
    empty = [np.zeros(0, np.int32)]
    return (np.repeat(np.arange(len(steps), dtype=np.int32), [len(each.sources) for each in steps]),
        np.concatenate(empty + [each.indices() for each in steps]),
        np.concatenate(empty + [each.sources for each in steps]))
