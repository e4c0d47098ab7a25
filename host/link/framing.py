#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Frames of the link: COBS, CRC-32, varints. Pure functions on bytes, no input or output."""

import zlib
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from firmware.protocol import CRC, HEADER, OVERHEAD_BYTES

VARINT_MAX = 2**14 - 1


@dataclass(frozen=True)
class Frame:
    """One frame, checked: `type`, `sequence` (0..255), `session` (0..65535) and `payload`."""
    type:     int
    sequence: int
    session:  int
    payload:  bytes


# COBS ---------------------------------------------------------------------------------------------

def cobs_encode(data: bytes) -> bytes:
    """`data` without any zero byte: each block is its length + 1, then at most 254 bytes."""
    encoded = bytearray()
    for index, block in enumerate(pieces := data.split(b"\0")):
        while len(block) >= 254:
            encoded += b"\xff" + block[:254]
            block = block[254:]
            # A full block implies no zero after it, so nothing is owed at the very end of the data.
            if not block and index == len(pieces) - 1:
                return bytes(encoded)
        encoded.append(len(block) + 1)
        encoded += block
    return bytes(encoded)


def cobs_decode(encoded: bytes) -> bytes | None:
    """Inverse of cobs_encode(); None where `encoded` cannot come from it."""
    data, at = bytearray(), 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1:at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            return None
        data += block
        at += code
        if code != 0xff and at < len(encoded):
            data.append(0)
    return bytes(data)


# Frames -------------------------------------------------------------------------------------------

def encode_frame(frame: Frame) -> bytes:
    """Bytes for the line, with the 0x00 that ends them."""
    body = HEADER.pack(frame.type, frame.sequence, frame.session) + frame.payload
    return cobs_encode(body + CRC.pack(zlib.crc32(body))) + b"\0"


def decode_frame(encoded: bytes) -> Frame | None:
    """Frame of the bytes between two zeros; None where COBS, length or CRC is wrong."""
    body = cobs_decode(encoded)
    if body is None or len(body) < OVERHEAD_BYTES:
        return None
    body, crc = body[:-CRC.size], body[-CRC.size:]
    if zlib.crc32(body) != CRC.unpack(crc)[0]:
        return None
    return Frame(*HEADER.unpack_from(body), body[HEADER.size:])


# Varints ------------------------------------------------------------------------------------------

def encode_varint(value: int) -> bytes:
    """One byte below 128, else two: low 7 bits with bit 7 set, then the high 7 bits."""
    if not 0 <= value <= VARINT_MAX:
        raise QCLIFError(f"{value} does not fit a varint of the link, the limit is {VARINT_MAX}: "
            "split the step or use fewer sources")
    return bytes((value,)) if value < 128 else bytes((value & 0x7f | 0x80, value >> 7))


def encode_varints(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All `values` as varints: bytes (uint8), and offsets int64 [n+1] of each value's bytes."""
    values = np.asarray(values, dtype=np.int64)
    if values.size and not 0 <= values.min() <= values.max() <= VARINT_MAX:
        encode_varint(int(values.max() if values.max() > VARINT_MAX else values.min()))
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(1 + (values >= 128), out=offsets[1:])
    encoded = np.empty(offsets[-1], dtype=np.uint8)
    long = values >= 128
    encoded[offsets[:-1]] = values & 0x7f | long << 7
    encoded[offsets[1:][long] - 1] = values[long] >> 7
    return encoded, offsets


def decode_varints(data: bytes) -> np.ndarray:
    """Every varint in `data`, as int64. Raises QCLIFError where the last one is cut off."""
    octets = np.frombuffer(data, dtype=np.uint8).astype(np.int64)
    # The second byte of a varint is below 128, so a byte is a second one iff the one before is not.
    second = np.zeros(len(octets) + 1, dtype=bool)
    second[1:] = octets >= 128
    if second[-1] or np.any(octets[second[:-1]] >= 128):
        raise QCLIFError("an answer of the device holds a broken varint: host and firmware differ in version, "
            "build the SoC anew")
    first = np.flatnonzero(~second[:-1])
    values = octets[first] & 0x7f
    long = np.flatnonzero(octets[first] >= 128)
    values[long] |= octets[first[long] + 1] << 7
    return values
