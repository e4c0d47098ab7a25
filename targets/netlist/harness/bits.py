# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Ports as 32-bit words, lowest bits first."""

from collections.abc import Sequence

import numpy as np


def pack(values: np.ndarray, bits: int) -> np.ndarray:
    """Words of ports whose fields are `bits` wide each.

    Parameters
    ----------
    values : integers [..., fields], lowest field first; of negative ones the low bits.

    Returns
    -------
    Words uint32 [..., n], as many as hold the fields.
    """
    values = np.asarray(values, np.int64)
    single = (values[..., None] >> np.arange(bits) & 1).astype(np.uint8).reshape(*values.shape[:-1], -1)
    single = np.concatenate([single, np.zeros((*single.shape[:-1], -single.shape[-1] % 32), np.uint8)], axis=-1)
    return np.packbits(single, axis=-1, bitorder="little").view("<u4")


def unpack(words: np.ndarray, fields: int, widths: Sequence[int]) -> list[np.ndarray]:
    """Unsigned fields, int64 [..., fields] a port, of words [..., n] that hold one port after the other.

    Parameters
    ----------
    widths : bits of a field of each port; each port begins with a word.
    """
    ports, at = [], 0
    for bits in widths:
        count  = -(-fields*bits//32)
        octets = np.ascontiguousarray(words[..., at:at + count].astype("<u4")).view(np.uint8)
        single = np.unpackbits(octets, axis=-1, bitorder="little")[..., :fields*bits]
        single = single.reshape(*words.shape[:-1], fields, bits).astype(np.int64)
        ports.append((single << np.arange(bits)).sum(axis=-1))
        at    += count
    return ports
