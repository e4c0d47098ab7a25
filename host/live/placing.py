# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Steps of a source put side by side, whatever was dropped between them."""

import numpy as np

from host.events.event_array import EVENT


def placed(events: np.ndarray, begin_us: int) -> np.ndarray:
    """Events of a step, moved together to a step that begins at this time, its first event with it."""
    events = events.astype(EVENT)
    if len(events):
        events["t"] += begin_us - events["t"][0]
    return events
