# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""DVS128 Gesture as it is published: recordings of many trials with their tables, read without tonic."""

import sys

import pytest

from accel.errors import QCLIFError
from host.data.datasets import available_splits, load
from host.events.formats import read_files
from tests.helpers.camera_files import aedat3, aedat3_packet

HEADER = "class,startTime_usec,endTime_usec\n"

# An event each 100 us, x tells which.
ROWS = [(n % 128, 5, n & 1, 80_000_000 + 100*n) for n in range(100)]

# Class, first event, event behind the last.
TRIALS = [(1, 0, 10), (11, 15, 40), (3, 40, 100)]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path_factory.mktemp("cache")))


def put(folder, name, trials=TRIALS, header=HEADER):
    folder.mkdir(exist_ok=True)
    path = folder/f"{name}.aedat"
    path.write_bytes(aedat3(aedat3_packet(ROWS)))
    rows = "".join(f"{label},{80_000_000 + 100*start},{80_000_000 + 100*end}\n" for label, start, end in trials)
    (folder/f"{name}_labels.csv").write_text(header + rows)
    return path


def test_a_recording_is_cut_into_its_trials(tmp_path):
    samples = list(read_files([put(tmp_path, "user01_led")]))
    assert [sample.name for sample in samples] == [f"user01_led[{n}]" for n in range(3)]
    assert [sample.label for sample in samples] == [0, 10, 2]
    assert [[tuple(event) for event in sample.events.tolist()] for sample in samples] == [
        ROWS[start:end] for _, start, end in TRIALS]
    assert {sample.sensor_size for sample in samples} == {(128, 128)}


def test_a_table_of_something_else_is_left_alone(tmp_path):
    sample, = read_files([put(tmp_path, "a", header="frame,x,y\n")])
    assert len(sample.events) == 100 and sample.label == -1


@pytest.mark.parametrize("trials, why", [
    ([(0, 0, 10)], "row 1 is '0,80000000,80001000': class from 1 up"),
    ([(1, 0, 10), (2, 10, 10)], "row 2: no events from 80001000 to 80001000 us, the recording is from 80000000 to"),
    ([(1, 200, 300)], "row 1: no events"),
    ([("walk", 0, 10)], "row 1 is 'walk,"),
])
def test_tables_that_do_not_belong_to_it(tmp_path, trials, why):
    path = put(tmp_path, "a", trials)
    with pytest.raises(QCLIFError, match=why) as error:
        list(read_files([path]))
    assert "a_labels.csv" in str(error.value)


def test_the_published_folder_is_a_data_set(tmp_path, monkeypatch):
    # Of tonic, nothing is needed.
    monkeypatch.setitem(sys.modules, "tonic", None)
    for name in ("user01_led", "user02_lab", "user24_natural"):
        put(tmp_path, name)
    for name, text in (("trials_to_train.txt", "user01_led.aedat\nuser02_lab.aedat\n"), ("README.txt", "read me"),
            ("trials_to_test.txt", "user24_natural.aedat\n\n"), ("gesture_mapping.csv", "hand_clapping,1\n")):
        (tmp_path/name).write_text(text)
    assert available_splits("files", tmp_path) == ("train", "test")
    train, test = (load("files", tmp_path, split) for split in ("train", "test"))
    assert train.labels.tolist() == [0, 10, 2]*2 and test.labels.tolist() == [0, 10, 2]
    assert train.classes == test.classes == tuple(map(str, range(11))) and train.sensor_size == (128, 128)
    # Another table is another data set.
    put(tmp_path, "user02_lab", TRIALS[:1])
    assert load("files", tmp_path, "train").labels.tolist() == [0, 10, 2, 0]
    (tmp_path/"user02_lab.aedat").unlink()
    with pytest.raises(QCLIFError, match=r"trials_to_train\.txt: it names user02_lab\.aedat, which is not there"):
        load("files", tmp_path, "train")


def test_recordings_without_lists_are_one_split(tmp_path):
    put(tmp_path, "user01_led")
    assert available_splits("files", tmp_path) == ("train",)
    assert load("files", tmp_path, "train").labels.tolist() == [0, 10, 2]
