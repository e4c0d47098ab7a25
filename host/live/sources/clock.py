# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The wall clock, as sources see it; tests have one of their own."""

import threading
import time


class Clock:
    """Seconds that pass by themselves."""

    def now(self) -> float:
        """Seconds since some beginning; as time.monotonic()."""
        return time.monotonic()

    def wait(self, changed: threading.Condition, seconds: float) -> None:
        """Return after these seconds, or earlier when the condition, which the caller holds, is notified."""
        changed.wait(seconds)
