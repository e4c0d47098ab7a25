# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Counters and rates of a live run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from host.events.spike_train import SpikeTrain
from host.live.meter import Meter
from host.runs.synaptic_operations import bound_clocks

NEURONS = 20
CONFIG  = QCLIFConfig(neurons=NEURONS, lanes=16, updates=2)


def arrays(lengths):
    return [np.arange(length, dtype=np.int32) for length in lengths]


@given(steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, NEURONS)), min_size=1, max_size=12),
    cut=st.integers(1, 5))
def test_the_bound_is_that_of_whole_runs(steps, cut):
    meter = Meter(NEURONS, CONFIG)
    meter.begin()
    meter.core(1000)
    inputs, spikes = (arrays(lengths) for lengths in zip(*steps, strict=True))
    for first in range(0, len(steps), cut):
        part = slice(first, first + cut)
        meter.take(1.0, inputs[part], spikes[part], [0.0]*len(inputs[part]))
    meter.core(1000 + 77*len(steps))
    machine = meter.rates(1.0)
    bound   = bound_clocks(SpikeTrain.from_lists(inputs), SpikeTrain.from_lists(spikes), NEURONS, CONFIG)
    assert machine.bound_per_step*len(steps) == pytest.approx(bound)
    assert machine.clocks_per_step == pytest.approx(77) and machine.steps == len(steps)


def test_rates_are_of_the_last_second():
    meter = Meter(NEURONS, CONFIG)
    meter.begin()
    for at in range(20):
        meter.take(10 + (at + 1)/10, arrays([1, 1]), arrays([0, 0]), [0.5 if at < 5 else 0.01]*2)
    machine = meter.rates(12.0)
    assert machine.steps_per_second == pytest.approx(20) and machine.lag_ms == pytest.approx(10)
    assert meter.seconds == pytest.approx(1.9)
    # A device that begins anew has other counters.
    meter.core(1000)
    meter.core(2000)
    meter.begin()
    meter.core(0)
    assert meter.rates(12.0).clocks_per_step == 0
    meter.take(12.1, arrays([3]), arrays([0]), [0.0])
    meter.core(31)
    assert meter.rates(12.1).clocks_per_step == 31


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=50), st.sampled_from([0.5, 0.99, 1.0]))
def test_percentiles_of_the_lag(lags, share):
    """In whole ms, rounded up; what is longer than the histogram counts as its end."""
    meter = Meter(NEURONS, CONFIG)
    for lag in lags:
        meter.take(0.0, arrays([0]), arrays([0]), [(lag + 0.5)/1000])
    ordered = sorted(min(lag, Meter.LAG_MS - 1) + 1 for lag in lags)
    expected = ordered[max(0, -(-round(share*100)*len(ordered)//100) - 1)]
    assert meter.lag_percentile(share) == expected
    assert Meter(NEURONS, CONFIG).lag_percentile(share) == 0
