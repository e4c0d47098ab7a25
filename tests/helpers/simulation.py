# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Migen's simulator, ten times as fast: what it interprets anew in each clock is compiled to Python once.

Migen walks all statements of a design twice a clock and more, until no signal changes any longer. Here combinational
statements are put into the order in which they depend on each other, so that each is executed once; where they depend
on each other in a circle (as Migen sees it: an If assigns two signals, and one depends on the other), they are executed
until nothing changes, as there. Numbers have Migen's meaning: of any size until they are assigned, then cut.
"""

from migen import Signal
from migen.fhdl.tools import list_signals
from migen.sim.core import Simulator

from tests.helpers.compiled_blocks import Combinational, sync_function


class Simulation(Simulator):
    """Takes what Migen's takes, without a file of waveforms."""
    def __init__(self, fragment, generators, clocks={"sys": 10}):  # noqa: B006 (as Migen's: read only)
        super().__init__(fragment, generators, clocks)
        values = self.evaluator.signal_values
        for signal in list_signals(self.fragment.comb) | list_signals(list(self.fragment.sync.values())):
            values[signal.duid] = signal.reset.value
        for domain in self.fragment.clock_domains:
            for signal in (domain.clk, domain.rst):
                if signal is not None:
                    values[signal.duid] = signal.reset.value
        domains = self.fragment.clock_domains
        comb    = Combinational(self.fragment.comb, domains)
        self.comb, self.watched = comb.function, comb.reads | comb.targets
        self.sync = {name: sync_function(statements, domains) for name, statements in self.fragment.sync.items()}

    def _commit_and_comb_propagate(self):
        values, modifications = self.evaluator.signal_values, self.evaluator.modifications
        changed = False
        for duid, value in modifications.items():
            if values[duid] != value:
                values[duid] = value
                changed = changed or duid in self.watched
        modifications.clear()
        if changed:
            self.comb(values)

    def _evalexec_nested_lists(self, x):
        if type(x) is Signal:
            value = self.evaluator.signal_values[x.duid]
            return x.reset.value if value is None else value
        return super()._evalexec_nested_lists(x)

    def run(self):
        values, modifications = self.evaluator.signal_values, self.evaluator.modifications
        self.comb(values)
        while True:
            _, rising, falling = self.time.tick()
            for name in rising:
                self.evaluator.assign(self.fragment.clock_domains[name].clk, 1)
                if name in self.sync:
                    self.sync[name](values, modifications)
                if name in self.generators:
                    self._process_generators(name)
            for name in falling:
                self.evaluator.assign(self.fragment.clock_domains[name].clk, 0)
            self._commit_and_comb_propagate()
            if not self._continue_simulation():
                break


def run_simulation(fragment, generators, clocks={"sys": 10}) -> None:  # noqa: B006 (as Migen's: read only)
    """Simulate a module or fragment until its generators end, as Migen's function of this name."""
    Simulation(fragment, generators, clocks).run()
