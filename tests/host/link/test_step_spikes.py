# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Spikes of steps as the host reads them: both forms, and bytes that are neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from host.link.step_coder import StepCoder
from host.link.step_spikes import take_step
from tests.helpers.naive_spikes import SIZES, bitmap_bytes, fired_neurons, list_bytes, spikes_bytes, varint
from tests.helpers.strategies import random_network

INPUTS, CONTEXTS = 300, 5


class QuietLink:
    """What a coder asks of a link."""
    payload_bytes = payload_limit = 1000

    def __init__(self, config):
        self.info = type("Info", (), {"config": config})


def coder(neurons, sizes=None):
    config = QCLIFConfig(neurons=neurons, inputs=INPUTS, contexts=CONTEXTS)
    return StepCoder(random_network(config, sizes=sizes), QuietLink(config))


CODERS = {neurons: coder(neurons) for neurons in SIZES}


def taken(found):
    """Steps as lists; all of them are int32."""
    assert all(step.dtype == np.int32 for step in found)
    return [step.tolist() for step in found]


@given(st.data())
def test_both_forms(data):
    neurons = data.draw(st.sampled_from(SIZES))
    steps   = data.draw(st.lists(fired_neurons(neurons), max_size=5))
    answer  = b"".join(spikes_bytes(step, neurons) for step in steps)
    assert len(answer) <= len(steps)*protocol.step_answer_bytes(QCLIFConfig(neurons=neurons))
    assert taken(CODERS[neurons].take_spikes(answer)) == steps


@given(st.data())
def test_both_forms_behind_sources(data):
    """Of an answer to RAW, cut anywhere between two sources: what fired in the step at hand is kept."""
    neurons = data.draw(st.sampled_from(SIZES))
    sources = st.lists(st.integers(0, INPUTS + CONTEXTS - 1), max_size=20)
    steps   = data.draw(st.lists(st.tuples(sources, fired_neurons(neurons)), max_size=4))
    rest    = data.draw(sources)
    pieces  = []
    for fired, spikes in steps:
        pieces += [varint(source + 1) for source in fired] + [b"\0" + spikes_bytes(spikes, neurons)]
    pieces += [varint(source + 1) for source in rest]
    at      = data.draw(st.integers(0, len(pieces)))
    reader  = CODERS[neurons]
    reader.begin()
    inputs, found = (a + b for a, b in zip(*(reader.take_raw(b"".join(half)) for half in (pieces[:at], pieces[at:])),
        strict=True))
    assert taken(inputs) == [sorted(fired) for fired, _ in steps]
    assert taken(found) == [spikes for _, spikes in steps]
    # The step at hand has the rest.
    assert taken(reader.take_raw(b"\0\0")[0]) == [sorted(rest)]


def test_a_network_smaller_than_the_build():
    """A bitmap has the neurons of the build; contexts have its numbers."""
    reader = coder(40, (23, 17, 2))
    fired  = list(range(3, 23))
    assert taken(reader.take_spikes(spikes_bytes(fired, 40)*2)) == [fired]*2
    inputs, found = reader.take_raw(varint(INPUTS + 1 + 1) + varint(16 + 1) + b"\0" + spikes_bytes(fired, 40))
    assert taken(inputs) == [[16, 18]] and taken(found) == [fired]
    with pytest.raises(QCLIFError, match="no spikes of 23 neurons at byte 0"):
        reader.take_spikes(spikes_bytes([*fired, 23], 40))


NEURONS = 200
BROKEN  = {
    "a bitmap that is cut off":     bitmap_bytes(range(200), NEURONS)[:-1],
    "a bitmap's mark alone":        b"\xff",
    "a list that is cut off":       list_bytes([3, 5])[:-1],
    "a list cut in a difference":   list_bytes([150])[:-1],
    "a list's length alone":        b"\x01",
    "a list with more neurons":     list_bytes([3, 200]),
    "a neuron twice":               b"\x02\x05\x00",
    "a neuron twice, far behind":   b"\x03\x85\x01\x05\x00",
    "a difference of three bytes":  b"\x02\x80\x80\x01\x05",
    "a difference that is too long": b"\x01\x85\x00",
    "a list in a bitmap's place":   list_bytes(range(24)),
    "a length of two bytes":        varint(150) + bytes([0] + [1]*149),
    "neither form":                 b"\xfe" + bytes(25),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_bytes_that_are_no_spikes(broken):
    good = list_bytes([1, 150])
    with pytest.raises(QCLIFError, match=f"no spikes of 200 neurons at byte {len(good)}: |broken varint"):
        CODERS[NEURONS].take_spikes(good + broken)
    with pytest.raises(QCLIFError, match=r"no spikes of 200 neurons at byte 2: |broken varint"):
        CODERS[NEURONS].take_raw(b"\x05\0" + broken)


@pytest.mark.parametrize("neuron", range(9, 16))
def test_a_bitmap_with_neurons_that_are_not_there(neuron):
    with pytest.raises(QCLIFError, match="no spikes of 9 neurons at byte 0"):
        CODERS[9].take_spikes(bitmap_bytes([0, neuron], 16))


def test_the_end_of_a_step_without_its_spikes():
    with pytest.raises(QCLIFError, match="no spikes of 200 neurons at byte 1"):
        CODERS[NEURONS].take_raw(b"\0")


@given(st.sampled_from(SIZES), st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"\xff" + rest))
def test_noise_is_refused_or_spikes(neurons, noise):
    """Whatever comes, what is taken for spikes is what one of the forms says."""
    config = QCLIFConfig(neurons=neurons, inputs=INPUTS, contexts=CONTEXTS)
    try:
        fired, end = take_step(noise, 0, config, neurons)
    except QCLIFError:
        return
    assert noise[:end] in (list_bytes(fired.tolist()), bitmap_bytes(fired.tolist(), neurons))
