# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The rows in host/results are those of the README's commands, and the README's tables are those of the rows."""

import re

import pytest

from host.common.folders import ROOT
from host.data.datasets import load
from host.sweep import mean, spread, variations
from host.training.settings import Settings
from host.training.sweeps import SWEEPS, read_rows, run_id, runs

README = (ROOT/"host"/"training"/"README.md").read_text()

# What the README's commands change; N-MNIST's recordings have no test split.
CHANGES = {
    "folds-nmnist":        {},
    "nested-nmnist":       {},
    "precision-nmnist":    {"epochs": 40},
    "precision-synthetic": {"samples": 330, "test_samples": 220, "epochs": 20},
    "neurons-nmnist":      {"epochs": 40},
    "neuron-nmnist":       {"epochs": 40},
    "context-synthetic":   {"samples": 440, "test_samples": 220, "epochs": 20, "sequences": 1000},
}


def read(name):
    """The rows of the sweep's runs; trials that runs chose by are left out."""
    return [row for row in read_rows(ROOT/"host"/"results"/f"{name}.jsonl") if not row.get("inner")]


def short(text):
    """As the README writes it: 100 without digits, and a range of one value as this value."""
    text = text.replace("100.0", "100")
    return re.sub(r"^(\S+) \(\1 to \1\)$", r"\1", text)


def test_all_rows_are_accounted_for():
    assert {path.stem for path in (ROOT/"host"/"results").glob("*.jsonl")} == CHANGES.keys()


@pytest.mark.parametrize("name", [name for name in CHANGES if not name.startswith("nested")])
def test_rows_are_those_of_the_commands(name):
    """So that a command finds all of its runs done."""
    sweep, dataset = SWEEPS[name.split("-")[0]], name.split("-")[1]
    base = Settings(dataset=dataset, **CHANGES[name] | sweep.base)
    recordings, = {row.get("recordings", "") for row in read(name)}
    todo = runs(sweep, base, 3, has_test=dataset != "nmnist", recordings=recordings)
    assert {run_id(run) for run in todo} == {row["id"] for row in read(name)}
    options = [f"--{option.replace('_', '-')} {value}" for option, value in CHANGES[name].items()]
    given   = "--dataset nmnist --data DIR" if dataset == "nmnist" else ""
    if name != "folds-nmnist":
        assert " ".join(filter(None, ["`python -m host.sweep", name.split("-")[0], given, *options])) + "`" in README


def test_rows_are_those_of_the_recordings(qclif_data):
    identity = load("nmnist", qclif_data, "train").identity
    for name in CHANGES:
        assert {row.get("recordings", "") for row in read(name)} == {identity if name.endswith("nmnist") else ""}


@pytest.mark.parametrize("name", CHANGES)
def test_tables_are_those_of_the_rows(name):
    sweep = SWEEPS[name.split("-")[0]]
    for values, group in variations(sweep, read(name)).items():
        accuracy = short(spread([row["accuracy"] for row in group]))
        assert f"| {accuracy} |" in README, (values, accuracy)
        if not name.startswith(("precision", "neurons")):
            assert f"| {accuracy} | {mean([row['rate'] for row in group])} |" in README, values
