# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""All of a live run: the command, the firmware on the simulated SoC, and the page in a browser."""

import json
import re

import pytest

from host.live.views import CUED
from tests.helpers.browser import LivePage
from tests.helpers.live_command import live_command
from tests.helpers.needs import needs_browser, needs_simulator

pytestmark = [needs_browser, needs_simulator]

# The gesture is there as soon as the simulated SoC has seen enough of it, however slow that is.
GESTURE = "Arm roll"


def number(text):
    return int(text.replace(",", ""))


def test_the_page_names_the_gesture(browser, tmp_path):
    """The right name within the run; pause, single step and record act; its numbers are the terminal's."""
    with live_command("--gestures", 7, "--late", "wait", "--folder", tmp_path, "--json", tmp_path/"a.json") as run, \
            LivePage(browser, run.url, ends=True) as shown, \
            LivePage(browser, run.url.partition("#")[0], ends=True) as other:
        shown.wait_text("answer", GESTURE)
        assert shown.text("label") == GESTURE
        shown.page.click("#record")
        # The button does the other thing as soon as the page shows that it is done.
        shown.wait("document.getElementById('status').textContent.includes('recording to')")
        shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 300")
        shown.page.click("#record")
        shown.wait("document.getElementById('notice').textContent.startsWith('recorded ')")
        shown.page.click("#pause")
        shown.wait_text("status", "Paused")
        other.wait_text("status", "Paused")
        shown.page.wait_for_timeout(500)
        steps = number(shown.text("machine-steps"))
        shown.press("n")
        shown.wait_text("machine-steps", f"{steps + 1:,}")
        other.wait_text("machine-steps", f"{steps + 1:,}")
        # Who has no token looks on.
        assert other.page.is_disabled("#pause") and other.text("answer") == shown.text("answer")
        compared, mismatches = number(shown.text("machine-compared")), number(shown.text("machine-mismatches"))
        run.end()
        found = json.loads((tmp_path/"a.json").read_text())
        assert (steps + 1, compared, mismatches) == (found["steps"], found["compared"], 0)
        assert re.search(rf"{steps + 1} in .* s, {compared} compared, 0 mismatches", run.said)
    assert len(list(tmp_path.glob("live-*.npz"))) == 1


def test_the_cue_changes_the_answer(browser):
    with live_command("--network", CUED, "--gestures", 1, "--late", "wait") as run, \
            LivePage(browser, run.url, ends=True) as shown:
        # Cue 1 names what is shown, cue 8 does not.
        for key, answer in (("1", "yes"), ("8", "no"), ("1", "yes")):
            shown.press(key)
            shown.wait_text("answer", answer)
        assert run.end() == 0


@pytest.mark.parametrize("ends", ["source", "user"])
def test_the_page_says_that_the_run_has_ended(browser, ends):
    options = ("--steps", 300) if ends == "source" else ()
    with live_command("--late", "wait", *options) as run, LivePage(browser, run.url, ends=True) as shown:
        if ends == "user":
            run.end()
        shown.wait("!['Running', 'Paused'].includes(document.getElementById('status').textContent)")
