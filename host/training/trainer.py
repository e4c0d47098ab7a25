# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The training loop: epochs of batches, validation, the best network, and a checkpoint after each epoch."""

import hashlib
import io
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.console import Progress, no_progress
from host.data.batch import Batch
from host.network.golden import one_thread
from host.training import distributed
from host.training.model import SpikingNetwork
from host.training.objective import Tally, objective, score
from host.training.settings import Settings
from host.training.tasks import Task, evaluation_batches

# Share of the training in which the step size rises; then it falls to nearly nothing.
WARM_UP = 0.1

# Samples that the gain is calibrated on.
CALIBRATION = 64

# The stage of its progress.
TRAINING = "training"

# A row of the history: what was measured in an epoch, as curves and tables take it.
Row = dict[str, float]


class Trainer:
    """Trains a network on a task.

    Parameters
    ----------
    model : network at its initial values, on its device.
    validation : samples that decide which epoch was best and when to stop, or None: the last epoch is.
    checkpoint : file to save to after each epoch; None: nowhere.
    key : text that names all that the training depends on: a checkpoint of another key is refused.

    Attributes
    ----------
    history : one row an epoch.
    best : row of the epoch whose weights the model has after fit().
    """
    def __init__(self, model: SpikingNetwork, task: Task, validation: Task | None, settings: Settings,
            checkpoint: Path | None = None, key: str = "") -> None:
        self.model, self.task, self.validation, self.settings = model, task, validation, settings
        self.checkpoint, self.key = checkpoint, key
        self.history: list[Row]   = []
        self.best: Row | None     = None
        self._best_state          = None
        self.device   = model.exponent.device
        self.weights  = torch.tensor(task.weights, device=self.device)
        # Each process of several takes an equal part of every batch.
        self.ranks    = distributed.world_size()
        if settings.batch_size % self.ranks:
            raise QCLIFError(f"batch_size is {settings.batch_size}, not a multiple of the {self.ranks} processes: "
                f"choose another --batch-size")
        if len(task) < self.ranks:
            raise QCLIFError(f"{len(task)} samples for {self.ranks} processes, each needs one: give more --samples, or "
                f"start fewer")
        self.size     = min(settings.batch_size, len(task) - len(task) % self.ranks)
        self.steps    = len(task)//self.size
        self.optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], settings.highest_rate)
        total = settings.epochs*self.steps + 1
        # Where it would last a single step, torch's schedule divides by zero.
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, settings.highest_rate, total_steps=total,
            pct_start=WARM_UP if WARM_UP*total > 1 else 0.0)

    def calibrate(self) -> float:
        """Choose the gain of the untrained network; returns its rate."""
        rng = np.random.default_rng(self.settings.seed)
        with one_thread():
            return self.model.calibrate(self.task.batch(np.arange(min(len(self.task), CALIBRATION)), rng),
                self.settings.initial_rate)

    def resume(self) -> int:
        """Go on from the checkpoint; returns the epochs that are done."""
        content = load_checkpoint(self.checkpoint, self.key)
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.history, self.best, self._best_state = content["history"], content["best"], content["best_state"]
        return len(self.history)

    def fit(self, progress: Progress = no_progress, epoch_done: Callable[[Row], None] = lambda row: None) -> None:
        """Train to the last epoch, or until validation gets no better; the model then has its best weights.

        Parameters
        ----------
        progress : called after each step, with the steps of all epochs.
        epoch_done : called after each epoch with its row, once that is in the checkpoint.
        """
        kind, patience = self.model.architecture.kind, self.settings.patience
        # Gradients become means over all processes. The contract's LIF neuron leaves its apical parameters out, which
        # otherwise would be waited for.
        parallel = self.model if self.ranks == 1 else DistributedDataParallel(self.model,
            find_unused_parameters=kind.integer and not kind.gated)
        progress(TRAINING, len(self.history)*self.steps, self.settings.epochs*self.steps)
        with one_thread():
            for epoch in range(len(self.history), self.settings.epochs):
                if patience and self.history and self.history[-1]["epoch"] - self.best["epoch"] >= patience:
                    break
                row = self._epoch(parallel, epoch, progress)
                self.history.append(row)
                self._keep(row)
                if self.checkpoint is not None and distributed.rank() == 0:
                    self._save()
                epoch_done(row)
        self.model.load_state_dict(self._best_state)

    def _epoch(self, parallel: torch.nn.Module, epoch: int, progress: Progress) -> Row:
        start, tally = time.monotonic(), Tally()
        # Drawn from the epoch's number: it is the same whether the training was interrupted before or not.
        order = np.random.default_rng([self.settings.seed, epoch]).permutation(len(self.task))
        rate  = self.schedule.get_last_lr()[0]
        for step in range(self.steps):
            batch = self._batch(order, epoch, step)
            counts, logits = parallel(batch)
            loss = objective(counts, logits, batch, self.weights, self.settings)
            # Of all processes: none is left waiting for one that has stopped.
            total = distributed.summed(loss).item()
            if not math.isfinite(total):
                raise QCLIFError(f"the loss is {total} in epoch {epoch + 1}: choose a lower --learning-rate than "
                    f"{self.settings.highest_rate}")
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.model.clamp()
            tally.add(loss, counts, logits, batch)
            progress(TRAINING, epoch*self.steps + step + 1, self.settings.epochs*self.steps)
        trained = tally.score
        row = {"epoch": epoch + 1, "learning_rate": rate, "train_loss": trained.loss,
            "train_accuracy": trained.accuracy, "rate": trained.rate}
        if self.validation is not None:
            seen = score(self.model, evaluation_batches(self.validation, self.settings.seed), self.weights,
                self.settings)
            row |= {"val_loss": seen.loss, "val_accuracy": seen.accuracy, "val_rate": seen.rate}
        return row | {"seconds": time.monotonic() - start}

    def _batch(self, order: np.ndarray, epoch: int, step: int) -> Batch:
        indices = order[step*self.size:(step + 1)*self.size][distributed.rank()::self.ranks]
        rng     = np.random.default_rng([self.settings.seed, epoch, step, distributed.rank()])
        return self.task.batch(indices, rng, self.settings.augmentation_for(self.task.encoder))

    def _keep(self, row: Row) -> None:
        """Remember these weights where they are the best so far; without validation the last ones are."""
        if self.best is None or self.validation is None or (
                (row["val_accuracy"], -row["val_loss"]) > (self.best["val_accuracy"], -self.best["val_loss"])):
            self.best        = row
            self._best_state = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def _save(self) -> None:
        save_checkpoint(self.checkpoint, self.key, {"model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
            "history": self.history, "best": self.best, "best_state": self._best_state})

# Checkpoints: everything between two epochs, written whole or not at all --------------------------

# How a file begins; changes with what a checkpoint holds. A SHA-256 digest follows, then what torch wrote: it reads
# damaged weights without a word.
HEADER       = b"qCLIF checkpoint 2\n"
DIGEST_BYTES = hashlib.sha256().digest_size


def checkpoint_path(out: Path) -> Path:
    """Where a training keeps its checkpoint whose network is to be written to `out`: beside it, as .ckpt."""
    return out.with_suffix(".ckpt")


def save_checkpoint(path: Path, key: str, content: dict[str, object]) -> None:
    """Replace a checkpoint in one step.

    Parameters
    ----------
    key : names everything that the training depends on; load_checkpoint() wants the same.

    Raises
    ------
    QCLIFError : the disk is full, say; the earlier checkpoint is as it was.
    """
    # torch reports what goes wrong while it writes as a RuntimeError without the reason: write it ourselves.
    buffer = io.BytesIO()
    torch.save({"key": key, **content}, buffer)
    with whole_file(path) as file:
        file.write(HEADER + hashlib.sha256(buffer.getbuffer()).digest())
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path, key: str) -> dict[str, object]:
    """What save_checkpoint() wrote. Raises QCLIFError where the file is missing or damaged, or of a training with other
    settings.
    """
    try:
        file = path.read_bytes()
    except OSError as error:
        raise QCLIFError(f"checkpoint {path}: {error.strerror or error}: nothing to resume; train without --resume"
            ) from error
    if not file.startswith(HEADER):
        raise QCLIFError(f"checkpoint {path}: not one that this version of the program wrote: train anew with "
            f"--restart")
    start = len(HEADER) + DIGEST_BYTES
    if hashlib.sha256(file[start:]).digest() != file[len(HEADER):start]:
        raise QCLIFError(f"checkpoint {path}: damaged or cut, its checksum is another: train anew with --restart")
    content = torch.load(io.BytesIO(file[start:]), map_location="cpu", weights_only=True)
    if content["key"] != key:
        raise QCLIFError(f"checkpoint {path}: of another training ({_difference(content['key'], key)}): give the same "
            f"settings and data, or train anew with --restart")
    return content


def _difference(found: str, key: str) -> str:
    """The first line in which two keys differ, as both have it."""
    for theirs, ours in zip(found.splitlines(), key.splitlines(), strict=False):
        if theirs != ours:
            return f"{theirs.strip().rstrip(',')}, now {ours.strip().rstrip(',')}"
    return "one has more of them"
