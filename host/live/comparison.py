# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A batch of a live run against the golden model: spikes of every step, logits and watched states after the last."""

from collections.abc import Sequence

import numpy as np

from host.link.session import SessionBatch
from host.network.stream import GoldenStep


def differences(first: int, answer: SessionBatch, expected: Sequence[GoldenStep], watched: Sequence[int]
        ) -> tuple[int, str]:
    """Compare a batch.

    Parameters
    ----------
    first : number of its first step.
    answer, expected : of the device and of the golden model, of the same steps.
    watched : neurons whose states the device gave.

    Returns
    -------
    int, str : integers that differ, and the first of them with its step and neuron; 0 and an empty text without.
    """
    found: list[str] = []
    count = 0
    for step, (ours, golden) in enumerate(zip(answer.spikes, expected, strict=True), first):
        differing = np.setxor1d(ours, golden.spikes)
        count    += len(differing)
        if len(differing):
            fired = int(differing[0] in ours)
            found.append(f"step {step}, neuron {differing[0]}: spike is {fired}, expected {1 - fired}")
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
