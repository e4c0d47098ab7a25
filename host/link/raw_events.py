# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Raw events as words for the line: the SoC then does what `host.events.encoder` does.

A word has 2 bytes, or 3 where x and y take more than 14 bits. Its highest bit is 0 for an event: x in the lowest bits,
y above it, p in the bit below the highest. It is 1 for what else there is: bit 0 is 0 where time passes, as many
microseconds as the bits between say, and 1 for an event of the context source that they say. What stands behind a
word is at the time that the words before it add up to; the first event is at 0.
"""

from typing import NamedTuple, TypeVar

import numpy as np

from accel.config import SENSOR_LIMIT
from accel.errors import QCLIFError
from firmware.protocol import raw_word_bytes
from host.events.encoder import Encoder

# Resolution of times on the line, in us: each change of the time takes a word. Steps are those of the exact times.
TICK_US = 1000


Ticks = TypeVar("Ticks", int, np.ndarray)


class Span(NamedTuple):
    """Which part of a recording is packed, in us: `begin` is the time, of its events, of the recording's beginning,
    `now` and `until` come after it, a multiple of the tick within a step: up to `now` words have told the time before,
    up to `until` these do."""
    begin: int
    now:   int
    until: int


def ticked(elapsed: Ticks, encoder: Encoder, tick_us: int = TICK_US) -> Ticks:
    """Times since the beginning, in us, rounded down as on the line: to ticks from the beginning of their step on."""
    return elapsed - elapsed % encoder.bin_us % tick_us


def pack_events(events: np.ndarray, context: np.ndarray | None, encoder: Encoder, steps_at_once: int,
        tick_us: int = TICK_US, span: Span | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Words of a recording, or of a span of one that goes on.

    Parameters
    ----------
    events : structured array x, y, p, t (us, not decreasing), inside of the encoder's sensor, and of the span.
    context : integer rows (step, source) or None; in a span of the steps from now's to the last one that begins in it.
    encoder : the mapping that the device is set to.
    steps_at_once : no word completes more steps than that (1 up), so that the answer fits a frame.
    tick_us : times are rounded down to multiples of it from the beginning of their step on (1 up); 1 keeps them.
    span : None for a whole recording, whose time begins and ends with its events.

    Returns
    -------
    words, steps : uint8 [n, 2 or 3], and int64 [n], steps completed up to and with each word (in a span, since now).

    Raises
    ------
    QCLIFError : a sensor larger than the firmware's tables.
    """
    width, height = encoder.sensor_size
    if max(width, height) > SENSOR_LIMIT:
        raise QCLIFError(f"the sensor has {width}x{height} pixels, --encode device takes at most {SENSOR_LIMIT} "
            "each way: use --encode host")
    x_bits, y_bits = (width - 1).bit_length(), (height - 1).bit_length()
    word_bytes = raw_word_bytes(x_bits, y_bits)
    # Of a word's two highest bits.
    polarity, control = 8*word_bytes - 2, 8*word_bytes - 1
    rows = np.zeros((0, 2), np.int64) if context is None else np.asarray(context, np.int64)

    # Contexts come at the very beginning of their step, before its events.
    begin   = span.begin if span else events["t"][0] if len(events) else 0
    now     = span.now if span else 0
    elapsed = events["t"].astype(np.int64) - begin
    times = np.concatenate([np.maximum(rows[:, 0]*encoder.bin_us, now), ticked(elapsed, encoder, tick_us)])
    items = np.concatenate([1 << control | rows[:, 1] << 1 | 1, events["x"].astype(np.int64) |
        events["y"].astype(np.int64) << x_bits | events["p"].astype(np.int64) << polarity])
    is_event = np.arange(len(times)) >= len(rows)
    order = np.lexsort((is_event, times))

    # Before an item, as many words as the time takes that passes until then.
    ends     = np.array([span.until] if span else [], np.int64)
    gap      = np.diff(times[order], prepend=now, append=ends)
    wait_max = min(2**(control - 1) - 1, steps_at_once*encoder.bin_us)
    waits    = -(-gap//wait_max)
    at       = np.cumsum(waits + 1) - 1
    waited   = np.full(int(at[-1]) + 1 if len(at) else 0, wait_max, np.int64)
    waited[at[waits > 0] - 1] = (gap - (waits - 1)*wait_max)[waits > 0]
    waited[at] = 0
    words     = 1 << control | waited << 1
    words[at[:len(items)]] = items[order]
    steps = (now + np.cumsum(waited))//encoder.bin_us - now//encoder.bin_us
    # Behind the time that passes until the end of a span there is nothing.
    length = len(words) - len(ends)
    return words.astype("<u4").view(np.uint8).reshape(-1, 4)[:length, :word_bytes], steps[:length]
