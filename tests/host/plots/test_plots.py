# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Plots show what they are given: marks, lines, bars and counts against the arrays they come from."""

import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.events.spike_train import SpikeTrain
from host.plots.confusion import confusion_counts, confusion_matrix
from host.plots.curves import lines, summarise, training_curves
from host.plots.rasters import NEURONS_MAX, by_class, by_number, by_rate, input_raster, spike_raster, state_traces
from host.plots.runplots import RunPlots
from host.plots.style import DPI, new_figure, save
from tests.helpers.short_run import CLASSES, CONTEXTS, NEURONS, marks


def bars(axes):
    """Heights of each histogram in the axes."""
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
    arguments = {by_number: [run.counts], by_rate: [run.counts], by_class: [run.counts, run.labels, CLASSES]}[order]
    spikes = run.results[2].spikes
    chosen = order(*arguments)
    raster, rate = spike_raster(spikes, chosen, bin_us=5000).axes
    assert sorted(chosen.rows.tolist()) == list(range(NEURONS))
    assert marks(raster) == np.stack([spikes.indices()*5.0, chosen.rows[spikes.sources]], axis=1).tolist()
    assert bars(rate) == [spikes.dense(NEURONS).sum(axis=1).tolist()]


def test_rasters_of_nothing(tmp_path):
    for figure in (input_raster(SpikeTrain.from_lists([[]]), 4, 2),
            spike_raster(SpikeTrain.from_lists([[], []]), by_number(np.zeros((1, 3), int)))):
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
    raster = spike_raster(SpikeTrain.from_lists([[0, 1]]), order).axes[0]
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
    figure = training_curves(EPOCHS, "net", 2)
    loss, accuracy, rate = figure.axes
    for axes, keys in ((loss, ("train_loss", "val_loss")), (accuracy, ("train_accuracy", "val_accuracy"))):
        for line, key in zip(axes.lines, keys, strict=False):
            assert line.get_xydata().tolist() == [[row["epoch"], row[key]] for row in EPOCHS]
        assert list(axes.lines[2].get_xdata()) == [2, 2]
    assert marks(rate) == [[1, 0.2], [2, 0.1]]
    assert figure.get_suptitle() == "net, epoch 2 kept (dotted)"


def test_panels_follow_the_rows():
    assert len(training_curves([row | {"learning_rate": 0.001} for row in EPOCHS]).axes) == 4
    axes, = training_curves([{"epoch": 1, "train_loss": 3.0}]).axes
    assert marks(axes) == [[1, 3]] and len(axes.lines) == 1


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


def test_lines_and_bars():
    figure = lines(SWEEP, "bits", "accuracy", "states", group_name="{} state bits", log2=True)
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


def test_unknown_kinds(run):
    with pytest.raises(QCLIFError, match="order name: one of number, rate, class is needed"):
        RunPlots(run.file, 0).spikes("name")
    with pytest.raises(QCLIFError, match="run: states are computed by the network"):
        RunPlots(run.file, 0).states()


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
    program = ("import sys; import host.plot, host.plots.curves; "
        "sys.exit(bool({'matplotlib.pyplot', 'torch', 'tonic'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
