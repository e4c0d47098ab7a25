#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""A run: recordings through the device, every spike, logit and state compared with the golden model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from accel.errors import QCLIFError
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.device import Device, stats_between
from host.link.link import DeviceReset, Link
from host.link.sample_exchange import SampleRun
from host.network.golden import GoldenModel, GoldenResult
from host.network.network import Network
from host.runs.operations import rows_per_step
from host.runs.result import Result

# Recordings that the golden model takes at once.
BATCH = 32

# Resets of the device that a run survives.
RESETS_MAX = 3

Progress = Callable[[str, int, int], None]


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
    golden:           GoldenResult
    mismatches:       int
    state_mismatches: int
    states:           int
    bound_clocks:     int
    divergence:       Divergence | None


@dataclass
class Run:
    """All recordings of a run, and what the link and the clock said."""
    network:  Network
    engine:   str
    encode:   str
    link:     Link
    compared: list[Compared] = field(default_factory=list)
    seconds:  float = 0.0
    resets:   int = 0
    stats:    dict[str, int] = field(default_factory=dict)

    @property
    def mismatches(self) -> int:
        return sum(each.mismatches + each.state_mismatches for each in self.compared)

    def result(self) -> Result:
        """What the device gave, as the run's file holds it."""
        return Result.collect([each.run.inputs for each in self.compared], [each.run.spikes for each in self.compared],
            [each.run.logits for each in self.compared], [each.sample.label for each in self.compared])


def bound_clocks(inputs: SpikeTrain, spikes: SpikeTrain, neurons: int, lanes: int) -> int:
    """Sum over steps of G*max(rows, P)."""
    return int((-(-neurons//lanes)*np.maximum(rows_per_step(inputs, spikes), lanes)).sum())


def _first_spike(device: SpikeTrain, expected: SpikeTrain, name: str, what: str) -> tuple[int, Divergence | None]:
    """Number of entries that only one side has, and the first of them."""
    differing = device.difference(expected)
    count     = int(abs(differing[:, 2] - differing[:, 3]).sum())
    if len(device) != len(expected):
        return max(1, count), Divergence(name, min(len(device), len(expected)), f"number of steps of {what}s", 0,
            len(device), len(expected))
    if not count:
        return 0, None
    step, neuron, ours, theirs = differing[0].tolist()
    return count, Divergence(name, step, what, neuron, ours, theirs)


def compare(sample: Sample, run: SampleRun, golden: GoldenResult, network: Network, lanes: int,
        lockstep: bool = False) -> Compared:
    """Compare what the device gave for a recording with the golden model, integer for integer.

    Raises
    ------
    QCLIFError : it gave another number of logits or states than there are.
    """
    rows = len(golden.spikes) if lockstep else min(1, len(golden.spikes))
    for what, device, shape in (("logits", run.logits, golden.logits.shape),
            ("V_a", run.v_a, (rows, network.neurons)), ("V_s", run.v_s, (rows, network.neurons))):
        if device.shape != shape:
            raise QCLIFError(f"{sample.name}: the device gave {list(device.shape)} {what}, {list(shape)} are needed: "
                f"host and firmware differ in version, build the SoC anew")
    found: list[Divergence] = []
    mismatches = 0
    for device, expected, what in ((run.inputs, sample.steps, "input"), (run.spikes, golden.spikes, "spike")):
        count, first = _first_spike(device, expected, sample.name, what)
        mismatches += count
        if first:
            found.append(first)
    wrong = np.flatnonzero(run.logits != golden.logits)
    mismatches += len(wrong)
    if len(wrong) and not found:
        found.append(Divergence(sample.name, -1, "logit", int(wrong[0]), int(run.logits[wrong[0]]),
            int(golden.logits[wrong[0]])))
    states, state_mismatches = 0, 0
    for what, device, expected in (("V_a", run.v_a, golden.v_a), ("V_s", run.v_s, golden.v_s)):
        # Without lockstep the device gives the states after the last step only.
        expected = expected[len(expected) - rows:]
        differs  = np.argwhere(device != expected)
        states  += device.size
        state_mismatches += len(differs)
        if len(differs):
            row, neuron = (int(n) for n in differs[0])
            found.append(Divergence(sample.name, len(golden.spikes) - rows + row, what, neuron,
                int(device[row, neuron]), int(expected[row, neuron])))
    return Compared(sample, run, golden, mismatches, state_mismatches, states,
        bound_clocks(sample.steps, golden.spikes, network.neurons, lanes),
        min(found, key=lambda each: each.step, default=None))


def execute(link: Link, network: Network, samples: Sequence[Sample], engine: str = "accel", encode: str = "host",
        lockstep: bool = False, progress: Progress = lambda stage, done, total: None) -> Run:
    """Run encoded recordings on the device and compare each with the golden model.

    Parameters
    ----------
    progress : called with a stage and its done and total units.

    Raises
    ------
    QCLIFError : the network does not fit, the link is lost, or the device is reset again and again.
    """
    device  = Device(link)
    run     = Run(network, engine, encode, link)
    golden  = GoldenModel(network)
    encoder = network.encoder if encode == "device" else None
    total   = sum(len(sample.steps) for sample in samples)

    def load() -> dict[str, int]:
        device.load(network, engine, encoder, lambda at, of: progress("network", at, of))
        return device.stats()

    def advance(steps: int) -> None:
        progress("time steps", done + steps, total)

    before = load()
    start  = time.monotonic()
    while len(run.compared) < len(samples):
        done     = sum(len(each.sample.steps) for each in run.compared)
        batch    = list(samples[len(run.compared):][:BATCH])
        expected = iter(golden.run([sample.steps for sample in batch], states=True))
        try:
            for sample, got in zip(batch, device.run_many(batch, encode, lockstep, advance), strict=True):
                run.compared.append(compare(sample, got, next(expected), network, link.info.config.lanes,
                    lockstep))
                done += len(sample.steps)
        except DeviceReset as error:
            run.resets += 1
            if run.resets > RESETS_MAX:
                raise QCLIFError(f"the device was reset {run.resets} times in this run: check its supply and cable"
                    ) from error
            link.open()
            before = load()
    run.seconds = time.monotonic() - start
    run.stats   = stats_between(before, device.stats())
    return run
