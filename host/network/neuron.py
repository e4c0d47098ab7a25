# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The neurons of the contract, for arrays of numpy and of torch alike: what both golden models are made of."""

from typing import Protocol, TypeVar

from host.network.network import Network

# numpy.ndarray or torch.Tensor, of integers.
Array = TypeVar("Array")


class Parameters(Protocol[Array]):
    """What update() needs to know: the network, for its numbers, and its arrays [N]."""
    network:     Network
    leak_apical: Array
    leak_soma:   Array
    threshold:   Array


def saturated(sums: Array, bits: int) -> Array:
    """sat() of the contract: sums clipped to signed numbers of so many bits."""
    return sums.clip(-2**(bits - 1), 2**(bits - 1) - 1)


def update(neurons: Parameters[Array], i_s: Array, i_a: Array, v_a: Array, v_s: Array) -> tuple[Array, Array, Array]:
    """One step of all neurons.

    Parameters
    ----------
    i_s, i_a : currents after sat(), v_a, v_s : states before the step; [..., N] in a type that holds i_s*V_a and V_s.

    Returns
    -------
    V_a, V_s, and where it fired (booleans); new arrays.
    """
    net   = neurons.network
    v_a   = ((v_a - neurons.leak_apical).clip(min=0) + i_a).clip(0, net.state_max)
    d     = (i_s*v_a) >> net.product_shift
    v_s   = ((v_s - neurons.leak_soma).clip(min=0) + d).clip(0, net.state_max)
    fired = v_s >= neurons.threshold
    return v_a, v_s - fired*neurons.threshold, fired
