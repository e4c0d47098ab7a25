# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A run: recordings through the device, each compared with the golden model as it comes back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.events.sample import Sample
from host.link.device import Device, stats_between
from host.link.link import DeviceReset, Link
from host.network.network import Network
from host.runs.comparison import Compared, compare
from host.runs.result import Result

# Recordings that the golden model takes at once.
BATCH = 32

# Resets of the device that a run survives.
RESETS_MAX = 3


@dataclass
class Run:
    """All recordings of a run, and its measurements.

    Attributes: the network, "accel" or "cpu", encoded on "host" or "device", the link, the recordings as they came
    back, seconds that they took, resets of the device meanwhile, and by how much its counters (protocol.STATS) grew.
    """
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
        """Integers of all recordings that differ from the golden model's."""
        return sum(each.mismatches + each.state_mismatches for each in self.compared)

    def result(self) -> Result:
        """Spikes, logits and inputs of the device, and of what recordings, as the file of a run holds them."""
        return Result.collect([each.sample for each in self.compared], [each.run.inputs for each in self.compared],
            [each.run.spikes for each in self.compared], [each.run.logits for each in self.compared])


def execute(link: Link, network: Network, samples: Sequence[Sample], engine: str = "accel", encode: str = "host",
        lockstep: bool = False, progress: Progress = no_progress) -> Run:
    """Run encoded recordings on the device and compare each with the golden model.

    Parameters
    ----------
    samples : with `steps`, as Sample.encoded() gives them; with `events` too for encode="device".
    engine : "accel" or "cpu", which computes; encode : "host" or "device", which makes inputs of the events.
    lockstep : compare V_a and V_s after every step, not only after the last one of each recording.
    progress : is told of the stages "network" (words sent) and "time steps".

    Raises
    ------
    QCLIFError : the network does not fit, the link is lost, or the device is reset again and again.
    """
    device  = Device(link)
    run     = Run(network, engine, encode, link)
    # Brings torch, which takes longer to import than all else: not before the options are known to be right.
    from host.network.golden import GoldenModel
    golden  = GoldenModel(network)
    encoder = network.encoder if encode == "device" else None
    total   = sum(len(sample.steps) for sample in samples)

    def load() -> dict[str, int]:
        device.load(network, engine, encoder, progress)
        return device.stats()

    def advance(stage: str, steps: int, _: int | None) -> None:
        progress(stage, done + steps, total)

    before = load()
    start  = time.monotonic()
    while len(run.compared) < len(samples):
        done     = sum(len(each.sample.steps) for each in run.compared)
        batch    = list(samples[len(run.compared):][:BATCH])
        expected = iter(golden.run([sample.steps for sample in batch], states=True))
        try:
            for sample, got in zip(batch, device.run_many(batch, encode, lockstep, advance), strict=True):
                run.compared.append(compare(sample, got, next(expected), network, link.info.config, lockstep))
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
