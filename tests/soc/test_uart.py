# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The deep UART through its registers, over the CSR bus, as software sees it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litex.soc.cores.uart import UARTInterface
from litex.soc.interconnect import csr_bus
from migen import Module, run_simulation

from soc.uart import DeepUART

VALID = 1 << 8


class Bench(Module):
    """A DeepUART on a 32-bit CSR bus; `phy` is the PHY's side."""
    def __init__(self, fifo_depth):
        self.phy = UARTInterface()
        self.submodules.uart = DeepUART(self.phy, fifo_depth=fifo_depth)
        self.submodules.bank = csr_bus.CSRBank(self.uart.get_csrs(), bus=csr_bus.Interface(data_width=32))
        self.addresses = {csr.name: n for n, csr in enumerate(self.bank.simple_csrs)}

    def write(self, name, value):
        yield from self.bank.bus.write(self.addresses[name], value)
        yield

    def read(self, name):
        yield from self.bank.bus.read(self.addresses[name])
        yield
        return (yield self.bank.bus.dat_r)

    def take(self):
        """The oldest received byte as rxword shows it, taken where there is one."""
        word = yield from self.read("rxword")
        if word & VALID:
            yield from self.write("rxword", 0)
        return word

    def receive(self, data, waits=True):
        """Offer bytes as a PHY: one that waits for ready, or one that offers each for a single clock."""
        source = self.phy.source
        for byte in data:
            yield source.data.eq(byte)
            yield source.valid.eq(1)
            yield
            while waits and not (yield source.ready):
                yield
            yield source.valid.eq(0)
            yield


def drive(fifo_depth, *generators):
    """Run generators, made by functions of the bench; the first one's result is returned."""
    bench, results = Bench(fifo_depth), []

    def first():
        results.append((yield from generators[0](bench)))
    run_simulation(bench, [first(), *(generator(bench) for generator in generators[1:])])
    return results[0]


@settings(max_examples=20)
@given(data=st.binary(max_size=40), depth=st.sampled_from([2, 3, 8, 16]))
def test_every_received_byte_is_read_once(data, depth):
    def cpu(bench):
        read = []
        for _ in range(8*len(data) + 20):
            word = yield from bench.take()
            if word & VALID:
                read.append(word & 0xff)
            else:
                assert word == 0
        assert (yield from bench.read("rxoverflows")) == 0
        return bytes(read)
    assert drive(depth, cpu, lambda bench: bench.receive(data)) == data


def test_reading_takes_nothing():
    """As `litex_cli --regs` does it, which reads each register twice; an empty FIFO has nothing to take."""
    def cpu(bench):
        yield from bench.write("rxword", 0)
        yield from bench.receive(b"ab")
        for _ in range(4):
            yield
        seen = []
        for _ in range(2):
            for name in bench.addresses:
                value = yield from bench.read(name)
                if name == "rxword":
                    seen.append(value)
        for _ in range(3):
            seen.append((yield from bench.take()))
        return seen
    a, b = (ord(letter) | VALID for letter in "ab")
    assert drive(16, cpu) == [a, a, a, b, 0]


def test_litex_registers_still_work():
    def cpu(bench):
        yield from bench.receive(b"ab")
        for _ in range(4):
            yield
        assert (yield from bench.read("rxempty")) == 0
        assert (yield from bench.read("rxtx")) == ord("a")
        yield from bench.write("ev_pending", 2)  # LiteX's software removes a byte by clearing the event.
        assert (yield from bench.take()) == ord("b") | VALID
        assert (yield from bench.read("rxempty")) == 1
        return True
    assert drive(16, cpu)


@settings(max_examples=20)
@given(depth=st.sampled_from([2, 5, 8, 16]), stall=st.integers(0, 3))
def test_txspace_never_promises_too_much(depth, stall):
    """A CPU that trusts txspace loses no byte, whatever the PHY does."""
    count = 3*depth

    def cpu(bench):
        space, written, most = 0, 0, 0
        while written < count:
            if not space:
                space = yield from bench.read("txspace")
                most  = max(most, space)
                continue
            yield from bench.write("rxtx", written)
            written += 1
            space   -= 1
        for _ in range((stall + 1)*(count + 8)):
            yield
        assert (yield from bench.read("txspace")) == depth
        assert most == depth
        return bench.sent

    def phy(bench):
        bench.sent = []
        clock = 0
        while len(bench.sent) < count:
            yield bench.phy.sink.ready.eq(clock % (stall + 1) == 0)
            yield
            if (yield bench.phy.sink.ready) and (yield bench.phy.sink.valid):
                bench.sent.append((yield bench.phy.sink.data))
            clock += 1
        yield bench.phy.sink.ready.eq(0)
    assert drive(depth, cpu, phy) == list(range(count))


@settings(max_examples=20)
@given(count=st.integers(0, 40), depth=st.sampled_from([2, 8, 16]))
def test_lost_bytes_are_counted(count, depth):
    """A PHY that ignores ready, as LiteX's RS232PHY does, while the CPU does not read."""
    def cpu(bench):
        yield from bench.receive(range(count), waits=False)
        yield
        lost = yield from bench.read("rxoverflows")
        read = []
        while (word := (yield from bench.take())) & VALID:
            read.append(word & 0xff)
        assert read == list(range(count - lost))  # The first ones are kept.
        assert lost == max(0, count - depth - 1)  # The FIFO and its output register.
        return True
    assert drive(depth, cpu)


def test_a_phy_that_waits_is_no_overflow():
    def cpu(bench):
        for _ in range(60):
            yield
        return (yield from bench.read("rxoverflows"))
    assert drive(2, cpu, lambda bench: bench.receive(range(3))) == 0


def test_refuses_too_small_a_fifo():
    with pytest.raises(ValueError, match="fifo_depth is 1"):
        DeepUART(UARTInterface(), fifo_depth=1)
