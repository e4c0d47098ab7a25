#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Currents of the soma where inputs and spikes are known, all steps at once."""

import numpy as np

from host.network.network import Network


def soma_currents(network: Network, counts: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """I_s, before saturation.

    Parameters
    ----------
    counts : event counts of the sensory sources, [T, I].
    spikes : of the neurons in the same steps, bool [T, N]; those of the step before count.

    Returns
    -------
    int64 [T, N].
    """
    before = np.vstack([np.zeros_like(spikes[:1]), spikes[:-1]])
    # Sums of this size are exact in float64, which is much faster here than integers.
    return (counts.astype(np.float64) @ network.w_sensory + before.astype(np.float64) @ network.w_recurrent_soma
        + network.bias_soma).astype(np.int64)


def saturated(network: Network, currents: np.ndarray) -> np.ndarray:
    """sat(currents, current_bits), of any shape."""
    high = 2**(network.current_bits - 1) - 1
    return np.clip(currents, -high - 1, high)
