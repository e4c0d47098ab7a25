# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m host.plot: what it draws is the sample, network and recording that it names; wrong ones, one by one."""

import dataclasses
import json
import os
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from accel.config import QCLIFConfig
from host.events.encoder import Encoder, default_encoder_for
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from host.plot import main
from host.plots.frames import PALETTE, frame
from host.plots.rasters import by_rate
from host.runs.result import Result
from tests.helpers.commands import assert_one_line
from tests.helpers.commands import run as run_command
from tests.helpers.short_run import CLASSES, CONTEXTS, NEURONS, gif_frames, marks, save_recordings

PLOT = [sys.executable, "-m", "host.plot"]

# The file of the run's own recordings.
OWN = "OWN"


def plot(capsys, *options):
    """The command in this process, which spares its imports."""
    code = main([str(option) for option in options])
    out, err = capsys.readouterr()
    return subprocess.CompletedProcess(options, code, out, err)


def test_all_plots_of_a_run(run, tmp_path):
    done = run_command(PLOT, run.path, "--network", run.net, "--sample", 1, "--events", run.events, "--gif", "--sort",
        "class", "--output-dir", tmp_path/"new"/"plots", "--json", tmp_path/"files.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    files = done.stdout.splitlines()
    names = ["run_frames_1.gif", "run_frames_1.png", "run_inputs_1.png", "run_spikes_1.png", "run_states_1.png",
        "run_confusion.png"]
    assert files == [str(tmp_path/"new"/"plots"/name) for name in names]
    assert sorted(os.listdir(tmp_path/"new"/"plots")) == sorted(names)
    assert json.loads((tmp_path/"files.json").read_text()) == {"run": str(run.path), "sample": 1, "files": files}
    for file in files:
        with Image.open(file) as image:
            assert image.width == (384 if file.endswith(".gif") else 900)
    _, pixels = next(gif_frames(files[0]))
    np.testing.assert_array_equal(pixels[::3, ::3], PALETTE[frame(run.samples[1].events, 0, (128, 128), 40_000)])


def test_plots_of_a_run_alone(run, tmp_path, capsys):
    done = plot(capsys, run.path, "--output-dir", tmp_path, "--format", "svg", "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["files"] == done.stderr.splitlines() == [
        str(tmp_path/name) for name in ("run_inputs_0.svg", "run_spikes_0.svg", "run_confusion.svg")]


def saved(monkeypatch):
    """Figures that the command writes, by name."""
    figures = {}
    monkeypatch.setattr("host.plot.save", lambda figure, path: figures.update({path.name: figure}))
    return figures


def test_command_draws_the_sample_that_it_names(run, tmp_path, capsys, monkeypatch):
    figures = saved(monkeypatch)
    assert plot(capsys, run.path, "--network", run.net, "--sample", 2, "--sort", "rate", "--output-dir",
        tmp_path).returncode == 0
    golden  = run.results[2]
    spikes  = np.stack([golden.spikes.indices()*5.0, by_rate(run.counts).rows[golden.spikes.sources]], axis=1)
    assert marks(figures["run_spikes_2.png"].axes[0]) == spikes.tolist()
    # The four most active, and states of the golden model.
    active = np.argsort(-run.counts[2], kind="stable")[:4]
    states = figures["run_states_2.png"].axes
    for k, neuron in enumerate(active.tolist()):
        drawn = states[2*k + 1].lines[0].get_ydata()
        assert drawn.tolist() == golden.v_s[:len(drawn), neuron].tolist()
        assert states[2*k].get_title(loc="left") == f"neuron {neuron}"
    title = figures["run_inputs_2.png"].axes[0].get_title(loc="left")
    assert title == f"run.npz, sample 2: turn, classified as {CLASSES[golden.predicted]}"


def test_options_of_states_and_time(run, tmp_path, capsys, monkeypatch):
    figures = saved(monkeypatch)
    assert plot(capsys, run.path, "--network", run.net, "--neurons", 3, 17, 3, "--bin-us", 1000, "--output-dir",
        tmp_path).returncode == 0
    axes = figures["run_states_0.png"].axes
    assert [each.get_title(loc="left") for each in axes[::2]] == ["neuron 3", "neuron 17"]
    assert axes[0].lines[0].get_xdata()[:3].tolist() == [0, 1, 2]


def test_run_without_labels_has_no_confusion_matrix(run, tmp_path, capsys):
    unlabelled = dataclasses.replace(run.samples[0], label=-1)
    Result.collect([unlabelled], run.inputs[:1], [run.results[0].spikes], [run.results[0].logits]).save(
        tmp_path/"run.npz")
    done = plot(capsys, tmp_path/"run.npz", "--output-dir", tmp_path)
    assert [os.path.basename(file) for file in done.stdout.split()] == ["run_inputs_0.png", "run_spikes_0.png"]


def test_real_recording(tmp_path, capsys, qclif_data):
    file    = qclif_data/"nmnist"/"train1000.npz"
    samples = list(islice(read_files([file]), 2))
    inputs  = [default_encoder_for(each.size).encode(each.events) for each in samples]
    Result.collect(samples, inputs, inputs, [[], []]).save(tmp_path/"run.npz")
    done = plot(capsys, tmp_path/"run.npz", "--sample", 1, "--events", file, "--output-dir", tmp_path, "--gif")
    assert done.returncode == 0
    # 34 pixels, enlarged.
    with Image.open(tmp_path/"run_frames_1.gif") as gif:
        assert gif.size == (374, 374) and gif.n_frames == 8


def test_another_recording_than_the_run_s(run, tmp_path, capsys):
    others = [run.samples[1], run.samples[0], dataclasses.replace(run.samples[2], events=run.samples[2].events[:-1])]
    save_recordings(tmp_path/"others.npz", others)
    for number, other in enumerate(others):
        done = plot(capsys, run.path, "--sample", number, "--events", tmp_path/"others.npz", "--output-dir",
            tmp_path/"out")
        ours = run.samples[number]
        assert_one_line(done, f"sample {number} of the run is {ours.name} of {len(ours.events)} events", "others",
            f"of {len(other.events)}")
    # The whole second of a gesture is another recording than 200 ms of it.
    assert_one_line(plot(capsys, run.path, "--dataset", "synthetic", "--output-dir", tmp_path/"out"), "not the same")
    assert not (tmp_path/"out").exists()


@pytest.mark.parametrize("options, words", [
    (["--sample", 3], ["run.npz: sample 3", "0 to 2"]),
    (["--sample", -1], ["run.npz: sample -1", "0 to 2"]),
    (["--neurons", 3], ["--neurons", "--network"]),
    (["--gif"], ["--gif", "--events"]),
    (["--bin-us", 2**31], ["bin_us is 2147483648"]),
    (["--json", "none/files.json"], ["none/files.json"]),
    (["--network", "none.npz"], ["none.npz"]),
    (["--events", "none.npz"], ["none.npz"]),
    (["--events", OWN, "--window-ms", 10**400], ["window"]),
    (["--events", OWN, "--frames", 49], ["49", "48"]),
    (["--events", OWN, "--gif", "--window-ms", 5], ["5 ms", "20"]),
    (["--output-dir", __file__], ["--output-dir", "test_command.py"])])
def test_wrong_options(run, tmp_path, capsys, options, words):
    output = [] if "--output-dir" in options else ["--output-dir", tmp_path]
    options = [run.events if option == OWN else option for option in options]
    assert_one_line(plot(capsys, run.path, *output, *options), *words)
    assert not os.listdir(tmp_path)


def test_wrong_neurons(run, tmp_path, capsys):
    for neuron in (NEURONS, -1):
        assert_one_line(plot(capsys, run.path, "--network", run.net, "--neurons", neuron, "--output-dir", tmp_path),
            f"neuron {neuron}", "0 to 19")


def test_recordings_are_too_few(run, tmp_path, capsys):
    save_recordings(tmp_path/"two.npz", run.samples[:2])
    assert_one_line(plot(capsys, run.path, "--sample", 2, "--events", tmp_path/"two.npz"), "--sample 2", "2 recordings")


@pytest.mark.parametrize("threshold, words", [(1, "is silent in the run and fires in"),
    (255, "fires in the run and is silent in")])
def test_another_network(run, tmp_path, capsys, threshold, words):
    other = dataclasses.replace(run.network, threshold=np.full(NEURONS, threshold))
    other.save(tmp_path/"other.npz")
    differs = np.argwhere(GoldenModel(other).run(run.inputs[:1])[0].spikes.dense(NEURONS)
        != run.results[0].spikes.dense(NEURONS))
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz", "--output-dir", tmp_path/"out"),
        f"another network than the run's: at step {differs[0][0]} of sample 0 neuron {differs[0][1]} {words}")
    assert not (tmp_path/"out").exists()


def test_spikes_are_compared_with_how_often_they_come(run, tmp_path, capsys):
    twice = run.file.neuron.tolist().index(run.file.neuron[0])
    arrays = {name: np.insert(getattr(run.file, name), twice, getattr(run.file, name)[twice])
        for name in ("sample", "step", "neuron")}
    dataclasses.replace(run.file, **arrays).save(tmp_path/"run.npz")
    assert_one_line(plot(capsys, tmp_path/"run.npz", "--network", run.net, "--output-dir", tmp_path/"out"),
        f"at step {run.file.step[0]} of sample 0 neuron {run.file.neuron[0]} fires 2 times in the run and fires in")


def test_another_readout(run, tmp_path, capsys):
    other = dataclasses.replace(run.network, readout=run.network.readout + [0, 1, 0])
    other.save(tmp_path/"other.npz")
    logit = run.results[0].logits[1]
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz", "--output-dir", tmp_path/"out"),
        f"another readout than the run's: logit 1 of sample 0 is {logit} in the run and {logit + run.counts[0].sum()} ")


@pytest.mark.parametrize("config, classes, words", [
    (QCLIFConfig(neurons=NEURONS - 15, contexts=CONTEXTS), CLASSES, ["neuron", "0 to 4"]),
    (QCLIFConfig(neurons=NEURONS, contexts=0), CLASSES, ["input", "0 to 511"]),
    (QCLIFConfig(neurons=NEURONS, contexts=CONTEXTS), CLASSES[:2], ["3 logits", "network 2:"])])
def test_network_of_other_sizes(run, tmp_path, capsys, config, classes, words):
    random_network(config, Encoder(), [SpikeTrain.from_lists([[0]])], classes=classes).save(tmp_path/"other.npz")
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz"), "another network", *words)


def test_files_that_are_no_runs(run, tmp_path, capsys):
    Result.collect([], [], [], []).save(tmp_path/"empty.npz")
    Result.collect(run.samples[:1], [SpikeTrain.from_lists([[]])], [SpikeTrain.from_lists([[]])], [[]]).save(
        tmp_path/"silent.npz")
    (tmp_path/"text.npz").write_text("no run")
    for name, word in (("empty.npz", "no samples"), ("silent.npz", "neither inputs nor spikes"), ("text.npz", ".npz"),
            ("none.npz", "No such file")):
        assert_one_line(plot(capsys, tmp_path/name, "--output-dir", tmp_path/"out"), name, word)
    assert_one_line(plot(capsys, run.net, "--output-dir", tmp_path/"out"), "net.npz", "sample is missing")
    assert not (tmp_path/"out").exists()


def test_wrong_run_as_typed(tmp_path):
    assert_one_line(run_command(PLOT, tmp_path/"none.npz"), "none.npz")


def test_no_labels_to_sort_by(run, tmp_path, capsys):
    unlabelled = dataclasses.replace(run.samples[0], label=-1)
    Result.collect([unlabelled], run.inputs[:1], [run.results[0].spikes], [run.results[0].logits]).save(
        tmp_path/"run.npz")
    assert_one_line(plot(capsys, tmp_path/"run.npz", "--sort", "class", "--output-dir", tmp_path), "label")
