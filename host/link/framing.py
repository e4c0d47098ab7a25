# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Frames of the link: COBS, CRC-32, varints. Pure functions on bytes, no input or output."""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cobs import cobs

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


# Frames -------------------------------------------------------------------------------------------

def encode_frame(frame: Frame) -> bytes:
    """Bytes for the line, with the 0x00 that ends them."""
    body = HEADER.pack(frame.type, frame.sequence, frame.session) + frame.payload
    return cobs.encode(body + CRC.pack(zlib.crc32(body))) + b"\0"


def decode_frame(encoded: bytes) -> Frame | None:
    """Frame of the bytes between two zeros; None where COBS, length or CRC is wrong."""
    try:
        body = cobs.decode(encoded)
    except cobs.DecodeError:
        return None
    if len(body) < OVERHEAD_BYTES:
        return None
    body, crc = body[:-CRC.size], body[-CRC.size:]
    if zlib.crc32(body) != CRC.unpack(crc)[0]:
        return None
    return Frame(*HEADER.unpack_from(body), body[HEADER.size:])


# Varints ------------------------------------------------------------------------------------------

def encode_varints(values: npt.ArrayLike) -> bytes:
    """All `values` as varints: one byte below 128, else two, the low 7 bits with bit 7 set, then the high 7 bits."""
    values = np.asarray(values, dtype=np.int64)
    # Below 128 each is a byte of its own, as nearly all are.
    if not len(values) or 0 <= values.min() <= values.max() < 128:
        return values.astype(np.uint8).tobytes()
    for value in values[(values < 0) | (values > VARINT_MAX)][:1]:
        raise QCLIFError(f"{value} does not fit a varint of the link, the limit is {VARINT_MAX}: "
            "split the step or use fewer sources")
    long = values >= 128
    ends = np.cumsum(1 + long)
    encoded = np.empty(len(values) + np.count_nonzero(long), dtype=np.uint8)
    encoded[ends - 1 - long] = values & 0x7f | long << 7
    encoded[ends[long] - 1] = values[long] >> 7
    return encoded.tobytes()


def decode_varints(data: bytes) -> np.ndarray:
    """Every varint in `data`, as int64. Raises QCLIFError where the last one is cut off."""
    octets = np.frombuffer(data, dtype=np.uint8).astype(np.int64)
    if data.isascii():
        return octets
    # The second byte of a varint is 1 to 127, so a byte is a second one iff the one before is not below 128.
    second = np.zeros(len(octets) + 1, dtype=bool)
    second[1:] = octets >= 128
    high = octets[second[:-1]]
    if second[-1] or np.any((high == 0) | (high >= 128)):
        raise QCLIFError("an answer of the device holds a broken varint: host and firmware differ in version, "
            "build the SoC anew")
    first = np.flatnonzero(~second[:-1])
    values = octets[first] & 0x7f
    long = np.flatnonzero(octets[first] >= 128)
    values[long] |= octets[first[long] + 1] << 7
    return values


def varints_end(data: bytes, at: int, count: int) -> int:
    """Where `count` varints from `at` on end; the end of `data`, where they are cut off."""
    end = at + count
    if data[at:end].isascii():
        return min(end, len(data))
    # Each ends with its only byte below 128.
    ends = np.flatnonzero(np.frombuffer(data[at:end + count], np.uint8) < 128)
    return at + int(ends[count - 1]) + 1 if len(ends) >= count else len(data)
