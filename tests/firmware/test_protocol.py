# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Framing and payloads of the link, and the C headers made of them."""

import hashlib
import re

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from accel.config import LIMITS, QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from firmware.header import config_header, protocol_header, write_headers
from host.link import framing
from host.link.framing import Frame, decode_frame, encode_frame
from tests.helpers.firmware_port import FirmwareDevice

# Runs of zeros and of others, around the block length of COBS.
byte_runs = st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.sampled_from([0, 1, 2, 253, 254, 255, 508])),
    max_size=5).map(lambda runs: b"".join(byte*count for byte, count in runs))
frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xffff), st.binary(max_size=40))


# Framing ------------------------------------------------------------------------------------------

@given(st.binary(max_size=1200) | byte_runs)
def test_cobs_round_trip(data):
    encoded = cobs.encode(data)
    assert 0 not in encoded
    assert cobs.decode(encoded) == data
    assert len(data) + 1 <= len(encoded) <= len(data) + 1 + len(data)//254


@pytest.mark.parametrize("data, encoded", [
    (b"", "01"), (b"\0", "0101"), (b"\0\0", "010101"), (b"\x11\x22\0\x33", "031122 0233"),
    (b"\x11\0\0\0", "0211 01 01 01"), (bytes(range(1, 255)), "ff" + bytes(range(1, 255)).hex()),
    (b"\0" + bytes(range(1, 255)), "01 ff" + bytes(range(1, 255)).hex()),
    (bytes(range(1, 256)), "ff" + bytes(range(1, 255)).hex() + "02ff"),
])
def test_cobs_examples(data, encoded):
    """Those of the original paper's algorithm."""
    assert cobs.encode(data) == bytes.fromhex(encoded)


@given(frames)
def test_frame_round_trip(frame):
    encoded = encode_frame(frame)
    assert encoded.count(0) == 1 and encoded.endswith(b"\0")
    assert decode_frame(encoded[:-1]) == frame


@given(frames, st.data())
def test_frame_refuses_damage(frame, data):
    encoded = bytearray(encode_frame(frame)[:-1])
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    assert decode_frame(bytes(encoded)) is None
    assert decode_frame(bytes(encoded[:at])) is None


@given(st.binary(max_size=60))
def test_decoding_noise_never_fails(noise):
    decode_frame(noise)


@given(st.lists(st.integers(0, framing.VARINT_MAX)))
def test_varints(values):
    encoded = framing.encode_varints(values)
    assert encoded == b"".join(bytes([value] if value < 128 else [value & 0x7f | 0x80, value >> 7]) for value in values)
    assert framing.decode_varints(encoded).tolist() == values


@pytest.mark.parametrize("value", [-1, framing.VARINT_MAX + 1])
def test_varint_limits(value):
    with pytest.raises(QCLIFError, match=f"^{value} .* {framing.VARINT_MAX}"):
        framing.encode_varints([5, value])


@pytest.mark.parametrize("broken", [b"\x80", b"\x01\xff", b"\x80\x80\x01", b"\x85\x00"])
def test_broken_varints(broken):
    with pytest.raises(QCLIFError, match="broken varint"):
        framing.decode_varints(broken)


# Payloads -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("layout", protocol.LAYOUTS)
def test_layouts_round_trip(layout):
    values = {field: 200 + index for index, (field, _) in enumerate(protocol.LAYOUTS[layout]) if index < 50}
    if any(value > 255 and kind == "B" for value, (_, kind) in zip(values.values(), protocol.LAYOUTS[layout],
            strict=True)):
        pytest.fail("give the test smaller values")
    packed = protocol.pack(layout, **values)
    assert len(packed) == protocol.size(layout)
    assert protocol.unpack(layout, packed + b"more") == values
    with pytest.raises(QCLIFError, match=f"{len(packed) - 1} bytes, {len(packed)} are needed"):
        protocol.unpack(layout, packed[:-1])


# Versions -----------------------------------------------------------------------------------------

# What HELLO is answered by the firmware of a build of one neuron and one input, in protocol version 6.
HELLO_VERSION = 6
HELLO_BYTES   = bytes.fromhex("""
    00 06 0100 40420f00 02 00000001 00000000 00000000 0000 00
    0100 0100 0000 0100 0800 0800 0c00 1000 4000 1000 0004 0800 0010 0100""")

# SHA-256 of on_the_line() in that version.
LINE_DIGEST = "5ff232e39d472f3ae43667c2cbbaa335548978ea03570f3e3ddae86563652c0b"


def on_the_line() -> str:
    """All numbers, layouts and orders of the protocol."""
    return "\n".join(f"{name} {value}" for name, value in {
        "requests": protocol.REQUESTS, "response": protocol.RESPONSE, "notices": protocol.NOTICES,
        "nak": protocol.NAK_REASONS, "session": protocol.SESSION_STATES, "spaces": protocol.SPACES,
        "engines": protocol.ENGINES, "layouts": protocol.LAYOUTS, "counters": protocol.COUNTERS,
        "stats": protocol.STATS, "errors": list(protocol.ERRORS), "bitmap": protocol.BITMAP,
        "raw words": (protocol.RAW_NARROW_BYTES, protocol.RAW_WIDE_BYTES),
    }.items())


def test_what_is_on_the_line_has_its_version():
    digest = hashlib.sha256(on_the_line().encode()).hexdigest()
    assert (protocol.PROTOCOL_VERSION, digest) == (HELLO_VERSION, LINE_DIGEST), "what is on the line has changed: " \
        "give firmware.protocol.PROTOCOL_VERSION its next number, then enter version, digest and HELLO's bytes here"


def test_hello_of_the_firmware_is_that_of_its_version():
    config = QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1, frame_bytes=1024)
    hello  = encode_frame(Frame(protocol.REQUESTS["HELLO"], 0, 1, protocol.pack("NONCE", nonce=1)))
    answer = decode_frame(FirmwareDevice(config).exchange(hello)[:-1])
    assert answer.payload.hex(" ") == HELLO_BYTES.hex(" ")
    info = protocol.DeviceInfo.decode(HELLO_BYTES)
    assert (info.config, info.clock_hz, info.engines, info.ram_bytes) == (config, 10**6, ("cpu",), 2**24)


def test_hello_tells_every_size_of_a_build():
    told = ", ".join(set(LIMITS) ^ set(protocol.HELLO_SIZES))
    assert len(protocol.HELLO_SIZES) == len(LIMITS) and not told, f"QCLIFConfig and firmware.protocol.HELLO_SIZES " \
        f"differ in {told}: a size of which the host is to know is appended to HELLO_SIZES, in a new PROTOCOL_VERSION"


@pytest.mark.parametrize("more", [-40, 0, 6])
@pytest.mark.parametrize("version, remedy", [
    (protocol.PROTOCOL_VERSION - 1, "build the SoC anew"),
    (protocol.PROTOCOL_VERSION + 1, "take the host software that it was built with"),
])
def test_other_versions_are_refused_however_long_their_hello(version, remedy, more):
    payload = bytes([protocol.OK, version]) + bytes(protocol.size("HELLO") - 2 + more)
    with pytest.raises(QCLIFError, match=f"speaks protocol version {version}, this host {protocol.PROTOCOL_VERSION}: "
            f"{remedy}"):
        protocol.DeviceInfo.decode(payload)


@pytest.mark.parametrize("payload, told", [
    (b"", "0 bytes, which name no protocol version"),
    (HELLO_BYTES[:1], "1 bytes, which name no protocol version"),
    (HELLO_BYTES[:-2], f"status 0 in {len(HELLO_BYTES) - 2} bytes, protocol version {HELLO_VERSION} has status 0"),
    (HELLO_BYTES + b"\0\0", f"status 0 in {len(HELLO_BYTES) + 2} bytes, protocol version {HELLO_VERSION} has status 0"),
    (b"\x05" + HELLO_BYTES[1:], f"status 5 in {len(HELLO_BYTES)} bytes, protocol version {HELLO_VERSION} has status 0"),
])
def test_a_hello_that_is_not_of_its_version_is_refused(payload, told):
    with pytest.raises(QCLIFError, match=told):
        protocol.DeviceInfo.decode(payload)

# Errors and sizes ---------------------------------------------------------------------------------

def test_error_texts_name_value_and_remedy():
    for status, (name, _) in enumerate(protocol.ERRORS.items(), start=1):
        text = protocol.error_text(status, 17, 4711)
        assert "\n" not in text and ":" in text, name
        assert "17" in text or "0x11" in text, name
    assert "status 99" in protocol.error_text(99, 0, 0)


@pytest.mark.parametrize("config", [QCLIFConfig(), QCLIFConfig(neurons=1, inputs=1, contexts=0, frame_bytes=128),
    QCLIFConfig(neurons=1024, inputs=4096, contexts=64, outputs=64)])
def test_every_answer_fits_a_frame(config):
    room = protocol.payload_bytes(config)
    assert 1 + protocol.step_answer_bytes(config) <= room
    assert 1 + 1 + 2 + protocol.step_answer_bytes(config) <= room
    assert max(protocol.size("HELLO"), 1 + 4*len(protocol.STATS), 1 + 4*len(protocol.COUNTERS)) <= room


# Headers ------------------------------------------------------------------------------------------

def defines(text):
    return {name: int(value) for name, value in re.findall(r"#define (\w+) (\d+)u$", text, re.MULTILINE)}


def test_protocol_header():
    constants = defines(protocol_header())
    for name, value in protocol.REQUESTS.items():
        assert constants[f"QCLIF_REQUEST_{name}"] == value
    for index, name in enumerate(protocol.STATS):
        assert constants[f"QCLIF_STAT_{name.upper()}"] == index
    for status, name in enumerate(protocol.ERRORS, start=1):
        assert constants[f"QCLIF_ERROR_{name}"] == status
    assert constants["QCLIF_CONFIGURE_NETWORK_ID_AT"] == 11
    assert constants["QCLIF_CONFIGURE_BYTES"] == protocol.size("CONFIGURE")


def test_config_header():
    config = QCLIFConfig(neurons=37, inputs=50, contexts=0, weight_bits=4, state_bits=12)
    constants = defines(config_header(config))
    for name in LIMITS:
        assert constants[f"QCLIF_{name.upper()}"] == getattr(config, name)
    assert constants["QCLIF_STATE_MAX"] == 4095


def test_headers_are_left_alone_when_nothing_changed(tmp_path):
    write_headers(QCLIFConfig(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert {path.name for path in before} == {"qclif_protocol.h", "qclif_config.h", "qclif_registers.h"}
    write_headers(QCLIFConfig(), tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_headers(QCLIFConfig(neurons=5), tmp_path)
    assert "QCLIF_NEURONS 5u" in (tmp_path/"qclif_config.h").read_text()
