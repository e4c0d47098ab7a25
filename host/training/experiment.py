# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""One training from the settings to its scores: data divided, network built, trained and tested."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.data.datasets import available_splits, load
from host.data.event_set import EventSet, folds, split
from host.events.reading import Reading
from host.network.network import Network, network_id
from host.training.architecture import Architecture
from host.training.convert import start_from
from host.training.distributed import choose_device, rank, world_size
from host.training.model import SpikingNetwork
from host.training.objective import Score, score
from host.training.settings import Settings
from host.training.tasks import Classification, ContextTask, Task, evaluation_batches
from host.training.trainer import Row, Trainer

# Of the division into folds: the same for every training, so that they are scored on the same recordings.
FOLD_SEED = 0

# Of the samples that are tested with: never those that a training draws.
TEST_SEED = 2**31


@dataclass(frozen=True)
class Data:
    """Where recordings are, and which of them test.

    Parameters
    ----------
    folder : as datasets.load() takes it.
    fold, folds : test on part `fold` of `folds` parts of the training split, and train on the others; 0 folds: test on
        the data set's own test split, where it has one.
    inner : divide the recordings to train with once more, into as many parts: test on the first, train on the others,
        and leave part `fold` alone.
    reading : what files leave open.
    """
    folder:   Path = Path("data")
    download: bool = False
    fold:     int = 0
    folds:    int = 0
    inner:    bool = False
    reading:  Reading = field(default_factory=Reading)

    def divide(self, settings: Settings, progress: Progress = no_progress
            ) -> tuple[EventSet, EventSet | None, EventSet | None]:
        """Recordings to train, validate and test with."""
        def read(split_name: str, samples: int | None) -> EventSet:
            return load(settings.dataset, self.folder, split_name, download=self.download, samples=samples,
                seed=0, progress=progress, reading=self.reading)

        train, test, validation = read("train", settings.samples or None), None, None
        if self.folds:
            train, test = self._parts(train, self.fold)
            if self.inner:
                train, test = self._parts(train, 0)
        elif "test" in available_splits(settings.dataset, self.folder):
            test = read("test", settings.test_samples or None)
            if test.sensor_size != train.sensor_size:
                raise QCLIFError("{}: recorded with {}x{} pixels, {} with {}x{}: give both splits the same sensor"
                    .format(test.name, *test.sensor_size, train.name, *train.sensor_size))
        if settings.validation:
            kept, held = split(train.labels, settings.validation, settings.seed)
            train, validation = train.subset(kept), train.subset(held)
        return train, validation, test

    def _parts(self, recordings: EventSet, number: int) -> tuple[EventSet, EventSet]:
        """The recordings of all parts but one, and those of that one."""
        parts = folds(recordings.labels, self.folds, FOLD_SEED)
        others = np.sort(np.concatenate([*parts[:number], *parts[number + 1:]]))
        return recordings.subset(others), recordings.subset(parts[number])


def make_task(settings: Settings, eventset: EventSet, samples: int | None = None) -> Task:
    """The task that the settings ask for, on recordings; of the context task `samples` sequences are drawn."""
    encoder   = settings.encoder_for(eventset.sensor_size)
    max_steps = settings.max_steps or None
    if settings.task == "classify":
        return Classification(eventset, encoder, max_steps)
    return ContextTask(eventset, encoder, samples or settings.sequences, settings.mode, settings.clips,
        settings.relevance, settings.cued, max_steps)


def make_model(settings: Settings, task: Task) -> SpikingNetwork:
    """The network that the settings ask for, with the sizes that the task needs, at its initial values."""
    return SpikingNetwork(Architecture(settings.neuron, settings.neurons, task.encoder.inputs, task.contexts,
        len(task.classes), settings.weight_bits, settings.state_bits, settings.current_bits, settings.leak),
        settings.seed)


def train(settings: Settings, data: Data, device: str = "cpu", checkpoint: Path | None = None,
        resume: bool = False, start: Network | None = None, progress: Progress = no_progress,
        epoch_done: Callable[[Row], None] = lambda row: None) -> tuple[Trainer, Score | None]:
    """Train and test a network: the trainer with its network and history, and the score on the test recordings.

    Parameters
    ----------
    device : where to compute, as choose_device() takes it.
    checkpoint : file to save to after each epoch, None for nowhere.
    resume : go on from it where it is there; otherwise it is deleted once training begins.

    Examples
    --------
    >>> trainer, test = train(Settings(samples=110, test_samples=55, epochs=10, neurons=64), Data())
    >>> trainer.best["train_accuracy"], test.accuracy
    """
    recordings, held, tested = data.divide(settings, progress)
    task    = make_task(settings, recordings)
    model   = make_model(settings, task).to(choose_device(device))
    # Differs where trainings come out differently, a line for each cause.
    key     = "\n".join((json.dumps(settings.to_dict(), indent=1, sort_keys=True), f"recordings {recordings.identity}",
        f"validation {held.identity if held else 'none'}", f"--init {network_id(start) if start else 'none'}",
        f"processes {world_size()}"))
    trainer = Trainer(model, task, make_task(settings, held, max(2, settings.sequences//5)) if held else None, settings,
        checkpoint, key)
    if start is not None:
        start_from(model, start)
    else:
        # Here the kernels are compiled, where that was not done before.
        progress("calibrate", 0, None)
        trainer.calibrate()
    if resume and checkpoint.exists():
        trainer.resume()
    elif checkpoint is not None and rank() == 0:
        checkpoint.unlink(missing_ok=True)
    trainer.fit(progress, epoch_done)
    return trainer, test_score(trainer, settings, tested) if tested else None


def test_score(trainer: Trainer, settings: Settings, eventset: EventSet) -> Score:
    """Score of the trained network on recordings that it has not seen."""
    task = make_task(settings, eventset)
    return score(trainer.model, evaluation_batches(task, TEST_SEED), trainer.weights, settings)
