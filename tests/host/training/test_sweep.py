# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sweeps: the runs they are made of, rows that survive an interruption, tables and plots."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.sweep import main
from host.training import sweeps
from host.training.experiment import Data
from host.training.settings import Settings
from host.training.sweeps import FOLDS, SWEEPS, choose, read_rows, run_all, run_id, runs
from tests.helpers.commands import assert_one_line, call, run
from tests.helpers.trainings import save_digits

SWEEP = [sys.executable, "-m", "host.sweep"]
SMALL = ["--samples", "22", "--test-samples", "22", "--epochs", "1", "--max-steps", "20", "--neurons", "8"]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The recordings, made once."""
    os.environ["QCLIF_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["QCLIF_CACHE"]

# Runs ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", SWEEPS)
def test_runs_differ_and_are_fair(name):
    sweep = SWEEPS[name]
    todo  = list(runs(sweep, Settings(), 3, has_test=True))
    assert len({run_id(each) for each in todo}) == len(todo)
    assert len(todo) == len(sweep.changes)*(FOLDS if sweep.every_fold else 3)
    # Nothing but the changes, the seed and the fold tells two runs apart.
    for each in todo:
        differs = {key for key, value in each.settings.to_dict().items() if value != todo[0].settings.to_dict()[key]}
        assert differs <= {*sweep.columns, "seed"}
    # Each variation meets the same seeds and folds.
    where = {}
    for each in todo:
        where.setdefault(tuple(getattr(each.settings, column) for column in sweep.columns), []).append(
            (each.settings.seed, each.fold, each.folds))
    assert len(where) == len(sweep.changes) and len({tuple(places) for places in where.values()}) == 1


def test_without_a_test_split_seeds_are_scored_on_folds():
    todo = list(runs(SWEEPS["precision"], Settings(), 3, has_test=False))
    assert {(each.settings.seed, each.fold, each.folds) for each in todo} == {(0, 0, 5), (1, 1, 5), (2, 2, 5)}


def test_choices_are_made_among_what_a_run_trains_with():
    data  = Data(fold=1, folds=5)
    whole = Settings(samples=55, validation=0.0)
    train, _, test   = data.divide(whole)
    less, _, trial = dataclasses.replace(data, inner=True).divide(whole)
    # Recordings are told apart by their events.
    names = [{recordings.sample(number).events.tobytes() for number in range(len(recordings))}
        for recordings in (train, test, less, trial)]
    assert len(names[0]) == 44 and len(names[1]) == 11 and not names[0] & names[1]
    assert names[2] | names[3] == names[0] and not names[2] & names[3] and len(names[3]) == 9


def test_a_run_takes_what_did_best_in_its_trials():
    sweep = SWEEPS["nested"]
    todo  = list(runs(sweep, Settings(epochs=60), 3, has_test=True))
    best  = {(each.key, number): number == at % len(sweep.choices) for at, each in enumerate(todo)
        for number in range(len(sweep.choices))}

    def rows(tried):
        assert len(tried) == len(todo)*len(sweep.choices) and len({run_id(each) for each in tried}) == len(tried)
        assert all(each.inner and each.settings.epochs == 30 for each in tried)
        # Equally right: the lower loss decides.
        return [{"accuracy": 0.9, "loss": 0.5 if best[each.key, number] else 0.6} for each in todo
            for number in range(len(sweep.choices))]

    taken = choose(sweep, todo, rows)
    for at, (each, choice) in enumerate(zip(todo, taken, strict=True)):
        expected = dataclasses.replace(each.settings, **sweep.choices[at % len(sweep.choices)])
        assert choice == dataclasses.replace(each, settings=expected) and not choice.inner


def test_a_line_that_was_cut_is_left_out(tmp_path):
    path = tmp_path/"rows.jsonl"
    for end in (b'{"id": "b", "acc', b'{"id": "\xc3', b"[1, 2]"):
        path.write_bytes(b'{"id": "a"}\n' + end)
        assert read_rows(path) == [{"id": "a"}] and read_rows(tmp_path/"none.jsonl") == []


@pytest.mark.parametrize("line", ['{"id": "b", "acc', "", "[1, 2]", '{"accuracy": 1}', "\xff"])
def test_a_line_that_is_no_row_is_refused(tmp_path, line):
    path = tmp_path/"rows.jsonl"
    path.write_bytes(b'{"id": "a"}\n' + line.encode("latin1") + b'\n{"id": "c"}\n')
    with pytest.raises(QCLIFError, match=r"rows.jsonl: line 2 is no row"):
        read_rows(path)
    with pytest.raises(QCLIFError, match=r": Is a directory: choose another"):
        read_rows(tmp_path)


@pytest.fixture
def run_some(monkeypatch, tmp_path):
    """Runs some of a sweep without training; returns the rows."""
    monkeypatch.setattr(sweeps, "train_and_score", lambda each, data: {"id": run_id(each), "made": True})
    todo = list(runs(SWEEPS["neurons"], Settings(), 1, has_test=True))

    def run_these(first, count):
        return run_all(todo[first:first + count], Data(), tmp_path/"rows.jsonl", 1, lambda done, total: None)
    return run_these


@pytest.mark.parametrize("end, kept, words", [("", 3, ""), ('{"id": "b", "acc', 3, "its last row was cut"),
    ('{"id": "b"}', 4, ""), ('\n{"id": "b"}\n', 4, "")])
def test_rows_follow_whatever_the_file_ends_with(tmp_path, run_some, capfd, end, kept, words):
    path = tmp_path/"rows.jsonl"
    run_some(0, 1)
    path.write_text(path.read_text().removesuffix("\n" if end.startswith("\n") else "") + end)
    rows = run_some(1, 2)
    assert len(rows) == 2 and len(read_rows(path)) == kept and path.read_text().endswith("}\n")
    said = capfd.readouterr().err
    assert words in said and bool(words) == bool(said)
    # All of them are found again.
    before = path.read_text()
    assert run_some(1, 2) == rows and path.read_text() == before


def test_other_recordings_are_other_runs(tmp_path, capsys, monkeypatch):
    """Also of a data set, whose name was once taken for all of it."""
    monkeypatch.setitem(SWEEPS, "neurons", dataclasses.replace(SWEEPS["neurons"], changes=[{"neurons": 10}]))
    files = [save_digits(tmp_path/f"{seed}.npz", seed=seed) for seed in (1, 2)]
    sweep = ["neurons", "--dataset", "nmnist", *SMALL[4:], "--seeds", "1", "--jobs", "1", "--output-dir", str(tmp_path)]
    for count, file in zip((1, 2, 2), (*files, files[0]), strict=True):
        assert main([*sweep, "--data", str(file)]) == 0
        rows = read_rows(tmp_path/"neurons-nmnist.jsonl")
        assert len(rows) == count and len({row["recordings"] for row in rows}) == count

# Command ------------------------------------------------------------------------------------------

def test_rows_table_and_plot(tmp_path):
    sweep = ["neurons", *SMALL, "--seeds", 2, "--jobs", 1, "--output-dir", tmp_path]
    done  = call(main, *sweep, "--json", tmp_path/"all.json")
    assert done.returncode == 0, done.stderr
    rows  = json.loads((tmp_path/"all.json").read_text())["rows"]
    lines = read_rows(tmp_path/"neurons-synthetic.jsonl")
    assert len(rows) == len(lines) == 20 and {row["id"] for row in rows} == {row["id"] for row in lines}
    assert all(0 <= row["accuracy"] <= 1 and row["answers"] == 22 and row["clips"] == 1 for row in rows)
    assert {row["neurons"] for row in rows} == {10, 25, 50, 100, 200}
    assert "20 runs" in done.stdout and (tmp_path/"neurons-synthetic.png").stat().st_size > 10_000
    # All is there: nothing is run again.
    again = call(main, *sweep)
    assert again.returncode == 0 and again.stdout == done.stdout
    assert read_rows(tmp_path/"neurons-synthetic.jsonl") == lines


def test_nested_sweep(tmp_path, monkeypatch, capsys):
    small = dataclasses.replace(SWEEPS["nested"], changes=[{"neuron": "qclif"}], choices=[{"learning_rate": 0.0001},
        {"learning_rate": 0.02}])
    monkeypatch.setitem(SWEEPS, "nested", small)
    command = ["nested", *SMALL, "--epochs", "2", "--jobs", "1", "--output-dir", str(tmp_path)]
    assert main(command) == 0
    table = capsys.readouterr().out
    assert "chosen in trials" in table and " x" in table.splitlines()[-1]
    rows = read_rows(tmp_path/"nested-synthetic.jsonl")
    assert [row["inner"] for row in rows] == [True]*10 + [False]*5
    assert {row["answers"] for row in rows[:10]} == {4} and {row["epochs"] for row in rows[:10]} == {1}
    assert sum(row["answers"] for row in rows[10:]) == 22
    # All is there: the choices come out as before.
    assert main(command) == 0 and capsys.readouterr().out == table
    assert read_rows(tmp_path/"nested-synthetic.jsonl") == rows


def test_an_interrupted_sweep_goes_on(tmp_path):
    path    = tmp_path/"neuron-synthetic.jsonl"
    command = [*SWEEP, "neuron", *SMALL, "--seeds", "1", "--jobs", "1", "--output-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while len(read_rows(path)) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    before = read_rows(path)
    assert 2 <= len(before) < 6
    assert main(command[len(SWEEP):]) == 0
    after = read_rows(path)
    assert after[:len(before)] == before and len(after) == 6 and len({row["id"] for row in after}) == 6


def test_context_rows_tell_what_each_cue_does(tmp_path):
    """Seen from outside, on all cores."""
    done = run(SWEEP, "context", *SMALL, "--sequences", 20, "--seeds", 1, "--output-dir", tmp_path, "--json", "-")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert all("precision" in row and "recall" in row and 0.4 < row["majority"] < 0.8 for row in rows)
    assert all(("accuracy_misleading" in row) == row["cued"] for row in rows)
    assert all(re.search(rf"at {relevance}\s", done.stderr) for relevance in ("1", "0.1", "0"))


@pytest.mark.parametrize("options, words", [
    (["precision", "--dataset", "nmnist", "--data", "nowhere"], ["nowhere"]),
    (["neurons", "--output-dir", "pyproject.toml"], ["--output-dir", "pyproject.toml"]),
    (["neurons", "--epochs", "0"], ["epochs is 0", "--epochs"]),
    (["neurons", "--json", "no/such/folder.json"], ["--json"])])
def test_bad_arguments(options, words):
    assert_one_line(call(main, *options), *words)
