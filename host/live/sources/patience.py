# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How long to wait for the events of a silent source: as long as those before have taken."""

# For so many us, the slowest events are kept in mind; waiting takes a quarter more than they did.
MEMORY_US  = 10_000_000
MORE, THAN = 5, 4


class Patience:
    """Grows when events come in batches, as TCP and USB make them; shrinks when they no longer do.

    Parameters
    ----------
    least_us : us that it always is.
    most_us : us that it never exceeds: what takes longer is late, not slow.
    """
    def __init__(self, least_us: int, most_us: int) -> None:
        self._least = min(least_us, most_us)
        self._most  = most_us
        # The slowest in this stretch of time and in the one before, and when this one began.
        self._slowest = self._before = 0
        self._since   = 0

    @property
    def us(self) -> int:
        """What it is now."""
        return min(self._most, max(self._least, max(self._slowest, self._before)*MORE//THAN))

    def came(self, took_us: int, now_us: int) -> None:
        """An event has come, so long after its time."""
        if now_us - self._since > MEMORY_US:
            self._before  = self._slowest if now_us - self._since <= 2*MEMORY_US else 0
            self._slowest = 0
            self._since   = now_us
        if took_us <= self._most:
            self._slowest = max(self._slowest, took_us)
