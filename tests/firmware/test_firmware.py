# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware, compiled for the host, against the naive reference: CPU engine, encoder, readout, refusals."""

import ctypes
import dataclasses
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import SENSOR_LIMIT, SHIFT_MAX, SPACE_APICAL, SPACE_PARAMETERS, SPACE_SOMA, QCLIFConfig
from accel.errors import QCLIFError
from accel.image import word_address
from firmware import protocol
from firmware.header import write_headers
from firmware.protocol import ENGINES
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.device import Device, cpu_image, stats_between, verify_sums
from host.link.framing import encode_varints
from host.link.link import Link
from host.link.raw_events import TICK_US, pack_events
from tests.helpers.firmware_port import FOLDERS, SOURCES, FirmwareDevice, FirmwarePort
from tests.helpers.naive_contract import Reference, encode
from tests.helpers.strategies import inputs_of, networks, random_network

# A handful of builds, since each is compiled: extremes of the widths, N = 1, C = 0, products of 36 bits.
BUILDS = [
    QCLIFConfig(neurons=12, inputs=10, contexts=3),
    QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1, outputs=3, frame_bytes=128, step_events=8),
    QCLIFConfig(neurons=37, inputs=20, contexts=0, weight_bits=4, state_bits=12),
    QCLIFConfig(neurons=9, inputs=7, contexts=64, weight_bits=2, state_bits=4, current_bits=4),
    QCLIFConfig(neurons=130, inputs=140, contexts=2, state_bits=16, current_bits=20, frame_window=2),
]


def opened(config):
    return Device(Link(FirmwarePort(FirmwareDevice(config))))


def assert_as_reference(run, network, steps, lockstep):
    reference = Reference(network)
    spikes, states = [], []
    for t in range(len(steps)):
        spikes.append(reference.step(steps.step(t).tolist()))
        states.append((list(reference.v_a), list(reference.v_s)))
    assert [run.spikes.step(t).tolist() for t in range(len(run.spikes))] == spikes
    assert run.logits.tolist() == reference.logits(spikes)
    assert list(zip(run.v_a.tolist(), run.v_s.tolist(), strict=True)) == (states if lockstep else states[-1:])
    assert run.counters["steps"] == len(steps)
    assert run.counters["events"] == len(steps.sources)
    assert run.counters["spikes"] == sum(map(len, spikes))
    assert run.counters["rows"] == len(steps.sources) + sum(map(len, spikes[:-1]))
    assert run.counters["sops"] == network.neurons*(len(steps.sources) + 2*sum(map(len, spikes[:-1])))


# CPU engine ---------------------------------------------------------------------------------------

@settings(max_examples=60)
@given(st.data())
def test_cpu_engine(data):
    config = data.draw(st.sampled_from(BUILDS))
    network = data.draw(networks(config))
    events = min(12, config.step_events)
    samples = [Sample("x", steps=SpikeTrain.from_lists(steps)) for steps in
        data.draw(st.lists(inputs_of(network, events=events), min_size=1, max_size=3))]
    lockstep = data.draw(st.booleans())
    device = opened(config)
    device.load(network, "cpu")
    for sample, run in zip(samples, device.run_many(samples, lockstep=lockstep), strict=True):
        assert_as_reference(run, network, sample.steps, lockstep)


@pytest.mark.parametrize("seed", range(4))
def test_cpu_engine_on_long_samples(seed):
    """Dense steps, spikes of every neuron, varints of two bytes, steps that take several frames."""
    config = BUILDS[-1]
    network = random_network(config, seed, "excited", apical_shift=seed, product_shift=4)
    rng = np.random.default_rng(seed)
    steps = SpikeTrain.from_lists([rng.integers(0, config.sources, rng.integers(0, 143)) for _ in range(40)])
    device = opened(dataclasses.replace(config, frame_bytes=256))
    device.load(network, "cpu")
    assert_as_reference(device.run(Sample("x", steps=steps)), network, steps, lockstep=False)


def test_the_largest_build():
    config = QCLIFConfig(neurons=1024, inputs=4096, contexts=64, outputs=64)
    network = random_network(config, 1, "extreme")
    network = dataclasses.replace(network, readout=np.full((1024, 64), 2**31 - 1, np.int32), product_shift=0,
        threshold=np.ones(1024, int), bias_soma=np.full(1024, 127), bias_apical=np.full(1024, 127))
    network.validate()
    steps = SpikeTrain.from_lists([range(4160), [], range(4096)])
    device = opened(config)
    device.load(network, "cpu")
    run = device.run(Sample("full", steps=steps))
    # The reference would walk five million synapses a step in Python.
    v_a = v_s = fired = np.zeros(1024, np.int64)
    for t in range(3):
        x = np.bincount(steps.step(t), minlength=4160)
        soma = network.bias_soma + x[:4096]@network.w_sensory + fired@network.w_recurrent_soma
        apical = network.bias_apical + x[4096:]@network.w_context + fired@network.w_recurrent_apical
        v_a = np.clip(np.maximum(v_a - network.leak_apical, 0) + np.clip(apical, -2048, 2047), 0, 255)
        v_s = np.clip(np.maximum(v_s - network.leak_soma, 0) + np.clip(soma, -2048, 2047)*v_a, 0, 255)
        fired = (v_s >= network.threshold).astype(np.int64)
        v_s = v_s - fired*network.threshold
        assert run.spikes.step(t).tolist() == np.flatnonzero(fired).tolist()
    assert np.array_equal(run.v_s[0], v_s) and np.array_equal(run.v_a[0], v_a)
    spikes = len(run.spikes.sources)
    assert run.logits.tolist() == [(spikes*(2**31 - 1) + 2**31) % 2**32 - 2**31]*64


def test_cpu_image():
    network = random_network(BUILDS[0], 1, sizes=(3, 2, 1))
    words = cpu_image(network)
    weights = words.view(np.int8)[:3*(2 + 3 + 1 + 3)]
    assert weights[:6].tolist() == network.w_sensory.reshape(-1).tolist()
    assert weights[6:15].tolist() == network.w_recurrent_soma.reshape(-1).tolist()
    assert words[-3:].tolist() == network.threshold.tolist()
    assert len(words) == 7 + 5*3


# Memory -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("config", [QCLIFConfig(neurons=20, inputs=6, contexts=2, lanes=10), BUILDS[0]])
def test_words_have_the_numbers_that_the_host_gives_them(config):
    """Also of three slices a word, where addresses are left out."""
    memory_index = FirmwareDevice(config)._library.setup_memory_index
    for space in (SPACE_SOMA, SPACE_APICAL, SPACE_PARAMETERS):
        for index in range(64):
            assert memory_index(space, word_address(space, index, config)) == index


# Encoder ------------------------------------------------------------------------------------------

ENCODERS = [
    Encoder((34, 34), (3, 2), 2, 1000, 2), Encoder((128, 128), (10, 1), 1, 7, 1),
    Encoder((640, 480), (2, 5), 1, 1, 1), Encoder((1, 1), (1, 1), 2, 100_000, 3),
    Encoder((2048, 1024), (5, 1), 2, 50_000, 1), Encoder((5, 7), (2, 2), 2, 300, 2),
]


@st.composite
def recordings(draw, encoder, contexts):
    """Events with times in bursts and gaps, and context rows in any order, some without events in their step."""
    count = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gaps = rng.choice([0, 0, 0, 1, 5, 999, 16383, 16384, 4 * encoder.bin_us], count)
    # Not more steps than a test can take.
    gaps = np.where(np.cumsum(gaps) < 400*encoder.bin_us, gaps, 0)
    events = np.zeros(count, EVENT)
    # A few pixels only, so that they reach the threshold.
    pixels = rng.integers(0, encoder.sensor_size, (6, 2))
    events["x"], events["y"] = pixels[rng.integers(0, 6, count)].T
    events["p"] = rng.integers(0, 2, count)
    events["t"] = np.cumsum(gaps) + draw(st.sampled_from([0, 1, 10**12]))
    steps = int(events["t"][-1] - events["t"][0])//encoder.bin_us + 1
    rows = draw(st.integers(0, 10)) if contexts else 0
    context = np.stack([rng.integers(0, steps, rows), rng.integers(0, max(1, contexts), rows)], 1)
    return Sample("r", events=events, context=context)


@settings(max_examples=60)
@given(st.data())
def test_encoder(data):
    encoder = data.draw(st.sampled_from(ENCODERS))
    config = QCLIFConfig(neurons=12, inputs=20, contexts=3, frame_bytes=data.draw(st.sampled_from([0, 128])))
    contexts = data.draw(st.integers(0, 3))
    base = QCLIFConfig(neurons=12, inputs=encoder.inputs, contexts=contexts)
    network = dataclasses.replace(random_network(base, 1, "excited"), encoder=encoder)
    sample = data.draw(recordings(encoder, contexts)).encoded(encoder, contexts)
    lockstep = data.draw(st.booleans())
    device = opened(config)
    device.load(network, "cpu", encoder)
    run = device.run(sample, encode="device", lockstep=lockstep)
    assert run.inputs == sample.steps
    sensory = [run.inputs.step(t)[run.inputs.step(t) < encoder.inputs].tolist() for t in range(len(run.inputs))]
    assert sensory == encode(sample.events, encoder)
    assert_as_reference(run, network, sample.steps, lockstep)


@given(st.data())
def test_raw_words_carry_every_event(data):
    """Decoded as the format says, they are the recording again, in time rounded down as was asked for."""
    encoder = data.draw(st.sampled_from(ENCODERS))
    sample = data.draw(recordings(encoder, 3))
    at_once = data.draw(st.integers(1, 5))
    tick = data.draw(st.sampled_from([1, 3, TICK_US]))
    raw = pack_events(sample.events, sample.context, encoder, at_once, tick)
    width, height = encoder.sensor_size
    x_bits, y_bits = (width - 1).bit_length(), (height - 1).bit_length()
    bits = 16 if x_bits + y_bits <= 14 else 24
    now, events, context = 0, [], []
    for word, steps in zip(*raw, strict=True):
        before = now//encoder.bin_us
        value = int.from_bytes(word.tobytes(), "little")
        assert word.nbytes == bits//8
        operand = value % 2**(bits - 1) >> 1
        if value < 2**(bits - 1):
            y = value % 2**(bits - 2) >> x_bits
            events.append((value % 2**x_bits, y, value >> bits - 2, now))
        elif value & 1:
            context.append([now//encoder.bin_us, operand])
        else:
            now += operand
        assert steps == now//encoder.bin_us <= before + at_once
    expected = sample.events.copy()
    expected["t"] -= expected["t"][0]
    expected["t"] -= expected["t"] % encoder.bin_us % tick
    assert events == [tuple(event) for event in expected.tolist()]
    assert sorted(context) == sorted(sample.context.tolist())


@pytest.mark.parametrize("size, bytes_of_a_word", [((128, 128), 2), ((700, 1), 2), ((129, 128), 3), ((640, 480), 3),
    ((SENSOR_LIMIT, SENSOR_LIMIT), 3)])
def test_bytes_of_a_raw_word(size, bytes_of_a_word):
    """As many in the host and in the firmware, in the corners of the sensor as well."""
    encoder = Encoder(size, (1, 1), 2, 1000, 1)
    events = np.zeros(4, EVENT)
    events["x"], events["p"] = [0, size[0] - 1, 0, size[0] - 1], [0, 1, 1, 0]
    events["y"] = [0, 0, size[1] - 1, size[1] - 1]
    assert pack_events(events, None, encoder, 1)[0].shape == (4, bytes_of_a_word)
    config = QCLIFConfig(neurons=12, inputs=20, contexts=3)
    network = random_network(QCLIFConfig(neurons=12, inputs=2, contexts=0), 1, "excited")
    network = dataclasses.replace(network, encoder=encoder)
    device = opened(config)
    device.load(network, "cpu", encoder)
    sample = Sample("corners", events=events).encoded(encoder, 0)
    assert device.run(sample, encode="device").inputs == sample.steps


@pytest.mark.parametrize("step_us", [5000, 1000])
def test_real_gestures_take_at_most_2_1_bytes_an_event(qclif_data, step_us):
    """On the line, with all frames of a sample; and they give the steps of the exact times."""
    encoder = Encoder(bin_us=step_us)
    config = QCLIFConfig()
    network = dataclasses.replace(random_network(config, 1), encoder=encoder)
    link = Link(FirmwarePort(FirmwareDevice(config)))
    device = Device(link)
    device.load(network, "cpu", encoder)
    files = sorted((qclif_data/"dvs128_gesture").glob("*.npz"))
    assert len(files) == 3
    for sample in read_files(files):
        sample = sample.encoded(encoder, config.contexts)
        before = link.stats.bytes_tx
        assert device.run(sample, encode="device").inputs == sample.steps
        per_event = (link.stats.bytes_tx - before)/len(sample.events)
        print(f"{sample.name}: {per_event:.3f} bytes an event")
        assert per_event <= 2.1


# Refusals -----------------------------------------------------------------------------------------

def configure(**changes):
    values = dict(engine=ENGINES["cpu"], neurons=12, inputs=10, contexts=3, outputs=3, apical_shift=0,
        product_shift=6, network_id=1)
    return protocol.pack("CONFIGURE", **{**values, **changes})


def encoder_payload(**changes):
    values = dict(width=10, height=3, grid_width=10, grid_height=1, polarities=1, bin_us=1000, count_threshold=1)
    return protocol.pack("ENCODER", **{**values, **changes})


@pytest.mark.parametrize("kind, payload, text", [
    ("CONFIGURE", configure(engine=0), "engine 0 is not in this build"),
    ("CONFIGURE", configure(engine=7), "engine 7 is not in this build"),
    ("CONFIGURE", configure(neurons=13), "13 neurons, the build 12: build with more --neurons"),
    ("CONFIGURE", configure(neurons=0), "0 neurons"),
    ("CONFIGURE", configure(inputs=11), "11 inputs, the build 10"),
    ("CONFIGURE", configure(contexts=4), "4 contexts, the build 3"),
    ("CONFIGURE", configure(outputs=17), "17 outputs, the build 16"),
    ("CONFIGURE", configure(product_shift=SHIFT_MAX + 1), "a shift is 32, the limit is 31"),
    ("CONFIGURE", configure()[:-1], "a request of 14 bytes"),
    ("WRITE", protocol.pack("WRITE", space=0, address=0) + bytes(4), "memory space 0 is not in this build"),
    ("WRITE", protocol.pack("WRITE", space=9, address=0) + bytes(4), "memory space 9"),
    ("WRITE", protocol.pack("WRITE", space=5, address=12*16) + bytes(4), "address 192 .* ends at 192"),
    ("WRITE", protocol.pack("WRITE", space=4, address=2**32 - 1) + bytes(8), "address 4294967295"),
    ("WRITE", protocol.pack("WRITE", space=5, address=0) + bytes(3), "a request of 8 bytes"),
    ("VERIFY", protocol.pack("VERIFY", space=5, address=1, count=192), "address 1 .* ends at 192"),
    ("VERIFY", protocol.pack("VERIFY", space=5, address=1, count=2**32 - 1), "address 1 "),
    ("BEGIN", b"", "request type 6 came too early"),
    ("STEPS", b"\x01\x00", "request type 8 came too early"),
    ("ENCODER", encoder_payload(), "request type 5 came too early"),
])
def test_requests_refused_without_a_network(kind, payload, text):
    link = Link(FirmwarePort(FirmwareDevice(BUILDS[0])))
    with pytest.raises(QCLIFError, match=text):
        link.request(kind, payload)
    assert len(link.request("STATS")) == 4*len(protocol.STATS)


@pytest.mark.parametrize("kind, payload, text", [
    ("STEPS", b"\x01\x01\x0d", "source 13 is not one"),
    ("STEPS", b"\x01\x02\x05\x03", "source 8 is not one"),
    ("STEPS", b"\x01\x02\x05", "a request of 3 bytes"),
    ("STEPS", b"\x01\x00\x00", "a request of 3 bytes"),
    ("STEPS", b"", "a request of 0 bytes"),
    ("STEPS", b"\xff\x7f", "an answer would need 49149 bytes"),
    ("STEPS", b"\x01" + encode_varints([65]) + bytes(65), "a step has 65 events, the build holds 64"),
    ("PART", encode_varints([16383]), "a step has 16383 events"),
    ("RAW", bytes(3), "a request of 3 bytes"),
    ("RAW", bytes(0), "a request of 0 bytes"),
    ("RAW", (12).to_bytes(2, "little"), "coordinate 12, the sensor 10"),
    ("RAW", (3 << 4).to_bytes(2, "little"), "coordinate 3, the sensor 3 "),
    ("RAW", (1 << 13).to_bytes(2, "little"), "coordinate 512, the sensor 3 "),
    ("RAW", (1 << 15 | 3 << 1 | 1).to_bytes(2, "little"), "source 13 is not one"),
    ("RAW", (1 << 15 | 1).to_bytes(2, "little")*65, "a step has 65 events"),
    ("RAW", (1 << 15 | 2**15 - 2).to_bytes(2, "little")*100, "an answer would need"),
    ("ENCODER", encoder_payload(width=SENSOR_LIMIT + 1), "2049 pixels"),
    ("ENCODER", encoder_payload(height=0), "0 pixels"),
    ("ENCODER", encoder_payload(polarities=3), "an encoder setting is 3"),
    ("ENCODER", encoder_payload(bin_us=0), "an encoder setting is 0"),
    ("ENCODER", encoder_payload(count_threshold=0), "an encoder setting is 0"),
    ("ENCODER", encoder_payload(grid_width=9), "an encoder setting is 9"),
    ("STATE", protocol.pack("RANGE", first=5, count=10), "address 5 .* ends at 12"),
    ("LOGITS", protocol.pack("RANGE", first=4, count=0), "address 4 .* ends at 3"),
])
def test_requests_refused_in_a_sample(kind, payload, text):
    """And the sample does not go on: no answer can be silently wrong."""
    config = dataclasses.replace(BUILDS[0], frame_bytes=1024)
    device = FirmwareDevice(config)
    link = Link(FirmwarePort(device))
    # A network of fewer inputs than the build, so that there is something between them and the contexts.
    inputs = 8 if payload[-1:] == b"\x03" else 10
    link.request("CONFIGURE", configure(inputs=inputs))
    if inputs == 10:
        link.request("ENCODER", encoder_payload())
    link.request("BEGIN")
    with pytest.raises(QCLIFError, match=text):
        link.request(kind, payload)
    with pytest.raises(QCLIFError, match="came too early"):
        link.request("STEPS", b"\x01\x00")
    link.request("BEGIN")
    assert link.request("STEPS", b"\x01\x00")


def test_unknown_requests():
    link = Link(FirmwarePort(FirmwareDevice(BUILDS[0])))
    for kind in (0, max(protocol.REQUESTS.values()) + 1, 100):
        protocol.REQUESTS["TEST"] = kind
        try:
            with pytest.raises(QCLIFError, match=f"request type {kind} is unknown"):
                link.request("TEST")
        finally:
            del protocol.REQUESTS["TEST"]


def test_refusals_of_the_host():
    config = BUILDS[0]
    network = random_network(config, 1)
    device = opened(config)
    with pytest.raises(QCLIFError, match="no network is loaded"):
        device.run_many([])
    with pytest.raises(QCLIFError, match="engine accel is not in this build, it has cpu: choose another --engine"):
        device.load(network)
    with pytest.raises(QCLIFError, match="the network has 13 neurons, the build 12"):
        device.load(random_network(config, 1, sizes=(13, 10, 3)), "cpu")
    with pytest.raises(QCLIFError, match="use the network's encoder"):
        device.load(network, "cpu", Encoder())
    device.load(network, "cpu")
    with pytest.raises(QCLIFError, match="the device has no encoder"):
        device.run_many([], encode="device")
    with pytest.raises(QCLIFError, match="encode is 'gpu': host or device"):
        device.run_many([], encode="gpu")
    steps = SpikeTrain.from_lists([[0], [1]*65])
    with pytest.raises(QCLIFError, match=r"^long: step 1 has 65 events, the build holds 64: .* --step-events 65"):
        device.run(Sample("long", steps=steps))
    with pytest.raises(QCLIFError, match="4096x1 pixels, --encode device takes at most 2048"):
        pack_events(np.zeros(1, EVENT), None, Encoder(sensor_size=(4096, 1), grid=(1, 1)), 1)


def test_memory_that_does_not_hold_is_reported():
    device = FirmwareDevice(BUILDS[0])
    link = Link(FirmwarePort(device))
    ram = (ctypes.c_uint32*4).in_dll(device._library, "platform_ram")
    exchange = device.exchange

    def forgetful(received):
        answer = exchange(received)
        ram[0] = 0x12345678
        return answer

    device.exchange = forgetful
    with pytest.raises(QCLIFError, match="memory space 4 of the device does not hold what is written"):
        Device(link).load(random_network(BUILDS[0], 1), "cpu")
    assert Link(FirmwarePort(device)).info.networks["cpu"] == 0


@given(words=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=40), bit=st.integers(0, 31),
    level=st.integers(0, 1), places=st.tuples(st.integers(0, 39), st.integers(0, 39)))
def test_sums_tell_bits_that_stick_and_words_at_wrong_addresses(words, bit, level, places):
    right = np.array(words, "<u4")
    stuck = right | np.uint32(1 << bit) if level else right & ~np.uint32(1 << bit)
    moved = right.copy()
    one, other = (place % len(words) for place in places)
    moved[[one, other]] = moved[[other, one]]
    for wrong in (stuck, moved):
        assert (verify_sums(wrong) == verify_sums(right)) == (wrong == right).all()


def test_stats_between():
    assert stats_between({"a": 2**32 - 3, "b": 5}, {"a": 4, "b": 5}) == {"a": 7, "b": 0}


# Cross compiler -----------------------------------------------------------------------------------

@pytest.mark.skipif(not shutil.which("riscv64-unknown-elf-gcc"), reason="no riscv64-unknown-elf-gcc: install it")
@pytest.mark.parametrize("config", [QCLIFConfig(), BUILDS[1], QCLIFConfig(neurons=1024, inputs=4096, contexts=64)])
def test_no_warnings_from_the_cross_compiler(config, tmp_path):
    """All that does not need the SoC's generated headers; those modules are compiled with every SoC."""
    write_headers(config, tmp_path/"generated")
    for source in SOURCES:
        if source.name not in ("engine_accel.c", "platform.c"):
            subprocess.run(["riscv64-unknown-elf-gcc", "-march=rv32im", "-mabi=ilp32", "-std=c11", "-O2", "-c", "-Wall",
                "-Wextra", "-Wconversion", "-Werror", "-ffreestanding", f"-I{tmp_path}",
                *(f"-iquote{folder}" for folder in FOLDERS), source, "-o", tmp_path/"object.o"], check=True)
