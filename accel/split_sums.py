# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

# Split Sums ---------------------------------------------------------------------------------------

def sums_base(config):
    """What split sums begin with: the middle of their low half, so that small sums of either sign stay within it."""
    return 2**(config.weight_bits - 1)

class SplitSums(LiteXModule):
    """The sums of a compartment in two halves: weights go to the low one, the upper one counts its carries and borrows.

    The low half has the bits of a weight. The upper half stands still while the sum stays within the low one, so that
    its flip-flops need no clock. A carry is put aside in a bit of its own, and counted with the next row, or on the way
    out: the adder of a row is no longer than the low half, and the sums stand as early as plain ones.

    Attributes
    ----------
    ce : no register changes in a clock without it.
    first, hit : of the row: the first of its group; it has weights of this compartment.
    weights : of all lanes, the first one lowest.
    sums : of the lanes, signed, sums_base() more than the weights', modulo 2**accumulator_bits.
    """
    def __init__(self, config, name):
        self.ce      = Signal()
        self.first   = Signal()
        self.hit     = Signal()
        self.weights = Signal(config.word_lanes*config.weight_bits)
        self.sums    = [Signal((config.accumulator_bits, True), name=f"{name}{n}") for n in range(config.word_lanes)]

        # # #

        bits = config.weight_bits
        for n, total in enumerate(self.sums):
            weight = Signal(bits,     name=f"weight{n}")
            low    = Signal(bits,     name=f"low{n}", reset_less=True)
            moved  = Signal(bits + 1, name=f"moved{n}")
            upper  = Signal(config.accumulator_bits - bits, name=f"upper{n}", reset_less=True)
            count  = Signal(config.accumulator_bits - bits, name=f"count{n}")
            passed = Signal(name=f"passed{n}", reset_less=True) # A carry or a borrow, which is not counted yet.
            self.comb += [
                weight.eq(self.weights[n*bits:(n + 1)*bits]),
                moved.eq(Mux(self.first, sums_base(config), low) + weight),
                # A weight is at most half of the low half, which after a carry is below its middle, else above.
                count.eq(upper + Cat(passed, [passed & low[-1]]*(len(upper) - 1))),
                total.eq(Cat(low, count)),
            ]
            self.sync += If(self.ce,
                If(self.hit,
                    low.eq(moved),
                    # Without a carry, a negative weight has borrowed.
                    passed.eq(moved[-1] ^ weight[-1]),
                ).Elif(self.first,
                    low.eq(sums_base(config)),
                    passed.eq(0),
                ),
                If(self.first,
                    upper.eq(0),
                ).Elif(self.hit & passed,
                    upper.eq(count),
                ),
            )
