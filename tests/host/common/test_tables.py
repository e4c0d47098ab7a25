# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Tables at 60, 80 and 100 columns and in a pipe: numbers and verdicts are whole, names cut in their middle at most."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from accel.config import QCLIFConfig
from host import datasets, evaluate
from host.cli.network_choice import SHIPPED
from host.common.folders import ROOT
from host.common.tables import GAP, NAME_MIN, TextTable, facts
from host.data import synthetic
from host.evaluation.report import print_evaluation
from host.events.encoder import Encoder
from host.link.link import Link
from host.network.random_network import random_network
from host.runs.report import print_run
from host.runs.run import execute
from host.sweep import print_choices, print_scores
from host.training.sweeps import SWEEPS, read_rows
from tests.helpers.commands import call
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.terminals import WIDTHS, assert_fits, assert_whole, shown

LONG = "synthetic_hand_clapping_of_the_third_subject_under_a_lamp"


def printed(table, width):
    return shown(lambda console: console.print(table), width)

# Commands ------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def run():
    """A run of the firmware whose recordings have long names; one of them is said to differ."""
    encoder = Encoder(grid=(8, 8), polarities=1)
    config  = QCLIFConfig(neurons=20, inputs=64, contexts=0)
    samples = [each.encoded(encoder, 0) for each in synthetic.recordings(4, duration_us=100_000)]
    network = random_network(config, encoder, [each.steps for each in samples], classes=synthetic.GESTURES)
    made    = execute(Link(FirmwarePort(FirmwareDevice(config))), network, samples, engine="cpu")
    object.__setattr__(made.compared[2], "mismatches", 123_456)
    object.__setattr__(made.compared[3].sample, "name", LONG)
    return made


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run(run, width):
    text = shown(lambda console: print_run(run, "net.npz", console), width)
    assert_fits(text, width)
    for each in run.compared:
        assert_whole(text, [len(each.sample.events), len(each.run.inputs.sources), len(each.run.spikes),
            len(each.run.spikes.sources)])
    assert_whole(text, ["123456 differ"])
    assert re.sub(r"\W+", " ", text).split().count("exact") == 3
    # Numbers are beside their verdict.
    wrong = run.compared[2]
    line  = next(line for line in text.splitlines() if "123456 differ" in line)
    assert_whole(line, [len(wrong.sample.events), len(wrong.run.inputs.sources), len(wrong.run.spikes.sources)])
    assert (LONG in text) or re.search(f"{LONG[:6]}\\w*…\\w*{LONG[-6:]}", text)
    assert width is not None or LONG in text


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluation")
    done = call(evaluate.main, "--network", SHIPPED, "--samples", 11, "--output-dir", path, "--json", path/"a.json")
    assert done.returncode == 0, done.stderr
    measures = json.loads((path/"a.json").read_text())
    measures["worst_pairs"] = [{"label": LONG, "taken_for": "Left hand counter clockwise", "clips": 1234, "share": 0.5}]
    return measures


@pytest.mark.parametrize("width", WIDTHS)
def test_an_evaluation(evaluation, width):
    text = shown(lambda console: print_evaluation(evaluation, console), width)
    assert_fits(text, width)
    assert_whole(text, ["1234", "50.0 %", *(f"{value:.1f}".removesuffix(".0") for value in
        evaluation["sops_per_inference"].values())])


@pytest.mark.parametrize("name", ["precision-synthetic", "context-synthetic", "nested-nmnist"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_sweep(name, width):
    rows  = read_rows(ROOT/"host"/"results"/f"{name}.jsonl")
    sweep = SWEEPS[name.partition("-")[0]]
    rows  = [row for row in rows if not row.get("inner")]
    text  = shown(lambda console: print_scores(sweep, rows, sweep.text, console), width)
    assert_fits(text, width)
    one = [row["accuracy"] for row in rows if all(row[key] == rows[0][key] for key in sweep.columns)]
    assert_whole(text, [*(rows[0][key] for key in sweep.columns), len(one),
        f"{100*np.mean(one):.1f} ({100*min(one):.1f} to {100*max(one):.1f})"])
    if sweep.choices:
        assert_fits(shown(lambda console: print_choices(sweep, rows, console), width), width)


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    path = tmp_path_factory.mktemp("datasets")/"a.json"
    assert call(datasets.main, "--samples", 11, "--json", path).returncode == 0
    return json.loads(path.read_text())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_data_set(data_set, width):
    text = shown(lambda console: [console.print(each) for each in datasets.tables(data_set, LONG)], width)
    assert_fits(text, width)
    assert_whole(text, [f"{value:g}" for key in ("events_per_step", "inputs_per_step", "steps")
        for value in data_set[key].values()])
    assert_whole(text, [f"{name} 1," for name in synthetic.GESTURES[:3]])

# Layouts -------------------------------------------------------------------------------------------

def three(boxed=True):
    return TextTable(("name", "a number", "match"), [(LONG, "123456", "[red]12 differ[/]"), ("short", "7", "exact")],
        "title", whole=(2,), boxed=boxed)


def test_lines_where_they_fit():
    text = printed(three(), 100)
    assert "┃" in text and LONG in text


def test_plain_where_lines_do_not_fit():
    lines = printed(three(), 82).splitlines()
    assert lines == ["title", f"{'name':57}  a number  match", f"{LONG}    123456  12 differ",
        f"{'short':57}         7  exact"]


def test_heads_are_broken_before_names_are_cut():
    lines = printed(three(), 77).splitlines()
    assert lines[1:3] == [f"{'':57}       a", f"{'name':57}  number  match"]
    assert lines[3] == f"{LONG}  123456  12 differ"


def test_names_are_cut_in_their_middle():
    for width in range(2*len(GAP) + NAME_MIN + 6 + 9, len(LONG) + 2*len(GAP) + 6 + 9):
        lines = printed(three(), width).splitlines()
        name  = lines[3].split()[0]
        assert len(name) == width - 2*len(GAP) - 6 - 9
        front, back = name.split("…")
        assert LONG.startswith(front) and LONG.endswith(back) and 0 <= len(front) - len(back) <= 1
        assert lines[3].endswith("  123456  12 differ") and lines[4].startswith("short ")


def test_names_on_a_line_of_their_own():
    assert printed(three(), 30).splitlines() == ["title", "       a", "  number  match",
        LONG[:30], LONG[30:], "  123456  12 differ", "short", "       7  exact"]


def test_a_line_a_cell_where_nothing_else_fits():
    assert printed(three(), 18).splitlines()[-5:] == ["  a number 123456", "  match 12 differ", "short",
        "  a number 7", "  match exact"]


def test_facts_are_broken_at_words():
    lines = printed(facts([("network", "one two three four five six seven")]), 35).splitlines()
    assert lines == ["network  one two three four five", "         six seven"]
    assert printed(facts([("network", "one two three four five")]), 20).splitlines() == ["network",
        "  one two three four", "five"]


def test_markup_of_names_is_none():
    table = TextTable(("name",), [(r"\[red]file:car:",)])
    assert printed(table, None) == "name\n[red]file:car:\n"


def test_ascii_terminal():
    class Ascii(Console):
        encoding = "ascii"

    console = Ascii(force_terminal=True, color_system=None, width=60, record=True)
    console.print(three())
    assert console.export_text().isascii()


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=50),
    st.integers(0, 10**9), st.sampled_from(["exact", "123 differ"])), max_size=5), st.integers(20, 130), st.booleans())
def test_any_names_at_any_width(rows, width, boxed):
    table = TextTable(("name", "n", "match"), [(name.replace("[", "("), str(n), match) for name, n, match in rows],
        whole=(2,), boxed=boxed)
    text  = printed(table, width)
    for _, n, match in rows:
        assert_whole(text, [f"{n}  {match}" if width > 30 else n])
