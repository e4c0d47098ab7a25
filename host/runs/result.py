# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The result of a run: spikes, logits, labels and the inputs that were sent, in one file."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.common.npz import NpzArrays, save_npz
from host.events.encoder import STEPS_MAX
from host.events.sample import UNKNOWN, Sample
from host.events.spike_train import SpikeTrain

NEURONS_MAX = LIMITS["neurons"][1]
SOURCES_MAX = LIMITS["inputs"][1] + LIMITS["contexts"][1]

# What a row is made of: each array, and how many values it can have; a sample's number depends on the run.
ROWS = (
    {"sample": None, "step": STEPS_MAX, "neuron": NEURONS_MAX},
    {"in_sample": None, "in_step": STEPS_MAX, "in_source": SOURCES_MAX},
)

# Dimensions and type of the arrays that are not [n] of int32.
_OTHERS = {"logits": (2, np.int32), "name": (1, np.str_), "digest": (2, np.uint8)}

# Those that tell what recordings a run was of.
_RECORDED = ("name", "events", "digest")

# Bytes of a SHA-256.
_DIGEST_BYTES = 32


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave, and on what, as its .npz file holds it. All int32 but name and digest.

    Parameters
    ----------
    sample, step, neuron : [spikes], one row a spike, in order.
    logits : [samples, O].
    label : [samples], -1 where unknown.
    in_sample, in_step, in_source : [inputs], one row an input that was sent; context k is source I + k.
    name : text [samples], what the recordings are called.
    events : [samples], numbers of their events; -1 where only inputs are known.
    digest : uint8 [samples, 32], of their events, as events_digest(); 0 likewise.
    """
    sample:    np.ndarray
    step:      np.ndarray
    neuron:    np.ndarray
    logits:    np.ndarray
    label:     np.ndarray
    in_sample: np.ndarray
    in_step:   np.ndarray
    in_source: np.ndarray
    name:      np.ndarray
    events:    np.ndarray
    digest:    np.ndarray

    @classmethod
    def collect(cls, samples: Sequence[Sample], inputs: Sequence[SpikeTrain], spikes: Sequence[SpikeTrain],
            logits: Sequence[np.ndarray]) -> "Result":
        """Collect the inputs, the spikes and the logits [O] of each sample."""
        if not len(samples) == len(inputs) == len(spikes) == len(logits):
            raise ValueError(f"{len(samples)} samples, {len(inputs)} inputs, {len(spikes)} spikes and {len(logits)} "
                "logits: one of each a sample is needed")
        outputs = len(logits[0]) if len(logits) else 0
        digests = b"".join(events_digest(each.events) for each in samples)
        return cls(*_rows(spikes), np.asarray(logits, np.int32).reshape(len(inputs), outputs),
            np.array([each.label for each in samples], np.int32), *_rows(inputs),
            np.array([each.name for each in samples], np.str_),
            np.array([-1 if each.events is None else len(each.events) for each in samples], np.int32),
            np.frombuffer(digests, np.uint8).reshape(len(samples), _DIGEST_BYTES))

    def save(self, path: str | os.PathLike) -> None:
        """Write the file whole or not at all; equal results give equal bytes."""
        save_npz(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Result":
        """Read a file of save(); raises QCLIFError where it is none. Of recordings, files of earlier versions tell
        nothing.
        """
        file, arrays = NpzArrays(path, "result"), {}
        told = any(name in file for name in _RECORDED)
        for name in (field.name for field in fields(cls) if told or field.name not in _RECORDED):
            rank, kind = _OTHERS.get(name, (1, np.int32))
            if name not in file:
                raise QCLIFError(f"result {path}: array {name} is missing: is it the result of a run?")
            array = arrays[name] = file[name]
            if not np.issubdtype(array.dtype, kind) or array.ndim != rank:
                raise QCLIFError(f"result {path}: {name} has {array.ndim} dimensions of {array.dtype}: {rank} of "
                    f"{kind.__name__.rstrip('_')} are needed")
        if not told:
            samples = len(arrays["label"])
            arrays |= {"name": np.full(samples, "", np.str_), "events": np.full(samples, -1, np.int32),
                "digest": np.zeros((samples, _DIGEST_BYTES), np.uint8)}
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
        if {len(self.name), len(self.events), len(self.digest)} != {samples} or self.digest.shape[1] != _DIGEST_BYTES:
            raise QCLIFError(f"name, events and digest are not those of {samples} samples")
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


    def check_recording(self, number: int, sample: Sample) -> None:
        """Raise QCLIFError where a recording has other events than that of sample `number`, or that is not known."""
        if self.events[number] < 0:
            raise QCLIFError(f"the run does not tell what sample {number} was recorded as: run it again with this "
                "version, or give no recordings")
        if events_digest(sample.events) != self.digest[number].tobytes():
            raise QCLIFError(f"sample {number} of the run is {self.name[number]} of {self.events[number]} events, the "
                f"recording that is given is {sample.name} of {len(sample.events)}, and not the same: give the run's, "
                "in its order")


def events_digest(events: np.ndarray | None) -> bytes:
    """SHA-256 of events (x, y, p, t), the same for any origin of time and in any format; zeros for None."""
    if events is None:
        return bytes(_DIGEST_BYTES)
    found = hashlib.sha256()
    for column in (events["x"], events["y"], events["p"], events["t"] - events["t"][:1]):
        found.update(column.astype("<i8").tobytes())
    return found.digest()


def _rows(steps: Sequence[SpikeTrain]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample, step and source of every spike in one spike train a sample, int32 [n] each."""
    empty = [np.zeros(0, np.int32)]
    return (np.repeat(np.arange(len(steps), dtype=np.int32), [len(each.sources) for each in steps]),
        np.concatenate(empty + [each.indices() for each in steps]),
        np.concatenate(empty + [each.sources for each in steps]))
