# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Faults of memories: the codes, bit by bit, and a core in whose memories a bit is flipped in every step."""

import dataclasses
import random
from itertools import combinations

import pytest
from migen import Cat, Memory, Module, Signal

from accel.config import QCLIFConfig
from accel.core import QCLIFCore
from accel.errors import QCLIFError
from accel.image import memory_writes
from accel.protection import Decoder, check_bits, columns, encode
from tests.helpers.core_bench import CoreBench
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS, Registers, error_names
from tests.helpers.simulation import run_simulation
from tests.helpers.strategies import random_network

# Codes --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("width", [1, 8, 10, 15, 32, 33])
def test_columns_tell_one_flipped_bit_from_two(width):
    bits   = check_bits(width, "secded")
    matrix = [1 << n for n in range(bits)] + columns(width, bits)
    assert len(set(matrix)) == width + bits and all(column.bit_count() % 2 for column in matrix)
    assert all(a ^ b not in {0, *matrix} for a, b in combinations(matrix, 2))


@pytest.mark.parametrize(("protect", "width"), [("parity", 7), ("secded", 1), ("secded", 7), ("secded", 32)])
def test_flipped_bits_of_a_slice(protect, width):
    bits    = check_bits(width, protect)
    module  = Module()
    module.submodules.decoder = decoder = Decoder(width, bits)
    written = Signal(width)
    check   = Signal(bits)
    flips   = Signal(bits + width)
    module.comb += [
        check.eq(encode(written, bits)),
        Cat(decoder.check, decoder.stored).eq(Cat(check, written) ^ flips),
    ]
    one  = [1 << n for n in range(bits + width)]
    two  = [1 << a | 1 << b for a, b in combinations(range(bits + width), 2)] if protect == "secded" else []
    seen = []

    def drive():
        for flipped in [0, *one, *two]:
            word = random.Random(flipped).getrandbits(width)
            yield written.eq(word)
            yield flips.eq(flipped)
            yield
            yield
            seen.append((flipped, (yield decoder.data) == word, (yield decoder.corrected),
                (yield decoder.uncorrected)))

    run_simulation(module, drive())
    assert seen[0] == (0, True, 0, 0)
    for flipped, right, corrected, uncorrected in seen[1:]:
        single = flipped.bit_count() == 1
        if protect == "secded":
            assert (corrected, uncorrected) == (single, not single) and (right or not single)
        else:
            assert (corrected, uncorrected) == (0, 1)


def test_unknown_protection_is_refused():
    with pytest.raises(QCLIFError, match="'ecc': known are none, parity, secded"):
        QCLIFCore(QCLIFConfig(neurons=2, inputs=2), protect="ecc")

# Flipped bits -------------------------------------------------------------------------------------

class FaultBench(CoreBench):
    """Flips one bit of every word of a random memory, in every step or before it, and scrubs after it.

    Weights and parameters are written anew from the network, through the memory port. Where the core has told of a word
    that is wrong, its states are reset as well, and the recording begins again with the next step; so it does every few
    steps.

    Attributes
    ----------
    flipped : {memory: how often}.
    outcomes : list of (whether the step's spikes were right, words corrected, words wrong), each as known when the
        end of the step left.
    """
    def __init__(self, *args, seed=0, **kwargs):
        self.random, self.flipped, self.outcomes, self.last = random.Random(seed), {}, [], None
        super().__init__(*args, **kwargs)

    def flip(self):
        """Not of the memory of the step before: two flipped bits of a word would be two faults."""
        name      = self.random.choice([each for each in sorted(self.memories) if each != self.last])
        self.last = name
        self.flipped[name] = self.flipped.get(name, 0) + 1
        memory = self.memories[name]
        for word in range(memory.depth):
            yield memory[word].eq((yield memory[word]) ^ 1 << self.random.randrange(memory.width))

    def send(self, sources):
        core = self.core
        for source, event, last in [*((self.map_source(each), 1, 0) for each in sources), (0, 0, 1)]:
            yield core.sink.source.eq(source)
            yield core.sink.event.eq(event)
            yield core.sink.last.eq(last)
            yield core.sink.valid.eq(1)
            yield
        yield core.sink.valid.eq(0)

    def reset_states(self):
        yield self.core.reset_state.eq(1)
        yield
        yield self.core.reset_state.eq(0)
        yield

    def drive(self):
        core, reference = self.core, Reference(self.network)
        yield from self.upload()
        for number, sources in enumerate(self.steps):
            faults = dict(self.faults)
            early  = self.random.random() < 0.7 # Else in the midst of it, where lists are met between write and read.
            if early:
                yield from self.flip()
            yield from self.send(sources)
            for _ in range(self.random.randrange(12)):
                yield
            if not early:
                yield from self.flip()
            while len(self.spikes) <= number:
                yield
            right = self.spikes[number] == reference.step(sources)
            found = [self.faults[name] - faults[name] for name in ("corrected", "uncorrected")]
            self.outcomes.append((right, *found))
            while (yield core.busy):
                yield
            if self.last.startswith(("weights", "parameters")):
                yield from self.upload()
            if number % 4 == 3 or found[1]:
                yield from self.reset_states()
                reference.reset()
        self.done = True


# Sizes that are simulated fast, and a network that minds: many of its flipped bits change a spike.
CONFIG = QCLIFConfig(neurons=3, inputs=4, contexts=1, lanes=2, step_events=8)
STEPS  = 48


def fault_run(protect, registered=False, seed=0, updates=1):
    config  = dataclasses.replace(CONFIG, updates=updates)
    network = random_network(config, 39, "excited", product_shift=2)
    draw    = random.Random(seed)
    steps   = [[draw.randrange(CONFIG.sources) for _ in range(draw.randrange(6))] for _ in range(STEPS)]
    return FaultBench(network, config, steps, protect=protect, registered=registered, seed=seed)


def test_flipped_bits_of_a_core_without_protection_change_spikes():
    run = fault_run("none")
    assert sum(not right for right, _, _ in run.outcomes) > STEPS/12
    assert run.faults == {"corrected": 0, "uncorrected": 0}


# Memories that bits flip in: words of two neurons have the halves of both's parameters, and there is no list of spikes.
@pytest.mark.parametrize(("registered", "updates", "memories"), [(False, 1, 7), (True, 1, 7), (False, 2, 8)])
def test_parity_tells_of_every_wrong_spike(registered, updates, memories):
    run   = fault_run("parity", registered, updates=updates)
    wrong = [uncorrected for right, _, uncorrected in run.outcomes if not right]
    assert len(wrong) >= 2 and all(wrong)
    assert len(run.flipped) == memories and run.faults["corrected"] == 0


@pytest.mark.parametrize(("registered", "updates", "memories"), [(False, 1, 7), (True, 1, 7), (False, 2, 8)])
def test_secded_keeps_every_spike(registered, updates, memories):
    run = fault_run("secded", registered, updates=updates)
    assert all(right for right, _, _ in run.outcomes)
    assert len(run.flipped) == memories
    assert run.faults["uncorrected"] == 0 and run.faults["corrected"] > STEPS


def test_protection_takes_no_clock():
    network = random_network(CONFIG)
    plain, parity, secded = (CoreBench(network, CONFIG, [[0, 3], [], [1, 2, 4]], protect=each)
        for each in ("none", "parity", "secded"))
    assert plain.pulses == parity.pulses == secded.pulses


class ReadBench(CoreBench):
    """Flips a bit of one word, reads the whole image, writes it anew and reads it again, all by the memory port."""
    def read_back(self):
        self.reads = []
        weights    = self.memories["weights_soma0"]
        yield weights[3].eq((yield weights[3]) ^ 1 << 9)
        for _ in range(2):
            for space, address, word in memory_writes(self.network, self.config):
                before = dict(self.faults)
                right  = (yield from self.read(space, address)) == word
                for _ in range(4):
                    yield
                self.reads.append((right, *(self.faults[name] - before[name] for name in self.faults)))
            yield from self.upload()


@pytest.mark.parametrize(("protect", "found"), [("parity", (False, 0, 1)), ("secded", (True, 1, 0))])
def test_software_finds_a_fault_and_scrubs_it(protect, found):
    config = QCLIFConfig(neurons=5, inputs=3, contexts=1, lanes=5) # Words of two slices.
    bench  = ReadBench(random_network(config), config, [[]], readback=True, protect=protect)
    # Of word 3, slice 0 is wrong. Whole words are checked, so that a read of its other slice tells of it as well.
    assert {n: read for n, read in enumerate(bench.reads) if read != (True, 0, 0)} == {6: found, 7: (True, *found[1:])}


@pytest.mark.parametrize(("protect", "flags", "counters"), [
    ("none", set(), (0, 0)), ("parity", {"fault"}, (0, 1)), ("secded", set(), (1, 0))])
def test_registers_tell_of_faults(protect, flags, counters):
    config = QCLIFConfig(neurons=2, inputs=3, contexts=0, lanes=2)
    dut    = Registers(config, protect=protect)
    design = dut.get_fragment()
    words  = next(each for each in design.specials if isinstance(each, Memory) and each.name_override == "parameters1")
    seen   = []

    def session():
        yield words[1].eq((yield words[1]) ^ 1 << 2)
        yield from dut.write("push", BITS["push"]["last"])
        yield from dut.idle()
        for name in ("errors", "faults_corrected", "faults_uncorrected"):
            seen.append((yield from dut.read(name)))
        yield from dut.write("control", BITS["control"]["clear_errors"])
        seen.append((yield from dut.read("errors")))

    run_simulation(design, session())
    assert (error_names(seen[0]), tuple(seen[1:3]), seen[3]) == (flags, counters, 0)
