# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A bus master in Migen's simulator, on a memory that keeps it waiting."""

import random

from migen import Module, passive

# Clocks in which nothing may hang, far more than any transfer of a test takes.
PATIENCE = 20_000


class BusBench(Module):
    """The module `dut`, and a memory of bytes at the other end of its `bus`; or of another one's bus.

    Parameters
    ----------
    base, size : addresses of the memory; an access elsewhere is refused.
    waits      : most clocks that an access takes beside its own.

    Attributes
    ----------
    accesses : byte addresses, in order.
    """
    def __init__(self, dut, base=0x1000, size=256, waits=0, seed=0, bus=None):
        if dut is not None:
            self.submodules.dut = dut
        self.bus = dut.bus if bus is None else bus
        self.base, self.waits = base, waits
        self.memory   = bytearray(size)
        self.random   = random.Random(seed)
        self.accesses = []

    def start(self, **values):
        """Start a transfer with these inputs, which are there for this clock alone."""
        for name, value in dict(values, start=1).items():
            yield getattr(self.dut, name).eq(value)
        yield
        for name in values:
            yield getattr(self.dut, name).eq(-1)
        yield self.dut.start.eq(0)
        yield

    def wait(self):
        """Until the transfer is over; what else the signals say meanwhile is checked."""
        for _ in range(PATIENCE):
            if (yield self.dut.done):
                break
            assert (yield self.dut.busy) and not (yield self.dut.error)
            yield
        assert not (yield self.dut.busy), "the transfer does not end"

    @passive
    def serve(self):
        """The memory. An access that is given up before its end is an error of the test."""
        bus = self.bus
        while True:
            yield
            if not ((yield bus.cyc) and (yield bus.stb)):
                continue
            asked = (yield bus.adr), (yield bus.we), (yield bus.dat_w)
            for _ in range(self.random.randint(0, self.waits)):
                yield
            held = (yield bus.cyc) and (yield bus.stb)
            assert held and asked == ((yield bus.adr), (yield bus.we), (yield bus.dat_w)), "an access was given up"
            at = 4*asked[0] - self.base
            if 0 <= at < len(self.memory):
                if asked[1]:
                    assert (yield bus.sel) == 0xf
                    self.memory[at:at + 4] = asked[2].to_bytes(4, "little")
                yield bus.dat_r.eq(int.from_bytes(self.memory[at:at + 4], "little"))
                yield bus.ack.eq(1)
            else:
                yield bus.err.eq(1)
            self.accesses.append(4*asked[0])
            yield
            yield bus.ack.eq(0)
            yield bus.err.eq(0)
            yield
