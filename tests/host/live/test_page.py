# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The page in Chromium: it shows the run's numbers, acts, and keeps nobody out."""

import multiprocessing
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from host.data.synthetic import GESTURES
from host.live.control import Control
from host.live.feed import FRAME_HZ, Feed, Frame, Hello, Machine, confidence
from host.live.server import PageServer
from tests.helpers.browser import DESK, PHONE, LivePage, chromium, kill
from tests.helpers.live_replay import CONTEXTS, LiveReplay
from tests.helpers.needs import needs_browser

pytestmark = needs_browser


@pytest.fixture
def live():
    with LiveReplay() as running:
        yield running


@pytest.fixture
def shown(browser, live):
    with LivePage(browser, live.server.url) as page:
        yield page


def pause(shown):
    """Pause the run, and wait until the page shows its last step."""
    shown.page.click("#pause")
    shown.wait_text("status", "Paused")
    # Numbers follow within their pace.
    shown.page.wait_for_timeout(500)


def number(text):
    return int(text.replace(",", ""))

# Numbers -------------------------------------------------------------------------------------------

def test_the_page_shows_the_numbers_of_the_frames(live, shown):
    shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 300")
    pause(shown)
    frame, hello = live.last, live.hello
    assert frame.states and frame.answer >= 0 and frame.label
    assert shown.text("source") == hello.source and shown.text("network") == hello.network
    assert shown.text("answer") == hello.classes[frame.answer]
    assert shown.text("confidence") == f"{round(100*frame.confidence)} %"
    assert shown.text("label") == frame.label
    assert shown.text("agrees").endswith("agrees" if frame.label == hello.classes[frame.answer] else "differs")
    rows = [row.split() for row in shown.page.locator("#classes tr").all_inner_texts()]
    assert [" ".join(row[:-1]) for row in rows] == list(hello.classes)
    assert [int(row[-1]) for row in rows] == frame.logits[-1].tolist()
    assert number(shown.text("machine-steps")) == number(shown.text("machine-compared")) == frame.machine.steps
    assert shown.text("machine-clocks") == "713" and shown.text("machine-bound") == "705 \u00d7 1.011"
    for name, value in (("mismatches", 0), ("retries", 2), ("errors", 1), ("resets", 0)):
        assert shown.text(f"machine-{name}") == str(value)
    assert shown.text("machine-lag") == "11 ms"
    assert shown.text("inputs-now").startswith(f"{len(frame.inputs[-1])} of {hello.inputs + hello.contexts} ")
    assert shown.text("neurons-now") == f"{len(frame.spikes[-1])} of {hello.neurons} fire"
    for trace, (neuron, values) in zip(shown.page.locator(".trace").all(), frame.states.items(), strict=True):
        assert trace.locator("h3").inner_text() == f"Neuron {neuron}"
        assert [int(each) for each in trace.locator("b").all_inner_texts()] == [*values[-1], hello.thresholds[neuron]]


def test_the_pictures_show_what_came(live, shown):
    shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 100")
    pause(shown)
    frame = live.last
    height, width = frame.picture.shape
    pixels = shown.pixels("picture", 0, 0, width, height)[..., :3].astype(int)
    ground = pixels[frame.picture == 0]
    assert len(ground) and (ground == shown.colour("field")).all()
    for sign, colour in ((1, "on"), (-1, "off")):
        seen   = pixels[np.sign(frame.picture) == sign]
        toward = np.array(shown.colour(colour)) - shown.colour("field")
        assert len(seen) and ((seen - np.array(shown.colour("field")))@toward > 0).all()
    # One pixel a neuron and a step; a spike covers the one below, too.
    rows  = shown.pixels("neurons", -1, 0, 1, 200)[:, 0, 3] > 0
    fired = {row for neuron in frame.spikes[-1].tolist() for row in (neuron, neuron + 1) if row < 200}
    assert set(np.flatnonzero(rows).tolist()) == fired


def test_twenty_pictures_a_second(shown):
    """Frames come oftener; a busy machine gets there, too."""
    assert FRAME_HZ > 20
    shown.wait("Number(document.getElementById('machine-pictures').textContent) >= 20")


def test_steps_that_were_not_shown_leave_a_gap(live, shown):
    shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 100")
    pause(shown)
    before = number(shown.text("machine-steps"))
    live.skip(40)
    shown.page.wait_for_timeout(200)
    shown.page.click("#step")
    shown.wait_text("machine-steps", f"{before + 41:,}")
    pixels = shown.pixels("neurons", -60, 0, 60, 200)
    gap    = np.flatnonzero((pixels == [*shown.colour("gap"), 255]).all(axis=(0, 2))).tolist()
    # A spike of the step behind the gap covers a pixel of it.
    assert gap in (list(range(19, 58)), list(range(19, 59)))


def test_a_run_that_begins_anew_is_shown_from_its_beginning(browser, live):
    """The program was started again: the page comes back by itself, and only looks, as the token is another."""
    port = int(live.server.url.rpartition(":")[2].partition("/")[0])
    # The first run is further than the second one can be, however long the page takes to come back.
    live.skip(1_000_000)
    with LivePage(browser, live.server.url) as shown:
        shown.wait("document.getElementById('machine-steps').textContent.startsWith('1,000,')")
        live.__exit__(None, None, None)
        shown.page.wait_for_selector("#alert:visible")
        assert shown.text("alert").startswith("Connection lost: is the program still running?")
        assert shown.text("status") == "Connection lost" and shown.page.is_disabled("#pause")
        with LiveReplay(port=port):
            shown.page.wait_for_selector("#alert", state="hidden")
            shown.page.wait_for_selector("#rights:visible")
            shown.wait_text("status", "Running")
            shown.page.wait_for_timeout(300)
            assert shown.page.is_disabled("#pause") and number(shown.text("machine-steps")) < 1_000_000
        shown.complaints = [each for each in shown.complaints if "ERR_CONNECTION_REFUSED" not in each]
    # The fixture ends it once more.
    live.server.__enter__()


def test_a_difference_turns_the_page_red(live, shown):
    ground = "getComputedStyle(document.body).backgroundColor"
    before = shown.page.evaluate(ground)
    live.differ(17, 42)
    shown.page.wait_for_selector("#alert:visible")
    assert shown.text("alert") == "Mismatch: step 17, neuron 42: V_a is 90, expected 91"
    assert shown.text("status") == "Mismatch"
    red, green, blue = (int(each) for each in shown.page.evaluate(ground)[4:-1].split(","))
    assert shown.page.evaluate(ground) != before and red > green + 20 and red > blue + 20
    shown.wait_text("machine-mismatches", "1")
    assert shown.faults() == []
    # It can be paused and resumed as before.
    shown.press("Space")
    shown.wait_text("status", "Mismatch, paused")
    shown.press("Space")
    shown.wait_text("status", "Mismatch")


def test_notices_stand_while_they_matter(live, shown):
    live.notice = "states and logits are 0 again"
    shown.wait_text("notice", "states and logits are 0 again")
    live.status, live.notice = "lost", "no answer for 5 s"
    shown.wait_text("status", "The device does not answer")
    shown.wait_text("notice", "no answer for 5 s")
    # Longer than one that is only to be known.
    shown.page.wait_for_timeout(9000)
    assert shown.page.is_visible("#notice")
    live.status = live.notice = ""
    shown.page.wait_for_selector("#notice", state="hidden")
    assert shown.text("status") == "Running" and not shown.page.is_visible("#alert")


def test_answers_of_single_steps_are_those_of_the_program(shown):
    """First maximum and confidence are computed on the page, too, for each step."""
    rng    = np.random.default_rng(0)
    logits = [rng.integers(-limit, limit + 1, size).tolist() for limit in (1, 3, 2**31 - 1) for size in range(1, 12)]
    found  = shown.page.evaluate("""async (logits) => {
        const { firstMaximum, lead } = await import("/model.js");
        return logits.map((each) => [firstMaximum(each), lead(each)]);
    }""", logits)
    assert found == [[int(np.argmax(each)), pytest.approx(confidence(np.array(each, np.int32)))] for each in logits]


def test_what_the_answer_should_be(shown):
    """The class that the source shows; of no and yes, whether it shows what the cue names."""
    found = shown.page.evaluate("""async () => {
        const { expected } = await import("/model.js");
        const many = { classes: ["a", "b"], cues: ["x"] };
        const two = { classes: ["no", "yes"], cues: ["a", "b"] };
        return [expected(many, "b", -1), expected(many, "b", 0), expected(many, "x", 0), expected(many, "", -1),
            expected(two, "a", 0), expected(two, "a", 1), expected(two, "c", 1), expected(two, "a", -1),
            expected(two, "", 0)];
    }""")
    assert found == ["b", "b", None, None, "yes", "no", "no", None, None]

# Commands ------------------------------------------------------------------------------------------

def test_pause_single_step_and_resume(live, shown):
    assert shown.page.is_disabled("#step")
    pause(shown)
    before = number(shown.text("machine-steps"))
    for steps in (1, 2):
        shown.page.click("#step")
        shown.wait_text("machine-steps", f"{before + steps:,}")
    shown.page.click("#pause")
    shown.wait_text("status", "Running")
    shown.wait(f"Number(document.getElementById('machine-steps').textContent.replace(',', '')) > {before + 20}")


def test_a_cue_is_seen_and_what_it_does(live, shown):
    assert shown.page.locator("#cues button").all_inner_texts() == ["off", *map(str, range(CONTEXTS))]
    assert shown.page.get_attribute("#cues button:nth-child(1)", "aria-pressed") == "true"
    shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 100")
    shown.page.click("#cues button:nth-child(3)")
    shown.wait("document.querySelector('#cues button:nth-child(3)').ariaPressed === 'true'")
    assert live.last.cue == 1
    shown.wait("document.getElementById('table').classList.contains('changed')")
    shown.page.wait_for_timeout(600)
    pause(shown)
    assert shown.text("share-before") == "off" and shown.text("share-since") == "1"
    for when in ("before", "since"):
        shares = [int(each[:-2]) for each in shown.page.locator(f"#classes .{when}").all_inner_texts()]
        assert 95 <= sum(shares) <= 105
    # It is marked where it changed, over all lanes, and its inputs are below the sensory ones.
    width  = shown.page.evaluate("document.getElementById('lanes').width")
    pixels = shown.pixels("lanes", 0, 100, width)[..., :3]
    assert 2 <= (pixels == shown.colour("context")).all(axis=-1).sum() <= 3
    height = shown.page.evaluate("document.getElementById('inputs').height")
    pixels = shown.pixels("inputs", -60, height - 12, 60, 12)[..., :3]
    assert (pixels == shown.colour("context")).all(axis=-1).any()


def test_a_network_without_contexts_has_no_cue(browser):
    with LiveReplay(cues=()) as live, LivePage(browser, live.server.url) as shown:
        assert not shown.page.is_visible("#cue") and not shown.page.is_visible("#cue-legend")
        shown.press("1")
        shown.page.wait_for_timeout(200)
        assert not shown.page.is_visible("#notice")


def watched(shown):
    return [int(each.split()[1]) for each in shown.page.locator(".trace h3").all_inner_texts()]


def test_neurons_are_chosen_by_number_and_by_a_click(live, shown):
    assert watched(shown) == [28, 66]
    shown.page.fill("#neuron", "5")
    shown.page.click("#watch button")
    shown.wait("document.querySelectorAll('.trace').length === 3")
    assert watched(shown) == [5, 28, 66]
    shown.page.click("#neurons", position={"x": 300, "y": 150.5})
    shown.wait("document.querySelectorAll('.trace').length === 4")
    assert watched(shown) == [5, 28, 66, 150]
    # A fifth takes the place of the oldest.
    shown.page.fill("#neuron", "199")
    shown.page.press("#neuron", "Enter")
    shown.wait("document.querySelector('.trace:last-child h3').textContent === 'Neuron 199'")
    assert watched(shown) == [5, 66, 150, 199]
    pause(shown)
    shown.page.click(".trace:nth-child(2) button")
    shown.wait("document.querySelectorAll('.trace').length === 3")
    assert watched(shown) == [5, 150, 199]
    # What is refused is not asked for again.
    shown.page.evaluate("document.getElementById('neuron').max = 999")
    shown.page.fill("#neuron", "200")
    shown.page.press("#neuron", "Enter")
    shown.wait_text("notice", "neuron 200: the limits are 0 to 199")
    shown.page.fill("#neuron", "7")
    shown.page.press("#neuron", "Enter")
    shown.wait("document.querySelectorAll('.trace').length === 4")
    assert watched(shown) == [5, 7, 150, 199]
    # By keys, the focus is not lost with the button that had it.
    shown.page.focus(".trace:nth-child(2) button")
    shown.press("Enter")
    shown.wait("document.querySelectorAll('.trace').length === 3")
    assert watched(shown) == [5, 150, 199] and shown.page.evaluate("document.activeElement.id") == "neuron"
    assert shown.page.locator("#marks li").all_inner_texts() == ["5", "150", "199"]


def test_recording_is_seen(live, shown):
    shown.press("r")
    shown.wait_text("status", "Running, recording to live-1.npz")
    assert shown.page.get_attribute("#record", "aria-pressed") == "true"
    shown.page.click("#record")
    shown.wait_text("status", "Running")


def test_a_picture_is_saved(live, shown, tmp_path):
    with shown.page.expect_download() as download:
        shown.press("s")
    assert download.value.suggested_filename.startswith("qclif-") and download.value.suggested_filename.endswith(".png")
    download.value.save_as(tmp_path/"page.png")
    picture = np.asarray(Image.open(tmp_path/"page.png").convert("RGB"))
    assert picture.shape[1] == 1440 and picture.shape[0] > 600
    assert tuple(picture[0, 0]) == tuple(shown.colour("paper"))
    # The answer is written large, the events are there.
    assert (picture[32:90, 32:600] == shown.colour("ink")).all(axis=-1).sum() > 500
    assert (picture[162:460, 32:340] == shown.colour("field")).all(axis=-1).sum() > 1000

# Viewers -------------------------------------------------------------------------------------------

def test_two_viewers_see_the_same_and_one_of_them_only_looks(browser, live, shown):
    with LivePage(browser, live.server.url.partition("#")[0]) as other:
        other.page.wait_for_selector("#rights:visible")
        assert all(other.page.is_disabled(f"#{name}") for name in ("pause", "step", "reset", "record", "neuron"))
        assert other.page.is_enabled("#save")
        for key in ("Space", "r", "1"):
            other.press(key)
        other.page.click("#neurons", position={"x": 300, "y": 150.5})
        other.page.wait_for_timeout(300)
        assert live.frames[-1].status == "running" and live.frames[-1].cue == -1 and watched(other) == [28, 66]
        pause(shown)
        other.wait_text("status", "Paused")
        other.page.wait_for_timeout(300)
        for name in ("answer", "confidence", "machine-steps", "machine-out"):
            assert other.text(name) == shown.text(name)
        # With the token, which may be put behind the address later, it acts.
        other.page.evaluate("token => { location.hash = token; }", live.server.token)
        other.page.wait_for_selector("#rights", state="hidden")
        other.page.click("#pause")
        shown.wait_text("status", "Running")


def test_a_viewer_that_is_killed_is_missed_by_nobody(live, browser, shown):
    """Its whole browser."""
    process = multiprocessing.get_context("spawn").Process(target=look_and_be_killed, args=[live.server.url])
    process.start()
    wait_for_viewers(live, shown, 2)
    process.join()
    wait_for_viewers(live, shown, 1)
    before = number(shown.text("machine-steps"))
    shown.wait(f"Number(document.getElementById('machine-steps').textContent.replace(',', '')) > {before}")


def wait_for_viewers(live, shown, count):
    """Until so many look."""
    for _ in range(600):
        if live.feed.viewers == count:
            break
        shown.page.wait_for_timeout(50)
    assert live.feed.viewers == count


def look_and_be_killed(url):
    """In a process of its own: Playwright runs once a thread."""
    with chromium() as browser:
        page = browser.new_context().new_page()
        page.goto(url)
        page.wait_for_timeout(1000)
        kill(browser)

# Windows, people -----------------------------------------------------------------------------------

@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nobody_is_kept_out(browser, live, viewport, scheme):
    """axe knows contrast, names, roles and their order."""
    with LivePage(browser, live.server.url, viewport=viewport, color_scheme=scheme) as shown:
        assert shown.faults() == []
        shown.press("1")
        shown.wait("document.getElementById('table').classList.contains('changed')")
        shown.press("Space")
        shown.press("?")
        shown.wait_text("status", "Paused")
        assert shown.faults() == []
        dark = sum(shown.colour("paper")) < 200
        assert dark == (scheme == "dark")
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb({}, {}, {})".format(*shown.colour("paper"))


def test_a_change_of_scheme_is_followed(shown):
    pause(shown)
    for scheme in ("dark", "light"):
        shown.page.emulate_media(color_scheme=scheme)
        shown.page.wait_for_timeout(200)
        assert (shown.pixels("picture", 0, 0, 128, 128)[..., :3] == shown.colour("field")).all(axis=-1).sum() > 1000
        pixels = shown.pixels("neurons", -200, 0, 200, 200)
        inks   = pixels[pixels[..., 3] == 255][:, :3]
        assert (inks == shown.colour("mark")).all(axis=-1).sum() > 100


def test_all_fits_into_the_window(browser):
    """Names of cues as long as they are."""
    with LiveReplay(cues=GESTURES[:CONTEXTS]) as live, LivePage(browser, live.server.url, viewport=PHONE) as shown:
        shown.press("1")
        shown.wait("document.getElementById('table').classList.contains('changed')")
        assert shown.text("cue-shown") == shown.text("share-since") == GESTURES[1]
        for width in (320, 360, 639, 640, 800, 960, 1440, 2560):
            shown.page.set_viewport_size({"width": width, "height": 740})
            shown.page.wait_for_timeout(200)
            assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
            # On a phone, cues that do not fit are pushed aside by a finger.
            outside = shown.page.evaluate("""[...document.querySelectorAll("button, input, canvas, h2, dd, p")].filter(
                (each) => each.offsetParent && !each.matches(".unseen, .cues *")
                && (each.getBoundingClientRect().right > innerWidth || each.getBoundingClientRect().left < 0)
                ).map((each) => each.outerHTML)""")
            assert outside == []
            # Nothing is cut off but names of classes that are too long.
            cut = shown.page.evaluate("""[...document.querySelectorAll("button, p, h1, h2, dd, dt")].filter(
                (each) => !each.classList.contains("unseen") && each.scrollWidth > each.clientWidth + 1
                ).map((each) => each.outerHTML)""")
            assert cut == []
            # The longest name has a line of its own, so that nothing jumps when the answer changes.
            assert shown.page.evaluate("""(names) => names.map((name) => {
                const answer = document.getElementById("answer").cloneNode();
                answer.textContent = name;
                document.getElementById("answer").after(answer);
                const { height } = answer.getBoundingClientRect();
                answer.remove();
                return Math.round(height / parseFloat(getComputedStyle(document.getElementById("answer")).lineHeight));
            })""", list(live.hello.classes)) == [1]*len(live.hello.classes)


OTHERS = {
    "no readout, a row of pixels": dict(picture_size=(700, 1), bin_us=10_000, inputs=140, neurons=200),
    "three neurons, 1 ms": dict(picture_size=(8, 6), bin_us=1000, inputs=2, neurons=3, classes=("a",)),
    "large": dict(picture_size=(320, 180), bin_us=20_000, inputs=8192, neurons=4096, contexts=64,
        classes=tuple(f"a class with quite a long name {n}" for n in range(40))),
}


@pytest.mark.parametrize("sizes", OTHERS.values(), ids=list(OTHERS))
def test_networks_of_other_sizes(browser, sizes):
    """Nothing overflows, nothing fails; states that nobody told are left out."""
    sizes  = {"contexts": 0, "classes": (), **sizes}
    hello  = Hello("net", "-", "/dev/ttyUSB0", state_max=4095, thresholds=(2000,)*sizes["neurons"], decay=5,
        compare=False, cues=tuple(map(str, range(sizes["contexts"]))), **sizes)
    feed   = Feed(hello)
    rng    = np.random.default_rng(0)
    spikes = [np.flatnonzero(rng.random(hello.neurons) < 0.1) for _ in range(1200)]
    inputs = [np.flatnonzero(rng.random(hello.inputs + hello.contexts) < 0.02) for _ in range(1200)]
    logits = rng.integers(-9999, 9999, (1200, len(hello.classes)))
    states = np.where(np.arange(1200)[:, None] % 40 < 39, -1, rng.integers(0, 4096, (1200, 2)))
    picture = np.zeros(hello.picture_size[::-1], np.int8)

    def publish(first):
        part = slice(first, first + 40)
        feed.publish(Frame(first, inputs[part], spikes[part], logits[part], picture, {2: states[part]}, [2],
            answer=int(np.argmax(logits[first + 39])) if hello.classes else -1,
            machine=Machine(steps=first + 40, lag_ms=123_456.0, bytes_out=10**13, dropped_events=10**9)))
    publish(0)
    with PageServer(feed, Control(hello.neurons, hello.contexts)) as server, \
            LivePage(browser, server.url, viewport=PHONE) as shown:
        for first in range(40, 1200, 40):
            publish(first)
            shown.page.wait_for_timeout(20)
        shown.wait_text("machine-steps", "1,200")
        shown.page.wait_for_timeout(500)
        assert shown.text("answer") == ("No readout" if not hello.classes else hello.classes[np.argmax(logits[-1])])
        assert shown.page.locator("#classes tr").count() == len(hello.classes)
        assert [int(each) for each in shown.page.locator(".trace b").all_inner_texts()] == [*states[-1], 2000]
        assert shown.text("machine-compared") == "no" and shown.text("machine-lag") == "123.5 s"
        for viewport in (PHONE, DESK):
            shown.page.set_viewport_size(viewport)
            shown.page.wait_for_timeout(300)
            assert shown.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
            height = shown.page.evaluate("document.getElementById('neurons').height")
            assert (shown.pixels("neurons", -100, 0, 100, height)[..., 3] > 0).any()
        assert shown.faults() == []


def test_a_window_that_changes_its_size_shows_all_steps_again(live, shown):
    shown.wait("Number(document.getElementById('machine-steps').textContent.replace(',', '')) > 200")
    pause(shown)
    shown.page.set_viewport_size(PHONE)
    shown.page.wait_for_timeout(300)
    width  = shown.page.evaluate("document.getElementById('neurons').width")
    pixels = shown.pixels("neurons", -80, 0, 80, 200)
    assert width < PHONE["width"] and (pixels[..., 3] > 0).sum() > 300


def test_everything_is_reached_by_keys_with_a_focus_that_is_seen(shown):
    shown.press("Space")
    shown.wait_text("status", "Paused")
    reached = []
    for _ in range(40):
        shown.press("Tab")
        name, outline = shown.page.evaluate("""[document.activeElement.id || document.activeElement.textContent.trim(),
            getComputedStyle(document.activeElement).outlineStyle]""")
        if shown.page.evaluate("document.activeElement === document.body"):
            break
        reached.append(name)
        assert outline == "solid", name
    assert reached[:5] == ["pause", "step", "reset", "record", "save"]
    assert {"off", "0", "neuron", "Watch", "\u2715", "Keys"} <= set(reached)
    # Enter and space press a button that has the focus, and nothing else.
    shown.page.focus("#pause")
    shown.press("Space")
    shown.wait_text("status", "Running")
    shown.page.focus("#pause")
    shown.press("Enter")
    shown.wait_text("status", "Paused")


def test_keys_act_and_can_be_switched_off(live, shown):
    shown.press("Space")
    shown.wait_text("status", "Paused")
    shown.page.wait_for_timeout(500)
    before = number(shown.text("machine-steps"))
    shown.press("n")
    shown.wait(f"document.getElementById('machine-steps').textContent.replace(',', '') === '{before + 1}'")
    shown.press("2")
    shown.wait("document.querySelector('#cues button:nth-child(4)').ariaPressed === 'true'")
    shown.press("o")
    shown.wait("document.querySelector('#cues button:nth-child(1)').ariaPressed === 'true'")
    shown.press("w")
    assert shown.page.evaluate("document.activeElement.id") == "neuron"
    # In a field, keys are text.
    shown.press("2")
    shown.press("Space")
    shown.page.wait_for_timeout(200)
    assert live.frames[-1].cue == -1 and live.frames[-1].status == "paused"
    shown.press("Tab")
    shown.press("?")
    shown.page.uncheck("#keys-act")
    shown.press("r")
    shown.page.wait_for_timeout(300)
    assert live.frames[-1].recording == ""
    shown.page.check("#keys-act")
    # A button that was clicked does not keep the space bar.
    shown.page.click("#reset")
    shown.press("Space")
    shown.wait_text("status", "Running")


def test_the_answer_is_spoken_when_it_changes_and_stands(live, shown):
    assert shown.page.get_attribute("#spoken", "aria-live") == "polite"
    shown.page.evaluate("""() => {
        window.spoken = [];
        new MutationObserver(() => window.spoken.push(document.getElementById("spoken").textContent)).observe(
            document.getElementById("spoken"), { childList: true, characterData: true, subtree: true });
    }""")
    shown.page.wait_for_timeout(4000)
    spoken = shown.page.evaluate("window.spoken")
    assert 1 <= len(spoken) <= 6 and set(spoken) <= set(live.hello.classes)
    assert all(one != next for one, next in pairwise(spoken))


@pytest.mark.parametrize("motion, most", [("no-preference", 1000), ("reduce", 4)])
def test_who_bears_no_movement_gets_little(browser, live, motion, most):
    with LivePage(browser, live.server.url, reduced_motion=motion) as shown:
        shown.page.evaluate("""() => {
            window.moved = 0;
            const { drawImage } = CanvasRenderingContext2D.prototype;
            CanvasRenderingContext2D.prototype.drawImage = function (...about) {
                window.moved += this.canvas.id === "neurons";
                drawImage.apply(this, about);
            };
        }""")
        shown.page.wait_for_timeout(3000)
        assert (1 if motion == "reduce" else 5) <= shown.page.evaluate("window.moved") <= most
