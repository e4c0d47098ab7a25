# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a network is asked: the class of a recording, or whether a clip is of the class that a context cue names."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from host.data.augment import Augmentation
from host.data.batch import Batch, encode
from host.data.event_set import EventSet
from host.events.encoder import BACKGROUND_HZ, CUE_HZ, Encoder
from host.events.sample import UNKNOWN

# Samples that are evaluated at once.
EVALUATION_BATCH = 100

# The context task of CLIF: the first classes of a data set, the share of each recording that is shown, the answers.
CONTEXT_CLASSES = 10
CLIP_SHARE      = 0.4
ANSWERS         = ("no", "yes")
MODES           = ("recognition", "memory")

# Relevance of a cue, by what it is called: the probability that it names the class that is asked for.
RELEVANCE = {"informative": 1.0, "irrelevant": 1/CONTEXT_CLASSES, "misleading": 0.0}


@dataclass(frozen=True)
class Classification:
    """The class of each recording.

    Parameters
    ----------
    max_steps : steps from there on are cut; None keeps all.

    Raises
    ------
    QCLIFError : a recording without a label.
    """
    eventset:  EventSet
    encoder:   Encoder
    max_steps: int | None = None

    contexts = 0

    def __post_init__(self) -> None:
        unknown = int((self.eventset.labels == UNKNOWN).sum())
        if unknown:
            raise QCLIFError(f"{self.eventset.name}: {unknown} of {len(self.eventset)} recordings have no label: write "
                f"labels, 0 to {len(self.classes) - 1}, beside the events")

    @property
    def classes(self) -> tuple[str, ...]:
        return self.eventset.classes

    @property
    def weights(self) -> tuple[float, ...]:
        return (1.0,)*len(self.classes)

    def __len__(self) -> int:
        return len(self.eventset)

    def batch(self, indices: np.ndarray, rng: np.random.Generator, augmentation: Augmentation | None = None) -> Batch:
        """Samples of these numbers; equal states of rng give equal batches."""
        return encode(self.eventset, indices, self.encoder, augmentation, rng, self.max_steps)


@dataclass(frozen=True)
class ContextTask:
    """CLIF's task: clips of different classes in a row, a cue that names a class, an answer a clip.

    In "recognition" the answer is yes for the clip of the class that is asked for; in "memory" from that clip on.
    The protocol is that of the CLIF paper's published program, the rates of the cue are the contract's.

    Parameters
    ----------
    eventset, encoder, max_steps : as in Classification; the beginnings of recordings of the first 10 classes are used.
    samples : sequences of an epoch.
    sequence : K, clips in a row.
    relevance : probability that the cue names the class that is asked for; else it names another one.
    cued : False shows no cue: the network has no context inputs.

    Raises
    ------
    QCLIFError : a value out of its limits, or a class without recordings.
    """
    eventset:  EventSet
    encoder:   Encoder
    samples:   int = 1000
    mode:      str = MODES[0]
    sequence:  int = 1
    relevance: float = 1.0
    cued:      bool = True
    max_steps: int | None = None

    classes = ANSWERS

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise QCLIFError(f"mode {self.mode!r}: known are {' and '.join(MODES)}")
        if not 1 <= self.sequence < CONTEXT_CLASSES:
            raise QCLIFError(f"{self.sequence} clips in a row, the limits are 1 to {CONTEXT_CLASSES - 1}: choose "
                f"another --clips")
        if not 0 <= self.relevance <= 1:
            raise QCLIFError(f"relevance of the cue is {self.relevance}, the limits are 0 to 1: choose another")
        missing = set(range(CONTEXT_CLASSES)) - set(self.eventset.labels.tolist())
        if missing:
            raise QCLIFError(f"{self.eventset.name}: {len(self.eventset)} recordings to train, validate or test with, "
                f"none of class {min(missing)}: the context task needs the classes 0 to {CONTEXT_CLASSES - 1} in each "
                f"part: give more --samples, or another --validation")
        object.__setattr__(self, "eventset", self.eventset.beginnings(CLIP_SHARE))

    @property
    def contexts(self) -> int:
        return CONTEXT_CLASSES if self.cued else 0

    @property
    def weights(self) -> tuple[float, ...]:
        """Yes is the rarer answer and counts the more, as in CLIF's program."""
        k = self.sequence
        return (1.0, max(1.0, k - 1.0) if self.mode == "recognition" else (3*k - 1)/(k + 1))

    def __len__(self) -> int:
        return self.samples

    def batch(self, indices: np.ndarray, rng: np.random.Generator, augmentation: Augmentation | None = None) -> Batch:
        """As that of Classification; `rng` also draws the sequences and their cues."""
        shown, asked = self._draw(np.asarray(indices), rng)
        labels = shown == asked[:, None]
        if self.mode == "memory":
            labels = np.logical_or.accumulate(labels, axis=1)
        recordings = np.empty(shown.shape, np.int64)
        for each in range(CONTEXT_CLASSES):
            chosen = np.flatnonzero(self.eventset.labels == each)
            places = shown == each
            recordings[places] = rng.choice(chosen, int(places.sum()))
        # A mirrored clip would be of another class than the one drawn.
        clips = encode(self.eventset, recordings.ravel(), self.encoder, augmentation, rng, self.max_steps)
        cue   = self._cue(asked, rng) if self.cued else None
        return self._joined(clips, labels.astype(np.int64), cue, rng)

    def _draw(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the classes of the clips [B, K], all different in a row, and the class that is asked for [B]."""
        k     = self.sequence
        order = rng.permuted(np.tile(np.arange(CONTEXT_CLASSES), (len(indices), 1)), axis=1)
        shown, other = order[:, :k], order[:, k]
        if self.mode == "memory":
            present, place = rng.random(len(indices)) < 0.5, rng.integers(0, k, len(indices))
        else:
            # A single clip is the one that is asked for every second time; of several one always is.
            present, place = (indices % 2 == 1) | (k > 1), indices % k
        return shown, np.where(present, shown[np.arange(len(indices)), place], other)

    def _cue(self, asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Class that the cue of each sequence names [B]: the one that is asked for, or another one."""
        others = (asked + rng.integers(1, CONTEXT_CLASSES, len(asked))) % CONTEXT_CLASSES
        return np.where(rng.random(len(asked)) < self.relevance, asked, others)

    def _joined(self, clips: Batch, labels: np.ndarray, cue: np.ndarray | None, rng: np.random.Generator) -> Batch:
        """Put B*K clips together to B sequences of K, each with its cue over its whole length."""
        size, k = labels.shape
        bounds  = np.zeros((size, k + 1), np.int64)
        np.cumsum(clips.lengths.reshape(size, k), axis=1, out=bounds[:, 1:])
        length  = int(bounds[:, -1].max())
        # Rows of the sequences that the rows of the clips become; padding is empty.
        start   = np.arange(size)[:, None]*length + bounds[:, :-1]
        rows    = np.repeat(start.reshape(-1, 1) + np.arange(clips.length), np.diff(clips.offsets))
        sources = clips.sources
        if cue is not None:
            rates = np.full((size, 1, CONTEXT_CLASSES), BACKGROUND_HZ)
            rates[np.arange(size), 0, cue] = CUE_HZ
            spikes = rng.poisson(rates*self.encoder.bin_us*1e-6, (size, length, CONTEXT_CLASSES))
            spikes[np.arange(length) >= bounds[:, -1:]] = 0
            sample, step, context = np.nonzero(spikes)
            times   = spikes[sample, step, context]
            rows    = np.concatenate([rows, np.repeat(sample*length + step, times)])
            sources = np.concatenate([sources, np.repeat(context + self.encoder.inputs, times).astype(np.int32)])
            order   = np.lexsort((sources, rows))
            rows, sources = rows[order], sources[order]
        counts = np.bincount(rows, minlength=size*length).reshape(size, length)
        return Batch.from_counts(counts, sources, bounds.astype(np.int32), labels)


# What a network can be asked. Both have len() samples of one clip or more, a label a clip, and give batches of them;
# encoder, contexts and classes are those of the network, `weights` are those of the classes in the loss.
Task = Classification | ContextTask


def evaluation_batches(task: Task, seed: int) -> Iterator[Batch]:
    """All samples of a task as they are, the same at each call."""
    for number, start in enumerate(range(0, len(task), EVALUATION_BATCH)):
        indices = np.arange(start, min(start + EVALUATION_BATCH, len(task)))
        yield task.batch(indices, np.random.default_rng([seed, number]))
