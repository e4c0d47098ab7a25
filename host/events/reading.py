# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a file of recordings may leave open, and its reader is told."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from accel.errors import QCLIFError, check_integer
from host.events.encoder import SIZE_MAX

# Microseconds of each unit that a time may have.
TIME_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}

# Window of a repair that is asked for without a number: cameras that give times back do so by a few microseconds.
REPAIR_US = 1000


def say_nothing(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Reading:
    """Answers to what files do not tell; what they tell is never overruled.

    Parameters
    ----------
    sensor_size : (W, H) in pixels.
    chip : camera of an AEDAT 2 file without AEChip, as host.events.formats.chips.CHIPS names it.
    time_unit : of the times in arrays and text, one of TIME_UNITS.
    repair_us : microseconds within which events are sorted by their times; 0 refuses times that go back.
    camera : which one of several in a file, from 0 up.
    note : called with each line that a user should know, as how many events were sorted.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    sensor_size: tuple[int, int] | None = None
    chip:        str | None = None
    time_unit:   str | None = None
    repair_us:   int = 0
    camera:      int | None = None
    note:        Callable[[str], None] = dataclasses.field(default=say_nothing, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.sensor_size is not None:
            for value in self.sensor_size:
                check_integer("--sensor-size", value, 1, SIZE_MAX)
            object.__setattr__(self, "sensor_size", tuple(self.sensor_size))
        if self.time_unit not in (None, *TIME_UNITS):
            raise QCLIFError(f"--time-unit {self.time_unit}: known are {', '.join(TIME_UNITS)}")
        check_integer("--repair", self.repair_us, 0, 2**31 - 1)
        if self.camera is not None:
            check_integer("--camera", self.camera, 0, 2**15 - 1)

    @property
    def key(self) -> dict[str, object]:
        """All that decides which events are read, as JSON takes it."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.compare}

    @property
    def given(self) -> list[str]:
        """Names of the answers that are given."""
        return [name for name, value in self.key.items() if value != getattr(Reading, name)]
