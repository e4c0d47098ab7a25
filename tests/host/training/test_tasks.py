# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a network is asked, against a naive reading of the tasks' definitions: every clip, cue and answer."""

import dataclasses
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.data.augment import Augmentation
from host.data.batch import encode
from host.events.encoder import BACKGROUND_HZ, CUE_HZ, Encoder
from host.events.event_array import EVENT
from host.events.sample import UNKNOWN, Sample
from host.training.tasks import (
    CONTEXT_CLASSES,
    EVALUATION_BATCH,
    MODES,
    RELEVANCE,
    Classification,
    ContextTask,
    evaluation_batches,
)
from tests.helpers.recordings import clips_batch, event_set

# A pixel a class: a clip shows which one it is of. The last class is one too many for the context task.
CLASSES = CONTEXT_CLASSES + 1
ENCODER = Encoder(sensor_size=(CLASSES, 1), grid=(CLASSES, 1), polarities=1, bin_us=5000, count_threshold=1)


def make(recordings=33, duration_us=200_000, seed=0):
    """Recordings of the classes in turn, of different lengths; no two clips are the same."""
    rng, samples = np.random.default_rng(seed), []
    for i in range(recordings):
        events = np.zeros(60, EVENT)
        events["x"] = i % CLASSES
        events["t"] = 10**6 + np.sort(rng.integers(0, duration_us*(20 + i)//20, 60))
        samples.append(Sample(str(i), events, label=i % CLASSES, sensor_size=(CLASSES, 1)))
    return event_set("made", samples, [f"class {c}" for c in range(CLASSES)])


@pytest.fixture(scope="module")
def eventset():
    return make()


@pytest.fixture(scope="module")
def short():
    """For statistics of classes: clips of a step or two."""
    return make(CLASSES, 10_000)


def draw(task, samples, seed=0):
    return task.batch(np.arange(samples), np.random.default_rng(seed))


def clips_of(batch):
    """Each sample's clips, as lists of sensory and of context sources step by step."""
    for steps, bounds in zip(batch.to_steps(), batch.bounds.tolist(), strict=True):
        parts = [steps.step(t) for t in range(len(steps))]
        assert bounds[0] == 0 and bounds[-1] == len(steps)
        yield [([part[part < ENCODER.inputs].tolist() for part in parts[start:stop]],
            [(part[part >= ENCODER.inputs] - ENCODER.inputs).tolist() for part in parts[start:stop]])
            for start, stop in pairwise(bounds)]


def shown_classes(batch):
    """Class of each clip [B, K]; a clip shows one class alone."""
    shown = []
    for sample in clips_of(batch):
        found = [{source for step in sensory for source in step} for sensory, _ in sample]
        assert all(len(each) == 1 for each in found)
        shown.append([each.pop() for each in found])
    return np.array(shown)


def cued_classes(batch):
    """Most frequent context source of each sample [B]."""
    counts = [Counter(source for _, context in sample for step in context for source in step)
        for sample in clips_of(batch)]
    return np.array([each.most_common(1)[0][0] for each in counts])


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))

# Classification -----------------------------------------------------------------------------------

@pytest.mark.parametrize("max_steps", [None, 7])
def test_classification_is_encoding(eventset, max_steps):
    task    = Classification(eventset, ENCODER, max_steps)
    indices = np.array([5, 3, 3, 32])
    batch   = task.batch(indices, np.random.default_rng(0))
    assert same(batch, encode(eventset, indices, ENCODER, max_steps=max_steps))
    for steps, index in zip(batch.to_steps(), indices, strict=True):
        assert steps == ENCODER.encode(eventset.sample(index).events).slice(0, max_steps or 10**9)
    assert batch.labels.tolist() == [[5], [3], [3], [10]]
    assert (len(task), task.contexts, task.weights) == (33, 0, (1.0,)*CLASSES)
    assert task.classes == eventset.classes


def test_augmentation_changes_what_is_trained_with_alone(eventset):
    task   = Classification(eventset, ENCODER)
    plain  = task.batch(np.arange(9), np.random.default_rng(0))
    change = Augmentation(drop=0.3)
    assert same(plain, task.batch(np.arange(9), np.random.default_rng(1)))
    assert not same(plain, task.batch(np.arange(9), np.random.default_rng(0), change))
    assert same(*(task.batch(np.arange(9), np.random.default_rng(0), change) for _ in range(2)))


def test_recordings_without_a_label_are_refused(eventset):
    labels = np.where(eventset.labels == 4, UNKNOWN, eventset.labels)
    with pytest.raises(QCLIFError, match="made: 3 of 33 recordings have no label: write labels, 0 to 10"):
        Classification(dataclasses.replace(eventset, labels=labels), ENCODER)

# Context: clips and answers -----------------------------------------------------------------------

def answers(shown, asked, mode):
    """The definition, word by word."""
    if mode == "recognition":
        return [each == asked for each in shown]
    return [asked in shown[:k + 1] for k in range(len(shown))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("clips", [1, 2, 4, 9])
def test_labels_are_the_answers_to_the_cue(eventset, mode, clips):
    batch = draw(ContextTask(eventset, ENCODER, 40, mode, clips), 40)
    shown = shown_classes(batch)
    assert shown.shape == batch.labels.shape == (40, clips)
    assert all(len(set(row)) == clips for row in shown.tolist()) and shown.max() < CONTEXT_CLASSES
    asked = cued_classes(batch)
    assert batch.labels.tolist() == [answers(row, cue, mode) for row, cue in zip(shown.tolist(), asked, strict=True)]
    assert 0 < batch.labels.sum() < batch.labels.size


@pytest.mark.parametrize("max_steps", [None, 9])
def test_clips_are_beginnings_of_recordings(eventset, max_steps):
    """40 % of each one's duration, encoded as it would be alone; all recordings of the ten classes are used."""
    beginnings = []
    for sample in eventset.samples():
        events = sample.events
        limit  = events["t"][0] + 0.4*(events["t"][-1] - events["t"][0])
        steps  = ENCODER.encode(events[events["t"] <= limit]).slice(0, max_steps or 10**9)
        beginnings.append([steps.step(t).tolist() for t in range(len(steps))])
    batch = draw(ContextTask(eventset, ENCODER, 200, sequence=3, max_steps=max_steps), 200)
    used  = Counter(beginnings.index(sensory) for sample in clips_of(batch) for sensory, _ in sample)
    assert sorted(used) == [i for i in range(33) if i % CLASSES < CONTEXT_CLASSES]
    # 600 clips of 30 recordings.
    assert 5 < min(used.values()) and max(used.values()) < 45


@pytest.mark.parametrize("cued", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_batches_are_well_formed(eventset, mode, cued):
    batch = draw(ContextTask(eventset, ENCODER, 12, mode, 3, cued=cued), 12)
    assert same(batch, clips_batch(batch.to_steps(), batch.labels, batch.bounds))
    assert [array.dtype for array in vars(batch).values()] == [np.int64, np.int32, np.int32, np.int64]
    assert (np.diff(batch.bounds) > 0).all()


def test_augmented_clips_keep_their_classes(eventset):
    batch = ContextTask(eventset, ENCODER, 40, "memory", 3).batch(np.arange(40), np.random.default_rng(0),
        Augmentation(drop=0.3, jitter_us=3000, stretch=0.2))
    assert batch.labels.tolist() == [answers(row, cue, "memory")
        for row, cue in zip(shown_classes(batch).tolist(), cued_classes(batch), strict=True)]


@pytest.mark.parametrize("clips", [1, 2, 3, 9])
def test_recognition_is_balanced_exactly(short, clips):
    """Of one clip every second one; of several each place in turn."""
    task   = ContextTask(short, ENCODER, sequence=clips)
    labels = draw(task, 18*clips).labels
    if clips == 1:
        assert labels.ravel().tolist() == [0, 1]*9
    else:
        assert labels.argmax(axis=1).tolist() == [*range(clips)]*18 and (labels.sum(axis=1) == 1).all()
    no, yes = task.weights
    assert no*(labels == 0).sum() == yes*(labels == 1).sum()
    # Also of samples in another order, as training takes them.
    shuffled = np.random.default_rng(1).permutation(18*clips)
    assert task.batch(shuffled, np.random.default_rng(0)).labels.sum() == labels.sum()


@pytest.mark.parametrize("clips", [1, 2, 3, 9])
def test_memory_is_balanced_by_its_weights(short, clips):
    """Asked for is a class that is shown in half of the samples, at any place."""
    task   = ContextTask(short, ENCODER, mode="memory", sequence=clips)
    labels = draw(task, 4000).labels
    firsts = Counter(int(row.argmax()) if row.any() else None for row in labels)
    spread = 4*np.sqrt(4000)/2
    assert abs(firsts.pop(None) - 2000) < spread
    assert sorted(firsts) == [*range(clips)] and all(abs(each - 2000/clips) < spread for each in firsts.values())
    no, yes = task.weights
    assert abs(no*(labels == 0).mean()/(yes*(labels == 1).mean()) - 1) < 0.12
    assert no == 1 and yes == pytest.approx((1 - (clips + 1)/(4*clips))/((clips + 1)/(4*clips)))


def test_classes_are_asked_for_equally_often(short):
    batch = draw(ContextTask(short, ENCODER, sequence=2), 4000)
    asked = Counter(shown_classes(batch)[batch.labels == 1].tolist())
    assert sorted(asked) == [*range(CONTEXT_CLASSES)]
    assert all(abs(each - 400) < 4*np.sqrt(4000*0.1*0.9) for each in asked.values())

# Context: the cue ---------------------------------------------------------------------------------

@pytest.mark.parametrize("relevance", RELEVANCE.values(), ids=RELEVANCE)
def test_relevance_of_the_cue(eventset, relevance):
    batch = draw(ContextTask(eventset, ENCODER, sequence=2, relevance=relevance), 2000)
    asked = shown_classes(batch)[batch.labels == 1]
    cue   = cued_classes(batch)
    hits  = int((cue == asked).sum())
    if relevance in (0, 1):
        assert hits == 2000*relevance
    else:
        assert abs(hits - 2000*relevance) < 4*np.sqrt(2000*relevance*(1 - relevance))
    # Others are named equally often.
    others = Counter(((cue - asked) % CONTEXT_CLASSES)[cue != asked].tolist())
    assert len(others) == (0 if relevance == 1 else CONTEXT_CLASSES - 1)
    assert all(abs(each - (2000 - hits)/9) < 4*np.sqrt((2000 - hits)/9) for each in others.values())


@pytest.mark.parametrize("bin_us", [1000, 5000, 20_000])
def test_rates_of_the_cue(eventset, bin_us):
    """200 Hz of the class that is named and 10 Hz of each other one, in every step of a sample, whatever the step."""
    batch   = draw(ContextTask(eventset, dataclasses.replace(ENCODER, bin_us=bin_us), sequence=2), 300)
    cue     = cued_classes(batch)
    counts  = np.zeros((300, CONTEXT_CLASSES), int)
    for number, sample in enumerate(clips_of(batch)):
        for _, context in sample:
            for step in context:
                np.add.at(counts[number], step, 1)
    seconds = int(batch.lengths.sum())*bin_us*1e-6
    named   = counts[np.arange(300), cue].sum()
    assert abs(named - CUE_HZ*seconds) < 4*np.sqrt(CUE_HZ*seconds)
    assert abs(counts.sum() - named - 9*BACKGROUND_HZ*seconds) < 4*np.sqrt(9*BACKGROUND_HZ*seconds)
    # From the first step to the last one; a long step holds several spikes of a source.
    context = batch.sources >= ENCODER.inputs
    step    = np.repeat(np.arange(len(batch.offsets) - 1), np.diff(batch.offsets))[context] % batch.length
    half    = step < np.repeat(batch.lengths, np.diff(batch.offsets[::batch.length]))[context]/2
    assert abs(half.mean() - 0.5) < 0.03
    several = Counter(zip(step.tolist(), batch.sources[context].tolist(), strict=True))
    assert max(several.values()) > 1


def test_without_a_cue(eventset):
    task  = ContextTask(eventset, ENCODER, 20, sequence=2, cued=False)
    batch = draw(task, 20)
    assert task.contexts == 0 and batch.sources.max() < ENCODER.inputs
    # The clips and answers are those that a cue would be about.
    cued  = draw(ContextTask(eventset, ENCODER, 20, sequence=2), 20)
    assert np.array_equal(batch.labels, cued.labels) and np.array_equal(shown_classes(batch), shown_classes(cued))

# Drawing ------------------------------------------------------------------------------------------

def test_equal_states_give_equal_batches(eventset):
    task = ContextTask(eventset, ENCODER, 20, "memory", 3, 0.5)
    assert same(draw(task, 20, 7), draw(task, 20, 7))
    assert not same(draw(task, 20, 7), draw(task, 20, 8))
    np.random.seed(0)
    first = draw(task, 20, 7)
    np.random.seed(1)
    assert same(first, draw(task, 20, 7))


@pytest.mark.parametrize("make_task", [Classification, lambda *args: ContextTask(*args, 230)])
def test_evaluation_is_the_same_at_each_call(make_task):
    eventset = make(230, 10_000)
    task     = make_task(eventset, ENCODER)
    first, second = (list(evaluation_batches(task, 3)) for _ in range(2))
    assert [batch.size for batch in first] == [EVALUATION_BATCH, EVALUATION_BATCH, 30]
    assert all(map(same, first, second))
    if make_task is Classification:
        assert np.concatenate([batch.labels[:, 0] for batch in first]).tolist() == eventset.labels.tolist()
    else:
        assert not same(first[0], first[1])
        assert not any(map(same, first, evaluation_batches(task, 4)))


@pytest.mark.parametrize("changes, text", [
    ({"mode": "guess"}, "mode 'guess': known are recognition and memory"),
    ({"sequence": 0}, "0 clips in a row, the limits are 1 to 9: choose another --clips"),
    ({"sequence": 10}, "10 clips in a row, the limits are 1 to 9"),
    ({"relevance": 1.1}, r"relevance of the cue is 1\.1, the limits are 0 to 1"),
    ({"relevance": float("nan")}, "relevance of the cue is nan")])
def test_context_out_of_its_limits(eventset, changes, text):
    with pytest.raises(QCLIFError, match=text):
        ContextTask(eventset, ENCODER, **changes)


def test_context_needs_every_class(eventset):
    with pytest.raises(QCLIFError, match=r"made: 9 recordings.*, none of class 9: .* 0 to 9 in each part: give more"):
        ContextTask(eventset.subset(np.arange(9)), ENCODER)
    assert ContextTask(eventset.subset(np.arange(10)), ENCODER).classes == ("no", "yes")
