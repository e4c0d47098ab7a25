# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What viewers are given: frames as bytes, each made once, to all who look at the time."""

import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.live.feed import Feed, Frame, Hello, Machine, confidence

HELLO = Hello("net", "camera", "soc", (5, 3), 5000, 512, 2, 200, 255, ("left", "right"), ("near", "far"),
    (140,)*200, 5, True)


def frame(first=0, steps=2, **values):
    values = {"picture": np.arange(-7, 8, dtype=np.int8).reshape(3, 5), **values}
    return Frame(first, [np.array([1, 7], np.int32)]*steps, [np.array([3], np.int32)]*steps,
        np.arange(2*steps, dtype=np.int32).reshape(steps, 2), **values)


def decoded(encoded):
    """The object and the picture's bytes of a frame, as its docstring says."""
    length = int.from_bytes(encoded[:4], "little")
    return json.loads(encoded[4:4 + length]), encoded[4 + length:]


def test_facts_are_an_object():
    facts = json.loads(HELLO.encode())
    assert facts["picture_size"] == [5, 3] and facts["classes"] == ["left", "right"] and facts["compare"] is True
    assert set(facts) == set(Hello.__dataclass_fields__)


@pytest.mark.parametrize("label", ["", "a", "ab", "abc", "abcd", "Händewaschen ✓"])
def test_a_frame_is_what_it_was(label):
    sent = frame(first=40, label=label, states={28: np.array([[1, 2], [3, 4]], np.uint16)}, watch=(28, 66), answer=1,
        confidence=1/3, cue=1, status="mismatch", paused=True, notice="so", recording="a.npz",
        machine=Machine(steps=2, lag_ms=1.5))
    got, picture = decoded(sent.encode())
    assert got == {"first": 40, "inputs": [[1, 7]]*2, "spikes": [[3]]*2, "logits": [[0, 1], [2, 3]],
        "states": {"28": [[1, 2], [3, 4]]}, "watch": [28, 66], "label": label, "answer": 1,
        "confidence": 0.333, "cue": 1, "status": "mismatch", "paused": True, "notice": "so",
        "recording": "a.npz", "machine": got["machine"]}
    assert got["machine"] == {name: getattr(sent.machine, name) for name in Machine.__dataclass_fields__}
    assert np.array_equal(np.frombuffer(picture, np.int8).reshape(3, 5), sent.picture)


def test_a_frame_without_steps():
    got, picture = decoded(frame(steps=0).encode())
    assert got["inputs"] == got["spikes"] == got["logits"] == [] and len(picture) == 15

# Viewers -------------------------------------------------------------------------------------------

def test_all_viewers_get_the_same_bytes_and_who_left_none():
    feed, first, second = Feed(HELLO), [], []
    feed.publish(frame(0))
    leave = feed.subscribe(first.append)
    feed.subscribe(second.append)
    assert feed.viewers == 2
    feed.publish(frame(2))
    leave()
    leave()
    feed.publish(frame(4))
    assert [decoded(each)[0]["first"] for each in first] == [0, 2]
    assert [decoded(each)[0]["first"] for each in second] == [0, 2, 4]
    assert first[1] is second[1] and feed.viewers == 1


def test_who_comes_before_the_first_frame_waits_for_it():
    feed, got = Feed(HELLO), []
    feed.subscribe(got.append)
    assert got == []
    feed.publish(frame())
    assert len(got) == 1


def test_no_older_frame_follows_a_newer_one():
    """The run publishes one just when somebody comes."""
    feed, got = Feed(HELLO), []
    feed.publish(frame(0))
    running = threading.Thread(target=feed.publish, args=[frame(2)])

    def viewer(encoded):
        if not running.ident:
            running.start()
            running.join(0.2)
        got.append(decoded(encoded)[0]["first"])
    feed.subscribe(viewer)
    running.join()
    assert got == [0, 2]


def test_viewers_come_and_go_while_frames_are_published():
    """From threads of their own; nobody who looks all the time misses a frame."""
    feed, faithful = Feed(HELLO), []
    feed.subscribe(faithful.append)
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            feed.subscribe(lambda _: None)()
    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(300):
        feed.publish(frame(number))
    over.set()
    for thread in threads:
        thread.join()
    assert [decoded(each)[0]["first"] for each in faithful] == list(range(300)) and feed.viewers == 1

# Confidence ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("logits, share", [
    ([], 0), ([5], 0), ([3, 3, 3], 0), ([1, 3, 3], 0), ([0, 0, 9], 1), ([0, 5, 10], 0.5), ([-2**31, 0, 2**31 - 1], 0.5),
])
def test_confidence(logits, share):
    assert confidence(np.array(logits, np.int32)) == pytest.approx(share, abs=1e-9)


@given(st.lists(st.integers(-2**31, 2**31 - 1), min_size=2, max_size=12))
def test_confidence_is_a_share_and_does_not_depend_on_the_order(logits):
    share = confidence(np.array(logits, np.int32))
    assert 0 <= share <= 1 and share == confidence(np.array(logits[::-1], np.int32))
    assert (share == 0) == (sorted(logits)[-1] == sorted(logits)[-2])
