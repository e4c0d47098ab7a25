# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network as the CPU engine (firmware/engine_cpu.c) reads it from RAM."""

import numpy as np

from host.network.network import Network


def cpu_image(network: Network) -> np.ndarray:
    """Words of the image, uint32 [n]: weights as int8, row by row (sensory, recurrent somatic, context, recurrent
    apical), padded to a word; then int32 [N] each: bias_soma, bias_apical, leak_apical, leak_soma, threshold."""
    weights = np.concatenate([matrix.astype(np.int8).reshape(-1) for matrix in (
        network.w_sensory, network.w_recurrent_soma, network.w_context, network.w_recurrent_apical)])
    padded = np.zeros(-(-len(weights)//4)*4, dtype=np.int8)
    padded[:len(weights)] = weights
    parameters = np.concatenate([
        network.bias_soma, network.bias_apical, network.leak_apical, network.leak_soma, network.threshold])
    return np.concatenate([padded.view("<u4"), parameters.astype("<i4").view("<u4")]).astype(np.uint32)
