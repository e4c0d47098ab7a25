# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A step's spikes as the firmware sends them: their form, and answers that are as long as the bound says."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample
from host.link.device import Device
from host.link.link import Link
from host.link.raw_events import pack_events
from host.link.step_coder import StepCoder
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort, spikes_put
from tests.helpers.naive_spikes import SIZES, bitmap_bytes, fired_neurons, list_bytes, spikes_bytes, varint
from tests.helpers.strategies import random_network


@given(st.data())
def test_both_forms(data):
    neurons = data.draw(st.sampled_from(SIZES))
    fired   = data.draw(fired_neurons(neurons))
    assert spikes_put(QCLIFConfig(neurons=neurons), fired) == spikes_bytes(fired, neurons)


@pytest.mark.parametrize("neurons, count", [(1, 1), (8, 1), (9, 2), (128, 16), (129, 16), (200, 24), (1024, 121)])
def test_where_a_bitmap_is_taken(neurons, count):
    """The longest list before is shorter than the bitmap, and has less than 128 neurons."""
    config = QCLIFConfig(neurons=neurons)
    fewer  = [(index + 1)*neurons//count - 1 for index in range(count)][1:]
    assert spikes_put(config, fewer) == list_bytes(fewer) and count <= 128
    assert len(list_bytes(fewer)) < protocol.step_answer_bytes(config)
    assert spikes_put(config, range(count)) == bitmap_bytes(range(count), neurons)


# Answers ------------------------------------------------------------------------------------------

def loud_link(config):
    """A link to a device whose neurons all fire in each step, and their network."""
    n       = config.neurons
    network = random_network(config)
    network = dataclasses.replace(network, product_shift=0, threshold=np.ones(n, np.int32),
        **{name: np.full(n, 127) for name in ("bias_soma", "bias_apical")},
        **{name: np.zeros(n, np.int32) for name in ("leak_soma", "leak_apical")},
        **{name: np.zeros_like(getattr(network, name)) for name in
            ("w_sensory", "w_context", "w_recurrent_soma", "w_recurrent_apical")})
    network.validate()
    link = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(network, "cpu", network.encoder)
    link.request("BEGIN")
    return link, network


@pytest.mark.parametrize("neurons", SIZES)
def test_all_fire_in_a_request_of_most_steps(neurons):
    """Its answer has the bytes of the bound, to the last one; a step more is refused before it is computed."""
    config        = QCLIFConfig(neurons=neurons, inputs=4)
    link, network = loud_link(config)
    coder         = StepCoder(network, link)
    room          = link.payload_limit - 1
    each          = protocol.step_answer_bytes(config)
    (kind, payload, count), *_ = coder.steps([np.zeros(0, np.int32)]*2000)
    # Other than by the bound, requests have 512 bytes at most.
    assert count == min(room//each, link.payload_bytes - 1)
    answer = link.request(kind, payload)
    assert len(answer) == count*each
    assert [step.tolist() for step in coder.take_spikes(answer)] == [list(range(neurons))]*count
    most = varint(room//each) + bytes(room//each)
    if len(most) <= link.payload_limit:
        assert len(link.request("STEPS", most)) == room//each*each
    more = varint(room//each + 1) + bytes(room//each + 1)
    if len(more) <= link.payload_limit:
        with pytest.raises(QCLIFError, match=f"would need {(room//each + 1)*each} bytes, a frame has room for {room}:"):
            link.request("STEPS", more)


@pytest.mark.parametrize("pixels, fits", [(40, True), (41, False)])
def test_all_fire_behind_raw_events_that_fill_an_answer(pixels, fits):
    """Of 128 bytes, 119 are behind the status: one source of one byte and 39 of two, then 10 steps of four bytes."""
    link, _ = loud_link(QCLIFConfig(neurons=9, inputs=200, frame_bytes=128))
    encoder = Encoder((200, 1), (200, 1), 1, 1000, 1)
    link.request("ENCODER", protocol.pack("ENCODER", width=200, height=1, grid_width=200, grid_height=1, polarities=1,
        bin_us=1000, count_threshold=1))
    link.request("BEGIN")
    events  = np.zeros(pixels + 1, EVENT)
    events["x"] = [0, *range(150, 150 + pixels - 1), 0]
    events["t"][-1] = 10_000
    words, steps = pack_events(events, None, encoder, 10)
    # The last event is one more step's.
    payload = words[:-1].tobytes()
    assert steps[-2] == 10 and len(payload) == 2*(pixels + 1)
    if fits:
        answer = link.request("RAW", payload)
        sources = b"".join(varint(int(x) + 1) for x in events["x"][:-1])
        assert answer == sources + (b"\0" + spikes_bytes(range(9), 9))*10 and len(answer) == 119
    else:
        with pytest.raises(QCLIFError, match="an answer would need 4 bytes, a frame has room for"):
            link.request("RAW", payload)


@pytest.mark.parametrize("frame_bytes", [128, 192, 960])
def test_raw_events_are_sent_as_their_answers_fit(frame_bytes):
    """Whatever fires: every source of two bytes, and all neurons in each step."""
    config  = QCLIFConfig(neurons=200, inputs=300, frame_bytes=frame_bytes)
    encoder = Encoder((300, 1), (300, 1), 1, 100, 1)
    network = dataclasses.replace(loud_link(config)[1], encoder=encoder)
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    device  = Device(link)
    device.load(network, "cpu", encoder)
    rng     = np.random.default_rng(frame_bytes)
    events  = np.zeros(3000, EVENT)
    events["x"] = rng.integers(127, 300, 3000)
    # Steps of many events, of few, and without any.
    events["t"] = np.cumsum(rng.choice([0, 1, 100, 1500], 3000, p=[0.6, 0.2, 0.15, 0.05]))
    sample  = Sample("raw", events=events).encoded(encoder, config.contexts)
    run     = device.run(sample, encode="device")
    assert run.inputs == sample.steps
    assert np.diff(run.spikes.offsets).tolist() == [200]*len(sample.steps)
