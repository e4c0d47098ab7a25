# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""RAM that is filled from an SPI flash after reset: what it then holds, and what its bus does before and after."""

import pytest
from migen import Module, Record

from soc import flash
from soc.flash import FlashRAM
from targets.sim.soc import FlashModel
from tests.helpers.simulation import run_simulation

PADS   = [("cs_n", 1), ("clk", 1), ("mosi", 1), ("miso", 1)]
OFFSET = 0x123456
WORDS  = [0x03020100, 0xdeadbeef, 0x00000000, 0xffffffff, 0x80000001, 0x12345678]

# Clocks of a byte, and those of the command, of the rest and of the second command.
BYTE, HEADER = 16, 16*16

# As at 50 MHz, where the rest is shortest.
WAKE_CLOCKS = 150


class Bench(Module):
    """A FlashRAM of some words, beside the flash that has them."""
    def __init__(self, offset=OFFSET, wake_clocks=WAKE_CLOCKS):
        self.pads = pads = Record(PADS)
        self.submodules.ram   = FlashRAM(pads, offset, 4*len(WORDS))
        self.submodules.model = FlashModel(pads, OFFSET, 4*len(WORDS), wake_clocks)
        self.model.mem.init   = WORDS

    def access(self, address, data=None, sel=0xf):
        """One access. Returns what is read and the clocks it took."""
        bus, clocks = self.ram.bus, 0
        yield bus.adr.eq(address)
        yield bus.sel.eq(sel)
        yield bus.we.eq(data is not None)
        yield bus.dat_w.eq(data or 0)
        yield bus.cyc.eq(1)
        yield bus.stb.eq(1)
        yield
        while not (yield bus.ack):
            yield
            clocks += 1
        result = yield bus.dat_r
        yield bus.cyc.eq(0)
        yield bus.stb.eq(0)
        yield
        return result, clocks


def play(session, **bench):
    """Run a session with a bench. Returns its result."""
    dut, result = Bench(**bench), []

    def run():
        result.append((yield from session(dut)))
    run_simulation(dut, run())
    return result[0]


def read_all(dut):
    words = []
    for address in range(len(WORDS)):
        words.append((yield from dut.access(address)))
    return words


@pytest.fixture
def small(monkeypatch):
    """RAMs of 64 words: Migen's simulator takes seconds to set up those of the iCE40 UltraPlus."""
    monkeypatch.setattr(flash, "RAM_WORDS", 64)


def test_the_first_access_waits_for_the_flash(small):
    words  = play(read_all)
    loaded = HEADER + 4*len(WORDS)*BYTE
    assert [word for word, _ in words] == WORDS
    assert loaded <= words[0][1] <= loaded + 2
    assert all(clocks == 1 for _, clocks in words[1:])


def test_bytes_are_written_alone():
    """In RAMs of their full size, up to the last word."""
    def session(dut):
        for sel in range(16):
            yield from dut.access(16 + sel, 0xffffffff)
            yield from dut.access(16 + sel, 0x44332211, sel)
        yield from dut.access(2**14 - 1, 0xcafe)
        words = []
        for address in (*range(16, 32), 2**14 - 1, 0):
            words.append((yield from dut.access(address))[0])
        return words
    lanes    = (0x00000011, 0x00002200, 0x00330000, 0x44000000)
    expected = [sum(lane if sel >> n & 1 else 0xff << 8*n for n, lane in enumerate(lanes)) for sel in range(16)]
    assert play(session) == [*expected, 0xcafe, WORDS[0]]


@pytest.mark.parametrize("wrong", ({"offset": OFFSET + 4*len(WORDS)}, {"wake_clocks": 12*BYTE + 8}))
def test_the_model_tells_wrong_addresses_and_a_short_rest(small, wrong):
    assert [word for word, _ in play(read_all, **wrong)] == [0xffffffff]*len(WORDS)


def test_a_flash_that_is_not_woken(small, monkeypatch):
    monkeypatch.setattr(flash, "WAKE", 0x00)
    assert [word for word, _ in play(read_all)] == [0xffffffff]*len(WORDS)


def test_the_flash_is_not_selected_in_reset(small):
    """So that it forgets what it heard before, as levels of pads that nobody had reset yet."""
    def session(dut):
        levels = []
        for _ in range(3):
            levels.append(((yield dut.pads.cs_n), (yield dut.pads.clk)))
            yield
        return levels
    assert play(session) == [(1, 0), (0, 0), (0, 1)]
