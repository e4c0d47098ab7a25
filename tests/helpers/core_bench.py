# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Drives the core in Migen's simulator: uploads a network, sends steps, collects spikes and states."""

from migen import Memory

from accel.config import SPACE_STATE
from accel.core import QCLIFCore
from accel.image import memory_writes
from tests.helpers.simulation import run_simulation


class CoreBench:
    """One run of the core.

    Attributes
    ----------
    spikes : list of spiking neurons, a step.
    states : list of (V_a, V_s) lists, a step (where they were asked for).
    pulses : sums of the core's counter pulses.
    readback : words read back, in the order of the image.
    faults : sums of the words that the core found faulty.
    memories : by name, all that the core stores in: what is drive()n may flip a bit of `memories[name][word]`.

    With `aborted_after` so many clocks of other events go before the steps, every third of which ends a step, and then
    a reset: nothing of them is to be seen.
    """
    def __init__(self, network, config, steps, with_states=False, sink_gap=0, source_gap=0, readback=False,
            registered=False, single_port=False, aborted_after=0, protect="none", frugal=False):
        self.network, self.config, self.steps = network, config, steps
        self.with_states, self.sink_gap, self.source_gap = with_states, sink_gap, source_gap
        self.with_readback, self.aborted_after = readback, aborted_after
        self.spikes, self.states, self.readback, self.unfinished = [], [], [], []
        self.core   = QCLIFCore(config, registered, single_port, protect, frugal)
        self.pulses = dict.fromkeys(self.core.pulses, 0)
        self.faults = dict.fromkeys(self.core.faults, 0)
        self.loaded = False
        self.done   = False
        fragment      = self.core.get_fragment()
        self.memories = {each.name_override: each for each in fragment.specials if isinstance(each, Memory)}
        run_simulation(fragment, [self.drive(), self.collect(), self.count()])

    def map_source(self, source):
        """Network source to build source: contexts follow the build's inputs."""
        inputs = self.network.inputs
        return source if source < inputs else self.config.inputs + source - inputs

    def upload(self):
        memory = self.core.memory
        for space, address, word in memory_writes(self.network, self.config):
            yield memory.space.eq(space)
            yield memory.address.eq(address)
            yield memory.data_w.eq(word)
            yield memory.write.eq(1)
            yield
        yield memory.write.eq(0)
        yield self.core.neurons.eq(self.network.neurons)
        yield self.core.apical_shift.eq(self.network.apical_shift)
        yield self.core.product_shift.eq(self.network.product_shift)
        yield

    def read(self, space, address):
        memory = self.core.memory
        yield memory.space.eq(space)
        yield memory.address.eq(address)
        yield memory.read.eq(1)
        yield
        yield memory.read.eq(0)
        for _ in range(self.core.port_clocks):
            yield
        return (yield memory.data_r)

    def read_back(self):
        for space, address, _ in memory_writes(self.network, self.config):
            self.readback.append((yield from self.read(space, address)))

    def abort(self):
        core = self.core
        for clock in range(self.aborted_after):
            yield core.sink.source.eq(clock % self.config.sources)
            yield core.sink.event.eq(1)
            yield core.sink.last.eq(clock % 3 == 2)
            yield core.sink.valid.eq(1)
            yield
        yield core.sink.valid.eq(0)
        yield core.reset_state.eq(1)
        yield
        yield core.reset_state.eq(0)
        yield
        assert not (yield core.busy) and (yield core.ready) and not (yield core.source.valid)
        self.spikes, self.unfinished, self.pulses = [], [], dict.fromkeys(self.pulses, 0)

    def drive(self):
        core = self.core
        yield from self.upload()
        if self.aborted_after:
            yield from self.abort()
        if self.with_readback:
            yield from self.read_back()
        for number, sources in enumerate(self.steps):
            beats = [(self.map_source(s), 1, 0) for s in sources]
            if beats and number % 2: # `last` on the last event and `last` alone are both right.
                beats[-1] = (beats[-1][0], 1, 1)
            else:
                beats.append((0, 0, 1))
            for source, event, last in beats:
                yield core.sink.source.eq(source)
                yield core.sink.event.eq(event)
                yield core.sink.last.eq(last)
                yield core.sink.valid.eq(1)
                yield
                while not (yield core.sink.ready):
                    yield
                yield core.sink.valid.eq(0)
                for _ in range(self.sink_gap):
                    yield
            if self.with_states:
                yield
                while len(self.spikes) <= number or (yield core.busy):
                    yield
                words = []
                for neuron in range(self.network.neurons):
                    words.append((yield from self.read(SPACE_STATE, neuron)))
                self.states.append(([w & 0xffff for w in words], [w >> 16 for w in words]))
        while len(self.spikes) < len(self.steps):
            yield
        yield
        self.done = True

    def collect(self):
        core, clock = self.core, 0
        while not self.done:
            ready = clock % (self.source_gap + 1) == 0
            yield core.source.ready.eq(ready)
            yield
            clock += 1
            if (yield core.source.ready) and (yield core.source.valid):
                if (yield core.source.spike):
                    self.unfinished.append((yield core.source.neuron))
                if (yield core.source.last):
                    self.spikes.append(self.unfinished)
                    self.unfinished = []

    def count(self):
        while not self.done:
            yield
            for name, pulse in self.core.pulses.items():
                self.pulses[name] += (yield pulse)
            for name, words in self.core.faults.items():
                self.faults[name] += (yield words)


