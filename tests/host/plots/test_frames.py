# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event frames: every event in the frame and colour it belongs to, and animations that keep time."""

import os

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.data.synthetic import record
from host.events.event_array import EVENT
from host.plots.frames import LEVELS, OFF_COLOUR, ON_COLOUR, PALETTE, contact_sheet, frame, frame_count, save_gif
from tests.helpers.short_run import gif_frames

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


def test_every_event_is_in_one_frame():
    events = record(0, duration_us=200_000).events
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


@pytest.mark.parametrize("window_us, slow, durations", [
    (40_000, 1, [40]*5), (25_000, 1, [20, 30, 30, 20, 20, 30, 30, 20]), (50_000, 2.5, [120, 130, 130, 120])])
def test_gif(tmp_path, window_us, slow, durations):
    events, size = record(0, duration_us=200_000).events, (128, 128)
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
