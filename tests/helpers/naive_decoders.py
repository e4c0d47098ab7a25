# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Decoders of cameras' formats word by word, from their definitions: what the readers have to give.

Each takes the bytes behind a header and gives rows (x, y, p, t).
"""

import struct


def evt2(body):
    rows, high = [], None
    for word, in struct.iter_unpack("<I", body):
        kind = word >> 28
        if kind == 8:
            high = word & 0xFFFFFFF
        elif kind in (0, 1) and high is not None:
            rows.append((word >> 11 & 0x7FF, word & 0x7FF, kind, high << 6 | word >> 22 & 63))
    return rows


def evt3(body):
    """Also the number of padding words."""
    rows, padding = [], 0
    high = low = wraps = y = base = polarity = None
    for word, in struct.iter_unpack("<H", body):
        kind, value = word >> 12, word & 0xFFF
        if word == 0x9999:
            padding += 1
            continue
        time = None if high is None else (wraps << 24) + (high << 12) + low
        if kind == 8:
            if high is None:
                wraps = 0
            elif value < high - 2048:
                wraps += 1
            low  = 0 if value != high else low
            high = value
        elif kind == 6:
            low = value
        elif kind == 0:
            y = value & 0x7FF
        elif kind == 2 and None not in (y, time):
            rows.append((value & 0x7FF, y, value >> 11, time))
        elif kind == 3:
            base, polarity = value & 0x7FF, value >> 11
        elif kind in (4, 5) and base is not None:
            width = 12 if kind == 4 else 8
            if None not in (y, time):
                rows += [(base + bit, y, polarity, time) for bit in range(width) if value >> bit & 1]
            base += width
    return rows, padding


def dat2(body):
    return [(address & 0x3FFF, address >> 14 & 0x3FFF, address >> 28, time)
        for time, address in struct.iter_unpack("<II", body)]


def nmnist(body):
    rows, late = [], 0
    for start in range(0, len(body), 5):
        x, y, high, middle, low = body[start:start + 5]
        late += 8192*(y == 240)
        if y != 240:
            rows.append((x, y, high >> 7, ((high & 127) << 16 | middle << 8 | low) + late))
    return rows
