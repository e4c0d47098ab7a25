# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the device gave for a recording against the golden model: every spike, logit, input and state."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.sample_exchange import SampleRun
from host.network.network import Network
from host.runs.synaptic_operations import bound_clocks

if TYPE_CHECKING:
    from host.network.golden import GoldenResult


@dataclass(frozen=True)
class Divergence:
    """The first integer that differs: what it is, where, and both values."""
    sample:   str
    step:     int
    what:     str
    neuron:   int
    device:   int
    expected: int

    def __str__(self) -> str:
        place = f"step {self.step}, neuron {self.neuron}" if self.step >= 0 else f"output {self.neuron}"
        return f"{self.sample}: first difference at {place}: {self.what} is {self.device}, expected {self.expected}"


@dataclass(frozen=True)
class Compared:
    """One recording, compared.

    Attributes: the sample, what the device gave, the golden result, numbers of spikes, logits, inputs and states
    that differ, states compared, the least clocks that the steps can take, and the first difference.
    """
    sample:           Sample
    run:              SampleRun
    golden:           "GoldenResult"
    mismatches:       int
    state_mismatches: int
    states:           int
    bound_clocks:     int
    divergence:       Divergence | None


def _compared_spikes(device: SpikeTrain, expected: SpikeTrain, what: str) -> tuple[int, list[tuple]]:
    """Number of entries that only one side has, and the first of them as a Divergence has it, if there is one."""
    differing = device.difference(expected)
    count     = int(abs(differing[:, 2] - differing[:, 3]).sum())
    if len(device) != len(expected):
        return max(1, count), [(min(len(device), len(expected)), f"number of steps of {what}s", 0, len(device),
            len(expected))]
    return count, [(step, what, neuron, ours, theirs) for step, neuron, ours, theirs in differing[:1].tolist()]


def compare(sample: Sample, run: SampleRun, golden: "GoldenResult", network: Network,
        config: QCLIFConfig, lockstep: bool = False) -> Compared:
    """Compare what the device gave for a recording with the golden model, integer for integer. Raises QCLIFError where
    it gave another number of logits or states than there are.
    """
    rows = len(golden.spikes) if lockstep else min(1, len(golden.spikes))
    for what, device, shape in (("logits", run.logits, golden.logits.shape),
            ("V_a", run.v_a, (rows, network.neurons)), ("V_s", run.v_s, (rows, network.neurons))):
        if device.shape != shape:
            raise QCLIFError(f"{sample.name}: the device gave {list(device.shape)} {what}, {list(shape)} are needed: "
                f"host and firmware differ in version, build the SoC anew")
    # As Divergence has them, but for the sample.
    found, mismatches, states, state_mismatches = [], 0, 0, 0
    for device, expected, what in ((run.inputs, sample.steps, "input"), (run.spikes, golden.spikes, "spike")):
        count, first = _compared_spikes(device, expected, what)
        mismatches  += count
        found       += first
    wrong       = np.flatnonzero(run.logits != golden.logits).tolist()
    mismatches += len(wrong)
    if wrong and not found:
        found.append((-1, "logit", wrong[0], int(run.logits[wrong[0]]), int(golden.logits[wrong[0]])))
    for what, device, expected in (("V_a", run.v_a, golden.v_a), ("V_s", run.v_s, golden.v_s)):
        # Without lockstep the device gives the states after the last step only.
        expected = expected[len(expected) - rows:]
        differs  = np.argwhere(device != expected)
        states  += device.size
        state_mismatches += len(differs)
        for row, neuron in differs[:1].tolist():
            found.append((len(golden.spikes) - rows + row, what, neuron, int(device[row, neuron]),
                int(expected[row, neuron])))
    return Compared(sample, run, golden, mismatches, state_mismatches, states,
        bound_clocks(sample.steps, golden.spikes, network.neurons, config),
        Divergence(sample.name, *min(found, key=lambda each: each[0])) if found else None)
