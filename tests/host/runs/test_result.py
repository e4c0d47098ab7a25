# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Result files: complete, reproducible byte for byte, whole or not at all."""

import dataclasses
import hashlib
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.event_array import EVENT
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.runs.result import Result
from tests.helpers.short_run import differences

ARRAYS = ("sample", "step", "neuron", "logits", "label", "in_sample", "in_step", "in_source", "name", "events",
    "digest")

# Those of int32.
INTEGERS = (*ARRAYS[:8], "events")

lists = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5)


def recorded(name, label, *events):
    return Sample(name, np.array(list(events), EVENT), label=label)


SAMPLES = [recorded("a wave", 1, (3, 0, 1, 1000), (3, 0, 1, 1007)), Sample("inputs alone")]


def small():
    inputs = [SpikeTrain.from_lists([[3, 3], []]), SpikeTrain.from_lists([[], [0], [7]])]
    spikes = [SpikeTrain.from_lists([[], [1]]), SpikeTrain.from_lists([[0, 2], [], [2]])]
    return Result.collect(SAMPLES, inputs, spikes, [np.array([5, -6]), np.array([0, 1])])


def test_rows_of_a_run(tmp_path):
    small().save(tmp_path/"run.npz")
    with np.load(tmp_path/"run.npz") as file:
        arrays = {name: file[name] for name in file.files}
    assert tuple(arrays) == ARRAYS and all(arrays[name].dtype == np.int32 for name in INTEGERS)
    assert list(zip(*(arrays[name].tolist() for name in ARRAYS[:3]), strict=True)) == [
        (0, 1, 1), (1, 0, 0), (1, 0, 2), (1, 2, 2)]
    assert list(zip(*(arrays[name].tolist() for name in ARRAYS[5:8]), strict=True)) == [
        (0, 0, 3), (0, 0, 3), (1, 1, 0), (1, 2, 7)]
    assert arrays["logits"].tolist() == [[5, -6], [0, 1]] and arrays["label"].tolist() == [1, -1]
    assert arrays["name"].tolist() == ["a wave", "inputs alone"] and arrays["events"].tolist() == [2, -1]
    # Columns x, y, p, t of eight bytes each; t from the first event on.
    assert arrays["digest"][0].tobytes() == hashlib.sha256(struct.pack("<8q", 3, 3, 0, 0, 1, 1, 0, 7)).digest()
    assert not arrays["digest"][1].any()


@given(st.lists(st.tuples(lists, lists, st.integers(-2**31, 2**31 - 1), st.integers(-1, 10)), max_size=3))
def test_round_trip_and_equal_bytes(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("run")
    result = Result.collect([recorded(str(s[2]), s[3], (1, 2, 1, s[2])) for s in samples],
        [SpikeTrain.from_lists(s[0]) for s in samples], [SpikeTrain.from_lists(s[1]) for s in samples],
        [np.array([s[2]]) for s in samples])
    result.save(folder/"a.npz")
    loaded = Result.load(folder/"a.npz")
    assert differences(result, loaded) == []
    loaded.save(folder/"b.npz")
    assert (folder/"a.npz").read_bytes() == (folder/"b.npz").read_bytes()
    assert sorted(os.listdir(folder)) == ["a.npz", "b.npz"]


@pytest.mark.parametrize("name", ARRAYS)
def test_differences_are_named(name):
    changed = small()
    array   = getattr(changed, name).copy()
    array.flat[-1] = "other" if name == "name" else array.flat[-1] + 1
    changed = dataclasses.replace(changed, **{name: array})
    assert differences(small(), changed) == [name]


def test_no_readout():
    steps = SpikeTrain.from_lists([[0]])
    assert Result.collect(SAMPLES[1:], [steps], [steps], [np.zeros(0, np.int32)]).logits.shape == (1, 0)


def test_a_pipe_is_not_replaced(tmp_path):
    path = tmp_path/"pipe"
    os.mkfifo(path)
    with pytest.raises(QCLIFError, match="pipe: is a device or a pipe"):
        small().save(path)
    assert path.is_fifo()


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path/"run.npz"
    small().save(path)
    before = path.read_bytes()

    def stop(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", stop)
    with pytest.raises(QCLIFError, match=r"cannot be written \(No space left on device\)"):
        small().save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["run.npz"]


def test_folder_is_missing(tmp_path):
    with pytest.raises(QCLIFError, match="No such file or directory"):
        small().save(tmp_path/"none"/"run.npz")


@pytest.mark.parametrize("arrays, text", [
    ({}, "array sample is missing"), ({"sample": np.zeros(1)}, "sample has 1 dimensions of float64"),
    ({"logits": np.zeros(2, np.int32)}, "logits has 1 dimensions of int32: 2 of int32"),
    ({"name": np.zeros(2, np.int32)}, "name has 1 dimensions of int32: 1 of str"),
    ({"digest": np.zeros((2, 4), np.uint8)}, "name, events and digest are not those of 2 samples")])
def test_files_that_are_no_results(tmp_path, arrays, text):
    small().save(tmp_path/"run.npz")
    with np.load(tmp_path/"run.npz") as file:
        changed = {**file, **arrays} if arrays else {"label": file["label"]}
    np.savez(tmp_path/"run.npz", **changed)
    with pytest.raises(QCLIFError, match=text):
        Result.load(tmp_path/"run.npz")


@pytest.mark.parametrize("name, index, value, text", [
    ("step", 0, -1, r"step\[0\] is -1, the limits are 0 to 16777215"), ("neuron", 2, 1024, r"neuron\[2\] is 1024"),
    ("sample", 3, 2, r"sample\[3\] is 2, the limits are 0 to 1"), ("in_sample", 0, -1, r"in_sample\[0\] is -1"),
    ("in_step", 1, 2**24, r"in_step\[1\] is 16777216"), ("in_source", 1, 4160, r"in_source\[1\] is 4160"),
    ("label", 1, -2, "label -2, the least is -1")])
def test_values_that_cannot_be(tmp_path, name, index, value, text):
    wrong = small()
    getattr(wrong, name)[index] = value
    wrong.save(tmp_path/"run.npz")
    with pytest.raises(QCLIFError, match=f"run.npz: {text}"):
        Result.load(tmp_path/"run.npz")


@pytest.mark.parametrize("name, text", [("label", "logits of 2 samples, labels of 1"),
    ("step", "sample, step, neuron have 4, 3, 4 entries"), ("in_source", "have 4, 4, 3 entries")])
def test_arrays_that_do_not_fit(tmp_path, name, text):
    dataclasses.replace(small(), **{name: getattr(small(), name)[:-1]}).save(tmp_path/"run.npz")
    with pytest.raises(QCLIFError, match=text):
        Result.load(tmp_path/"run.npz")


def test_steps_of_a_sample():
    inputs, spikes = small().sample_steps(0)
    assert inputs == SpikeTrain.from_lists([[3, 3], []]) and spikes == SpikeTrain.from_lists([[], [1]])
    inputs, spikes = small().sample_steps(1)
    assert inputs == SpikeTrain.from_lists([[], [0], [7]]) and spikes == SpikeTrain.from_lists([[0, 2], [], [2]])


def test_silent_steps_at_the_end_are_not_known():
    silent = SpikeTrain.from_lists([[], []])
    result = Result.collect(SAMPLES, [SpikeTrain.from_lists([[1], [], []]), silent],
        [SpikeTrain.from_lists([[], [5], []]), silent], [np.zeros(1), np.zeros(1)])
    assert result.sample_steps(0) == (SpikeTrain.from_lists([[1], []]), SpikeTrain.from_lists([[], [5]]))
    assert [len(steps) for steps in result.sample_steps(1)] == [0, 0]


def test_the_recordings_of_a_run():
    first = SAMPLES[0].events
    small().check_recording(0, dataclasses.replace(SAMPLES[0], name="the same under another name"))
    # Another origin of time makes the same inputs.
    small().check_recording(0, recorded("later", -1, (3, 0, 1, 5000), (3, 0, 1, 5007)))
    for column in "xypt":
        other = first.copy()
        other[column][1] ^= 1
        with pytest.raises(QCLIFError, match="sample 0 of the run is a wave of 2 events, the recording that is given "
                "is another of 2, and not the same"):
            small().check_recording(0, Sample("another", other))
    with pytest.raises(QCLIFError, match="another of 1, and"):
        small().check_recording(0, Sample("another", first[:1]))
    with pytest.raises(QCLIFError, match="the run does not tell"):
        small().check_recording(1, SAMPLES[0])


def test_files_of_earlier_versions_tell_nothing_of_recordings(tmp_path):
    small().save(tmp_path/"run.npz")
    with np.load(tmp_path/"run.npz") as file:
        np.savez(tmp_path/"old.npz", **{name: file[name] for name in ARRAYS[:8]})
    old = Result.load(tmp_path/"old.npz")
    assert differences(old, small()) == ["name", "events", "digest"]
    with pytest.raises(QCLIFError, match="the run does not tell"):
        old.check_recording(0, SAMPLES[0])
