# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The terminal's view of a live run, and its keys."""

import io

import numpy as np
import pytest
from rich.console import Console

from host.live.control import Control
from host.live.feed import Frame, Hello, Machine
from host.live.keys import Keys
from host.live.terminal import Raster, Terminal

HELLO = Hello("net", "synthetic", "simulated SoC", (8, 8), 5000, 16, 2, 12, 255, ("left", "right"), ("near", "far"),
    (9,)*12, 5, True)


def dots(lines):
    """Braille characters as booleans [rows, columns] of dots."""
    codes = np.array([[ord(character) - 0x2800 for character in line] for line in lines])
    places = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
    grid = np.zeros((4*codes.shape[0], 2*codes.shape[1]), bool)
    for row, pair in enumerate(places):
        for column, bit in enumerate(pair):
            grid[row::4, column::2] = codes & bit
    return grid


@pytest.mark.parametrize("steps", [1, 5, 6, 13])
def test_each_dot_is_a_source_in_a_step(steps):
    active = np.random.default_rng(steps).random((steps, 8)) < 0.4
    raster = Raster(8, rows=2, columns=3)
    raster.take([np.flatnonzero(step) for step in active])
    expected = np.zeros((8, 6), bool)
    shown = active[-6:].T
    expected[:, 6 - shown.shape[1]:] = shown
    np.testing.assert_array_equal(dots(raster.lines()), expected)


def test_sources_share_dots_where_there_are_more():
    raster = Raster(200, rows=2, columns=1)
    raster.take([np.array([0, 24, 25, 199])])
    assert np.flatnonzero(dots(raster.lines())[:, 1]).tolist() == [0, 1, 7]


def text_of(frame):
    console = Console(file=io.StringIO(), width=120)
    console.print(Terminal(HELLO, console).picture(frame))
    return console.file.getvalue()


def test_what_it_tells():
    frame = Frame(0, [np.array([1])], [np.array([2])], np.array([[-30, 70]]), np.zeros((8, 8), np.int8),
        label="right", answer=1, confidence=0.5, cue=1, status="mismatch", notice="step 3, neuron 2: spike is 1",
        recording="live.npz", machine=Machine(steps=17, lag_ms=3.4, retries=5, dropped_steps=6))
    text = text_of(frame)
    for part in ("mismatch", "right (50% ahead, source shows right), cue 1", "17 steps", "(real time: 200)", "lag 3 ms",
            "5 retries", "dropped 6 steps", "recording live.npz", "step 3, neuron 2: spike is 1", "-30", "70"):
        assert part in text, text
    assert "none" in text_of(Frame(0, [], [], np.zeros((0, 2), int), np.zeros((8, 8), np.int8)))


def test_keys():
    control, ended = Control(12, 2), []
    keys = Keys(control, lambda: ended.append(True))
    for key in " n xrr019oq":
        keys.press(key)
    assert control.taken() == [("pause", None), ("step", None), ("resume", None), ("reset", None), ("record", True),
        ("record", False), ("cue", 0), ("cue", 1), ("cue", -1)] and ended
    for _ in range(2*Control.LIMIT):
        keys.press("n")
    assert len(control.taken()) == Control.LIMIT
