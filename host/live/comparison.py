# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A batch of a live run against the golden model: inputs and spikes of every step, logits and watched states after the
last."""

from collections.abc import Sequence

import numpy as np

from accel.config import LIMITS
from host.link.session import SessionBatch
from host.network.stream import GoldenStep

# More than there are sources or neurons.
_MOST = LIMITS["inputs"][1] + LIMITS["contexts"][1]


def differences(first: int, inputs: Sequence[np.ndarray], answer: SessionBatch, expected: Sequence[GoldenStep],
        watched: Sequence[int]) -> tuple[int, str]:
    """Compare a batch.

    Parameters
    ----------
    first : number of its first step.
    inputs : of each step its sources, as they are encoded here.
    answer, expected : of the device and of the golden model, of the same steps.
    watched : neurons whose states the device gave.

    Returns
    -------
    int, str : integers that differ, and the first of them with its step and neuron; 0 and an empty text without.
    """
    found: list[str] = []
    count = 0
    # A device that encodes by itself tells how many steps it found.
    if len(answer.spikes) != len(expected):
        return abs(len(answer.spikes) - len(expected)), \
            f"step {first}: the device computed {len(answer.spikes)} steps, expected {len(expected)}"
    for step, each in enumerate(zip(inputs, answer.inputs, answer.spikes, expected, strict=True), first):
        theirs, sources, spikes, golden = each
        for what, ours, right in (("input", sources, theirs), ("neuron", spikes, golden.spikes)):
            # One that came several times counts as often.
            differing = np.flatnonzero(np.bincount(ours, minlength=_MOST) != np.bincount(right, minlength=_MOST))
            count    += len(differing)
            if len(differing):
                found.append(f"step {step}, {what} {differing[0]}: it came {np.count_nonzero(ours == differing[0])} "
                    f"times, expected {np.count_nonzero(right == differing[0])}")
    last, step = expected[-1], first + len(expected) - 1
    for name, ours, golden in (("V_a", answer.v_a, last.v_a), ("V_s", answer.v_s, last.v_s)):
        for neuron, value in zip(watched, ours, strict=True):
            if value != golden[neuron]:
                count += 1
                found.append(f"step {step}, neuron {neuron}: {name} is {value}, expected {golden[neuron]}")
    for output in np.flatnonzero(answer.logits != last.logits):
        count += 1
        found.append(f"step {step}, output {output}: logit is {answer.logits[output]}, expected {last.logits[output]}")
    return count, found[0] if found else ""
