# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What software may do at any time: reset, and read, of which neither is ever refused and reading changes nothing."""

import pytest

from accel.config import SPACE_PARAMETERS, SPACE_SHIFT, SPACE_SOMA, SPACE_STATE, QCLIFConfig
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS, drive

CONTROL, STATUS, PUSH, POP = (BITS[name] for name in ("control", "status", "push", "pop"))
EVENT, LAST = PUSH["event"], PUSH["last"]

# Reset --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("registered", (False, True))
@pytest.mark.parametrize("waits", [0, 1, 5, 20, 60])
def test_a_reset_drops_everything_in_any_state(firing, registered, waits):
    """A step half pushed, two in work, spikes that nobody takes: two clocks later all is as after power-up."""
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        for beat in (0 | EVENT, LAST, 1 | EVENT, LAST, 2 | EVENT):
            yield from dut.write("push", beat)
        yield from dut.clocks(waits)
        yield from dut.write("control", CONTROL["reset"] | CONTROL["clear_errors"] | CONTROL["clear_counters"])
        seen = [(yield from dut.read("status")), (yield from dut.read("pop")), (yield from dut.read("counter_busy"))]
        spikes = []
        for sources in ([0, 2, 1], [3]):
            spikes.append((yield from dut.step(sources)))
        yield from dut.idle()
        states = yield from dut.words(SPACE_STATE, 0, config.neurons)
        return seen, spikes, states, (yield from dut.read("counter_events")), (yield from dut.errors())

    seen, spikes, states, events, errors = drive(config, session, registered)
    reference = Reference(network)
    assert spikes == [reference.step(sources) for sources in ([0, 2, 1], [3])] and spikes[0] == [*range(10)]
    assert states == [a | s << 16 for a, s in zip(reference.v_a, reference.v_s, strict=True)]
    assert seen == [STATUS["ready"], 0, 0]
    assert (events, errors) == (4, set())


def test_a_reset_leaves_memories_settings_and_errors(firing):
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("pop")
        yield from dut.write("address", SPACE_PARAMETERS << SPACE_SHIFT | 3)
        before = yield from dut.read("data")
        yield from dut.write("control", CONTROL["reset"])
        after = yield from dut.read("data")
        return before == after != 0, (yield from dut.read("shifts")) & 31, (yield from dut.errors())

    assert drive(config, session) == (True, 1, {"pop"})


def test_states_are_zero_right_behind_a_reset(firing):
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.step([0])
        yield from dut.write("address", SPACE_STATE << SPACE_SHIFT | 2)
        before = yield from dut.read("data")
        yield from dut.write("control", CONTROL["reset"])
        return before != 0, (yield from dut.read("data")), (yield from dut.errors())

    for registered in (False, True):
        assert drive(config, session, registered) == (True, 0, set())

# Reading ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("registered", (False, True))
def test_reading_changes_nothing(firing, registered):
    """Every register twice, in each state, as `litex_cli --regs` does: all is as without it."""
    config, network = firing

    def session(dut, spy):
        yield from dut.upload(network, config)
        yield from dut.write("address", SPACE_SOMA << SPACE_SHIFT | 1)
        spikes = []
        yield from spy(dut)
        for sources in ([0], [], [1, 2]):
            for source in sources:
                yield from dut.write("push", source | EVENT)
                yield from spy(dut)
            yield from dut.write("push", LAST)
            yield from spy(dut)
            spikes.append((yield from dut.output()))
            yield from spy(dut)
        states = yield from dut.words(SPACE_STATE, 0, config.neurons)
        yield from spy(dut)
        return spikes, states, (yield from dut.read("address")), (yield from dut.read("errors"))

    def read_all(dut):
        seen = []
        for _ in range(2):
            values = {}
            for name in dut.addresses:
                values[name] = yield from dut.read(name)
            seen.append(values)
        # A second reading differs in what time changes alone.
        for name in ("version", "address", "data", "neurons", "shifts", "errors"):
            assert seen[0][name] == seen[1][name], name

    def nothing(dut):
        return
        yield

    read, unread = (drive(config, lambda dut, spy=spy: session(dut, spy), registered) for spy in (read_all, nothing))
    assert read == unread and read[-1] == 0


def test_pop_shows_until_it_is_taken(firing):
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.push([0])
        yield from dut.idle()
        seen = []
        for _ in range(3):
            seen.append((yield from dut.read("pop")))
        for _ in range(10):
            yield from dut.write("pop", 0xffffffff)
        seen.append((yield from dut.read("pop")))
        errors = [(yield from dut.errors())]
        yield from dut.write("pop", 0)
        errors.append((yield from dut.errors()))
        return seen, errors

    first = POP["spike"] | POP["valid"]
    assert drive(config, session) == ([first, first, first, 0], [set(), {"pop"}])


def test_whoever_sees_that_it_is_idle_sees_the_spikes():
    """Also in the first clock of that: a driver takes what is there then, and goes on."""
    config = QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1)

    def session(dut):
        seen = []
        for clocks in (0, 1): # One of the two meets the first idle clock with a read of every second one.
            yield from dut.write("push", PUSH["last"])
            yield from dut.clocks(clocks)
            while (status := (yield from dut.read("status"))) & STATUS["busy"]:
                pass
            seen.append(status)
            yield from dut.write("pop")
        return seen, (yield from dut.errors())

    assert drive(config, session) == ([STATUS["ready"] | STATUS["output"]]*2, set())
