# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The compiled simulator of the tests against Migen's own: the same values of all signals in each clock."""

import random

import pytest
from migen import Array, Case, Cat, If, Memory, Module, Mux, Replicate, Signal
from migen.sim.core import run_simulation as migens_simulation

from accel.config import QCLIFConfig
from tests.helpers import core_bench, simulation
from tests.helpers.strategies import random_network

CLOCKS = 40


def expression(signals, depth=3):
    """Any of Migen's operators on some of these signals."""
    if depth == 0 or random.random() < 0.15:
        return random.choice(signals) if random.random() < 0.8 else random.randrange(-9, 99)
    a, b = expression(signals, depth - 1), expression(signals, depth - 1)
    s, t = random.choice(signals), random.choice(signals)
    start = random.randrange(len(s))
    return random.choice([
        lambda: s + a, lambda: s - a, lambda: s*t, lambda: -s, lambda: s & a, lambda: s | a, lambda: s ^ a,
        lambda: s << t[0:2], lambda: (s & a) >> t[0:2], lambda: ~s, lambda: s < a, lambda: s <= a, lambda: s == a,
        lambda: s != a, lambda: s > a, lambda: s >= a, lambda: Mux(s, a, b), lambda: Cat(s, t, ~s, s[start:]),
        lambda: Replicate(s, 3), lambda: s[start:], lambda: s.part(t[0:3], 2), lambda: Array([s, t, s])[t[0:2]],
        lambda: Array([s, t + 1, 5])[s[0:2]], lambda: (s + a)[0:3]])()


def statements(targets, signals, depth=2):
    """Assignments of all kinds to these targets, some under conditions."""
    made = []
    for _ in range(3):
        target, other = random.choice(targets), random.choice(targets)
        start, value  = random.randrange(len(target)), expression(signals)
        made.append(random.choice([
            lambda target=target, value=value: target.eq(value),
            lambda target=target, value=value, start=start: target[start:].eq(value),
            lambda target=target, value=value, other=other: Cat(target, other).eq(value),
            lambda target=target, value=value, other=other: Array([target, other])[signals[1][0:2]].eq(value),
            lambda target=target, value=value: If(value, statements([target], signals, 0)),
            lambda target=target, value=value: Case(signals[2], {0: target.eq(value), 1: target[0].eq(1),
                **({"default": statements([target], signals, 0)} if value is not None and depth else {})}),
            lambda: (If(expression(signals), statements(targets, signals, depth - 1)).Else(
                statements(targets, signals, depth - 1)) if depth else [])])())
    return made


class Design(Module):
    """Signals that depend on inputs and on each other, registers, and a memory that is read and written."""
    def __init__(self):
        def some(number):
            return [Signal((random.randrange(1, 9), random.random() < 0.3), reset=random.randrange(2))
                for _ in range(number)]
        self.inputs, registers, first, second = some(4), some(5), some(4), some(4)
        memory = Memory(6, 8, init=[3, 1, 4])
        write  = memory.get_port(write_capable=True, we_granularity=random.choice([0, 3]))
        read   = memory.get_port(async_read=random.random() < 0.5)
        self.specials += memory, write, read
        self.signals   = [*self.inputs, *registers, *first, *second, write.dat_r, read.dat_r]
        self.comb += statements(first, self.inputs + registers), statements(second, self.inputs + registers + first)
        self.comb += [write.adr.eq(first[0]), write.dat_w.eq(first[1]), write.we.eq(first[2]), read.adr.eq(second[0])]
        self.sync += statements(registers, self.signals), statements(registers, self.signals)


def values(seed, simulate):
    """Values of all signals of a design in each clock, with inputs at random."""
    random.seed(seed)
    design, seen = Design(), []

    def drive():
        draw = random.Random(seed)
        for _ in range(CLOCKS):
            for signal in design.inputs:
                yield signal.eq(draw.randrange(1 << len(signal)))
            yield
            seen.append((yield design.signals))
    simulate(design, drive())
    return seen


@pytest.mark.parametrize("seed", range(40))
def test_as_migens(seed):
    state = random.getstate()
    try:
        seen = values(seed, simulation.run_simulation)
        assert seen == values(seed, migens_simulation)
    finally:
        random.setstate(state)


def test_signals_that_depend_on_each_other_in_a_circle():
    """One If assigns what the other needs, as a handshake does: both settle, as in Migen's."""
    def run(simulate):
        design, seen = Module(), []
        x, a, b, c, d = (Signal(4, name=name) for name in "xabcd")
        design.comb += [If(x[0], a.eq(c + 1), b.eq(x)).Else(b.eq(3)), If(x[1], c.eq(b), d.eq(a)).Else(d.eq(7))]

        def drive():
            for number in range(16):
                yield x.eq(number)
                yield
                yield
                seen.append((yield [a, b, c, d]))
        simulate(design, drive())
        return seen
    seen = run(simulation.run_simulation)
    assert seen[3] == [4, 3, 3, 4]
    assert seen == run(migens_simulation)


@pytest.mark.parametrize("options", [{}, {"registered": True, "protect": "secded"},
    {"frugal": True, "aborted_after": 9}])
def test_the_core_as_in_migens(monkeypatch, options):
    config  = QCLIFConfig(neurons=6, inputs=12, contexts=2, lanes=2)
    network = random_network(config, style="extreme")
    steps   = [[0, 5, 13], list(range(14)), [7]]

    def seen():
        bench = core_bench.CoreBench(network, config, steps, with_states=True, source_gap=1, **options)
        return bench.spikes, bench.states, bench.pulses, bench.faults
    compiled = seen()
    monkeypatch.setattr(core_bench, "run_simulation", migens_simulation)
    assert seen() == compiled
    assert any(compiled[0])
