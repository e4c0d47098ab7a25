# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From spike counts to a class: the readout outside of the accelerator."""

import numpy as np

from accel.errors import QCLIFError

INT32_MAX = 2**31 - 1


def readout_logits(counts: np.ndarray, readout: np.ndarray | None) -> np.ndarray:
    """Logits int32 [O] of the spike counts [N] of a sample and a readout int32 [N, O]; [0] without one.

    Raises
    ------
    QCLIFError : a logit does not fit 32 bits.
    """
    if readout is None:
        return np.zeros(0, np.int32)
    logits = counts.astype(np.int64) @ readout.astype(np.int64)
    bad = np.flatnonzero((logits > INT32_MAX) | (logits < -INT32_MAX - 1))
    if len(bad):
        raise QCLIFError(f"logit {bad[0]} is {logits[bad[0]]}, the limits are those of 32 bits: shorten the "
            f"recording or scale the readout down")
    return logits.astype(np.int32)


def predicted(logits: np.ndarray) -> int:
    """Class of logits [O]: their first maximum; -1 where O is 0."""
    return int(np.argmax(logits)) if len(logits) else -1
