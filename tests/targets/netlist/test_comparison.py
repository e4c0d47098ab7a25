# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How spikes of a netlist are compared with the golden model's."""

import pytest

from host.events.spike_train import SpikeTrain
from targets.netlist.comparison import spike_mismatches

GOLDEN = [[0, 2], [], [1]]


@pytest.mark.parametrize(("steps", "mismatches"), [
    (GOLDEN,               0),
    ([[2, 0], [], [1]],    0), # Within a step their order is of no interest.
    ([[0, 2, 2], [], [1]], 1), # Doubled.
    ([[0, 0, 0, 2], [], [1]], 2),
    ([[0, 2], [], []],     1), # Missing.
    ([[0], [2], [1]],      2), # Moved to another step: missing there, and too many here.
    ([[0, 1], [], [1]],    2), # Another neuron's.
    ([[0, 2], [3], [1]],   1), # Extra.
    ([[0, 2], []],         2), # A step too few, with a spike in it.
    ([*GOLDEN, []],        1), # A step too many, though nothing happens in it.
    ([], 3 + 3),
])
def test_spikes_are_compared_one_by_one(steps, mismatches):
    ours, golden = SpikeTrain.from_lists(steps), SpikeTrain.from_lists(GOLDEN)
    assert spike_mismatches(ours, golden) == spike_mismatches(golden, ours) == mismatches
