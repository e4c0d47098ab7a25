# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A user's own recordings: how they may lie, what is said where they lie otherwise, and a training with them."""

import dataclasses
import json
import os

import numpy as np
import pytest

from accel.errors import EXIT_ERROR, QCLIFError
from host.data.augment import Augmentation
from host.data.datasets import SPLITS, available_splits, load
from host.data.labelled_files import CLASSES_MAX
from host.datasets import main as show
from host.evaluate import main as evaluate
from host.events.encoder import ENCODERS, Encoder, default_encoder_for
from host.events.event_array import EVENT
from host.events.reading import Reading
from host.network.network import Network
from host.train import main as train
from host.training.settings import Settings
from host.training.sweeps import SWEEPS, Run, runs
from tests.helpers import camera_files

SIZE = (48, 20)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("QCLIF_CACHE", str(folder))
    return folder


def put(path, x=0, size=SIZE, **changes):
    """One recording of two events, at x."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"events": np.array([(x, 1, 1, 5), (x, 2, 0, 9)], EVENT)} | changes
    np.savez(path, **arrays, **({} if size is None else {"sensor_size": size}))
    return path


def put_many(path, labels):
    """Recordings of one event, at x of their number."""
    events = np.array([(x, 0, 1, x) for x in range(len(labels))], EVENT)
    np.savez(path, events=events, offsets=np.arange(len(labels) + 1), labels=labels, sensor_size=SIZE)
    return path


def places(eventset):
    """(x of the first event, class) of each recording."""
    return [(int(each.events["x"][0]), eventset.classes[each.label]) for each in eventset.samples()]


def refuse(folder, *words, split="train"):
    with pytest.raises(QCLIFError) as error:
        load("files", folder, split)
    for word in words:
        assert str(word) in str(error.value)
    assert "\n" not in str(error.value)

# Layouts ------------------------------------------------------------------------------------------

def test_one_file_of_many(tmp_path):
    path = put_many(tmp_path/"own.npz", [2, 0, 2])
    assert available_splits("files", path) == ("train",)
    eventset = load("files", path, "train")
    assert places(eventset) == [(0, "2"), (1, "0"), (2, "2")]
    assert eventset.classes == ("0", "1", "2") and eventset.sensor_size == SIZE and eventset.name == "files train"
    refuse(path, path, "no test split", split="test")


def test_folders_are_classes(tmp_path):
    """Labels inside of the files do not count; other files may lie beside the folders, hidden ones anywhere."""
    put(tmp_path/"walk"/"b.npz", 1)
    put(tmp_path/"walk"/"a.npz", 2, label=7)
    put(tmp_path/"Jump"/"c.npz", 3)
    put_many(tmp_path/"walk"/"c.npz", [5, 6])
    for name in ("README.md", ".git/config", "walk/.DS_Store"):
        (tmp_path/name).parent.mkdir(exist_ok=True)
        (tmp_path/name).write_text("")
    assert available_splits("files", tmp_path) == ("train",)
    eventset = load("files", tmp_path, "train")
    assert eventset.classes == ("Jump", "walk")
    assert places(eventset) == [(3, "Jump"), (2, "walk"), (1, "walk"), (0, "walk"), (1, "walk")]


def test_formats_of_cameras(tmp_path):
    rows  = [(3, 4, 1, 10), (5, 6, 0, 20)]
    files = {"on/a.aedat": camera_files.aedat2(rows),
        "off/a.RAW": camera_files.raw_header(2, (128, 128)) + camera_files.evt2(rows)}
    for name, content in files.items():
        (tmp_path/name).parent.mkdir()
        (tmp_path/name).write_bytes(content)
    eventset = load("files", tmp_path, "train")
    assert [each.events.tolist() for each in eventset.samples()] == [rows, rows]
    assert eventset.sensor_size == (128, 128) and eventset.classes == ("off", "on")


def test_digits_of_some_classes(tmp_path):
    """N-MNIST's reader takes a folder's digit for a label: the class is the folder all the same."""
    for digit in "37":
        (tmp_path/digit).mkdir()
        (tmp_path/digit/"0.bin").write_bytes(camera_files.nmnist([(int(digit), 0, 1, 0)]))
    assert places(load("files", tmp_path, "train")) == [(3, "3"), (7, "7")]


def test_files_with_labels(tmp_path):
    put(tmp_path/"b.npz", 1, label=0)
    put(tmp_path/"a.npz", 2, label=3)
    put_many(tmp_path/"c.npz", [1, 1])
    eventset = load("files", tmp_path, "train")
    assert eventset.classes == ("0", "1", "2", "3")
    assert places(eventset) == [(2, "3"), (1, "0"), (0, "1"), (1, "1")]


def test_splits_of_folders(tmp_path):
    for number, name in enumerate(("train/a/0", "train/b/0", "train/c/0", "test/b/0", "test/c/0")):
        put(tmp_path/f"{name}.npz", number)
    (tmp_path/"LICENSE").write_text("")
    assert available_splits("files", str(tmp_path)) == SPLITS
    assert places(load("files", tmp_path, "train")) == [(0, "a"), (1, "b"), (2, "c")]
    test = load("files", tmp_path, "test")
    assert places(test) == [(3, "b"), (4, "c")] and test.classes == ("a", "b", "c") and test.name == "files test"


def test_splits_of_files_with_labels(tmp_path):
    """The classes are those to train with, whatever the test split holds."""
    for split, labels in (("train", [4, 0]), ("test", [1])):
        (tmp_path/split).mkdir()
        put_many(tmp_path/split/"own.npz", labels)
    test = load("files", tmp_path, "test")
    assert places(test) == [(0, "1")] and test.classes == load("files", tmp_path, "train").classes == tuple("01234")
    put_many(tmp_path/"test"/"own.npz", [1, 5])
    refuse(tmp_path, f"{tmp_path/'test'/'own.npz'}: recording 1", "label 5", "to 4", split="test")


def test_train_alone_is_a_split_and_one_of_many_a_class(tmp_path):
    for name in ("a", "b"):
        put(tmp_path/"train"/name/"0.npz")
    assert available_splits("files", tmp_path) == ("train",)
    assert load("files", tmp_path, "train").classes == ("a", "b")
    for vehicle in ("train", "bus"):
        put(tmp_path/"vehicles"/vehicle/"0.npz")
    assert load("files", tmp_path/"vehicles", "train").classes == ("bus", "train")


def test_some_samples(tmp_path):
    path = put_many(tmp_path/"own.npz", np.arange(20) % 2)
    assert sorted(load("files", path, "train", samples=4).labels) == [0, 0, 1, 1]

# Cache --------------------------------------------------------------------------------------------

def test_kept_until_a_file_changes(tmp_path, monkeypatch):
    for name in ("a", "b"):
        put(tmp_path/name/"0.npz", 1)
    first = load("files", tmp_path, "train")
    with monkeypatch.context() as patch:
        patch.setattr("host.data.labelled_files.read_files", lambda *_: pytest.fail("read again"))
        assert load("files", tmp_path, "train").identity == first.identity
    # The same size, a time later.
    file   = tmp_path/"a"/"0.npz"
    before = file.stat()
    put(file, 2)
    os.utime(file, ns=(0, before.st_mtime_ns + 1))
    assert file.stat().st_size == before.st_size and places(load("files", tmp_path, "train"))[0] == (2, "a")
    put(tmp_path/"b"/"1.npz", 3)
    assert places(load("files", tmp_path, "train")) == [(2, "a"), (1, "b"), (3, "b")]
    (tmp_path/"b").rename(tmp_path/"c")
    assert load("files", tmp_path, "train").classes == ("a", "c")


def test_progress(tmp_path):
    told = []
    load("files", put_many(tmp_path/"own.npz", [0, 1]), "train", progress=lambda *step: told.append(step))
    for stage in ("read labels", "read files"):
        assert [step for step in told if step[0] == stage] == [(stage, 1, None), (stage, 2, None)]

# Refusals -----------------------------------------------------------------------------------------

def test_places_without_recordings(tmp_path):
    refuse(tmp_path/"none", tmp_path/"none", "No such file", "--data")
    own = tmp_path/"own"
    own.mkdir()
    refuse(own, own, "the folder is empty")
    put(own/"a"/"0.npz")
    refuse(own, own, "1 classes, the limits are 2 to 64")
    (own/"b").mkdir()
    refuse(own, own/"b", "no recordings of this class")
    put(own/"b"/"inner"/"0.npz")
    refuse(own, own/"b"/"inner", "a folder inside of b/")


@pytest.mark.parametrize("layout, words", [
    (["train/a/0.npz", "train/b/0.npz", "test/a/0.npz", "other/0.npz"], ["other:", "beside train/"]),
    (["train/a/0.npz", "train/b/0.npz", "test/a/0.npz", "0.npz"], ["0.npz:", "beside train/"]),
    (["train/a/0.npz", "train/b/0.npz", "test/c/0.npz"], ["test/c:", "train/ has no such class, but a, b"]),
    (["train/a/0.npz", "train/b/0.npz", "test/0.npz"], ["test:", "train/ holds the classes' folders"]),
    (["train/0.npz", "test/a/0.npz"], ["test:", "train/ holds files with labels"]),
    (["a/0.npz", "b/0.npz", "c.npz"], ["c.npz:", "a recording beside folders of classes"]),
    (["a/0.npz", "b/0.npz", "b/notes.txt"], ["b/notes.txt:", "of no known format, npz, npy, "]),
    (["a/0.npz", "b/0.npz", "b/0"], ["b/0:", "of no known format"]),
    (["0.npz", "README.md"], ["README.md:", "of no known format"]),
    (["a/0.npz", "b\nb/0.npz"], ["the class 'b\\nb' cannot be printed"]),
    ([f"{number}/0.npz" for number in range(CLASSES_MAX + 1)], ["65 classes, the limits are 2 to 64"]),
])
def test_layouts_that_are_none(tmp_path, layout, words):
    content = put(tmp_path/"some.npz", label=1).read_bytes()
    for name in layout:
        (tmp_path/"own"/name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path/"own"/name).write_bytes(content if name.endswith(".npz") else b"Of 2, 3 or 4 people.\n")
    refuse(tmp_path/"own", tmp_path/"own", *words)


@pytest.mark.parametrize("changes, words", [
    ({"events": np.zeros(0, EVENT)}, ["the recording is empty"]),
    ({"size": None}, ["does not tell its sensor's size", "give --sensor-size W H"]),
    ({"size": (34, 34)}, ["34x34 pixels", "0.npz with 48x20"]),
    ({"x": 48}, ["x of event 0 is 48, the limits are 0 to 47"]),
    ({"context": np.array([[0, 0]])}, ["a context of its own"]),
])
def test_recordings_that_do_not_fit(tmp_path, cache, changes, words):
    put(tmp_path/"a"/"0.npz")
    refuse(tmp_path, put(tmp_path/"b"/"1.npz", **changes), *words)
    assert not os.listdir(cache)


@pytest.mark.parametrize("labels, words", [
    ({"label": -1}, ["no label", "a folder with the name of its class"]),
    ({}, ["no label"]),
    ({"label": -2}, ["label -2, the limits are 0 to 63"]),
    ({"label": 64}, ["label 64, the limits are 0 to 63"]),
])
def test_labels_that_are_none(tmp_path, labels, words):
    put(tmp_path/"0.npz", label=1)
    refuse(tmp_path, put(tmp_path/"1.npz", **labels), *words)


def test_one_class_of_labels(tmp_path):
    refuse(put_many(tmp_path/"own.npz", [0, 0]), "own.npz: 1 classes, the limits are 2 to 64")


def test_formats_that_do_not_say_the_size(tmp_path):
    put(tmp_path/"a"/"0.npz")
    (tmp_path/"b").mkdir()
    np.save(tmp_path/"b"/"1.npy", np.array([(0, 0, 1, 0)], EVENT))
    refuse(tmp_path, tmp_path/"b"/"1.npy", "does not tell its sensor's size: give --sensor-size W H")
    eventset = load("files", tmp_path, "train", reading=Reading(sensor_size=SIZE))
    assert len(eventset) == 2 and eventset.sensor_size == SIZE
    # What is kept for one answer is not taken for another's.
    refuse(tmp_path, tmp_path/"b"/"1.npy", "does not tell its sensor's size")


def test_files_that_cannot_be_read(tmp_path):
    put(tmp_path/"a"/"0.npz")
    bad = tmp_path/"b"/"1.npz"
    bad.parent.mkdir()
    bad.write_bytes(b"nothing")
    refuse(tmp_path, bad, "of no known format")
    bad.write_bytes(b"PK\3\4nothing")
    refuse(tmp_path, bad, "not a readable .npz file")
    bad.unlink()
    bad.symlink_to(tmp_path/"gone.npz")
    refuse(tmp_path, bad, "No such file")
    bad.unlink()
    os.mkfifo(bad)
    refuse(tmp_path, bad, "not a regular file")

# Settings -----------------------------------------------------------------------------------------

def test_encoder_is_of_the_sensor():
    assert default_encoder_for(SIZE) == Encoder(sensor_size=SIZE)
    assert default_encoder_for((8, 200)).grid == (8, 16)
    for size, encoder in ENCODERS.items():
        assert Settings(dataset="files").encoder_for(size) == encoder
    settings = Settings(dataset="files", grid_width=24, polarities=1, bin_us=700)
    assert settings.encoder_for(SIZE) == Encoder(SIZE, (24, 16), 1, 700)
    assert Settings(dataset="shd", grid_width=700).encoder_for((700, 1)).inputs == 700
    with pytest.raises(QCLIFError, match="a grid of 346x260 pixels of 2 polarities has 179920 inputs, the limits are 1 "
            "to 4096: choose another --grid-width"):
        Settings(dataset="files", grid_width=346, grid_height=260).encoder_for((346, 260))


def test_shift_is_a_cell_of_the_grid():
    settings = Settings(dataset="files", grid_width=12)
    assert settings.augmentation_for(settings.encoder_for(SIZE)) == Augmentation(shift=4, drop=settings.drop)
    assert Settings(dataset="files", shift=0).augmentation_for(Encoder(SIZE)).shift == 0


@pytest.mark.parametrize("options, text", [({"polarities": 3}, "polarities is 3"), ({"grid_width": -1}, "grid_width"),
    ({"grid_height": 40_000}, "grid is 40000"), ({"mirror": True}, "--mirror with files")])
def test_settings_refused(options, text):
    with pytest.raises(QCLIFError, match=text):
        Settings(dataset="files", **options)


def test_ids_of_runs():
    """Of the recordings, too; and not of settings at their defaults, which later versions may have more of."""
    one, other = (next(runs(SWEEPS["folds"], Settings(dataset="files"), 1, False, which)) for which in ("a", "b"))
    assert one.key != other.key and one == dataclasses.replace(other, recordings="a")
    assert Run(Settings(neurons=7), 2, 5).key == '[2, 5, {"neurons": 7}, ""]'

# Commands -----------------------------------------------------------------------------------------

def put_sides(folder, count=8, seed=0, names=("left", "right")):
    """Short recordings on one side of the sensor or the other."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        for side, name in enumerate(names):
            events = np.zeros(200, EVENT)
            events["x"] = rng.integers(24*side, 24*side + 24, 200)
            events["y"] = rng.integers(0, 20, 200)
            events["t"] = np.sort(rng.integers(0, 50_000, 200))
            put(folder/name/f"{number}.npz", events=events)
    return folder


def refused(capsys, command, options, words):
    assert command([str(each) for each in options]) == EXIT_ERROR
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_training_and_evaluation(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("host.training.results.save", lambda figure, path: None)
    data, net = tmp_path/"own", tmp_path/"net.npz"
    put_sides(data/"train")
    put_sides(data/"test", 3, 1)
    assert train(["--dataset", "files", "--data", str(data), "--epochs", "8", "--neurons", "10", "--learning-rate",
        "0.05", "--count-threshold", "1", "--out", str(net), "--json", str(tmp_path/"net.json")]) == 0
    network = Network.load(net)
    figures = json.loads((tmp_path/"net.json").read_text())
    assert network.classes == ["left", "right"]
    assert network.encoder == Encoder(SIZE, count_threshold=1) and network.encoder.to_dict() == figures["encoder"]
    assert figures["samples"] == 14 and figures["test"]["answers"] == 6 and figures["test"]["accuracy"] == 1

    options = ["--network", str(net), "--output-dir", str(tmp_path), "--dataset", "files", "--data"]
    capsys.readouterr()
    assert evaluate([*options, str(data), "--json", "-"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert evaluated["accuracy"] == 1 and evaluated["confusion"] == [[3, 0], [0, 3]]
    refused(capsys, evaluate, [*options, data/"train"], "no test split")
    refused(capsys, evaluate, [*options, put_sides(tmp_path/"names", 1, names=("back", "right")), "--split", "train"],
        "a class left where files train has back")
    for side in ("left", "right"):
        put(tmp_path/"small"/side/"0.npz", size=(32, 20))
    refused(capsys, evaluate, [*options, tmp_path/"small", "--split", "train"], "files is recorded with 32x20 pixels")


def test_splits_of_two_sensors(tmp_path, capsys):
    for name, size in (("train/a", SIZE), ("train/b", SIZE), ("test/a", (34, 34))):
        put(tmp_path/name/"0.npz", size=size)
    refused(capsys, train, ["--dataset", "files", "--data", tmp_path],
        "files test: recorded with 34x34 pixels, files train with 48x20")


def test_without_a_test_split(tmp_path, monkeypatch):
    """The defaults of what is not named; a part is held out."""
    monkeypatch.setattr("host.training.results.save", lambda figure, path: None)
    data, net = put_sides(tmp_path/"own", 5), tmp_path/"net.npz"
    assert train(["--dataset", "files", "--data", str(data), "--epochs", "2", "--neurons", "10", "--out", str(net),
        "--json", str(tmp_path/"net.json")]) == 0
    figures = json.loads((tmp_path/"net.json").read_text())
    assert figures["samples"] == 9 and "test" not in figures and figures["best"]["val_accuracy"] in (0, 1)
    assert Network.load(net).encoder == Encoder(SIZE)
    assert evaluate(["--network", str(net), "--dataset", "files", "--data", str(data), "--split", "train",
        "--output-dir", str(tmp_path), "--json", str(tmp_path/"figures.json")]) == 0
    assert np.sum(json.loads((tmp_path/"figures.json").read_text())["confusion"], axis=1).tolist() == [5, 5]


def test_figures_of_the_encoder(tmp_path, capsys):
    assert show(["--dataset", "files", "--data", str(put_sides(tmp_path/"own", 1)), "--grid", "6", "5", "--json",
        "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["recordings"] == 2 and figures["inputs"] == 60 and figures["classes"] == {"left": 1, "right": 1}
    assert figures["encoder"]["sensor_size"] == list(SIZE)
