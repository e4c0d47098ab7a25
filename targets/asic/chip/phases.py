# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a chip does in a run, one after the other: activity and power are told of each."""

PHASES = {
    "boot":      "loading the firmware, up to its first words",
    "idle":      "the firmware waits, nothing is on the line",
    "loading":   "the network comes over the line",
    "states":    "states are read after each step",
    "streaming": "recordings come over the line, the core waits",
    "computing": "the core computes, recordings come over the line",
}

# Those of whole recordings.
WHOLE = ("streaming", "computing")
