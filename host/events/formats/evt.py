# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The words of Prophesee's encodings EVT2 and EVT3.

Decoded here: expelliarmus (1.1.12) counts every wrap of EVT3's low time twice, and does not return where the first
byte of either encoding's events is a "%".
"""

import numpy as np

from host.events.event_array import event_array

# Type of an EVT2 word, its four high bits.
OFF, ON, EVT2_TIME_HIGH = 0, 1, 8

# Type of an EVT3 word, its four high bits.
ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 0, 2, 3, 4, 5, 6, 8

# Types with nothing for us: external trigger, others, and continued of EVT2; of EVT3 also a shorter continued.
EVT2_OTHERS = (10, 14, 15)
EVT3_OTHERS = (7, 10, 14, 15)

# Bits of an EVT3 word below its type.
TIME_BITS = 12


def decode_evt2(words: np.ndarray) -> np.ndarray | None:
    """Events (x, y, p, t in us) of the words uint32 [n] of a file; None where a word is of no known type."""
    kind = words >> 28
    if not np.isin(kind, (OFF, ON, EVT2_TIME_HIGH, *EVT2_OTHERS)).all():
        return None
    value = words.astype(np.int64)
    high  = _latest(kind == EVT2_TIME_HIGH)
    # Events whose high time is not known yet do not count.
    word  = np.flatnonzero((kind <= ON) & (high >= 0))
    return event_array(value[word] >> 11 & 0x7FF, value[word] & 0x7FF, kind[word],
        (value[high[word]] & 0xFFFFFFF) << 6 | value[word] >> 22 & 0x3F)


def decode_evt3(words: np.ndarray) -> np.ndarray | None:
    """Events (x, y, p, t in us) of the words uint16 [n] of a file; None where a word is of no known type."""
    kind  = words >> TIME_BITS
    value = (words & (2**TIME_BITS - 1)).astype(np.int64)
    if not np.isin(kind, (ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH, *EVT3_OTHERS)).all():
        return None
    time = _times(kind, value)
    y    = _latest(kind == ADDR_Y)
    base = _latest(kind == VECT_BASE_X)
    # A vector word moves the base on by its width.
    width = np.select([kind == VECT_12, kind == VECT_8], [12, 8])
    moved = np.cumsum(width) - width

    single      = np.flatnonzero(kind == ADDR_X)
    vector      = np.flatnonzero((width > 0) & (base >= 0))
    which, bit  = np.nonzero(value[vector, None] >> np.arange(12) & (np.arange(12) < width[vector, None]))
    vector      = vector[which]
    x           = np.concatenate([value[single] & 0x7FF,
        (value[base[vector]] & 0x7FF) + moved[vector] - moved[base[vector]] + bit])
    p           = np.concatenate([value[single], value[base[vector]]]) >> 11
    word        = np.concatenate([single, vector])
    order       = np.argsort(word, kind="stable")
    # Events whose row or time is not known yet do not count.
    order       = order[(y[word[order]] >= 0) & (time[word[order]] >= 0)]
    return event_array(x[order], value[y[word[order]]] & 0x7FF, p[order], time[word[order]])


def _latest(marked: np.ndarray) -> np.ndarray:
    """Index of the latest marked word at each word, itself included; -1 before the first."""
    return np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))


def _times(kind: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Time in us at each word; -1 before the first high time."""
    is_high = kind == TIME_HIGH
    highs   = value[is_high]
    # A high time far below the one before has wrapped; it is sent again and again, so that little is no wrap.
    wraps   = np.cumsum(np.diff(highs, prepend=highs[:1]) < -2**(TIME_BITS - 1))
    full    = np.zeros(len(kind), np.int64)
    full[is_high] = wraps << 2*TIME_BITS | highs << TIME_BITS
    high    = _latest(is_high)
    time    = np.where(high >= 0, full[high], -1)
    # The low time starts at 0 when the high one changes, and stays when it is only repeated.
    changed = _latest(np.diff(time, prepend=-1) != 0)
    low     = _latest(kind == TIME_LOW)
    return time + np.where((low > changed) & (high >= 0), value[low], 0)
