# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event-driven backpropagation through time on the CPU: rows of weights for what fired, nothing for the rest.

Forward and backward walk sample by sample. Inputs and spikes are sparse: the sums of currents and the gradients of
weights touch one row for each source that fired. The surrogate gradient has a bounded support: the gradient of a
spike is computed only where a neuron was near its threshold. What a neuron does in a step is in neurons.py.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import config, njit, prange

from host.common.folders import build_root
from host.training.bptt.neurons import INLINED, step, step_back

# Samples are shared out in this many parts, whatever the number of threads: sums come out the same on any machine.
PARTS = 8

# Functions of these files call each other. numba compares only the file of the outermost one with what it kept.
SOURCES = ("kernel.py", "neurons.py")

# Compilation --------------------------------------------------------------------------------------

def _folder() -> Path:
    content = hashlib.sha256()
    for name in SOURCES:
        content.update(Path(__file__).with_name(name).read_bytes())
    return build_root()/"kernels"/content.hexdigest()[:16]


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user can get into a folder, which is made if need be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def compiled(**options: object) -> Callable[[Callable], Callable]:
    """Decorator: numba's njit, whose results are kept with all builds (host.common.folders says where).

    numba unpickles them, which runs whatever lies there: in a folder that others can get into nothing is looked for or
    kept.

    Parameters
    ----------
    options : passed on to njit.
    """
    def decorate(function: Callable) -> Callable:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(_folder())
        try:
            return njit(cache=_is_private(_folder()), **options)(function)
        finally:
            config.CACHE_DIR = before
    return decorate

# Rows ---------------------------------------------------------------------------------------------

@njit(**INLINED)
def _add(total, row):
    for n in range(len(total)):
        total[n] += row[n]


@njit(**INLINED)
def _add_rows(total, rows, chosen):
    """Add rows[k] of each chosen k, in their order."""
    # Four rows at a time: the total is read and written once for them.
    whole = len(chosen)//4*4
    for first in range(0, whole, 4):
        i, j, k, m = chosen[first], chosen[first + 1], chosen[first + 2], chosen[first + 3]
        a, b, c, d = rows[i], rows[j], rows[k], rows[m]
        for n in range(len(total)):
            total[n] = total[n] + a[n] + b[n] + c[n] + d[n]
    for k in chosen[whole:]:
        _add(total, rows[k])


@njit(**INLINED, fastmath={"reassoc", "contract", "nsz"})
def _products(rows, chosen, vector, result):
    """Set result[k] to the product of rows[k] and the vector for each chosen k."""
    # Four rows at a time: the vector is read once for them.
    whole = len(chosen)//4*4
    for first in range(0, whole, 4):
        i, j, k, m = chosen[first], chosen[first + 1], chosen[first + 2], chosen[first + 3]
        a, b, c, d = rows[i], rows[j], rows[k], rows[m]
        s_a = s_b = s_c = s_d = np.float32(0)
        for n in range(len(vector)):
            s_a += a[n]*vector[n]
            s_b += b[n]*vector[n]
            s_c += c[n]*vector[n]
            s_d += d[n]*vector[n]
        result[i], result[j], result[k], result[m] = s_a, s_b, s_c, s_d
    for k in chosen[whole:]:
        row, total = rows[k], np.float32(0)
        for n in range(len(vector)):
            total += row[n]*vector[n]
        result[k] = total


@njit(**INLINED)
def _currents(n, rule):
    """Currents of n neurons: CLIF's equations leave out the apical ones where nothing is gated."""
    return 2*n if rule.contract or rule.gated else n

# Batches ------------------------------------------------------------------------------------------

@compiled(parallel=True)
def forward(offsets, sources, bounds, length, inputs, w_in, w_rec, bias, leak_a, leak_s, threshold, rule):
    """Run a batch from reset.

    Parameters
    ----------
    offsets, sources, bounds, length : the arrays of a Batch and its T.
    inputs : I; sources below it are sensory, the others contexts.
    w_in : float32 [I + C, N].
    w_rec : float32 [N, 2N], somatic and apical weights side by side.
    bias : float32 [2N].
    leak_a, leak_s, threshold : float32 [N].
    rule : Rule.

    Returns
    -------
    counts : float32 [B, K, N], spikes of each clip.
    currents, v_a, u : float32 [B, T, 2N], [B, T, N], [B, T, N]: sums of currents, V_a, and V_s before the reset.
        Steps after the end of a sample are not written, nor what is apical where no neuron has a gate.
    """
    batch, clips, n = len(bounds), bounds.shape[1] - 1, len(threshold)
    counts   = np.zeros((batch, clips, n), np.float32)
    currents = np.empty((batch, length, 2*n), np.float32)
    v_a      = np.empty((batch, length, n), np.float32)
    u        = np.empty((batch, length, n), np.float32)
    reset    = np.zeros(n, np.float32)
    size     = _currents(n, rule)
    for b in prange(batch):
        fired, spikes = np.empty(n, np.int32), 0
        for clip in range(clips):
            for t in range(bounds[b, clip], bounds[b, clip + 1]):
                total    = currents[b, t, :size]
                total[:] = bias[:size]
                row      = b*length + t
                events   = sources[offsets[row]:offsets[row + 1]]
                sensory  = np.searchsorted(events, inputs)
                _add_rows(total[:n], w_in, events[:sensory])
                _add_rows(total[n:], w_in, events[sensory:])
                _add_rows(total, w_rec, fired[:spikes])
                step(total[:n], total[n:], v_a[b, t - 1] if t else reset, u[b, t - 1] if t else reset, v_a[b, t],
                    u[b, t], leak_a, leak_s, threshold, rule)
                spikes = 0
                for m in range(n):
                    if u[b, t, m] >= threshold[m]:
                        fired[spikes] = m
                        spikes += 1
                        counts[b, clip, m] += 1
    return counts, currents, v_a, u


@compiled(parallel=True)
def backward(offsets, sources, bounds, length, inputs, w_in, w_rec, bias, leak_a, leak_s, threshold, rule, currents,
        v_a, u, g_counts):
    """Gradient of forward().

    Parameters
    ----------
    currents, v_a, u : as forward() gave them.
    g_counts : float32 [B, K, N], gradient of the counts.

    Returns
    -------
    Gradients of w_in, w_rec, bias, and [3, N] of leak_a, leak_s and threshold.
    """
    batch, clips, n = len(bounds), bounds.shape[1] - 1, len(threshold)
    g_in     = np.zeros((PARTS, w_in.shape[0], n), np.float32)
    g_rec    = np.zeros((PARTS, n, 2*n), np.float32)
    g_bias   = np.zeros((PARTS, 2*n), np.float32)
    g_neuron = np.zeros((PARTS, 3, n), np.float32)
    reset    = np.zeros(n, np.float32)
    size     = _currents(n, rule)
    reach    = np.float32(rule.width)*threshold
    for part in prange(PARTS):
        g_z, g_current, chosen = np.empty(n, np.float32), np.zeros(2*n, np.float32), np.empty(n, np.int32)
        for b in range(part*batch//PARTS, (part + 1)*batch//PARTS):
            g_va, g_vs, g_recurrent = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
            for clip in range(clips - 1, -1, -1):
                for t in range(bounds[b, clip + 1] - 1, bounds[b, clip] - 1, -1):
                    for m in range(n):
                        g_z[m] = g_counts[b, clip, m] + g_recurrent[m]
                    step_back(currents[b, t, :n], currents[b, t, n:], v_a[b, t - 1] if t else reset,
                        u[b, t - 1] if t else reset, v_a[b, t], u[b, t], leak_a, leak_s, threshold, rule, g_z, g_va,
                        g_vs, g_current, g_neuron[part])
                    _add(g_bias[part], g_current[:size])
                    row = b*length + t
                    for e in range(offsets[row], offsets[row + 1]):
                        _add(g_in[part, sources[e]], g_current[:n] if sources[e] < inputs else g_current[n:])
                    if t == 0:
                        continue
                    for m in range(n):
                        if u[b, t - 1, m] >= threshold[m]:
                            _add(g_rec[part, m], g_current[:size])
                    near = 0
                    for m in range(n):
                        chosen[near] = m
                        near += abs(u[b, t - 1, m] - threshold[m]) < reach[m]
                    g_recurrent[:] = 0
                    _products(w_rec, chosen[:near], g_current[:size], g_recurrent)
    return g_in.sum(axis=0), g_rec.sum(axis=0), g_bias.sum(axis=0), g_neuron.sum(axis=0)
