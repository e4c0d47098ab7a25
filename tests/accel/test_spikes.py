# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The priority encoder of spikes: every number once, ascending, a number a clock."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accel.spikes import SpikeEncoder
from tests.helpers.simulation import run_simulation


def told(bits, vectors, gaps):
    """(numbers, clocks from the first to the last one) of each vector, whose reader waits `gaps` clocks in turn."""
    encoder = SpikeEncoder(bits)
    found   = []

    def drive():
        for vector in vectors:
            yield encoder.vector.eq(vector)
            yield encoder.load.eq(1)
            yield
            yield encoder.load.eq(0)
            yield
            numbers, clock, seen = [], 0, []
            while not (yield encoder.empty):
                assert clock < len(gaps)*(bits + 4) + 8
                if (yield encoder.read) and (yield encoder.valid):
                    numbers.append((yield encoder.number))
                    seen.append(clock)
                    assert (yield encoder.last) == (len(numbers) == vector.bit_count())
                clock += 1
                yield encoder.read.eq(gaps[clock % len(gaps)] == 0)
                yield
            found.append((numbers, seen[-1] - seen[0] + 1 if seen else 0))

    run_simulation(encoder, drive())
    return found


@settings(max_examples=30)
@given(data=st.data(), bits=st.integers(1, 40))
def test_every_number_is_told_once_and_in_order(data, bits):
    vectors = data.draw(st.lists(st.integers(0, 2**bits - 1) | st.integers(0, bits - 1).map(lambda n: 1 << n),
        min_size=1, max_size=4))
    gaps    = data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=5).filter(lambda each: 0 in each))
    for vector, (numbers, clocks) in zip(vectors, told(bits, vectors, gaps), strict=True):
        assert numbers == [n for n in range(bits) if vector >> n & 1]
        if not any(gaps):
            assert clocks == len(numbers)
