# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The memory in banks against a list: writes of slices, reads across banks, words that stay."""

from itertools import accumulate, product

from hypothesis import given, settings
from hypothesis import strategies as st
from migen import If

from accel.config import QCLIFConfig
from accel.memory import BANK_WORDS, BankedMemory, bank_depths
from accel.verilog import core_verilog
from tests.helpers.simulation import run_simulation

HALF   = BANK_WORDS//2
DEPTHS = (1, 5, HALF + 2, BANK_WORDS, BANK_WORDS + 1, 3*BANK_WORDS - HALF//2, 3*BANK_WORDS - 7)
WIDTHS = ((7, 4), (11, 10))


@settings(max_examples=12)
@given(data=st.data(), depth=st.sampled_from(DEPTHS), widths=st.sampled_from(WIDTHS))
def test_banked_memory(data, depth, widths):
    ends      = list(accumulate(bank_depths(depth, widths)))
    edges     = [0, *(end - 1 for end in ends), *ends[:-1]]
    addresses = st.one_of(st.sampled_from(edges), st.integers(0, depth - 1))
    writes    = data.draw(st.lists(st.tuples(addresses, st.integers(1, 3), st.integers(0, 2**widths[0] - 1)),
        max_size=12))
    reads     = data.draw(st.lists(st.tuples(addresses, st.integers(0, 2)), min_size=1, max_size=12))
    memory, words, got = BankedMemory(widths, depth, "memory"), {}, []
    memory.comb += If(memory.read_en, memory.read_banks.eq(memory.banks_of(memory.read_adr)))

    def drive():
        for address, enable, value in writes:
            yield memory.write_adr.eq(address)
            yield memory.write_en.eq(enable)
            yield memory.write_data.eq(value)
            yield
        yield memory.write_en.eq(0)
        for address, wait in reads:
            yield memory.read_adr.eq(address)
            yield memory.read_en.eq(1)
            yield
            yield memory.read_en.eq(0)
            yield memory.read_adr.eq((address + 1) % depth)
            for _ in range(wait):
                yield
            yield memory.take.eq(1)
            yield
            yield memory.take.eq(0)
            for _ in range(1 + wait):
                yield
            got.append((yield memory.read_data))

    run_simulation(memory, drive())
    for address, enable, value in writes:
        low, high = words.get(address, (0, 0))
        words[address] = (value if enable & 1 else low, value % 2**widths[1] if enable & 2 else high)
    assert got == [low | high << widths[0] for low, high in (words.get(address, (0, 0)) for address, _ in reads)]


def test_banks_hold_every_word_once():
    for depth, widths in product(DEPTHS, WIDTHS):
        assert sum(bank_depths(depth, widths)) == depth and max(bank_depths(depth, widths)) <= BANK_WORDS


def test_a_rest_that_synthesis_would_split_is_two_banks():
    assert bank_depths(2*BANK_WORDS + HALF + 1, (32, 10)) == [BANK_WORDS, BANK_WORDS, HALF, 1]
    assert bank_depths(2*BANK_WORDS + HALF, (32,)) == [BANK_WORDS, BANK_WORDS, HALF]
    # Of narrow slices that would be a block RAM more.
    assert bank_depths(BANK_WORDS + HALF + 1, (32, 8)) == [BANK_WORDS, HALF + 1]


def test_one_bank_becomes_verilog():
    """LiteX's Verilog has no slices without bits, which the simulation takes."""
    assert "weights_soma0" in core_verilog(QCLIFConfig(neurons=4, inputs=4, lanes=2), "qclif_core", registered=True)
