# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events as a picture: ON less OFF, of the steps of a frame."""

import numpy as np

# Longer side of the picture at most, in pixels: what a page shows, and what goes over to it 25 times a second.
SIDE_MAX = 160


def picture_size(sensor_size: tuple[int, int]) -> tuple[int, int]:
    """(W, H) of the picture of a sensor (W, H): a whole number of the sensor's pixels each, or one."""
    shrink = -(-max(sensor_size)//SIDE_MAX)
    return tuple(-(-side//shrink) for side in sensor_size)


class Picture:
    """Collects the events of a frame.

    Parameters
    ----------
    sensor_size : (W, H) in pixels.
    """

    def __init__(self, sensor_size: tuple[int, int]) -> None:
        self._shrink = -(-max(sensor_size)//SIDE_MAX)
        width, height = picture_size(sensor_size)
        self._sums = np.zeros((height, width), np.int32)

    def add(self, events: np.ndarray) -> None:
        """Add events with fields x, y and p, inside of the sensor."""
        place = events["y"]//self._shrink, events["x"]//self._shrink
        np.add.at(self._sums, place, np.where(events["p"], 1, -1))

    def take(self) -> np.ndarray:
        """The picture int8 [H, W], cut at the limits of its type; a new one begins."""
        picture = self._sums.clip(-127, 127).astype(np.int8)
        self._sums[:] = 0
        return picture
