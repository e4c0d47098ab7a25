# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The words of Prophesee's encodings EVT2, EVT2.1 and EVT3, some at a time.

Decoded here: faery (0.7.1) gives the same events of whole files, and faster; but it passes over words that no encoding
has and over a cut end, moves times that go back up to the latest one without a word, and panics at EVT2.1.
"""

from typing import NamedTuple

import numpy as np

from host.events.formats.found import decoded

# Type of an EVT2 or EVT2.1 word, its four high bits.
OFF, ON, EVT2_TIME_HIGH = 0, 1, 8

# Type of an EVT3 word, its four high bits.
ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 0, 2, 3, 4, 5, 6, 8

# Types with nothing for us: external trigger, others, and continued of EVT2; of EVT3 also a shorter continued.
EVT2_OTHERS = (10, 14, 15)
EVT3_OTHERS = (7, 10, 14, 15)

EVT2_KNOWN = np.isin(np.arange(16), (OFF, ON, EVT2_TIME_HIGH, *EVT2_OTHERS))
EVT3_KNOWN = np.isin(np.arange(16), (ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH, *EVT3_OTHERS))

# A word of EVT3 that industrial cameras fill their transfers with; OpenEB's decoder passes over it, too.
PADDING = 0x9999

# Bits of an EVT2 high time and of those below it; bits of an EVT3 word below its type.
EVT2_HIGH_BITS, EVT2_LOW_BITS, TIME_BITS = 28, 6, 12


class Decoded(NamedTuple):
    """Of some words: events [n], padding words, and the place of the first word of no known type (-1: none)."""
    events:  np.ndarray
    padding: int
    unknown: int


class EVT2:
    """Decoder of a file's EVT2 words uint32, part after part."""
    dtype = np.dtype("<u4")

    def __init__(self) -> None:
        # Full high time (us) so far; none yet.
        self._high = -1

    def decode(self, words: np.ndarray) -> Decoded:
        kind = words >> 28
        word, time = self._timed(kind, words & 0xFFFFFFF)
        value = words[word].astype(np.int64)
        events = decoded(value >> 11 & 0x7FF, value & 0x7FF, kind[word], time + (value >> 22 & 0x3F))
        return Decoded(events, 0, _first(~EVT2_KNOWN[kind]))

    def _timed(self, kind: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of events, and the high time (us) of each. Events before the first high time do not count."""
        places = np.flatnonzero(kind == EVT2_TIME_HIGH)
        times  = _unwrapped(high[places].astype(np.int64), self._high >> EVT2_LOW_BITS, EVT2_HIGH_BITS) << EVT2_LOW_BITS
        times  = np.concatenate([[self._high], times])
        latest = np.zeros(len(kind), np.int64)
        latest[places] = 1
        time   = times[np.cumsum(latest)]
        self._high = int(times[-1])
        word   = np.flatnonzero((kind <= ON) & (time >= 0))
        return word, time[word]


class EVT21(EVT2):
    """Decoder of EVT2.1 words uint64: an EVT2 word above, and below a bit for each of 32 pixels from its x on."""
    dtype = np.dtype("<u8")

    def decode(self, words: np.ndarray) -> Decoded:
        upper = (words >> np.uint64(32)).astype(np.uint32)
        kind  = upper >> 28
        word, time = self._timed(kind, upper & 0xFFFFFFF)
        valid = np.unpackbits((words[word] & np.uint64(0xFFFFFFFF)).astype("<u4").view(np.uint8).reshape(-1, 4), axis=1,
            bitorder="little")
        which, bit = np.nonzero(valid)
        value = upper[word][which].astype(np.int64)
        events = decoded((value >> 11 & 0x7FF) + bit, value & 0x7FF, kind[word][which],
            time[which] + (value >> 22 & 0x3F))
        return Decoded(events, 0, _first(~EVT2_KNOWN[kind]))


    @classmethod
    def begins(cls, words: np.ndarray) -> bool:
        """Whether the first word is a high time."""
        return len(words) > 0 and int(words[0]) >> 60 == EVT2_TIME_HIGH and not int(words[0]) & 0xFFFFFFFF


class EVT21Legacy(EVT21):
    """EVT2.1 as the IMX636 sends it: the upper half of a word first."""
    def decode(self, words: np.ndarray) -> Decoded:
        return super().decode(_turned(words))

    @classmethod
    def begins(cls, words: np.ndarray) -> bool:
        return super().begins(_turned(words[:1]))


class EVT3:
    """Decoder of a file's EVT3 words uint16, part after part."""
    dtype = np.dtype("<u2")

    def __init__(self) -> None:
        # Words that say again what holds at the end of a part, and what is above the 24 bits of their time.
        self._state = np.zeros(0, np.uint16)
        self._wraps = 0

    def decode(self, words: np.ndarray) -> Decoded:
        padding = words == PADDING
        count   = int(np.count_nonzero(padding))
        unknown = _first(~EVT3_KNOWN[words >> TIME_BITS] & ~padding)
        words   = np.concatenate([self._state, words[~padding] if count else words])
        kind    = (words >> TIME_BITS).astype(np.uint8)
        value   = (words & (2**TIME_BITS - 1)).astype(np.int32)
        time    = self._times(kind, value)
        y       = _latest(kind == ADDR_Y)
        base    = _latest(kind == VECT_BASE_X)
        # A vector word moves the base on by its width.
        width   = np.zeros(len(kind), np.int32)
        width[kind == VECT_12], width[kind == VECT_8] = 12, 8
        moved   = np.cumsum(width, dtype=np.int32) - width

        single     = np.flatnonzero(kind == ADDR_X)
        vector     = np.flatnonzero((width > 0) & (base >= 0))
        which, bit = np.nonzero(value[vector, None] >> np.arange(12) & (np.arange(12) < width[vector, None]))
        vector     = vector[which]
        x          = np.concatenate([value[single] & 0x7FF,
            (value[base[vector]] & 0x7FF) + moved[vector] - moved[base[vector]] + bit])
        p          = np.concatenate([value[single], value[base[vector]]]) >> 11
        word       = np.concatenate([single, vector])
        order      = np.argsort(word, kind="stable") if len(vector) else np.arange(len(word))
        # Events whose row or time is not known yet do not count.
        order      = order[(y[word[order]] >= 0) & (time[word[order]] >= 0)]
        events     = decoded(x[order], value[y[word[order]]] & 0x7FF, p[order], time[word[order]])
        self._keep(words, value, y, base, moved + width, time)
        return Decoded(events, count, unknown)

    def _times(self, kind: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Time in us at each word; -1 before the first high time."""
        places = np.flatnonzero(kind == TIME_HIGH)
        highs  = value[places].astype(np.int64)
        # A high time far below the one before has wrapped; it is sent again and again, so that little is no wrap.
        full   = _unwrapped(highs, int(highs[0]) if len(highs) else 0, TIME_BITS) + (self._wraps << TIME_BITS)
        full   = np.concatenate([[-1], full << TIME_BITS])
        is_high = np.zeros(len(kind), np.int64)
        is_high[places] = 1
        time   = full[np.cumsum(is_high)]
        # The low time starts at 0 when the high one changes, and stays when it is only repeated.
        changed = _latest(np.diff(time, prepend=-1) != 0)
        low     = _latest(kind == TIME_LOW)
        return time + np.where((low > changed) & (time >= 0), value[low], 0)

    def _keep(self, words: np.ndarray, value: np.ndarray, y: np.ndarray, base: np.ndarray, moved: np.ndarray,
            time: np.ndarray) -> None:
        """Keep what the next part depends on."""
        if not len(words):
            return
        state = []
        if time[-1] >= 0:
            self._wraps = int(time[-1]) >> 2*TIME_BITS
            state += [TIME_HIGH << TIME_BITS | int(time[-1]) >> TIME_BITS & 0xFFF,
                TIME_LOW << TIME_BITS | int(time[-1]) & 0xFFF]
        if y[-1] >= 0:
            state.append(words[y[-1]])
        if base[-1] >= 0:
            first = int(value[base[-1]])
            # Beyond any sensor is still beyond it in the next part.
            x = min((first & 0x7FF) + int(moved[-1] - moved[base[-1]]), 0x7FF)
            state.append(VECT_BASE_X << TIME_BITS | first & 0x800 | x)
        self._state = np.array(state, np.uint16)


def _turned(words: np.ndarray) -> np.ndarray:
    return words << np.uint64(32) | words >> np.uint64(32)


def _first(marked: np.ndarray) -> int:
    """Place of the first marked word; -1 where there is none."""
    place = int(marked.argmax()) if len(marked) else 0
    return place if len(marked) and marked[place] else -1


def _latest(marked: np.ndarray) -> np.ndarray:
    """Index of the latest marked word at each word, itself included; -1 before the first."""
    return np.maximum.accumulate(np.where(marked, np.arange(len(marked), dtype=np.int32), np.int32(-1)))


def _unwrapped(high: np.ndarray, before: int, bits: int) -> np.ndarray:
    """High times int64 [n] of so many bits, continued from `before` (full, -1: none) where they begin again."""
    if before < 0:
        before = int(high[0]) if len(high) else 0
    steps = np.diff(high, prepend=before & (2**bits - 1))
    return high + (np.cumsum(steps < -2**(bits - 1)) << bits) + (before >> bits << bits)
