# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Raw events as words for the line: the SoC then does what `host.events.encoder` does.

A word has A = max(15, x bits + y bits + 1) address bits (x lowest, then y, then p) above a time difference in the
rest of 3 bytes (A <= 16) or 4. The difference, in us, is to the word before; the first event's is 0. All ones there
make a control word: address 2*k lets k us pass, address 2*k + 1 is an event of context source k.
"""

import numpy as np

from accel.errors import QCLIFError
from firmware.protocol import RAW_ADDRESS_BITS, RAW_NARROW_BITS, SENSOR_LIMIT
from host.events.encoder import Encoder


def pack_events(events: np.ndarray, context: np.ndarray | None, encoder: Encoder, steps_at_once: int
        ) -> tuple[np.ndarray, np.ndarray]:
    """Words of a recording.

    Parameters
    ----------
    events : structured array x, y, p, t (us, not decreasing), inside of the encoder's sensor.
    context : integer rows (step, source) or None.
    encoder : the mapping that the device is set to.
    steps_at_once : no word completes more steps than that (1 up), so that the answer fits a frame.

    Returns
    -------
    words, steps : uint8 [n, 3 or 4], and int64 [n], steps completed up to and with each word.

    Raises
    ------
    QCLIFError : a sensor larger than the firmware's tables.
    """
    width, height = encoder.sensor_size
    if max(width, height) > SENSOR_LIMIT:
        raise QCLIFError(f"the sensor has {width}x{height} pixels, --encode device takes at most {SENSOR_LIMIT} "
            "each way: use --encode host")
    x_bits, y_bits = (width - 1).bit_length(), (height - 1).bit_length()
    address_bits   = max(RAW_ADDRESS_BITS, x_bits + y_bits + 1)
    word_bytes     = 3 if address_bits <= RAW_NARROW_BITS else 4
    time_bits      = 8*word_bytes - address_bits
    # The time difference that marks a control word; others are below.
    control        = 2**time_bits - 1
    rows = np.zeros((0, 2), np.int64) if context is None else np.asarray(context, np.int64)

    # Contexts come at the very beginning of their step, before its events.
    start = events["t"][0] if len(events) else 0
    times = np.concatenate([rows[:, 0]*encoder.bin_us, events["t"].astype(np.int64) - start])
    address = np.concatenate([rows[:, 1] << 1 | 1, events["x"].astype(np.int64) |
        events["y"].astype(np.int64) << x_bits | events["p"].astype(np.int64) << x_bits + y_bits])
    is_context = np.arange(len(times)) < len(rows)
    order = np.lexsort((~is_context, times))
    times, address, is_context = times[order], address[order], is_context[order]

    # Words that only let time pass, before an item whose own difference cannot hold the gap.
    gap = np.diff(times, prepend=0)
    own_max  = np.where(is_context, 0, min(control - 1, steps_at_once*encoder.bin_us))
    wait_max = min(2**(address_bits - 1) - 1, steps_at_once*encoder.bin_us)
    waits = -(-np.maximum(gap - own_max, 0)//wait_max)
    last  = np.minimum(wait_max, gap - (waits - 1)*wait_max)
    at    = np.cumsum(waits + 1) - 1

    waited = np.full(int(at[-1]) + 1 if len(at) else 0, wait_max, np.int64)
    waited[at[waits > 0] - 1] = last[waits > 0]
    waited[at] = np.where(waits > 0, gap - (waits - 1)*wait_max - last, gap)
    words_address = waited << 1
    words_address[at] = address
    words_dt = np.full(len(waited), control, np.int64)
    words_dt[at] = np.where(is_context, control, waited[at])
    words = (words_address << time_bits | words_dt).astype("<u4").view(np.uint8).reshape(-1, 4)[:, :word_bytes]
    return words, np.cumsum(waited)//encoder.bin_us
