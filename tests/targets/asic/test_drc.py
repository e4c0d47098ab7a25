# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The rules of a layout by KLayout: what is counted and told, and what is said where something is missing."""

import json
import os
import shutil

import pytest

from accel.errors import QCLIFError
from targets.asic.layout.drc import RuleCheck, check_rules, rule_tools
from targets.asic_freepdk45 import main
from tests.helpers.builds import fresh_builds
from tests.helpers.flow_scripts import needs_openroad, stand_in_for
from tests.helpers.needs import needs_asic

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<report-database><categories><category><name>METAL1.1</name></category></categories><items>
 <item><category>'METAL1.1'</category><cell>qclif_neuron</cell><multiplicity>1</multiplicity></item>
 <item><category>'METAL1.1'</category><cell>qclif_neuron</cell></item>
 <item><category>'CONTACT.5'</category><cell>CLKGATE_X1:1</cell><multiplicity>3</multiplicity></item>
</items></report-database>
"""


@pytest.fixture
def klayout(tmp_path, monkeypatch):
    """Flow scripts with a deck, and a program that writes a report where it is asked to."""
    home = stand_in_for(tmp_path/"flow", monkeypatch)
    (home/"platforms"/"nangate45"/"drc").mkdir(parents=True)
    (home/"platforms"/"nangate45"/"drc"/"rules.lydrc").write_text("deck")

    def make(report=REPORT, status=0):
        (tmp_path/"given.lyrdb").write_text(report)
        program = tmp_path/"klayout"
        program.write_text(f'#!/bin/sh\ncase "$1" in -v) echo KLayout 1.2.3; exit;; esac\n'
            f'printf "%s\\n" "$@" >> "{tmp_path}/asked"\ncp "{tmp_path}/given.lyrdb" "${{5#report_file=}}"\n'
            f'exit {status}\n')
        program.chmod(0o755)
        monkeypatch.setenv("KLAYOUT_CMD", str(program))
        return home
    return make


def test_errors_of_the_design_and_those_within_cells(klayout, tmp_path):
    klayout()
    program, deck = rule_tools("nangate45")
    found = check_rules(tmp_path/"a.gds", "qclif_neuron", program, deck, tmp_path)
    assert found == RuleCheck({"METAL1.1": 2}, {"CONTACT.5 in CLKGATE_X1": 3})
    assert (tmp_path/"asked").read_text().splitlines() == ["-zz", "-rd", f"in_gds={tmp_path/'a.gds'}", "-rd",
        f"report_file={tmp_path/'drc.lyrdb'}", "-r", str(deck)]


@pytest.mark.parametrize("report, status, words", [
    (REPORT, 1,        ("design rules failed", "drc.log")),
    ("<report", 0,     ("drc.lyrdb", "no report of KLayout", "drc.log")),
])
def test_a_check_that_fails(klayout, tmp_path, report, status, words):
    klayout(report, status)
    with pytest.raises(QCLIFError) as error:
        check_rules(tmp_path/"a.gds", "top", *rule_tools("nangate45"), tmp_path)
    assert all(word in str(error.value) for word in words) and "\n" not in str(error.value)


def test_what_is_missing(klayout, tmp_path, monkeypatch):
    home = klayout()
    with pytest.raises(QCLIFError, match=r"--drc: no rules for KLayout, .*/mini/drc/\*\.lydrc: FLOW_HOME must name"):
        rule_tools("mini")
    shutil.rmtree(home/"platforms")
    with pytest.raises(QCLIFError, match="no rules for KLayout"):
        rule_tools("nangate45")
    monkeypatch.setenv("KLAYOUT_CMD", str(tmp_path/"none"))
    with pytest.raises(QCLIFError, match="--drc: klayout not found: sudo apt-get install klayout"):
        rule_tools("nangate45")


def test_it_is_of_a_layout(capsys):
    assert main(["--design", "neuron", "--drc"]) == 2
    assert "--drc is for the layout, but the flow ends with power: add --until layout" in capsys.readouterr().err


@needs_asic
def test_a_run_tells_of_it(klayout, pdk, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(fresh_builds(tmp_path/"build")))
    klayout()
    options = ["--design", "neuron", "--until", "layout", "--drc", "--output-dir", str(tmp_path/"out"), "--json",
        str(tmp_path/"run.json")]
    assert main(options) == 0, capsys.readouterr().err
    record = json.loads((tmp_path/"run.json").read_text())
    assert record["layout"]["rule_errors"] == 2 and record["layout"]["rules"] == {"errors": {"METAL1.1": 2},
        "in_cells": {"CONTACT.5 in CLKGATE_X1": 3}}
    text = (tmp_path/"out"/"report.md").read_text()
    assert "KLayout's rules, the design: METAL1.1: 2" in text
    assert "KLayout's rules, the library's own cells: CONTACT.5 in CLKGATE_X1: 3" in text
    asked = (tmp_path/"asked").read_text()
    assert main(options) == 0 and (tmp_path/"asked").read_text() == asked


@needs_openroad
@pytest.mark.skipif(not shutil.which(os.environ.get("KLAYOUT_CMD") or "klayout"),
    reason="needs KLayout: sudo apt-get install klayout")
def test_the_neuron_keeps_the_rules(tmp_path):
    """A cell of the library does not: its poly is too narrow around a contact, by 5 nm."""
    assert main(["--design", "neuron", "--until", "layout", "--drc", "--output-dir", str(tmp_path), "--json",
        str(tmp_path/"run.json")]) == 0
    layout = json.loads((tmp_path/"run.json").read_text())["layout"]
    assert layout["rule_errors"] == 0 and set(layout["rules"]["in_cells"]) <= {"CONTACT.5 in CLKGATE_X1"}
