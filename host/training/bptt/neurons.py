# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a row of neurons does in one time step, and its gradient: the contract's qCLIF, and the CLIF it quantises."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

# Divisions by zero give infinity, as in numpy: a loop with a way out is not vectorised.
INLINED = {"error_model": "numpy", "forceinline": True}


class Rule(NamedTuple):
    """How a neuron computes; every number is one of the contract's units.

    Attributes
    ----------
    contract : the contract's step (linear or exponential leak, clamps at 0); else the equations of CLIF.
    floored : shifts round down, as integers do; False computes in real numbers.
    exponential : the contract's leaks take a share leak/(V_max + 1) of the state instead of an amount.
    gated : False is a LIF neuron: the soma does not see V_a (CLIF only; the contract pins V_a to V_max instead).
    v_max : upper clamp of V_a and V_s, infinite in real numbers.
    current_min, current_max : saturation of the currents, infinite in real numbers.
    state_span : V_max + 1, the unit of an exponential leak.
    apical_scale, product_scale : 2**-apical_shift and 2**-product_shift.
    width : half the support of the surrogate gradient, relative to the threshold.
    height : height of its triangle over 1/(width*threshold).
    """
    contract:      bool
    floored:       bool
    exponential:   bool
    gated:         bool
    v_max:         float
    current_min:   float
    current_max:   float
    state_span:    float
    apical_scale:  float
    product_scale: float
    width:         float
    height:        float


class Values(NamedTuple):
    """What a network computes with, float32 torch tensors or arrays of numpy.

    Attributes
    ----------
    w_in : [I + C, N]; sensory sources first, then contexts.
    w_rec : [N, 2N], somatic and apical weights side by side.
    bias : [2N], likewise.
    leak_apical, leak_soma, threshold : [N]; the leaks are the decays a and b of CLIF where the rule is its.
    """
    w_in:        Any
    w_rec:       Any
    bias:        Any
    leak_apical: Any
    leak_soma:   Any
    threshold:   Any


@njit(**INLINED)
def step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule):
    """Advance N neurons.

    Parameters
    ----------
    i_s, i_a : exact sums of the currents.
    v_a0, u0 : V_a and V_s (before the reset) of the step before.
    v_a, u : the same after this step: the result.
    leak_a, leak_s : linear leaks, or the decays a and b of CLIF.
    """
    if rule.contract:
        _contract_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule)
    else:
        _clif_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule)


@njit(**INLINED)
def step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current, g_neuron):
    """Gradient of step().

    Parameters
    ----------
    g_z : gradient of this step's spikes [N]; overwritten.
    g_va, g_vs : gradient of V_a and V_s (after the reset) from the step after; replaced by those of the step before.
    g_current : [2N], gradient of the sums i_s and i_a: the result.
    g_neuron : [3, N], gradients of leak_a, leak_s and threshold, added to.
    """
    if rule.contract:
        _contract_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current,
            g_neuron)
    else:
        _clif_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current,
            g_neuron)


# Loops are short and write one or two arrays each: where there are more, the compiler cannot tell that they do not
# overlap, and takes neuron by neuron instead of many at once.

# Spike --------------------------------------------------------------------------------------------

@njit(**INLINED)
def _spike_back(u, threshold, rule, g_z, g_u, g_threshold):
    # The surrogate gradient is a triangle around the threshold, 0 beyond width*threshold.
    zero, one     = np.float32(0), np.float32(1)
    width, height = np.float32(rule.width), np.float32(rule.height)
    for n in range(len(threshold)):
        steepness = one/(width*threshold[n])
        slope = g_z[n]*height*max(zero, one - abs(u[n] - threshold[n])*steepness)*steepness
        g_u[n]         += slope
        g_threshold[n] -= slope


@njit(**INLINED)
def _reset_back(u, threshold, g, g_threshold):
    for n in range(len(threshold)):
        g_threshold[n] -= g[n] if u[n] >= threshold[n] else np.float32(0)


# Contract -----------------------------------------------------------------------------------------

@njit(**INLINED, inline="always")
def _floor(value, rule):
    return np.floor(value) if rule.floored else value


@njit(**INLINED, inline="always")
def _leaked(v, leak, rule):
    if rule.exponential:
        return np.float32(v - _floor(np.float64(v)*leak/rule.state_span, rule))
    return max(v - leak, np.float32(0))


@njit(**INLINED, inline="always")
def _clamped(value, low, high):
    return np.float32(min(max(value, np.float32(low)), np.float32(high)))


@njit(**INLINED, inline="always")
def _inward(g, value, low, high):
    # A clamp lets through what leads back inside.
    zero = np.float32(0)
    return g if (value > low or g < zero) and (value < high or g > zero) else zero


@njit(**INLINED, inline="always")
def _after_reset(u, threshold):
    return u - (threshold if u >= threshold else np.float32(0))


@njit(**INLINED, inline="always")
def _shifted(i_a, rule):
    return _floor(i_a*np.float32(rule.apical_scale), rule)


@njit(**INLINED, inline="always")
def _apical(v_a0, leak, i_a, rule):
    """V_a before its clamp."""
    return _leaked(v_a0, leak, rule) + _clamped(_shifted(i_a, rule), rule.current_min, rule.current_max)


@njit(**INLINED, inline="always")
def _soma(u0, threshold, leak, i_s, v_a, rule):
    """V_s before its clamp."""
    # The widest product has 36 bits.
    current = np.float64(_clamped(i_s, rule.current_min, rule.current_max))
    drive   = np.float32(_floor(current*v_a*rule.product_scale, rule))
    return _leaked(_after_reset(u0, threshold), leak, rule) + drive


@njit(**INLINED, inline="always")
def _leak_back(v, leak, g, rule):
    """Gradients of _leaked() in v and in leak."""
    if rule.exponential:
        span = np.float32(rule.state_span)
        return g*(np.float32(1) - leak/span), -g*v/span
    through = g if v > leak else np.float32(0)
    return through, -through


@njit(**INLINED)
def _contract_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule):
    for n in range(len(threshold)):
        v_a[n] = _clamped(_apical(v_a0[n], leak_a[n], i_a[n], rule), 0, rule.v_max)
    for n in range(len(threshold)):
        u[n] = _clamped(_soma(u0[n], threshold[n], leak_s[n], i_s[n], v_a[n], rule), 0, rule.v_max)


@njit(**INLINED)
def _contract_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current,
        g_neuron):
    size = len(threshold)
    zero, top        = np.float32(0), np.float32(rule.v_max)
    low, high        = np.float32(rule.current_min), np.float32(rule.current_max)
    scale_s, scale_a = np.float32(rule.product_scale), np.float32(rule.apical_scale)
    g_is, g_ia       = g_current[:size], g_current[size:]
    g_leak_a, g_leak_s, g_threshold = g_neuron[0], g_neuron[1], g_neuron[2]
    _reset_back(u, threshold, g_vs, g_threshold)
    for n in range(size):
        # A spike takes the threshold away, too: without this term gradients grow from step to step.
        g_z[n] -= threshold[n]*g_vs[n]
    _spike_back(u, threshold, rule, g_z, g_vs, g_threshold)
    for n in range(size):
        g_vs[n] = _inward(g_vs[n], _soma(u0[n], threshold[n], leak_s[n], i_s[n], v_a[n], rule), zero, top)
    for n in range(size):
        g_is[n]  = _inward(g_vs[n]*v_a[n]*scale_s, i_s[n], low, high)
        g_va[n] += g_vs[n]*_clamped(i_s[n], low, high)*scale_s
    for n in range(size):
        g_vs[n], g_leak = _leak_back(_after_reset(u0[n], threshold[n]), leak_s[n], g_vs[n], rule)
        g_leak_s[n] += g_leak
    for n in range(size):
        g_va[n] = _inward(g_va[n], _apical(v_a0[n], leak_a[n], i_a[n], rule), zero, top)
    for n in range(size):
        g_ia[n] = _inward(g_va[n]*scale_a, _shifted(i_a[n], rule), low, high)
    for n in range(size):
        g_va[n], g_leak = _leak_back(v_a0[n], leak_a[n], g_va[n], rule)
        g_leak_a[n] += g_leak


# CLIF ---------------------------------------------------------------------------------------------

@njit(**INLINED, inline="always")
def _gate(v_a, rule):
    return max(v_a, np.float32(0)) if rule.gated else np.float32(1)


@njit(**INLINED)
def _clif_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule):
    one = np.float32(1)
    if rule.gated:
        for n in range(len(threshold)):
            v_a[n] = leak_a[n]*v_a0[n] + (one - leak_a[n])*i_a[n]
    for n in range(len(threshold)):
        reset = threshold[n] if u0[n] >= threshold[n] else np.float32(0)
        u[n]  = leak_s[n]*u0[n] + (one - leak_s[n])*i_s[n]*_gate(v_a[n], rule) - reset


@njit(**INLINED)
def _clif_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current, g_neuron):
    size = len(threshold)
    one, zero  = np.float32(1), np.float32(0)
    g_is, g_ia = g_current[:size], g_current[size:]
    g_leak_a, g_leak_s, g_threshold = g_neuron[0], g_neuron[1], g_neuron[2]
    _spike_back(u, threshold, rule, g_z, g_vs, g_threshold)
    _reset_back(u0, threshold, g_vs, g_threshold)
    for n in range(size):
        g_leak_s[n] += g_vs[n]*(u0[n] - i_s[n]*_gate(v_a[n], rule))
    if rule.gated:
        for n in range(size):
            g_va[n] += g_vs[n]*(one - leak_s[n])*i_s[n] if v_a[n] > zero else zero
    for n in range(size):
        g_is[n] = g_vs[n]*(one - leak_s[n])*_gate(v_a[n], rule)
    for n in range(size):
        # The reset is that of the spike before.
        g_z[n]   = -threshold[n]*g_vs[n]
        g_vs[n] *= leak_s[n]
    _spike_back(u0, threshold, rule, g_z, g_vs, g_threshold)
    if rule.gated:
        for n in range(size):
            g_leak_a[n] += g_va[n]*(v_a0[n] - i_a[n])
        for n in range(size):
            g_ia[n]  = g_va[n]*(one - leak_a[n])
            g_va[n] *= leak_a[n]
