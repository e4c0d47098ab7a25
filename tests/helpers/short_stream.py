# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A short recording through a simulated SoC, for tests of what the SoC is made of."""

from host.data import synthetic
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.link.link import Link
from host.network.random_network import random_network
from host.runs.run import execute
from targets.sim.simulator import LineCounters, SimulatedSoC


def stream_exactly(options) -> LineCounters:
    """Stream 40 ms of a gesture, in lockstep and encoded by the device; assert that all is exact and nothing was lost.

    Parameters
    ----------
    options : SimOptions of a SoC of 64 inputs and no contexts.
    """
    config  = options.config
    encoder = Encoder(grid=(8, 8), polarities=1)
    events  = synthetic.record(0, duration_us=40_000)
    sample  = Sample("wave", events.events, None, events.label, events.sensor_size).encoded(encoder, 0)
    network = random_network(config, encoder, [sample.steps], classes=synthetic.GESTURES)
    with SimulatedSoC(options) as soc, Link(soc.port) as link:
        runs = [execute(link, network, [sample], lockstep=True), execute(link, network, [sample], encode="device")]
        counters = soc.counters
    for run in runs:
        assert run.mismatches == 0, [str(each.divergence) for each in run.compared if each.divergence]
        assert run.stats["rx_overflows"] == run.stats["rx_errors"] == run.stats["naks"] == 0
    assert runs[0].compared[0].states == 2*config.neurons*len(sample.steps)
    assert runs[0].compared[0].run.counters["spikes"] > 0
    return counters
