# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Data sets to train with: where they come from, what is said when they do not, and the command that judges them."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from accel.errors import EXIT_ERROR, QCLIFError
from host.data import synthetic
from host.data.batch import encode
from host.data.datasets import NAMES, SENSOR_SIZES, SPLITS, SYNTHETIC_SAMPLES, TEST_SEED, load
from host.datasets import main
from host.events.encoder import ENCODERS
from tests.helpers import camera_files
from tests.host.events.test_formats import structured, write

ROWS = [(3, 5, 1, 1000), (33, 0, 0, 1000), (0, 26, 1, 21_063)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    return tmp_path/"cache"


@pytest.fixture
def folder(tmp_path):
    (tmp_path/"data").mkdir()
    return tmp_path/"data"


def rows_of(eventset):
    return [each.events.tolist() for each in eventset.samples()]


def refuse(text, *args, **options):
    with pytest.raises(QCLIFError) as error:
        load(*args, **options)
    assert text in str(error.value) and "\n" not in str(error.value)


def put_nmnist(folder, split="Train", digits=(7, 0, 7)):
    for number, digit in enumerate(digits):
        place = folder/"NMNIST"/split/str(digit)
        place.mkdir(parents=True, exist_ok=True)
        write(place, f"{number:05}.bin", camera_files.nmnist([(number, *row[1:]) for row in ROWS]))


def put_part(path, count=20, sensor_size=(34, 34, 2)):
    np.savez(path, events=structured(ROWS*count), offsets=np.arange(count + 1)*3, labels=np.arange(count) % 10,
        sensor_size=sensor_size)


# N-MNIST ------------------------------------------------------------------------------------------

def test_nmnist_as_tonic_has_it(folder):
    put_nmnist(folder)
    put_nmnist(folder, "Test", digits=(3,))
    train, test = (load("nmnist", folder, split) for split in SPLITS)
    assert train.labels.tolist() == [0, 7, 7] and test.labels.tolist() == [3]
    assert [rows[0][0] for rows in rows_of(train)] == [1, 0, 2]
    assert train.classes == tuple("0123456789") and train.sensor_size == (34, 34) and train.name == "nmnist train"


@pytest.mark.parametrize("place", ["train1000.npz", "nmnist/train1000.npz", "any.npz"])
def test_nmnist_in_one_file(folder, place):
    (folder/"nmnist").mkdir()
    put_part(folder/place)
    source   = folder/place if place == "any.npz" else folder
    eventset = load("nmnist", source, "train")
    assert len(eventset) == 20 and rows_of(eventset)[3] == ROWS and eventset.labels.tolist() == [*range(10)]*2
    refuse("recordings of the training split alone, the test split is not there: hold some of them out", "nmnist",
        source, "test")


def test_nmnist_of_another_sensor(folder):
    put_part(folder/"any.npz", sensor_size=[64, 48])
    refuse("any.npz: recorded with 64x48 pixels, nmnist with 34x34: give your own recordings as --dataset files",
        "nmnist", folder/"any.npz", "train")


def test_seed_of_the_choice(folder):
    put_part(folder/"train1000.npz")
    refuse("seed -1, at least 0 is needed", "nmnist", folder, "train", samples=3, seed=-1)


def test_some_samples_are_of_all_classes(folder):
    put_part(folder/"train1000.npz")
    some = load("nmnist", folder, "train", samples=10, seed=1)
    assert sorted(some.labels.tolist()) == [*range(10)]
    assert len(load("nmnist", folder, "train", samples=99)) == 20


def test_what_is_decoded_is_kept_until_a_file_changes(folder, monkeypatch):
    put_nmnist(folder)
    first = load("nmnist", folder, "train")
    with monkeypatch.context() as patch:
        patch.setattr("host.data.datasets.read_dataset", lambda *_: pytest.fail("read again"))
        assert load("nmnist", folder, "train").identity == first.identity
    # The same size, a time later.
    changed = folder/"NMNIST"/"Train"/"0"/"00001.bin"
    changed.write_bytes(camera_files.nmnist([(9, *row[1:]) for row in ROWS]))
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    assert rows_of(load("nmnist", folder, "train"))[0][0][0] == 9
    put_nmnist(folder, digits=(7, 0, 7, 8))
    assert len(load("nmnist", folder, "train")) == 4


# DVS128 Gesture -----------------------------------------------------------------------------------

def test_dvsgesture(folder):
    place = folder/"DVSGesture"/"ibmGestureTest"/"user24_led"
    place.mkdir(parents=True)
    np.save(place/"3.npy", np.array([[1, 2, 1, 4], [127, 0, 0, 5]]))
    eventset = load("dvsgesture", folder, "test")
    assert rows_of(eventset) == [[(1, 2, 1, 4000), (127, 0, 0, 5000)]] and eventset.labels.tolist() == [3]
    assert eventset.classes == synthetic.GESTURES
    refuse("no .npy recordings in", "dvsgesture", folder, "train")


# SHD ----------------------------------------------------------------------------------------------

def put_shd(folder, recordings, split="train", names=None):
    """SHD's own layout: times in seconds as float16 and units as uint16 of different lengths, labels, speakers."""
    (folder/"SHD").mkdir(exist_ok=True)
    with h5py.File(folder/"SHD"/f"shd_{split}.h5", "w") as file:
        times = file.create_dataset("spikes/times", (len(recordings),), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (len(recordings),), h5py.vlen_dtype(np.uint16))
        for number, (_, spikes) in enumerate(recordings):
            times[number] = np.array([time for time, _ in spikes], np.float16)
            units[number] = np.array([unit for _, unit in spikes], np.uint16)
        file["labels"]        = np.array([label for label, _ in recordings], np.uint8)
        file["extra/speaker"] = np.zeros(len(recordings), np.uint8)
        file["extra/keys"]    = np.array(names or [f"word {number}".encode() for number in range(20)])


SPOKEN = [(11, [(0.0, 699), (0.25, 0), (0.75, 350)]), (0, [(0.5, 3), (0.125, 4)])]


def test_shd(folder):
    put_shd(folder, SPOKEN)
    put_shd(folder, SPOKEN[1:], "test")
    train, test = (load("shd", folder, split) for split in SPLITS)
    # Times of a recording need no order in the file.
    assert rows_of(train) == [[(699, 0, 1, 0), (0, 0, 1, 250_000), (350, 0, 1, 750_000)],
        [(4, 0, 1, 125_000), (3, 0, 1, 500_000)]]
    assert train.labels.tolist() == [11, 0] and rows_of(test) == rows_of(train)[1:]
    assert train.sensor_size == (700, 1) and train.classes == tuple(f"word {number}" for number in range(20))
    batch = encode(train, [0], ENCODERS[700, 1])
    assert batch.sources.tolist() == [139, 0, 70] and batch.length == 76


def test_bad_shd(folder):
    refuse("dataset SHD: no .h5 recordings in", "shd", folder, "train")
    put_shd(folder, SPOKEN)
    refuse(f"{folder/'SHD'}: give the folder that holds SHD/shd_test.h5, or ask for the download", "shd", folder,
        "test")
    file = folder/"SHD"/"shd_train.h5"
    whole = file.read_bytes()
    for content in (b"", b"nothing", whole[:len(whole)//2]):
        file.write_bytes(content)
        refuse(f"{file}: not SHD's recordings (", "shd", folder, "train")
    put_shd(folder, [])
    refuse("shd train: no recordings, at least 1 is needed", "shd", folder, "train")
    put_shd(folder, [SPOKEN[0], (3, [])])
    refuse(f"{file}: recording 1: the recording is empty", "shd", folder, "train")
    put_shd(folder, [(0, [(0.0, 700)])])
    refuse("x of event 0 is 700, the limits are 0 to 699", "shd", folder, "train")
    put_shd(folder, [(20, [(0.0, 0)])])
    refuse("label 20, the limits are -1 (unknown) to 19", "shd", folder, "train")
    with h5py.File(file, "w") as other:
        other["something"] = [1, 2]
    refuse(f"{file}: not SHD's recordings (", "shd", folder, "train")
    # tonic leaves the file open where it fails.
    file.unlink()
    with h5py.File(file, "w") as other:
        other["extra/keys"], other["extra/speaker"], other["labels"] = [b"a"], [0], [0]
    refuse(f"{file}: recording 0: not a recording of SHD", "shd", folder, "train")


# Synthetic ----------------------------------------------------------------------------------------

@pytest.fixture
def short(monkeypatch):
    """Synthetic recordings of 10 ms, made in this process."""
    record = synthetic.record
    monkeypatch.setattr(synthetic, "record", lambda gesture, seed, _: record(gesture, seed, 10_000))
    monkeypatch.setattr("host.data.datasets.cpu_count", lambda: 1)
    return lambda gesture, seed: record(gesture, seed, 10_000).events.tolist()


def test_synthetic_recordings(short):
    for split, base in (("train", 0), ("test", TEST_SEED)):
        eventset = load("synthetic", "", split, samples=25, seed=4)
        assert rows_of(eventset) == [short(i % 11, base + 4 + i) for i in range(25)]
        assert eventset.labels.tolist() == [i % 11 for i in range(25)] and eventset.classes == synthetic.GESTURES


def test_synthetic_recordings_made_side_by_side():
    eventset = load("synthetic", "", "train", samples=13, seed=7)
    wanted   = list(synthetic.recordings(13, 7))
    assert rows_of(eventset) == [sample.events.tolist() for sample in wanted]


def test_synthetic_splits_share_no_seed(monkeypatch, short):
    seeds = {split: [] for split in SPLITS}
    for split in SPLITS:
        monkeypatch.setattr("host.data.datasets.cached_event_set",
            lambda name, key, *_, split=split: seeds[split].append(key))
        for seed in (0, 17, TEST_SEED - SYNTHETIC_SAMPLES["train"]):
            load("synthetic", "", split, seed=seed)
    ranges = [[set(range(key["seed"], key["seed"] + key["samples"])) for key in seeds[split]] for split in SPLITS]
    assert [len(each[0]) for each in ranges] == [SYNTHETIC_SAMPLES[split] for split in SPLITS]
    assert not set.union(*ranges[0]) & set.union(*ranges[1])
    for seed in (-1, TEST_SEED - 10):
        refuse(f"seed {seed} of 11 synthetic recordings, the limits are 0 to {TEST_SEED - 11}", "synthetic", "",
            "train", samples=11, seed=seed)


def test_another_program_makes_other_recordings(short, monkeypatch, tmp_path, cache):
    load("synthetic", "", "train", samples=1)
    other = write(tmp_path, "synthetic.py", b"# changed")
    monkeypatch.setattr(synthetic, "__file__", str(other))
    load("synthetic", "", "train", samples=1)
    assert len(list(cache.iterdir())) == 2


# All ----------------------------------------------------------------------------------------------

def test_published_sets_have_their_sensors(folder, short):
    put_part(folder/"train1000.npz")
    put_shd(folder, SPOKEN)
    (folder/"DVSGesture"/"ibmGestureTrain"/"user01_led").mkdir(parents=True)
    np.save(folder/"DVSGesture"/"ibmGestureTrain"/"user01_led"/"0.npy", np.array([[1, 2, 1, 4]]))
    assert {*SENSOR_SIZES, "files"} == set(NAMES)
    for name, size in SENSOR_SIZES.items():
        assert load(name, folder, "train", samples=1).sensor_size == size and ENCODERS[size].sensor_size == size


def test_progress(folder):
    put_nmnist(folder)
    told = []
    load("nmnist", folder, "train", progress=lambda *step: told.append(step))
    assert [step for step in told if step[0] == "read nmnist"] == [("read nmnist", done, 3) for done in (1, 2, 3)]


@pytest.mark.parametrize("args, options, text", [
    (("mnist", "", "train"), {}, "data set mnist: known are nmnist, dvsgesture, shd, synthetic, files"),
    (("nmnist", "", "valid"), {}, "split valid: known are train and test"),
    (("synthetic", "", "train"), {"samples": 0}, "0 samples, at least 1 is needed"),
])
def test_bad_arguments(args, options, text):
    refuse(text, *args, **options)


@pytest.mark.parametrize("name, content, text", [
    ("a.npz", b"PK\3\4nothing", "not a readable .npz file"), ("a.npz", b"nothing", "no known format begins with"),
    ("a.txt", b"", "the file is empty")])
def test_bad_files(folder, cache, name, content, text):
    refuse(text, "nmnist", write(folder, name, content), "train")
    assert list(cache.iterdir()) == []


def test_folder_of_something_else(folder):
    write(folder, "README", b"")
    refuse(f"dataset NMNIST: no .bin recordings in {folder/'NMNIST'/'Train'}: give the folder that holds NMNIST/Train",
        "nmnist", folder, "train")


def test_training_data_need_no_torch():
    program = ("import sys; import host.datasets; sys.exit(bool({'torch', 'tonic', 'h5py'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_real_digits(qclif_data):
    eventset = load("nmnist", qclif_data, "train")
    assert len(eventset) == 1000 and 0.9 < len(eventset.events)/4.1e6 < 1.1


# Command ------------------------------------------------------------------------------------------

def test_command(folder, capsys):
    put_part(folder/"train1000.npz", 10)
    options = ["--dataset", "nmnist", "--data", str(folder), "--bin-us", "1000", "--count-threshold", "1",
        "--grid", "17", "34", "--polarities", "1"]
    assert main(options) == 0
    text = capsys.readouterr().out
    assert "nmnist train, 17 x 34 x 1 inputs, 1000 us, 1 events" in text and "active inputs" in text
    assert main([*options, "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["recordings"], figures["inputs"], figures["steps"]["most"]) == (10, 578, 21)
    assert figures["encoder"]["grid"] == [17, 34] and figures["classes"]["3"] == 1
    assert main([*options, "--max-steps", "5", "--samples", "3", "--json", str(folder/"f.json")]) == 0
    figures = json.loads((folder/"f.json").read_text())
    assert (figures["recordings"], figures["steps"]["most"]) == (3, 5)


@pytest.mark.parametrize("options, text", [
    (["--dataset", "shd"], "error: dataset SHD: no .h5 recordings"),
    (["--samples", "1", "--grid", "99999", "1"], "error: encoder: grid is 99999"),
    (["--samples", "1", "--json", "/nowhere/f.json"], "error: --json /nowhere/f.json: not a file in an existing"),
    (["--samples", "1", "--seed", "-1"], "error: seed -1 of 1 synthetic recordings"),
])
def test_command_says_what_is_wrong(folder, capsys, options, text):
    assert main([*options, "--data", str(folder)]) == EXIT_ERROR
    captured = capsys.readouterr()
    assert captured.err.startswith(text) and captured.err.count("\n") == 1 and captured.out == ""
