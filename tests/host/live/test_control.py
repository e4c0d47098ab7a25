# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Commands of viewers: what is taken, what is refused, and with which words."""

import threading

import pytest

from accel.errors import QCLIFError
from host.live.control import Control


@pytest.mark.parametrize("name, value, taken", [
    ("pause", None, None), ("resume", None, None), ("step", None, None), ("reset", None, None),
    ("cue", -1, -1), ("cue", 2, 2), ("watch", [], ()), ("watch", [66, 28, 66], (28, 66)), ("watch", [0, 199], (0, 199)),
    ("record", True, True), ("record", False, False),
])
def test_commands_come_out_as_they_went_in(name, value, taken):
    control = Control(200, 3)
    control.ask(name, value)
    assert control.taken() == [(name, taken)] and control.taken() == []


@pytest.mark.parametrize("name, value, words", [
    ("stop", None, "'stop': known are pause, resume, step, reset, cue, watch, record"),
    (None, None, "'None': known are"), (["pause"], None, "known are"), ({}, 1, "known are"),
    ("x"*1000, None, "known are"),
    ("pause", 1, "value '1': this command has none"), ("reset", [], "has none"),
    ("cue", 3, "cue '3': the limits are -1 to 2"), ("cue", -2, "the limits are -1 to 2"), ("cue", 1.0, "the limits"),
    ("cue", True, "the limits"), ("cue", None, "the limits"), ("cue", "1", "the limits"),
    ("cue", 10**300, "the limits"),
    ("watch", 28, "a list of up to 4 neurons"), ("watch", None, "a list"), ("watch", [1, 2, 3, 4, 5], "up to 4"),
    ("watch", [True], "a list"), ("watch", ["1"], "a list"), ("watch", [[1]], "a list"),
    ("watch", [200], "neuron 200: the limits are 0 to 199"), ("watch", [-1], "neuron -1"),
    ("record", 1, "true or false"), ("record", None, "true or false"), ("record", "yes", "true or false"),
])
def test_what_is_refused_says_why_in_a_line(name, value, words):
    control = Control(200, 3)
    with pytest.raises(QCLIFError) as error:
        control.ask(name, value)
    assert words in str(error.value) and len(str(error.value)) < 160 and "\n" not in str(error.value)
    assert control.taken() == []


def test_a_network_without_contexts_has_no_cue_but_none():
    control = Control(200, 0)
    control.ask("cue", -1)
    with pytest.raises(QCLIFError, match="-1 alone: the network has no context sources"):
        control.ask("cue", 0)


def test_too_many_commands_are_refused_and_room_comes_back():
    control = Control(200, 3)
    for _ in range(Control.LIMIT):
        control.ask("step")
    with pytest.raises(QCLIFError, match=r"64 commands wait already: ask more slowly"):
        control.ask("step")
    assert len(control.taken()) == Control.LIMIT
    control.ask("pause")
    assert control.taken() == [("pause", None)]


def test_commands_of_several_threads_all_come():
    control = Control(200, 3)

    def ask(cue):
        for _ in range(10):
            control.ask("cue", cue)
    asking = [threading.Thread(target=ask, args=[cue]) for cue in (0, 1)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(control.taken()) == [("cue", 0)]*10 + [("cue", 1)]*10
