# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The figures of the streaming benchmark; the runs that they are of are tested elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.events.event_array import EVENT
from host.events.sample import Sample
from targets.benchmark.streaming import CPU_CLOCKS, LINES, busiest, row, soc_options

ULX3S = LINES["ulx3s"]


def recording(path, count):
    """`count` events in a second."""
    events = np.zeros(count, EVENT)
    events["t"] = np.linspace(0, 1_000_000, count).astype(int)
    events["x"] = np.arange(count) % 128
    np.savez(path, events=events, sensor_size=(128, 128))
    return path


def fake_run(encode, rx, tx, cpu, core, soc_clocks):
    """What row() reads of a run."""
    stats = {"rx_bytes": rx, "tx_bytes": tx, **dict.fromkeys(CPU_CLOCKS, 0), "rx_clocks": cpu}
    return SimpleNamespace(encode=encode, stats=stats, compared=[SimpleNamespace(run=SimpleNamespace(
        counters={"busy": core, "soc_clocks": soc_clocks}))])


def test_the_recording_with_most_events(tmp_path):
    files = [recording(tmp_path/f"{count}.npz", count) for count in (500, 900, 20)]
    found = busiest(files, ULX3S)
    assert len(found.events) == 900 and found.steps is not None and len(found.steps) == 1001
    assert busiest(None, ULX3S).name.startswith("synthetic")


def test_recordings_without_events(monkeypatch):
    sample = Sample("inputs", None, None, -1, (8, 8))
    monkeypatch.setattr("targets.benchmark.streaming.read_files", lambda *_: [sample])
    with pytest.raises(QCLIFError, match="no raw events"):
        busiest(["file"], ULX3S)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_the_simulated_line_has_as_many_clocks_a_bit_as_the_board(line):
    options = soc_options(line, with_line=True)
    assert options.baudrate*line.clock_hz == pytest.approx(line.baudrate*options.sys_clk_freq, rel=1e-6)
    assert soc_options(line, with_line=False).baudrate is None


@pytest.mark.parametrize("cpu, limit, real_time_limit", [(70_000, "line", 300.0), (400_000, "cpu", 150.0)])
def test_the_slowest_part_is_the_limit(tmp_path, cpu, limit, real_time_limit):
    sample  = busiest([recording(tmp_path/"one.npz", 900)], ULX3S)
    figures = row(ULX3S, sample, fake_run("host", 1000, 400, cpu, 30_000, 1),
        fake_run("host", 1000, 400, 9, 9, 240_000))
    assert (figures["line"], figures["cpu"], figures["core"], figures["measured"]) == (200, cpu/1000, 30, 240)
    assert figures["limit"] == limit
    # A second is 60 million clocks.
    assert figures["real_time"] == 250 and figures["real_time_limit"] == real_time_limit
