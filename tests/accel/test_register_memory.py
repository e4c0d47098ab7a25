# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The memories through `address` and `data`: right on any bridge, refused while busy and outside."""

import dataclasses

import pytest

from accel.config import SPACE_APICAL, SPACE_PARAMETERS, SPACE_SHIFT, SPACE_SOMA, SPACE_STATE
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS, BRIDGE, REGISTERED_BRIDGE, Access, Registers, drive, error_names
from tests.helpers.simulation import run_simulation

CONTROL = BITS["control"]


def test_nothing_changes_while_a_step_is_in_work(firing):
    config, network = firing
    writes = {"address": SPACE_PARAMETERS << SPACE_SHIFT, "data": 1, "neurons": 2, "shifts": 3,
        "control": CONTROL["next_word"]}

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("address", 1)
        before, seen = {}, {}
        for name in writes:
            before[name] = yield from dut.read(name)
        yield from dut.push([0])
        yield from dut.push([0])                         # Its spikes do not find room: it stays in work.
        yield from dut.clocks(100)
        for name, value in writes.items():
            yield from dut.write(name, value)
            seen[name] = (yield from dut.errors()), (yield from dut.read(name))
            yield from dut.write("control", CONTROL["clear_errors"])
        spikes = [(yield from dut.output()), (yield from dut.output())]
        yield from dut.idle()
        after = {}
        for name in writes:
            after[name] = yield from dut.read(name)
        return before, seen, after, spikes, (yield from dut.errors())

    before, seen, after, spikes, errors = drive(config, session)
    assert before == after
    # A weight cannot change meanwhile: it is shown, without a flag.
    assert seen == {name: ({"busy"}, before[name]) for name in writes}
    assert spikes == [[*range(10)]]*2 and errors == set()


@pytest.mark.parametrize("registered, single_port, updates", [(False, False, 1), (True, False, 1), (False, True, 1),
    (False, True, 2)])
def test_a_write_beside_the_end_of_a_step_of_a_stream(firing, registered, single_port, updates):
    """In whichever clock a stream ends its step, the word is written, or a flag says that it is not."""
    config       = dataclasses.replace(firing[0], updates=updates)
    clocks, when = 8, 3
    dut, found   = Registers(config, registered, single_port, with_streams=True), []
    bus, sink    = dut.bank.bus, dut.qclif.sink

    def session():
        yield sink.last.eq(1)
        yield dut.qclif.source.ready.eq(1)
        yield from dut.write("streams", BITS["streams"]["sink"] | BITS["streams"]["source"])
        for ends in range(clocks):
            yield from dut.write("address", SPACE_PARAMETERS << SPACE_SHIFT)
            yield bus.adr.eq(dut.addresses["data"])
            yield bus.dat_w.eq(1 + ends)
            for clock in range(clocks):
                yield bus.we.eq(clock == when)
                yield sink.valid.eq(clock == ends)
                yield
            yield sink.valid.eq(0)
            yield from dut.idle()
            errors = yield from dut.errors()
            yield from dut.write("control", CONTROL["clear_errors"])
            yield from dut.write("address", SPACE_PARAMETERS << SPACE_SHIFT)
            found.append(((yield from dut.read("data")) == 1 + ends, *errors))
        assert (yield from dut.read("counter_steps")) == clocks

    run_simulation(dut, session())
    assert set(found) == {(True,), (False, "busy")}


def test_a_state_cannot_be_read_while_it_changes(firing):
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.step([0])
        yield from dut.write("address", SPACE_STATE << SPACE_SHIFT | 4)
        seen = [(yield from dut.read("data"))]
        yield from dut.push([0])
        yield from dut.push([0])
        yield from dut.clocks(100)
        seen.append((yield from dut.read("data")))
        errors = yield from dut.errors()
        yield from dut.write("control", CONTROL["clear_errors"])
        for _ in range(2):
            yield from dut.output()
        yield from dut.idle()
        seen.append((yield from dut.read("data")))       # Fetched again by itself.
        return seen, errors, (yield from dut.errors())

    seen, errors, later = drive(config, session)
    reference, states = Reference(network), []
    for _ in range(3):
        reference.step([0])
        states.append(reference.v_a[4] | reference.v_s[4] << 16)
    assert seen == [states[0], 0, states[2]] and states[0] != states[2]
    assert (errors, later) == ({"busy"}, set())


def ends(config):
    """The last word of each space, and the address behind it."""
    return {
        SPACE_SOMA:       ((config.soma_words - 1) << config.slice_bits | config.slices - 1,
            config.soma_words << config.slice_bits),
        SPACE_APICAL:     ((config.apical_words - 1) << config.slice_bits | config.slices - 1,
            config.apical_words << config.slice_bits),
        SPACE_PARAMETERS: (2*config.neurons - 1, 2*config.neurons),
        SPACE_STATE:      (config.neurons - 1, config.neurons),
    }


def test_nothing_is_outside_of_the_memories(firing):
    """Neither reached by a wrapped address, nor by going on behind the last word."""
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("address", 1)
        kept = yield from dut.read("data")
        for space, (_, behind) in ends(config).items():
            for address in (behind, behind + 1, 2**SPACE_SHIFT - 1):
                yield from dut.write("address", space << SPACE_SHIFT | address)
                assert (yield from dut.errors()) == {"address"}, (space, address)
                yield from dut.write("control", CONTROL["clear_errors"])
        for space in range(SPACE_STATE + 1, 16):
            yield from dut.write("address", space << SPACE_SHIFT)
            assert (yield from dut.errors()) == {"address"}, space
            yield from dut.write("control", CONTROL["clear_errors"])
        yield from dut.write("address", 3)               # Of three slices.
        assert (yield from dut.errors()) == {"address"}
        yield from dut.write("control", CONTROL["clear_errors"])
        assert (yield from dut.read("address")) == 1 and (yield from dut.read("data")) == kept

        for space, (last, behind) in ends(config).items():
            yield from dut.write("address", space << SPACE_SHIFT | last)
            yield from dut.write("control", CONTROL["next_word"])
            assert (yield from dut.read("address")) == space << SPACE_SHIFT | behind
            assert (yield from dut.read("data")) == 0 and not (yield from dut.errors())
            for name, value in (("data", 1), ("control", CONTROL["next_word"])):
                yield from dut.write(name, value)
                assert (yield from dut.errors()) == {"address"}, (space, name)
                yield from dut.write("control", CONTROL["clear_errors"])
            assert (yield from dut.read("address")) == space << SPACE_SHIFT | behind

        yield from dut.write("address", SPACE_STATE << SPACE_SHIFT)
        yield from dut.write("data", 5)
        assert (yield from dut.errors()) == {"read_only"}
        assert (yield from dut.read("address")) == SPACE_STATE << SPACE_SHIFT
        yield from dut.write("address", 0)
        return (yield from dut.read("data"))

    assert config.slices == 3
    drive(config, session)


@pytest.mark.parametrize("registered, single_port", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("gap", [BRIDGE, REGISTERED_BRIDGE])
@pytest.mark.parametrize("updates", [1, 2])
def test_a_read_behind_a_write_shows_the_word_that_follows(firing, registered, single_port, gap, updates):
    config    = dataclasses.replace(firing[0], updates=updates)
    words     = [0x01020304, 0x05060708, 0x0a0b, 0x11121314]

    def session(dut):
        yield from dut.write("address", 0)
        for word in words:
            yield from dut.write("data", word)
        seen = yield from dut.words(SPACE_SOMA, 0, len(words))
        yield from dut.write("address", 0)
        yield from dut.write("data", 0x7f)
        seen.append((yield from dut.read("data")))
        yield from dut.write("address", 0)
        seen.append((yield from dut.read("data")))
        return seen, (yield from dut.errors())

    assert drive(config, session, registered, single_port, gap) == ([*words, words[1], 0x7f], set())


@pytest.mark.parametrize("registered", (False, True))
def test_a_bus_of_successive_clocks_is_right_or_flagged(firing, registered):
    """Without registers behind the memories it is right; with them the first read is too early, and says so."""
    config, _ = firing
    loads     = [Access("address", 0), *(Access("data", word) for word in (5, 6, 7, 8)), Access("address", 1)]
    loads[-2].gap = 4

    def session(dut):
        reads = [Access("data", gap=1), Access("data", gap=1), Access("errors")]
        for access in loads[:-2]:
            access.gap = 1
        loads[-1].gap = 1
        return (yield from dut.play(loads + reads))[0][-3:]

    early, late, errors = drive(config, session, registered)
    assert (early, late, error_names(errors)) == ((0, 6, {"early"}) if registered else (6, 6, set()))
