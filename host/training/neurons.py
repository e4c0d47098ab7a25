#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What a row of neurons does in one time step, and its gradient: the contract's qCLIF, and the CLIF it quantises."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit


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


@njit(cache=True, inline="always")
def surrogate(u, threshold, width, height):
    """Triangle around the threshold that stands for the derivative of the spike; 0 beyond width*threshold."""
    reach = width*threshold
    return height*max(np.float32(0), np.float32(1) - abs(u - threshold)/reach)/reach


@njit(cache=True)
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


@njit(cache=True)
def step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current, g_neuron):
    """Gradient of step().

    Parameters
    ----------
    g_z : gradient of this step's spikes [N].
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


# Contract -----------------------------------------------------------------------------------------

@njit(cache=True, inline="always")
def _floor(value, rule):
    return np.floor(value) if rule.floored else value


@njit(cache=True, inline="always")
def _leaked(v, leak, rule):
    if rule.exponential:
        return np.float32(v - _floor(np.float64(v)*leak/rule.state_span, rule))
    return max(v - leak, np.float32(0))


@njit(cache=True, inline="always")
def _clamped(value, low, high):
    return np.float32(min(max(value, low), high))


@njit(cache=True, inline="always")
def _apical_current(i_a, rule):
    return _clamped(_floor(i_a*rule.apical_scale, rule), rule.current_min, rule.current_max)


@njit(cache=True, inline="always")
def _drive(i_s, v_a, rule):
    # The widest product has 36 bits.
    current = np.float64(_clamped(i_s, rule.current_min, rule.current_max))
    return np.float32(_floor(current*v_a*rule.product_scale, rule))


@njit(cache=True)
def _contract_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule):
    for n in range(len(threshold)):
        v_a[n] = _clamped(_leaked(v_a0[n], leak_a[n], rule) + _apical_current(i_a[n], rule), 0.0, rule.v_max)
    for n in range(len(threshold)):
        v_s0 = u0[n] - (threshold[n] if u0[n] >= threshold[n] else np.float32(0))
        u[n] = _clamped(_leaked(v_s0, leak_s[n], rule) + _drive(i_s[n], v_a[n], rule), 0.0, rule.v_max)


@njit(cache=True)
def _contract_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current,
        g_neuron):
    size  = len(threshold)
    zero  = np.float32(0)
    width, height = np.float32(rule.width), np.float32(rule.height)
    low, high     = np.float32(rule.current_min), np.float32(rule.current_max)
    top, span     = np.float32(rule.v_max), np.float32(rule.state_span)
    scale_s, scale_a = np.float32(rule.product_scale), np.float32(rule.apical_scale)
    for n in range(size):
        # A spike also takes the threshold away from V_s: without this term, gradients grow from step to step.
        slope = (g_z[n] - threshold[n]*g_vs[n])*surrogate(u[n], threshold[n], width, height)
        g_neuron[2, n] -= slope + (g_vs[n] if u[n] >= threshold[n] else zero)
        v_s0    = u0[n] - (threshold[n] if u0[n] >= threshold[n] else zero)
        total   = _leaked(v_s0, leak_s[n], rule) + _drive(i_s[n], v_a[n], rule)
        g_u     = g_vs[n] + slope
        # A clamp lets through what leads back inside.
        g_u = g_u if (total > zero or g_u < zero) and (total < top or g_u > zero) else zero
        g_s = g_u*v_a[n]*scale_s
        g_current[n] = g_s if (i_s[n] > low or g_s < zero) and (i_s[n] < high or g_s > zero) else zero
        if rule.exponential:
            g_neuron[1, n] -= g_u*v_s0/span
            g_vs[n] = g_u*(np.float32(1) - leak_s[n]/span)
        else:
            g_vs[n] = g_u if v_s0 > leak_s[n] else zero
            g_neuron[1, n] -= g_vs[n]
        g_va[n] += g_u*_clamped(i_s[n], low, high)*scale_s
    for n in range(size):
        total   = _leaked(v_a0[n], leak_a[n], rule) + _apical_current(i_a[n], rule)
        current = _floor(i_a[n]*rule.apical_scale, rule)
        g_v = g_va[n]
        g_v = g_v if (total > zero or g_v < zero) and (total < top or g_v > zero) else zero
        g_a = g_v*scale_a
        g_current[size + n] = g_a if (current > low or g_a < zero) and (current < high or g_a > zero) else zero
        if rule.exponential:
            g_neuron[0, n] -= g_v*v_a0[n]/span
            g_va[n] = g_v*(np.float32(1) - leak_a[n]/span)
        else:
            g_va[n] = g_v if v_a0[n] > leak_a[n] else zero
            g_neuron[0, n] -= g_va[n]


# CLIF ---------------------------------------------------------------------------------------------

@njit(cache=True)
def _clif_step(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule):
    one = np.float32(1)
    for n in range(len(threshold)):
        v_a[n] = leak_a[n]*v_a0[n] + (one - leak_a[n])*i_a[n]
        gate   = max(v_a[n], np.float32(0)) if rule.gated else one
        reset  = threshold[n] if u0[n] >= threshold[n] else np.float32(0)
        u[n]   = leak_s[n]*u0[n] + (one - leak_s[n])*i_s[n]*gate - reset


@njit(cache=True)
def _clif_step_back(i_s, i_a, v_a0, u0, v_a, u, leak_a, leak_s, threshold, rule, g_z, g_va, g_vs, g_current, g_neuron):
    size = len(threshold)
    one, zero = np.float32(1), np.float32(0)
    width, height = np.float32(rule.width), np.float32(rule.height)
    for n in range(size):
        slope = g_z[n]*surrogate(u[n], threshold[n], width, height)
        gate  = max(v_a[n], zero) if rule.gated else one
        g_u   = g_vs[n] + slope
        g_neuron[2, n] -= slope + (g_u if u0[n] >= threshold[n] else zero) - g_u*threshold[n]*surrogate(u0[n],
            threshold[n], width, height)
        g_neuron[1, n] += g_u*(u0[n] - i_s[n]*gate)
        g_current[n] = g_u*(one - leak_s[n])*gate
        # The reset comes a step later, by the V_s of the step before.
        reset   = threshold[n]*surrogate(u0[n], threshold[n], width, height)
        g_vs[n] = g_u*(leak_s[n] - reset)
        if rule.gated:
            g_v = g_va[n] + (g_u*(one - leak_s[n])*i_s[n] if v_a[n] > zero else zero)
            g_neuron[0, n] += g_v*(v_a0[n] - i_a[n])
            g_current[size + n] = g_v*(one - leak_a[n])
            g_va[n] = g_v*leak_a[n]
        else:
            g_current[size + n] = zero
