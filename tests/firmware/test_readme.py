# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Tables and bytes in firmware/README.md are those of the protocol: what differs is shown as it ought to be."""

import re
import zlib

import pytest

from accel.config import QCLIFConfig
from firmware import FOLDER, protocol
from host.link.framing import Frame, encode_frame
from tests.helpers.firmware_port import FirmwareDevice, spikes_put

README = (FOLDER/"README.md").read_text()

KINDS = {"B": "u8", "H": "u16", "I": "u32"}

# What is sent in the worked exchange, to a build of one neuron and one input.
SESSION, NONCE = 0x1234, 0xcafe
WEIGHTS = bytes([100, 0, 0, 0])  # w_sensory, w_recurrent_soma, w_recurrent_apical; padded to a word.
PARAMETERS = b"".join(value.to_bytes(4, "little") for value in (0, 50, 0, 0, 40))
EXCHANGE = [
    ("HELLO",     protocol.pack("NONCE", nonce=NONCE)),
    ("STATE",     protocol.pack("RANGE", first=0, count=1)),
    ("WRITE",     protocol.pack("WRITE", space=protocol.SPACE_CPU, address=0) + WEIGHTS + PARAMETERS),
    ("VERIFY",    protocol.pack("VERIFY", space=protocol.SPACE_CPU, address=0, count=6)),
    ("CONFIGURE", protocol.pack("CONFIGURE", engine=protocol.ENGINES["cpu"], neurons=1, inputs=1, contexts=0,
        outputs=0, apical_shift=0, product_shift=6, network_id=1)),
    ("BEGIN",     b""),
    ("STEPS",     bytes([2, 1, 0, 0])),
    ("STATE",     protocol.pack("RANGE", first=0, count=1)),
]


# Worked spikes of a step: neurons of the build, how those that fired are told, those that fired.
SPIKES = [
    (12, "none", []), (12, "9", [9]), (12, "3, 9", [3, 9]), (12, "all", range(12)),
    (200, "0, 199", [0, 199]), (200, "8 to 32", range(8, 33)),
]


def rows(lines):
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def layout(name, fields):
    sizes = protocol.HELLO_SIZES if name == "HELLO" else ()
    own = fields[:len(fields) - len(sizes)]
    text = ", ".join(f"`{field}` {KINDS[kind]}" for field, kind in own)
    return f"{text}, then u16 each: {', '.join(f'`{size}`' for size in sizes)}" if sizes else text


TABLES = {
    "layouts":  rows((name, layout(name, fields), protocol.size(name)) for name, fields in protocol.LAYOUTS.items()),
    "counters": ", ".join(f"`{name}`" for name in protocol.COUNTERS),
    "stats":    ", ".join(f"`{name}`" for name in protocol.STATS),
    "errors":   rows((status, name, re.sub(r"\{(\w+)(:#x)?\}", r"*\1*", text))
        for status, (name, text) in enumerate(protocol.ERRORS.items(), 1)),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name):
    assert TABLES[name] in README, f"firmware/README.md should say:\n{TABLES[name]}"


def test_types_of_frames():
    told = dict(re.findall(r"^\| (\w+) \| 0x(\w\w) \|", README, re.MULTILINE))
    assert {name: int(value, 16) for name, value in told.items()} == protocol.REQUESTS | protocol.NOTICES


@pytest.mark.parametrize("names", [protocol.SPACES, protocol.ENGINES, protocol.NAK_REASONS, protocol.SESSION_STATES])
def test_numbers(names):
    sentence = ", ".join(f"{value} {name}" for name, value in names.items())
    assert sentence in README, f"firmware/README.md should say: {sentence}"


def test_the_version():
    assert f"this is version {protocol.PROTOCOL_VERSION}." in README


def test_worked_spikes():
    """As they come from the compiled firmware."""
    def told(data):
        zeros = len(data) - len(data.rstrip(b"\0"))
        if zeros > 1:
            return f"`{data[:-zeros].hex(' ')}`, then {zeros} times `00`"
        return f"`{data.hex(' ')}`"

    text = rows((neurons, said, told(spikes_put(QCLIFConfig(neurons=neurons), fired)))
        for neurons, said, fired in SPIKES)
    assert text in README, f"firmware/README.md should say:\n{text}"


def exchange():
    """The lines of the worked exchange: requests as the host frames them, answers of the compiled firmware."""
    device = FirmwareDevice(QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1))
    yield from frames("host", "HELLO", sent := encode_frame(Frame(protocol.REQUESTS["HELLO"], 0, SESSION,
        EXCHANGE[0][1])))
    yield from frames("device", "HELLO", device.exchange(sent))
    for sequence, (name, payload) in enumerate(EXCHANGE[1:]):
        sent = encode_frame(Frame(protocol.REQUESTS[name], sequence, SESSION, payload))
        yield from frames("host", name, sent)
        yield from frames("device", name, device.exchange(sent))
    yield from frames("host", "again", sent)
    yield from frames("device", "STATE", device.exchange(sent))
    damaged = bytearray(sent)
    damaged[-2] ^= 0x40
    yield from frames("host", "damaged", bytes(damaged))
    yield from frames("device", "NAK", device.exchange(bytes(damaged)))
    stranger = encode_frame(Frame(protocol.REQUESTS["STATS"], 0, 0x4321, b""))
    yield from frames("host", "stranger", stranger)
    yield from frames("device", "SESSION", device.exchange(stranger))


def frames(who, name, data, width=26):
    """Lines of a frame's bytes."""
    for at in range(0, len(data), width):
        head = f"{who:<7}{name:<11}" if at == 0 else " "*18
        yield f"    {head}{data[at:at + width].hex(' ')}"


def test_worked_exchange():
    text = "\n".join(exchange())
    assert text in README, f"firmware/README.md should say:\n{text}"


def test_worked_crc():
    body = bytes.fromhex("01003412") + protocol.pack("NONCE", nonce=NONCE)
    assert f"CRC-32 of `{body.hex(' ')}` is `0x{zlib.crc32(body):08x}`" in README
