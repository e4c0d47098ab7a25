# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The random changes of recordings that training makes before it encodes them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accel.errors import QCLIFError, check_integer
from host.data.event_set import EventSet
from host.events.encoder import SIZE_MAX
from host.events.sample import UNKNOWN

JITTER_MAX = 1_000_000

# Class of a gesture of synthetic.GESTURES (those of DVS128 Gesture) seen in a mirror. The right arm becomes the
# left one, and what turned clockwise turns counter-clockwise: right cw is left ccw, right ccw is left cw. The others
# use both arms; an air guitar in the left hand remains one.
MIRRORED_GESTURES = (0, 2, 1, 6, 5, 4, 3, 7, 8, 9, 10)


@dataclass(frozen=True)
class Augmentation:
    """Random changes of recordings; all off by default.

    Parameters
    ----------
    shift : most pixels that a recording moves, in x and in y (not across a sensor of a single row); events that leave
        the sensor are dropped.
    rotate : most degrees that a recording turns about the middle of the sensor, either way, 0 to 180.
    zoom : a recording grows by 1 - zoom to 1 + zoom about that middle, 0 or more and below 1.
    drop : probability that an event is dropped, 0 to 1.
    jitter_us : standard deviation of a Gaussian change of each event's time, 0 to 1000000 us. No event leaves the
        recording: it falls to its first or its last time at most.
    stretch : a recording's times are multiplied by 1 - stretch to 1 + stretch, 0 or more and below 1.
    mirror : flip every second recording, on average, left to right.
    mirror_labels : class after mirroring of each class; None for recordings that may not be mirrored (digits).

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    shift:         int = 0
    rotate:        float = 0.0
    zoom:          float = 0.0
    drop:          float = 0.0
    jitter_us:     float = 0.0
    stretch:       float = 0.0
    mirror:        bool = False
    mirror_labels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_integer("augmentation: shift", self.shift, 0, SIZE_MAX - 1)
        for within, value, limits in (
            (0 <= self.rotate <= 180,           f"rotate is {self.rotate} degrees", "0 to 180"),
            (0 <= self.zoom < 1,                f"zoom is {self.zoom}",             "0 up to below 1"),
            (0 <= self.drop <= 1,               f"drop is {self.drop}",             "0 to 1"),
            (0 <= self.jitter_us <= JITTER_MAX, f"jitter is {self.jitter_us} us",   f"0 to {JITTER_MAX}"),
            (0 <= self.stretch < 1,             f"stretch is {self.stretch}",       "0 up to below 1"),
        ):
            if not within:
                raise QCLIFError(f"augmentation: {value}, the limits are {limits}: choose another")
        if self.mirror and self.mirror_labels is None:
            raise QCLIFError("augmentation: mirror is on, but the classes do not say what they are in a mirror: give "
                "mirror_labels, or leave mirror off")
        labels = self.mirror_labels or ()
        if sorted(labels) != list(range(len(labels))) or any(labels[labels[i]] != i for i in range(len(labels))):
            raise QCLIFError(f"augmentation: mirror_labels is {self.mirror_labels}: each class needs one, and "
                f"mirroring twice must lead back")


NONE = Augmentation()


class DrawnChanges(NamedTuple):
    """Random numbers of a batch: of its B recordings, and of its n events one recording after another."""
    scales:  np.ndarray    # float64 [B]
    shifts:  np.ndarray    # int64 [B, 2]
    turns:   np.ndarray    # float64 [B, 2]: zoom times cosine and sine; [0] where nothing turns or grows
    flips:   np.ndarray    # bool [B]
    dropped: np.ndarray    # bool [n]; [0] where nothing is dropped
    jitter:  np.ndarray    # float32 [n] in us; [0] where there is none


def draw_changes(change: Augmentation, recordings: int, events: int, rng: np.random.Generator | None) -> DrawnChanges:
    """Draw the changes of B recordings with n events in all; rng is not needed where nothing changes."""
    # Drawn in this order; what does not change takes no number.
    scales = rng.uniform(1 - change.stretch, 1 + change.stretch, recordings) if change.stretch else np.ones(recordings)
    shifts = rng.integers(-change.shift, change.shift, (recordings, 2), endpoint=True) if change.shift else \
        np.zeros((recordings, 2), np.int64)
    turns  = np.zeros((0, 2))
    if change.rotate or change.zoom:
        angles = np.deg2rad(rng.uniform(-change.rotate, change.rotate, recordings))
        turns  = np.stack([np.cos(angles), np.sin(angles)], axis=1)*rng.uniform(1 - change.zoom, 1 + change.zoom,
            (recordings, 1))
    return DrawnChanges(scales, shifts, turns,
        flips   = rng.random(recordings) < 0.5 if change.mirror else np.zeros(recordings, bool),
        dropped = rng.random(events, np.float32) < change.drop if change.drop else np.zeros(0, bool),
        jitter  = (rng.standard_normal(events, np.float32) if change.jitter_us else np.zeros(0, np.float32))
            *np.float32(change.jitter_us))


def mirrored_labels(eventset: EventSet, indices: np.ndarray, flips: np.ndarray, change: Augmentation) -> np.ndarray:
    """Classes int64 [B] of the recordings of these numbers, of which `flips` [B] tells those that are mirrored. Raises
    QCLIFError where the augmentation names those of fewer or more classes than there are.
    """
    labels = eventset.labels[indices]
    if not change.mirror:
        return labels
    if len(change.mirror_labels) != len(eventset.classes):
        raise QCLIFError(f"augmentation: mirror_labels names {len(change.mirror_labels)} classes, {eventset.name} has "
            f"{len(eventset.classes)}: give one each")
    mirrored = np.array(change.mirror_labels, np.int64)[labels]
    return np.where(flips & (labels != UNKNOWN), mirrored, labels)
