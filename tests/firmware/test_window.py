# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The readout's window, and counters of a sample that goes on, in the firmware compiled for the host."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from firmware.protocol import DECAY_MAX
from host.link.device import Device
from host.link.link import Link
from host.link.step_coder import StepCoder
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort
from tests.helpers.naive_contract import Reference
from tests.helpers.strategies import inputs_of, networks, random_network

BUILDS = [QCLIFConfig(neurons=12, inputs=10, contexts=3), QCLIFConfig(neurons=12, inputs=10, contexts=3, outputs=3)]


def window(decay, report=0):
    return "WINDOW", protocol.pack("WINDOW", decay=decay, report=report)


def logits(link, outputs=3):
    return np.frombuffer(link.request("LOGITS", protocol.pack("RANGE", first=0, count=outputs)), "<i4").tolist()


def steps_request(link, network, steps):
    (kind, payload, _), = StepCoder(network, link).steps([np.sort(np.array(step, np.int32)) for step in steps])
    return kind, payload


@pytest.fixture
def link():
    link = Link(FirmwarePort(FirmwareDevice(BUILDS[0])))
    Device(link).load(random_network(BUILDS[0], 3, "excited", product_shift=2), "cpu")
    return link


@settings(max_examples=60)
@given(st.data())
def test_logits_fade_as_the_contract_says(data):
    """Step by step and several at once, through another sample and another window."""
    config  = data.draw(st.sampled_from(BUILDS))
    network = data.draw(networks(config))
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(network, "cpu")
    for decay in data.draw(st.lists(st.integers(0, DECAY_MAX), min_size=1, max_size=3)):
        link.request(*window(decay))
        link.request("BEGIN")
        assert logits(link) == [0, 0, 0]
        reference, spikes = Reference(network), []
        for piece in data.draw(st.lists(inputs_of(network, steps=4), min_size=1, max_size=4)):
            answer = link.request(*steps_request(link, network, piece))
            spikes += [reference.step(step) for step in piece]
            assert [each.tolist() for each in StepCoder(network, link).take_spikes(answer)] == spikes[-len(piece):]
            assert logits(link) == reference.logits(spikes, decay)
        link.request("END")
        assert logits(link) == reference.logits(spikes, decay)


@pytest.mark.parametrize("decay", [1, 5, DECAY_MAX])
def test_logits_at_the_limit_of_32_bits(decay):
    """With the largest readout that the host takes, all neurons fire in thousands of steps."""
    config  = BUILDS[0]
    network = random_network(config, 1)
    most    = (2**(31 - decay) - 1)//config.neurons
    readout = np.tile([most, -most, 1], (config.neurons, 1)).astype(np.int32)
    network = dataclasses.replace(network, readout=readout, threshold=np.ones(12, np.int32), product_shift=0,
        bias_soma=np.full(12, 127, np.int32), bias_apical=np.full(12, 127, np.int32),
        leak_soma=np.zeros(12, np.int32), leak_apical=np.zeros(12, np.int32),
        **{name: np.zeros_like(getattr(network, name)) for name in ("w_recurrent_soma", "w_recurrent_apical")})
    network.validate()
    link = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(network, "cpu")
    link.request(*window(decay))
    link.request("BEGIN")
    expected = [0, 0, 0]
    for _ in range(120):
        fired = StepCoder(network, link).take_spikes(link.request("STEPS", bytes([50] + [0]*50)))
        for neurons in fired:
            expected = [value - ((value + 2**(decay - 1)) >> decay) + len(neurons)*weight
                for value, weight in zip(expected, (most, -most, 1), strict=True)]
        assert logits(link) == expected
    assert len(fired[-1]) == config.neurons
    assert decay > 5 or expected[0] > 0.99*2**31


def test_a_network_that_is_configured_has_no_window(link):
    network = random_network(BUILDS[0], 3, "excited", product_shift=2)
    link.request(*window(4))
    Device(link).load(network, "cpu")
    link.request("BEGIN")
    spikes = StepCoder(network, link).take_spikes(link.request(*steps_request(link, network, [[0, 1, 2]]*30)))
    assert sum(map(len, spikes)) > 10
    assert logits(link) == Reference(network).logits([each.tolist() for each in spikes])


@pytest.mark.parametrize("payload, text", [
    (bytes([DECAY_MAX + 1, 0]), f"the decay of the readout's window is {DECAY_MAX + 1}, the limit is {DECAY_MAX}"),
    (b"", "a request of 0 bytes"), (bytes(1), "a request of 1 bytes"),
])
def test_windows_that_are_refused(link, payload, text):
    with pytest.raises(QCLIFError, match=text):
        link.request("WINDOW", payload)


def test_order(link):
    """A window needs a network, and ends a sample; counters need one."""
    link.request("BEGIN")
    link.request("COUNTERS")
    link.request(*window(1))
    for kind in ("COUNTERS", "END"):
        with pytest.raises(QCLIFError, match=f"request type {protocol.REQUESTS[kind]} came too early .state 1"):
            link.request(kind)
    with pytest.raises(QCLIFError, match=r"request type 15 came too early .state 0"):
        Link(FirmwarePort(FirmwareDevice(BUILDS[0]))).request(*window(1))


def test_counters_of_a_sample_that_goes_on(link):
    def counted(kind):
        return dict(zip(protocol.COUNTERS, np.frombuffer(link.request(kind), "<u4").tolist(), strict=True))

    link.request("BEGIN")
    before = counted("COUNTERS")
    assert set(before.values()) - {before["soc_clocks"]} == {0}
    for number in range(1, 4):
        link.request("STEPS", bytes([2, 1, 5, 0]))
        after = counted("COUNTERS")
        assert (after["steps"], after["events"]) == (2*number, number)
        assert after["soc_clocks"] > before["soc_clocks"]
        before = after
    ended = counted("END")
    assert {**ended, "soc_clocks": 0} == {**before, "soc_clocks": 0}


def test_begin_in_mid_sample_begins_anew(link):
    link.request(*window(3))
    link.request("BEGIN")
    first = link.request("STEPS", bytes([20] + [0]*20))
    assert logits(link) != [0, 0, 0]
    link.request("BEGIN")
    assert logits(link) == [0, 0, 0]
    assert link.request("STEPS", bytes([20] + [0]*20)) == first


# Logits and states with the spikes ----------------------------------------------------------------

@settings(max_examples=60)
@given(st.data())
def test_reports(data):
    """Behind the spikes of each request: logits, and the states of watched neurons, other ones with each request."""
    config  = data.draw(st.sampled_from(BUILDS))
    network = data.draw(networks(config))
    decay   = data.draw(st.integers(0, DECAY_MAX))
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(network, "cpu")
    link.request(*window(decay, report=1))
    for _ in range(2):
        link.request("BEGIN")
        reference, spikes, watched = Reference(network), [], []
        for piece in data.draw(st.lists(inputs_of(network, steps=4), min_size=1, max_size=4)):
            neurons = st.lists(st.integers(0, network.neurons - 1), max_size=protocol.WATCH_MAX)
            if (wanted := data.draw(st.none() | neurons)) is not None:
                watched = wanted
                link.request("WATCH", np.array(watched, "<u2").tobytes())
            elif not spikes:
                link.request("WATCH")
            coder = StepCoder(network, link)
            assert coder.reserve(3 + len(watched))
            answer, report = coder.split(link.request(*steps_request(link, network, piece)))
            spikes += [reference.step(step) for step in piece]
            assert [each.tolist() for each in coder.take_spikes(answer)] == spikes[-len(piece):]
            items = np.frombuffer(report, "<i4").tolist()
            assert items[:3] == reference.logits(spikes, decay) == logits(link)
            assert items[3:] == [reference.v_a[n] + 2**16*reference.v_s[n] for n in watched]


@pytest.mark.parametrize("payload, text", [
    (b"\x0c\0", "neuron 12 is to be watched, the network has 12"), (b"\0\0\xff\xff", "neuron 65535"),
    (bytes(1), "a request of 1 bytes"), (bytes(2*protocol.WATCH_MAX + 2), "a request of 34 bytes"),
])
def test_neurons_that_cannot_be_watched(link, payload, text):
    with pytest.raises(QCLIFError, match=text):
        link.request("WATCH", payload)


@pytest.mark.parametrize("steps, fit", [(14, True), (15, False), (40, False)])
def test_reports_take_room_from_spikes(steps, fit):
    """An answer of 128 bytes, of which 119 are behind its status: three logits, 16 states and 14 steps of 3."""
    config  = dataclasses.replace(BUILDS[1], frame_bytes=128)
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(random_network(config, 3), "cpu")
    link.request(*window(2, report=1))
    link.request("WATCH", bytes(2*protocol.WATCH_MAX))
    link.request("BEGIN")
    request = "STEPS", bytes([steps] + [0]*steps)
    if fit:
        assert len(link.request(*request)) >= 4*(3 + protocol.WATCH_MAX) + steps
    else:
        with pytest.raises(QCLIFError, match=f"an answer would need {3*steps} bytes, a frame has room for 43"):
            link.request(*request)


def test_reports_that_do_not_fit_are_refused():
    """Where the host asks for them all the same."""
    config  = QCLIFConfig(neurons=12, inputs=10, contexts=3, outputs=40, frame_bytes=128)
    network = random_network(config, 3)
    network = dataclasses.replace(network, readout=np.ones((12, 40), np.int32))
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    Device(link).load(network, "cpu")
    link.request(*window(2, report=1))
    assert not StepCoder(network, link).reserve(40)
    link.request("BEGIN")
    with pytest.raises(QCLIFError, match="an answer would need 160 bytes, a frame has room for 119"):
        link.request("STEPS", b"\x01\0")
