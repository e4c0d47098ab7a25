# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A wall clock for live sources that passes only when a test says so, or when somebody waits for it."""

from host.live.sources.clock import Clock


class StandingClock(Clock):
    """Stands at some time, as one that counts since a machine started."""

    def __init__(self, seconds: float = 86_400.0) -> None:
        self._now = seconds

    def now(self) -> float:
        return self._now

    def wait(self, changed, seconds: float) -> None:
        """Passes at once to what is waited for."""
        self._now += seconds + 1e-9

    def pass_by(self, seconds: float) -> None:
        """These seconds pass."""
        self._now += seconds
