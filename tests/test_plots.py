#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Plots show what they are given: marks, lines, bars, counts and frames against the arrays they come from."""

import dataclasses
import json
import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from accel.config import QCLIFConfig
from host import synthetic
from host.encoder import Encoder, poisson_context
from host.errors import QCLIFError
from host.events import EVENT
from host.golden import GoldenModel
from host.plot import main
from host.plots.confusion import confusion_counts, confusion_matrix
from host.plots.curves import best_epoch, training_curves
from host.plots.frames import LEVELS, OFF_COLOUR, ON_COLOUR, PALETTE, contact_sheet, frame, frame_count, save_gif
from host.plots.lines import lines, summarise
from host.plots.ordering import by_class, by_number, by_rate
from host.plots.rasters import input_raster, spike_raster
from host.plots.states import NEURONS_MAX, state_traces
from host.plots.style import DPI, new_figure, save
from host.random_network import random_network
from host.result import Result
from host.steps import Steps
from tests.test_commands import ROOT, assert_one_line
from tests.test_commands import run as run_command

CONTEXTS = 3
NEURONS  = 20
CLASSES  = ("clap $1", "wave", "turn")


def save_recordings(path, samples):
    """One .npz of many recordings."""
    np.savez(path, events=np.concatenate([each.events for each in samples]), sensor_size=(128, 128),
        offsets=np.cumsum([0] + [len(each.events) for each in samples]), labels=[each.label for each in samples])


class Run:
    """Three short recordings, a network, and what the golden model makes of them, in files, too."""

    def __init__(self, folder):
        encoder = Encoder()
        self.samples  = list(synthetic.recordings(len(CLASSES), duration_us=200_000))
        self.inputs   = [encoder.encode(each.events, poisson_context(40, each.label, contexts=CONTEXTS), CONTEXTS)
            for each in self.samples]
        self.labels   = np.array([each.label for each in self.samples])
        self.network  = random_network(QCLIFConfig(neurons=NEURONS, contexts=CONTEXTS), encoder, self.inputs, rate=0.1,
            classes=CLASSES)
        self.results  = GoldenModel(self.network).run(self.inputs, states=True)
        self.file     = Result.collect(self.inputs, [each.spikes for each in self.results],
            [each.logits for each in self.results], self.labels)
        self.path, self.net, self.events = folder/"run.npz", folder/"net.npz", folder/"events.npz"
        self.file.save(self.path)
        self.network.save(self.net)
        save_recordings(self.events, self.samples)
        self.counts = np.array([each.spikes.dense(NEURONS).sum(axis=0) for each in self.results])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run(tmp_path_factory.mktemp("run"))
    assert all(len(each.spikes.sources) > 20 for each in made.results)
    return made


def marks(axes):
    return axes.lines[0].get_xydata().tolist()


def bars(axes):
    return [patch.get_data().values.tolist() for patch in axes.patches]


# Rasters ------------------------------------------------------------------------------------------

def test_input_raster(run):
    steps  = run.inputs[1]
    i      = run.network.inputs
    figure = input_raster(steps, i, CONTEXTS, bin_us=5000)
    sensory, context, rate = figure.axes
    times, sources = steps.indices()*5.0, steps.sources
    assert marks(sensory) == np.stack([times, sources], axis=1)[sources < i].tolist()
    assert marks(context) == np.stack([times, sources - i], axis=1)[sources >= i].tolist()
    dense = steps.dense(i + CONTEXTS)
    assert bars(rate) == [dense[:, :i].sum(axis=1).tolist(), dense[:, i:].sum(axis=1).tolist()]
    assert sensory.get_ylim() == (i - 0.5, -0.5) and sensory.get_xlim() == (-2.5, len(steps)*5 - 2.5)
    assert sensory.lines[0].get_color() != context.lines[0].get_color()
    assert rate.get_xlabel() == "time (ms)"


def test_input_raster_without_a_network(run):
    steps = run.inputs[1]
    raster, rate = input_raster(steps).axes
    assert marks(raster) == np.stack([steps.indices(), steps.sources], axis=1).tolist()
    assert rate.get_xlabel() == "time step"


@pytest.mark.parametrize("order", [by_number, by_rate, by_class])
def test_spike_raster(run, order):
    arguments = {by_number: [NEURONS], by_rate: [run.counts], by_class: [run.counts, run.labels, CLASSES]}[order]
    spikes = run.results[2].spikes
    chosen = order(*arguments)
    raster, rate = spike_raster(spikes, chosen, bin_us=5000).axes
    assert sorted(chosen.rows.tolist()) == list(range(NEURONS))
    assert marks(raster) == np.stack([spikes.indices()*5.0, chosen.rows[spikes.sources]], axis=1).tolist()
    assert bars(rate) == [spikes.dense(NEURONS).sum(axis=1).tolist()]


def test_rasters_of_nothing(tmp_path):
    for figure in (input_raster(Steps.from_lists([[]]), 4, 2), spike_raster(Steps.from_lists([[], []]), by_number(3))):
        assert marks(figure.axes[0]) == []
        save(figure, tmp_path/"none.png")


def test_orders():
    #                   neuron  0  1  2  3  4     sample of class
    counts = np.array([[        9, 0, 2, 1, 0],   # 0
                       [        0, 0, 9, 1, 0],   # 2
                       [        0, 0, 0, 9, 0],   # 2
                       [        0, 7, 0, 0, 0]])  # unknown
    assert by_rate(counts).rows.tolist() == [2, 3, 0, 1, 4]
    rows, _, groups = by_class(counts, np.array([0, 2, 2, -1]), ["a"])
    # Averages over the two samples of class 2 are 4.5 and 5.
    assert rows.tolist() == [0, 3, 2, 1, 4]
    assert groups == [("a", 0, 1), ("2", 1, 3), ("silent", 3, 5)]
    with pytest.raises(QCLIFError, match="no sample has a label"):
        by_class(counts, np.full(4, -1))


def test_groups_are_named_beside_the_raster():
    order  = by_class(np.eye(2, dtype=int), np.array([0, 1]), ["a", "b"])
    raster = spike_raster(Steps.from_lists([[0, 1]]), order).axes[0]
    assert [text.get_text() for text in raster.child_axes[0].get_yticklabels()] == ["a", "b"]


# States -------------------------------------------------------------------------------------------

def test_state_traces(run):
    golden  = run.results[0]
    neurons = [7, 0, 19]
    figure  = state_traces(golden.v_a, golden.v_s, golden.spikes, run.network.threshold, run.network.state_max, neurons,
        bin_us=5000)
    assert len(figure.axes) == 2*len(neurons)
    for apical, soma, neuron in zip(figure.axes[::2], figure.axes[1::2], neurons, strict=True):
        times = np.arange(len(golden.spikes))*5.0
        assert apical.lines[0].get_xydata().tolist() == np.stack([times, golden.v_a[:, neuron]], axis=1).tolist()
        v_s, threshold, spikes = soma.lines
        assert v_s.get_xydata().tolist() == np.stack([times, golden.v_s[:, neuron]], axis=1).tolist()
        assert set(threshold.get_ydata()) == {run.network.threshold[neuron]}
        assert spikes.get_xdata().tolist() == times[golden.spikes.dense(NEURONS)[:, neuron] > 0].tolist()
        assert soma.get_ylim()[1] > run.network.threshold[neuron]


@pytest.mark.parametrize("neurons, words", [([NEURONS], "neuron 20, the network has 0 to 19"), ([-1], "neuron -1"),
    ([], "0 neurons"), ([0]*(NEURONS_MAX + 1), "17 neurons in one figure, the limits are 1 to 16")])
def test_neurons_that_cannot_be_drawn(run, neurons, words):
    golden = run.results[0]
    with pytest.raises(QCLIFError, match=words):
        state_traces(golden.v_a, golden.v_s, golden.spikes, run.network.threshold, run.network.state_max, neurons)


# Event frames -------------------------------------------------------------------------------------

# Pixel (2, 1) gets ON, ON, OFF in the first 10 ms; nothing comes in the second; (0, 0) OFF at the third's last us.
EVENTS = np.array([(2, 1, 1, 500), (2, 1, 1, 600), (2, 1, 0, 10_499), (0, 0, 0, 30_499)], EVENT)
SIZE   = (4, 3)


def test_frames_count_events():
    assert frame_count(EVENTS, SIZE, 10_000) == 3 and frame_count(EVENTS, SIZE, 9_999) == 4
    first, second, third = (frame(EVENTS, index, SIZE, 10_000) for index in range(3))
    expected = np.zeros((3, 4), int)
    expected[1, 2] = 2*(LEVELS + 1) + 1
    assert first.tolist() == expected.tolist() and not second.any()
    assert third.tolist() == [[1, 0, 0, 0], [0]*4, [0]*4]


def test_every_event_is_in_one_frame(run):
    events = run.samples[0].events
    shown  = sum(np.array(divmod(frame(events, index, (128, 128), 1000).astype(int), LEVELS + 1))
        for index in range(frame_count(events, (128, 128), 1000)))
    for p in (0, 1):
        chosen = events[events["p"] == p]
        counts = np.bincount(chosen["y"].astype(int)*128 + chosen["x"], minlength=128**2).reshape(128, 128)
        # Hot pixels reach the last level; all others are exact.
        few = counts <= LEVELS
        assert (shown[1 - p][few] == counts[few]).all() and few.sum() > 128**2//2


def test_colours():
    assert PALETTE[0].tolist() == [255, 255, 255]
    for entry, ink in ((LEVELS, OFF_COLOUR), (LEVELS*(LEVELS + 1), ON_COLOUR)):
        assert np.abs(PALETTE[entry].astype(int) - ink).max() <= 2
    assert len(PALETTE) == (LEVELS + 1)**2


def test_contact_sheet():
    sheet  = contact_sheet(EVENTS, SIZE, 10_000, count=2)
    shown  = [axes for axes in sheet.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in shown] == ["0 ms", "20 ms"]
    for axes, index in zip(shown, (0, 2), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), PALETTE[frame(EVENTS, index, SIZE, 10_000)])
    assert len([axes for axes in contact_sheet(EVENTS, SIZE, 10_000, count=12).axes if axes.images]) == 3


def gif_frames(path):
    """Milliseconds and RGB pixels of each frame."""
    with Image.open(path) as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            yield gif.info["duration"], np.asarray(gif.convert("RGB"))


@pytest.mark.parametrize("window_us, slow, durations", [
    (40_000, 1, [40]*5), (25_000, 1, [20, 30, 30, 20, 20, 30, 30, 20]), (50_000, 2.5, [120, 130, 130, 120])])
def test_gif(run, tmp_path, window_us, slow, durations):
    events, size = run.samples[0].events, (128, 128)
    save_gif(tmp_path/"a.gif", events, size, window_us, slow)
    found = list(gif_frames(tmp_path/"a.gif"))
    assert [duration for duration, _ in found] == durations
    for index, (_, pixels) in enumerate(found):
        expected = PALETTE[frame(events, index, size, window_us)]
        np.testing.assert_array_equal(pixels, expected.repeat(3, axis=0).repeat(3, axis=1))


def test_gif_of_still_frames_keeps_its_time(tmp_path):
    events = np.array([(2, 1, 1, 0), (2, 1, 1, 95_000)], EVENT)
    save_gif(tmp_path/"a.gif", events, SIZE, 20_000)
    assert sum(duration for duration, _ in gif_frames(tmp_path/"a.gif")) == 100


@pytest.mark.parametrize("events, size, window_us, slow, words", [
    (EVENTS, SIZE, 10_000, 1, "10 ms a frame, viewers need 20 at least"),
    (EVENTS, SIZE, 10_000, float("nan"), "nan ms a frame"),
    (EVENTS, SIZE, 10_000, float("inf"), "the limits are 2000 frames and 655 s"),
    (EVENTS, SIZE, 10, 2000, "3000 frames of 20 ms, the limits are 2000 frames"),
    (EVENTS, SIZE, 0, 1, "a window of 0 us, the limits are 1 to"),
    (EVENTS, SIZE, 2**31, 1, "a window of 2147483648 us"),
    (EVENTS, (10**5, 10**5), 10_000, 2, "a sensor of 100000x100000 pixels, the limit is 4194304")])
def test_gif_that_cannot_be(tmp_path, events, size, window_us, slow, words):
    with pytest.raises(QCLIFError, match=words):
        save_gif(tmp_path/"a.gif", events, size, window_us, slow)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("count", [0, 49])
def test_sheet_that_cannot_be(count):
    with pytest.raises(QCLIFError, match=f"{count} frames in a sheet, the limits are 1 to 48"):
        contact_sheet(EVENTS, SIZE, 10_000, count)


# Confusion matrix ---------------------------------------------------------------------------------

LABELS      = np.array([0, 0, 0, 1, 2, 1, -1, 1])
PREDICTIONS = np.array([0, 0, 2, 1, 0, 2, 1, -1])


def test_confusion_counts():
    assert confusion_counts(LABELS, PREDICTIONS, 3).tolist() == [[2, 0, 1], [0, 1, 1], [1, 0, 0]]


def test_confusion_matrix():
    axes, = confusion_matrix(LABELS, PREDICTIONS, ["a", "b"], "run").axes
    texts = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    # (column, row).
    assert texts == {(0, 0): "2\n67 %", (2, 0): "1\n33 %", (1, 1): "1\n50 %", (2, 1): "1\n50 %", (0, 2): "1\n100 %"}
    assert axes.get_title(loc="left") == "run, accuracy 50.0 % of 6 samples"
    assert [[text.get_text() for text in labels] for labels in (axes.get_xticklabels(), axes.get_yticklabels())] == [
        ["a", "b", "2"]]*2


@pytest.mark.parametrize("labels, words", [([-1, -1], "nothing to compare"), ([0, 64], "65 classes, the limit is 64")])
def test_confusion_that_cannot_be(labels, words):
    with pytest.raises(QCLIFError, match=words):
        confusion_matrix(np.array(labels), np.array([0, 1]))


# Training curves ----------------------------------------------------------------------------------

EPOCHS = [{"epoch": 1, "train_loss": 2.0, "val_loss": 2.1, "train_accuracy": 0.3, "val_accuracy": 0.5, "rate": 0.2},
    {"epoch": 2, "train_loss": 1.0, "val_loss": 1.5, "train_accuracy": 0.6, "val_accuracy": 0.7, "rate": 0.1},
    {"epoch": 3, "train_loss": 0.5, "val_loss": 1.4, "train_accuracy": 0.9, "val_accuracy": 0.7, "rate": None}]


def test_training_curves():
    figure = training_curves(EPOCHS, "net")
    loss, accuracy, rate = figure.axes
    for axes, keys in ((loss, ("train_loss", "val_loss")), (accuracy, ("train_accuracy", "val_accuracy"))):
        for line, key in zip(axes.lines, keys, strict=False):
            assert line.get_xydata().tolist() == [[row["epoch"], row[key]] for row in EPOCHS]
        assert list(axes.lines[2].get_xdata()) == [2, 2]
    assert rate.lines[0].get_ydata()[:2].tolist() == [0.2, 0.1] and np.isnan(rate.lines[0].get_ydata()[2])
    assert figure.get_suptitle() == "net, best epoch 2 (dotted)"


def test_panels_follow_the_rows():
    assert len(training_curves([row | {"learning_rate": 0.001} for row in EPOCHS]).axes) == 4
    axes, = training_curves([{"epoch": 1, "train_loss": 3.0}]).axes
    assert marks(axes) == [[1, 3]] and len(axes.lines) == 1


def test_best_epoch():
    assert best_epoch(EPOCHS)["epoch"] == 2
    assert best_epoch([row | {"val_accuracy": None} for row in EPOCHS])["epoch"] == 3
    assert best_epoch([{"epoch": 1, "train_loss": 1.0}]) is None


@pytest.mark.parametrize("rows, words", [([], "no rows"), ([{"train_loss": 1}], "one row an epoch"),
    ([{"epoch": 1, "rate": None}], "nothing to draw")])
def test_rows_that_are_no_training(rows, words):
    with pytest.raises(QCLIFError, match=words):
        training_curves(rows)


# Lines with bars ----------------------------------------------------------------------------------

SWEEP = [{"bits": bits, "states": states, "accuracy": accuracy} for bits, states, accuracy in (
    (8, 6, 0.9), (4, 6, 0.5), (4, 6, 0.7), (4, 6, 0.9), (4, 8, 0.8))]


def test_summary_over_runs():
    six, eight = summarise(SWEEP, "bits", "accuracy", "states")
    assert (six.group, eight.group) == (6, 8)
    assert six.x.tolist() == [4, 8] and six.runs.tolist() == [3, 1] and eight.runs.tolist() == [1]
    np.testing.assert_allclose([six.mean, six.low, six.high], [[0.7, 0.9], [0.5, 0.9], [0.9, 0.9]])
    std = summarise(SWEEP, "bits", "accuracy", "states", "std")[0]
    np.testing.assert_allclose([std.low, std.high], [[0.5, 0.9], [0.9, 0.9]])
    together, = summarise(SWEEP, "bits", "accuracy")
    assert together.runs.tolist() == [4, 1]


def test_lines_and_bars():
    figure = lines(SWEEP, "bits", "accuracy", "states", percent=True, group_name="{} state bits", log2=True,
        references=[(0.73, "paper")])
    axes, = figure.axes
    six, eight = axes.containers
    np.testing.assert_allclose(six.lines[0].get_xydata(), [[4, 0.7], [8, 0.9]])
    ends = [segment.tolist() for segment in six.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[[4, 0.5], [4, 0.9]], [[8, 0.9], [8, 0.9]]])
    np.testing.assert_allclose(eight.lines[0].get_xydata(), [[4, 0.8]])
    legend, = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["6 state bits (n = 1 to 3)", "8 state bits (n = 1)"]
    assert legend.get_title().get_text() == "bars: least and greatest"
    assert axes.get_xscale() == "log" and [text.get_text() for text in axes.get_xticklabels()] == ["4", "8"]
    assert axes.yaxis.get_major_formatter()(0.15, 0) == "15 %"
    assert axes.texts[0].get_text() == "paper" and axes.texts[0].xy[1] == 0.73


@pytest.mark.parametrize("rows, words", [([], "no rows"), ([{"bits": 4}], "row 0 has no accuracy, it has bits"),
    ([*SWEEP, {"bits": 4, "states": 8, "accuracy": None}], "row 5 has None as accuracy"),
    ([{"bits": 4, "states": 8, "accuracy": float("nan")}], "row 0 has nan as accuracy"),
    ([{"bits": "4", "states": 8, "accuracy": 1}], "row 0 has '4' as bits")])
def test_rows_that_cannot_be_drawn(rows, words):
    with pytest.raises(QCLIFError, match=words):
        lines(rows, "bits", "accuracy", "states")


# Files and style ----------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_equal_figures_give_equal_files(tmp_path, suffix):
    for name in ("a", "b"):
        save(confusion_matrix(LABELS, PREDICTIONS, ["$broken", r"a$\frac$"], "costs $5"), tmp_path/(name + suffix))
    assert (tmp_path/f"a{suffix}").read_bytes() == (tmp_path/f"b{suffix}").read_bytes()
    assert sorted(os.listdir(tmp_path)) == [f"a{suffix}", f"b{suffix}"]


def test_png_size(tmp_path):
    save(new_figure(2.5), tmp_path/"a.png")
    with Image.open(tmp_path/"a.png") as image:
        assert image.size == (900, 2.5*DPI)


@pytest.mark.parametrize("name, words", [("a.jpg", "a.jpg: type .jpg is not known: plots are written as .png"),
    ("a", "type without suffix"), ("none/a.png", "No such file or directory"), ("file/a.png", "Not a directory"),
    ("folder.png", "Is a directory")])
def test_files_that_cannot_be(tmp_path, name, words):
    (tmp_path/"file").touch()
    (tmp_path/"folder.png").mkdir()
    with pytest.raises(QCLIFError, match=words):
        save(new_figure(1), tmp_path/name)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.png"]


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path/"a.png").write_text("old")

    def stop(self, file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", stop)
    with pytest.raises(QCLIFError, match=r"a.png: cannot be written \(No space left on device\)"):
        save(new_figure(1), tmp_path/"a.png")
    assert (tmp_path/"a.png").read_text() == "old" and os.listdir(tmp_path) == ["a.png"]


def test_settings_of_the_caller_stay(tmp_path):
    before = dict(matplotlib.rcParams)
    save(training_curves(EPOCHS), tmp_path/"a.png")
    assert dict(matplotlib.rcParams) == before


def test_import_chooses_no_backend_and_needs_no_torch():
    program = ("import sys; import host.plot, host.plots.curves, host.plots.lines; "
        "sys.exit(bool({'matplotlib.pyplot', 'torch', 'tonic'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


# Command ------------------------------------------------------------------------------------------

PLOT = [sys.executable, "-m", "host.plot"]


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
    Result.collect(run.inputs[:1], [run.results[0].spikes], [run.results[0].logits], [-1]).save(tmp_path/"run.npz")
    done = plot(capsys, tmp_path/"run.npz", "--output-dir", tmp_path)
    assert [os.path.basename(file) for file in done.stdout.split()] == ["run_inputs_0.png", "run_spikes_0.png"]


def test_real_recording(run, tmp_path, capsys, qclif_data):
    done = plot(capsys, run.path, "--sample", 1, "--events", qclif_data/"nmnist"/"train1000.npz", "--output-dir",
        tmp_path, "--gif")
    assert done.returncode == 0
    # 34 pixels, enlarged.
    with Image.open(tmp_path/"run_frames_1.gif") as gif:
        assert gif.size == (374, 374) and gif.n_frames == 8


@pytest.mark.parametrize("options, words", [
    (["--sample", 3], ["--sample 3", "0 to 2"]),
    (["--sample", -1], ["--sample -1", "0 to 2"]),
    (["--neurons", 3], ["--neurons", "--network"]),
    (["--gif"], ["--gif", "--events"]),
    (["--bin-us", 2**31], ["bin_us is 2147483648"]),
    (["--json", "none/files.json"], ["none/files.json"]),
    (["--network", "none.npz"], ["none.npz"]),
    (["--events", "none.npz"], ["none.npz"]),
    (["--dataset", "synthetic", "--window-ms", 10**400], ["window"]),
    (["--dataset", "synthetic", "--frames", 49], ["49", "48"]),
    (["--dataset", "synthetic", "--gif", "--window-ms", 5], ["5 ms", "20"]),
    (["--output-dir", __file__], ["--output-dir", "test_plots.py"])])
def test_wrong_options(run, tmp_path, capsys, options, words):
    output = [] if "--output-dir" in options else ["--output-dir", tmp_path]
    assert_one_line(plot(capsys, run.path, *output, *options), *words)
    assert not os.listdir(tmp_path)


def test_wrong_neurons(run, tmp_path, capsys):
    for neuron in (NEURONS, -1):
        assert_one_line(plot(capsys, run.path, "--network", run.net, "--neurons", neuron, "--output-dir", tmp_path),
            f"neuron {neuron}", "0 to 19")


def test_recordings_are_too_few(run, tmp_path, capsys):
    save_recordings(tmp_path/"two.npz", run.samples[:2])
    assert_one_line(plot(capsys, run.path, "--sample", 2, "--events", tmp_path/"two.npz"), "--sample 2", "2 recordings")


@pytest.mark.parametrize("threshold, words", [(1, "is silent in the run and fires here"),
    (255, "fires in the run and is silent here")])
def test_another_network(run, tmp_path, capsys, threshold, words):
    other = dataclasses.replace(run.network, threshold=np.full(NEURONS, threshold))
    other.save(tmp_path/"other.npz")
    differs = np.argwhere(GoldenModel(other).run(run.inputs[:1])[0].spikes.dense(NEURONS)
        != run.results[0].spikes.dense(NEURONS))
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz", "--output-dir", tmp_path/"out"),
        f"other.npz: another network than the run's: at step {differs[0][0]} neuron {differs[0][1]} {words}")
    assert not (tmp_path/"out").exists()


def test_another_readout(run, tmp_path, capsys):
    other = dataclasses.replace(run.network, readout=run.network.readout + [0, 1, 0])
    other.save(tmp_path/"other.npz")
    logit = run.results[0].logits[1]
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz", "--output-dir", tmp_path/"out"),
        f"other.npz: another readout than the run's: logit 1 is {logit} in the run, {logit + run.counts[0].sum()} here")


@pytest.mark.parametrize("config, classes, words", [
    (QCLIFConfig(neurons=NEURONS - 15, contexts=CONTEXTS), CLASSES, ["neuron", "0 to 4"]),
    (QCLIFConfig(neurons=NEURONS, contexts=0), CLASSES, ["input", "0 to 511"]),
    (QCLIFConfig(neurons=NEURONS, contexts=CONTEXTS), CLASSES[:2], ["3 logits", "network 2"])])
def test_network_of_other_sizes(run, tmp_path, capsys, config, classes, words):
    random_network(config, Encoder(), [Steps.from_lists([[0]])], classes=classes).save(tmp_path/"other.npz")
    assert_one_line(plot(capsys, run.path, "--network", tmp_path/"other.npz"), "other.npz", *words)


def test_files_that_are_no_runs(run, tmp_path, capsys):
    Result.collect([], [], [], []).save(tmp_path/"empty.npz")
    Result.collect([Steps.from_lists([[]])], [Steps.from_lists([[]])], [[]], [0]).save(tmp_path/"silent.npz")
    (tmp_path/"text.npz").write_text("no run")
    for name, word in (("empty.npz", "no samples"), ("silent.npz", "neither inputs nor spikes"), ("text.npz", ".npz"),
            ("none.npz", "No such file")):
        assert_one_line(plot(capsys, tmp_path/name, "--output-dir", tmp_path/"out"), name, word)
    assert_one_line(plot(capsys, run.net, "--output-dir", tmp_path/"out"), "net.npz", "sample is missing")
    assert not (tmp_path/"out").exists()


def test_wrong_run_as_typed(tmp_path):
    assert_one_line(run_command(PLOT, tmp_path/"none.npz"), "none.npz")


def test_no_labels_to_sort_by(run, tmp_path, capsys):
    Result.collect(run.inputs[:1], [run.results[0].spikes], [run.results[0].logits], [-1]).save(tmp_path/"run.npz")
    assert_one_line(plot(capsys, tmp_path/"run.npz", "--sort", "class", "--output-dir", tmp_path), "label")
