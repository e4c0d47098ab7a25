# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Bars and tables: where they go, and when there are none."""

import io
from pathlib import Path

import pytest

from host.common.console import progress_bars, table_console


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_are_for_terminals(monkeypatch, terminal):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bars() as progress:
        for done in (1, 2):
            progress("read takes", done, 2)
            progress("of a number not known", done, None)
    drawn = stream.getvalue()
    assert ("read takes" in drawn and "2/2" in drawn and "2/?" in drawn) if terminal else drawn.strip() == ""


@pytest.mark.parametrize("json, to_errors", [(None, False), (Path("figures.json"), False), (Path("-"), True)])
def test_tables_leave_standard_output_to_json(capsys, json, to_errors):
    console = table_console(json)
    console.print("x"*200)
    lines = capsys.readouterr()
    # A pipe is given whole lines.
    assert [len(line) for line in (lines.err if to_errors else lines.out).splitlines()] == [200]
    assert (lines.out if to_errors else lines.err) == ""
