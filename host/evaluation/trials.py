# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The samples of an evaluation, recordings or sequences of the context task; the spikes and answers of an engine."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.data.event_set import EventSet
from host.data.labelled_files import FILES
from host.events.sample import UNKNOWN, Sample
from host.events.spike_train import SpikeTrain
from host.link.link import Link
from host.network.network import Network
from host.runs.run import Run, execute
from host.training.experiment import TEST_SEED
from host.training.settings import Settings
from host.training.tasks import CONTEXT_CLASSES, RELEVANCE, Classification, ContextTask, Task, evaluation_batches

# Samples that the golden model takes between two words of progress.
BATCH = 128


@dataclass(frozen=True, eq=False)
class Trials:
    """Encoded samples of a task.

    Parameters
    ----------
    task : what is asked, for people.
    inputs : one spike train a sample.
    bounds, labels : integers [S, K+1] and [S, K], the clips of each sample as in host.data.batch.Batch.
    """
    name:    str
    task:    str
    inputs:  list[SpikeTrain]
    bounds:  np.ndarray
    labels:  np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(cls, name: str, task: Task, seed: int = 0, progress: Progress = no_progress) -> "Trials":
        """All samples of a task; with seed 0 those that python -m host.train tests with."""
        inputs, bounds, labels = [], [], []
        for batch in evaluation_batches(task, TEST_SEED + seed):
            inputs += batch.to_steps()
            bounds.append(batch.bounds)
            labels.append(batch.labels)
            progress("encode", len(inputs), len(task))
        cue   = f"cue that is right with probability {task.relevance:g}" if task.contexts else "no cue"
        asked = "class of each recording" if isinstance(task, Classification) else \
            f"context task, {task.mode}, {task.sequence} clips in a row, {cue}"
        return cls(name, asked, inputs, np.concatenate(bounds), np.concatenate(labels), tuple(task.classes))

    def samples(self) -> list[Sample]:
        """The trials as a device takes them; a sequence of several clips has no label of its own."""
        labels = self.labels[:, 0] if self.labels.shape[1] == 1 else np.full(len(self.labels), UNKNOWN)
        return [Sample(f"{self.name}[{number}]", label=label, steps=steps)
            for number, (steps, label) in enumerate(zip(self.inputs, labels.tolist(), strict=True))]


def make_task(args: argparse.Namespace, network: Network, eventset: EventSet) -> Task:
    """The task that the options of host.evaluate ask for, on recordings. Raises QCLIFError for other classes than the
    network's, recordings without a label, or a cue that the network cannot take.
    """
    unknown = int((eventset.labels == UNKNOWN).sum())
    if unknown:
        raise QCLIFError(f"{eventset.name}: {unknown} of {len(eventset)} recordings have no label, an accuracy needs "
            f"them all: write labels beside the events, or run them with host/stream.py")
    task = (Classification(eventset, network.encoder, args.max_steps) if args.task == "classify" else
        _context_task(args, network, eventset))
    if network.outputs != len(task.classes):
        raise QCLIFError(f"network {args.network} has {network.outputs} classes, task {args.task} of {eventset.name} "
            f"has {len(task.classes)}: take a network that was trained for it")
    # Folders have any names: as many others would be scored as if they were the network's.
    if args.dataset == FILES and network.classes and network.classes != list(task.classes):
        theirs, ours = next(pair for pair in zip(network.classes, task.classes, strict=True) if pair[0] != pair[1])
        raise QCLIFError(f"network {args.network} has a class {theirs} where {eventset.name} has {ours}: give the "
            f"classes the names that it was trained with")
    return task


def _context_task(args: argparse.Namespace, network: Network, eventset: EventSet) -> ContextTask:
    if 0 < network.contexts < CONTEXT_CLASSES:
        raise QCLIFError(f"network {args.network} has {network.contexts} context sources, a cue needs "
            f"{CONTEXT_CLASSES}: take one that was trained with --task context")
    for name in ("relevance", "cue"):
        if getattr(args, name) is not None and not network.contexts:
            raise QCLIFError(f"--{name}: network {args.network} has no context sources, it sees no cue: leave the "
                f"option out")
    chosen = {name: getattr(Settings, name) if (value := getattr(args, name)) is None else value
        for name in ("mode", "clips", "relevance", "sequences")}
    if args.cue is not None:
        chosen["relevance"] = RELEVANCE[args.cue]
    return ContextTask(eventset, network.encoder, chosen["sequences"], chosen["mode"], chosen["clips"],
        chosen["relevance"], network.contexts > 0, args.max_steps)

# Engines ------------------------------------------------------------------------------------------

def golden_spikes(network: Network, trials: Trials, progress: Progress = no_progress) -> list[SpikeTrain]:
    """Spikes of each sample, by the golden model."""
    # Brings torch, which takes longer to import than all else: not before the options are known to be right.
    from host.network.golden import GoldenModel
    model, spikes = GoldenModel(network), []
    while len(spikes) < len(trials.inputs):
        spikes += [result.spikes for result in model.run(trials.inputs[len(spikes):len(spikes) + BATCH])]
        progress("golden model", len(spikes), len(trials.inputs))
    return spikes


def device_spikes(link: Link, network: Network, trials: Trials, progress: Progress = no_progress
        ) -> tuple[list[SpikeTrain], Run]:
    """Spikes of each sample, by the device, and the run in which all was compared with the golden model's. Raises
    QCLIFError as host.runs.run.execute().
    """
    run = execute(link, network, trials.samples(), progress=progress)
    return [confined(each.run.spikes, len(each.sample.steps), network.neurons) for each in run.compared], run


def confined(spikes: SpikeTrain, length: int, neurons: int) -> SpikeTrain:
    """The spikes in `length` steps of the neurons 0 to neurons - 1: a device that differs may give others."""
    steps = spikes.indices()
    kept  = (steps < length) & (spikes.sources >= 0) & (spikes.sources < neurons)
    return SpikeTrain.from_pairs(steps[kept], spikes.sources[kept], length)

# Answers ------------------------------------------------------------------------------------------

def running_classes(spikes: SpikeTrain, readout: np.ndarray) -> np.ndarray:
    """The class after each step, int64 [T]: the first maximum of the logits so far.

    Parameters
    ----------
    spikes : neurons that fired.
    readout : int32 [N, O].
    """
    # Weighted step by step, then summed up: exact in 64 bits.
    weighted = np.zeros((len(spikes), readout.shape[1]), np.int64)
    np.add.at(weighted, spikes.indices(), readout[spikes.sources])
    return weighted.cumsum(axis=0).argmax(axis=1)


def decision_steps(course: np.ndarray) -> int:
    """Steps until the decision is stable, 1 to T: the class [T] after that step never changes again."""
    changes = np.flatnonzero(course[1:] != course[:-1])
    return int(changes[-1]) + 2 if len(changes) else 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to clips: one a recording, or several a sequence of the context task.

    Parameters
    ----------
    labels : int64 [clips].
    courses : running_classes() of each clip, of at least one step; its last class is the answer.
    """
    labels:  np.ndarray
    courses: Sequence[np.ndarray]

    @classmethod
    def of(cls, spikes: Sequence[SpikeTrain], bounds: np.ndarray, labels: np.ndarray, readout: np.ndarray) -> "Answers":
        """The answers in the spikes of B samples, whose clips have bounds [B, K+1] and labels [B, K] as in a Batch."""
        courses = [running_classes(sample.slice(start, stop), readout)
            for sample, steps in zip(spikes, bounds.tolist(), strict=True)
            for start, stop in pairwise(steps)]
        return cls(labels.ravel(), courses)

    @property
    def predictions(self) -> np.ndarray:
        """The answers, int64 [clips]."""
        return np.array([course[-1] for course in self.courses])

    @property
    def latencies(self) -> np.ndarray:
        """decision_steps() of each clip, int64 [clips]."""
        return np.array([decision_steps(course) for course in self.courses])

    def accuracy_over_time(self) -> np.ndarray:
        """Accuracy if one had stopped after 1, 2 ... T steps, float64 [T]; a shorter clip keeps its answer."""
        right = np.zeros((len(self.courses), max(map(len, self.courses))), bool)
        for row, course, label in zip(right, self.courses, self.labels, strict=True):
            row[:len(course)] = course == label
            row[len(course):] = course[-1] == label
        return right.mean(axis=0)
