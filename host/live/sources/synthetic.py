# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The synthetic camera as a source: one gesture after another, without end."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from host.data.synthetic import GESTURES, SIZE
from host.events.encoder import Encoder
from host.live.sources.gestures import ALL, GESTURE_US, GestureBank, playlist, unpacked
from host.live.sources.source import DROP, SLICE_US, Piece, check_sensor


class SyntheticCamera:
    """Gestures of host.data.synthetic, three seconds each; the label is the gesture's name.

    Parameters
    ----------
    encoder : of the network.
    seed : decides which recordings play and in which order, 0 to 2**32 - 1.
    shown : the gestures that it shows, indices of GESTURES, each once.

    Raises
    ------
    QCLIFError : the network is for another sensor than 128x128; a seed out of its limits.
    """
    sensor_size = (SIZE, SIZE)
    recorded    = True
    waits       = True
    late        = DROP
    speed       = 1.0

    def __init__(self, encoder: Encoder, seed: int = 0, shown: Sequence[int] = ALL) -> None:
        self.name = f"synthetic camera, seed {seed}"
        self.counts: dict[str, int] = {}
        check_sensor(self.name, self.sensor_size, encoder.sensor_size)
        self._seed, self._shown = seed, shown
        self._bank = GestureBank(seed, shown)

    def pieces(self) -> Iterator[Piece | None]:
        for number, key in enumerate(playlist(self._seed, self._shown)):
            while (events := self._bank.get(key)) is None:
                yield None
            start  = number*GESTURE_US
            bounds = np.searchsorted(events["t"], np.arange(0, GESTURE_US + 1, SLICE_US))
            for index, (low, high) in enumerate(pairwise(bounds), 1):
                yield Piece(unpacked(events[low:high], start), start + index*SLICE_US, GESTURES[key[0]])

    def close(self) -> None:
        self._bank.close()
