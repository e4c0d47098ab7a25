# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events and settings that software should not write, or writes by mistake: refused or mended, with a flag each."""

import pytest
from litex.soc.interconnect import csr_bus

from accel.errors import QCLIFError
from accel.peripheral import QCLIF
from accel.registers import registers
from tests.helpers.register_bench import BITS, Registers, drive

CONTROL, STATUS, PUSH = (BITS[name] for name in ("control", "status", "push"))
EVENT, LAST = PUSH["event"], PUSH["last"]

# Events -------------------------------------------------------------------------------------------

def test_errors_are_sticky_counted_and_cleared(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        seen = []
        for source in (0, 1, 2, 3):                      # One more than step_events.
            yield from dut.write("push", source | EVENT)
        seen.append((yield from dut.errors()))
        yield from dut.write("push", config.sources | EVENT)
        yield from dut.write("push", 0xffff | EVENT | LAST) # Folded to the stream's width it would be a source.
        seen.append((yield from dut.errors()))
        yield from dut.output()
        overflows = yield from dut.read("counter_overflows")
        yield from dut.write("control", CONTROL["clear_errors"])
        seen.append((yield from dut.errors()))
        return seen, overflows

    assert drive(config, session) == ([{"full"}, {"full", "unknown"}, set()], 3)


def test_push_while_not_ready_is_flagged(silent):
    config, network = silent

    def session(dut):
        yield from dut.upload(network, config)
        # With the output never taken, steps pile up until nothing is taken any more.
        pushed = waits = 0
        while waits < 20:
            if (yield from dut.read("status")) & STATUS["ready"]:
                yield from dut.write("push", LAST)
                pushed, waits = pushed + 1, 0
            waits += 1
        yield from dut.write("push", LAST)
        errors = yield from dut.errors()
        for _ in range(pushed):
            yield from dut.output()
        yield from dut.idle()
        return errors, (yield from dut.read("status")), (yield from dut.read("counter_stalls")) > 0

    assert drive(config, session) == ({"push"}, STATUS["ready"], True)

# Settings -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, taken", [(0, 1), (11, 10), (0x10003, 10), (2**32 - 1, 10), (10, 10), (1, 1)])
def test_neurons_are_within_the_build(firing, value, taken):
    """And nothing hangs: the next step ends."""
    config, network = firing

    def session(dut):
        yield from dut.upload(network, config)
        yield from dut.write("neurons", value)
        errors = yield from dut.errors()
        neurons = yield from dut.read("neurons")
        return neurons, (yield from dut.step([0])), errors

    assert drive(config, session) == (taken, [*range(taken)], set() if value == taken else {"neurons"})


def test_bits_without_a_meaning_are_flagged(silent):
    config, network = silent

    def flags(name, value):
        def session(dut):
            yield from dut.upload(network, config)
            yield from dut.write("address", 0)
            yield from dut.write(name, value)
            return (yield from dut.errors()), (yield from dut.read(name))
        return drive(config, session)

    for name, value, shown in [("shifts", 32, 0), ("shifts", 6 | 1 << 16, 6), ("control", 16, 0),
            ("push", 1 << 18, 0), ("data", 1 << 31, 0)]:
        assert flags(name, value) == ({"reserved"}, shown), name
    assert flags("shifts", 31 | 31 << 8) == (set(), 31 | 31 << 8)


def test_a_write_to_what_can_only_be_read_is_flagged(silent):
    config, _ = silent
    names = [register.name for register in registers(config) if not register.writable]

    def session(dut):
        seen = []
        for name in names:
            yield from dut.write(name, 0xffffffff)
            seen.append((yield from dut.errors()))
            yield from dut.write("control", CONTROL["clear_errors"])
        return seen

    assert {"errors", "status", "version", "clock", "counter_sops", "size_lanes"} <= set(names)
    assert drive(config, session) == [{"read_only"}]*len(names)

# Bus ----------------------------------------------------------------------------------------------

def test_a_bus_of_another_width_is_refused_in_one_line(silent):
    with pytest.raises(QCLIFError, match=r"^csr_data_width is 8, .*: build the SoC with csr_data_width=32$"):
        csr_bus.CSRBank(QCLIF(silent[0]).get_csrs(), bus=csr_bus.Interface(data_width=8))


def test_registers_are_where_the_table_says(silent):
    names = [register.name for register in registers(silent[0])]
    assert [*Registers(silent[0]).addresses][:len(names)] == names
