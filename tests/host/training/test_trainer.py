# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The loop around the network: which epoch's weights are kept, when it stops, what a checkpoint holds."""

import math

import numpy as np
import pytest
import torch

from accel.errors import QCLIFError
from host.events.encoder import ENCODERS
from host.events.sample import Sample
from host.training.architecture import Architecture
from host.training.model import SpikingNetwork
from host.training.objective import Score
from host.training.settings import Settings
from host.training.tasks import Classification
from host.training.trainer import Trainer, load_checkpoint, save_checkpoint
from tests.helpers.recordings import event_set
from tests.helpers.trainings import CLASSES, SIZE, digits

ENCODER = ENCODERS[34, 34]


@pytest.fixture(scope="module")
def task():
    samples = [Sample(str(i), each, label=i % CLASSES, sensor_size=(SIZE, SIZE)) for i, each in enumerate(digits(30))]
    return Classification(event_set("digits", samples, list("0123456789")), ENCODER)


def make(task, validation=None, checkpoint=None, key="", **changes):
    settings = Settings(**{"dataset": "nmnist", "neurons": 8, "epochs": 6, "batch_size": 15,
        "learning_rate": 0.1} | changes)
    model = SpikingNetwork(Architecture(neurons=8, inputs=ENCODER.inputs, outputs=CLASSES), settings.seed)
    return Trainer(model, task, validation, settings, checkpoint, key)


def states(trainer):
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def judge(monkeypatch, trainer, accuracies, losses):
    """Let validation find these; returns the weights that it was shown, filled as training goes on."""
    shown = []

    def score(model, batches, weights, settings):
        epoch = len(shown)
        shown.append(states(trainer))
        return Score(losses[epoch], 0.1, np.zeros(10, int), (np.arange(10) >= 10*accuracies[epoch]).astype(int))
    monkeypatch.setattr("host.training.trainer.score", score)
    return shown

# Which epoch, and when to stop --------------------------------------------------------------------

@pytest.mark.parametrize("accuracies, losses, best", [
    ([0.1, 0.5, 0.9, 0.3, 0.8, 0.7], [2, 2, 2, 2, 2, 1], 3),
    ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [2, 3, 1, 2, 1, 4], 3),
    ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [6, 5, 4, 3, 2, 1], 1),
    ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 2, 3, 4, 5, 6], 6)])
def test_weights_of_the_best_epoch(monkeypatch, task, accuracies, losses, best):
    """The highest accuracy; of equal ones the lowest loss, then the first."""
    trainer = make(task, task)
    shown   = judge(monkeypatch, trainer, accuracies, losses)
    trainer.fit()
    assert len(shown) == 6 and trainer.best["epoch"] == best and trainer.best == trainer.history[best - 1]
    assert [same(each, states(trainer)) for each in shown] == [epoch == best for epoch in range(1, 7)]


@pytest.mark.parametrize("patience, epochs", [(0, 6), (1, 3), (2, 4), (3, 6), (4, 6)])
def test_patience(monkeypatch, task, patience, epochs):
    trainer = make(task, task, patience=patience)
    judge(monkeypatch, trainer, [0.3, 0.5, 0.5, 0.4, 0.6, 0.1], [1]*6)
    trainer.fit()
    assert len(trainer.history) == epochs


def test_patience_goes_on_counting_after_an_interruption(monkeypatch, task, tmp_path):
    accuracies = [0.3, 0.5, 0.5, 0.4, 0.5, 0.1]
    first = make(task, task, tmp_path/"a.ckpt", patience=2)
    judge(monkeypatch, first, accuracies, [1]*6)

    def stop(row):
        if row["epoch"] == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        first.fit(epoch_done=stop)
    second = make(task, task, tmp_path/"a.ckpt", patience=2)
    assert second.resume() == 3
    shown = judge(monkeypatch, second, accuracies[3:], [1]*3)
    second.fit()
    assert len(shown) == 1 and len(second.history) == 4 and second.best["epoch"] == 2
    # A third life has nothing left to do.
    third = make(task, task, tmp_path/"a.ckpt", patience=2)
    third.resume()
    third.fit()
    assert third.history == second.history and same(states(third), states(second))


def test_each_epoch_takes_each_sample_once_at_most(monkeypatch, task):
    trainer, taken = make(task, batch_size=7, epochs=3), []
    batch = Classification.batch

    def spy(self, indices, rng, augmentation=None):
        if augmentation is not None:
            taken.append(indices.tolist())
        return batch(self, indices, rng, augmentation)
    monkeypatch.setattr(Classification, "batch", spy)
    trainer.fit()
    assert [len(each) for each in taken] == [7]*4*3
    epochs = np.reshape(taken, (3, 28)).tolist()
    assert all(len(set(each)) == 28 for each in epochs) and len({tuple(each) for each in epochs}) == 3


def test_batch_larger_than_the_data(task):
    trainer = make(task, batch_size=1000)
    trainer.fit()
    assert trainer.steps == 1 and len(trainer.history) == 6


def test_progress_tells_every_step_and_epoch(task):
    trainer, told = make(task, epochs=2), []
    trainer.fit(lambda *step: told.append(step), lambda row: told.append(row["epoch"]))
    assert told == [("training", 0, 4), ("training", 1, 4), ("training", 2, 4), 1, ("training", 3, 4),
        ("training", 4, 4), 2]


def test_learning_rate_rises_and_falls(task):
    trainer = make(task, epochs=20)
    trainer.fit()
    rates = [row["learning_rate"] for row in trainer.history]
    peak  = rates.index(max(rates))
    assert 0 < peak < 5 and rates[:peak + 1] == sorted(rates[:peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True) and rates[-1] < 0.01 < 0.09 < max(rates) <= 0.1


@pytest.mark.parametrize("epochs", range(1, 12))
def test_learning_rates_of_short_trainings(task, epochs):
    trainer = make(task, epochs=epochs, batch_size=30)
    trainer.fit()
    assert all(0 < row["learning_rate"] <= 0.1 for row in trainer.history)


def test_loss_that_is_no_number(monkeypatch, task):
    trainer = make(task)
    monkeypatch.setattr("host.training.trainer.objective", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    before = states(trainer)
    with pytest.raises(QCLIFError, match=r"the loss is nan in epoch 1: choose a lower --learning-rate than 0\.1"):
        trainer.fit()
    assert same(states(trainer), before)


def test_loss_of_another_process_that_is_no_number(monkeypatch, task):
    monkeypatch.setattr("host.training.distributed.summed", lambda loss: loss.detach() + math.inf)
    with pytest.raises(QCLIFError, match="the loss is inf in epoch 1"):
        make(task).fit()


def test_each_step_has_a_gradient_of_its_own(monkeypatch, task):
    trainer = make(task)
    monkeypatch.setattr("host.training.trainer.objective",
        lambda *_: sum(each.sum() for each in trainer.model.parameters()))
    trainer.fit()
    assert all((each.grad == 1).all() for each in trainer.model.parameters())


def test_parameters_stay_where_integers_can_follow(task):
    trainer = make(task, learning_rate=1.0)
    trainer.fit()
    before = states(trainer)
    trainer.model.clamp()
    assert same(states(trainer), before)


def test_processes_share_a_batch(monkeypatch, task):
    """Other samples each, which together are those of one process, and other random numbers."""
    drawn = []
    monkeypatch.setattr(Classification, "batch", lambda self, indices, rng, _: drawn.append((indices.tolist(),
        rng.random())))
    monkeypatch.setattr("host.training.distributed.world_size", lambda: 2)
    trainer = make(task, batch_size=10)
    for rank in range(2):
        monkeypatch.setattr("host.training.distributed.rank", lambda rank=rank: rank)
        trainer._batch(np.arange(30)[::-1], 1, 2)
    (first, number), (second, other) = drawn
    assert sorted(first + second) == [*range(10)] and len(first) == len(second) and number != other

# Checkpoints --------------------------------------------------------------------------------------

@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path/"net.ckpt"
    save_checkpoint(path, "a\nb", {"model": {"w": torch.arange(1000.0)}, "history": [{"loss": 1.0}]})
    return path


def refuse(path, text, key="a\nb"):
    with pytest.raises(QCLIFError) as error:
        load_checkpoint(path, key)
    assert text in str(error.value) and "\n" not in str(error.value)
    assert "--restart" in str(error.value) or "--resume" in str(error.value)


def test_checkpoint_comes_back(checkpoint):
    content = load_checkpoint(checkpoint, "a\nb")
    assert torch.equal(content["model"]["w"], torch.arange(1000.0)) and content["history"] == [{"loss": 1.0}]


def test_every_damage_is_noticed(checkpoint):
    whole, rng = checkpoint.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 200).tolist() + [0, len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        checkpoint.write_bytes(damaged)
        refuse(checkpoint, "net.ckpt: ")
    for length in rng.integers(0, len(whole), 50).tolist() + [0, len(whole) - 1]:
        checkpoint.write_bytes(whole[:length])
        refuse(checkpoint, "net.ckpt: ")
    checkpoint.write_bytes(whole + b"\0")
    refuse(checkpoint, "damaged or cut")


def test_other_checkpoints_are_refused(checkpoint):
    refuse(checkpoint, "another training (b, now c)", "a\nc")
    refuse(checkpoint, "another training", "a\nb\nc")
    refuse(checkpoint.with_name("none.ckpt"), "none.ckpt: No such file or directory: nothing to resume")
    torch.save({}, checkpoint)
    refuse(checkpoint, "not one that this version of the program wrote")
