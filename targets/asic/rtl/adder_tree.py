# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from itertools import groupby

from migen import *

from litex.gen import *

# Sizes --------------------------------------------------------------------------------------------

def sum_bits(widths):
    """Bits of a signed signal that holds any sum of signed terms of these widths."""
    return (sum(1 << (bits - 1) for bits in widths) - 1).bit_length() + 1

# Carry-Save Adder ---------------------------------------------------------------------------------

class CarrySaveAdder(LiteXModule):
    """Exact sum of many signed terms: a tree of 3:2 compressors, then one carry-propagate adder.

    Bits of one weight stand in one column. Each stage brings all columns to two thirds of the tree's
    height, with full adders and, where only one bit is too many, a half adder. A sign bit weighs
    -2**(b - 1): it enters inverted, and one constant stands for all these inversions, so that no term
    is extended to the width of the sum.

    Parameters
    ----------
    terms : signed signals.

    Attributes
    ----------
    total : their sum, wide enough for any.
    """
    def __init__(self, terms):
        self.total = total = Signal((sum_bits([len(term) for term in terms]), True))

        # # #

        columns, constant = [[] for _ in range(len(total))], 0
        for term in terms:
            sign = 1 << (len(term) - 1)
            bits = Signal(len(term), name="term") # Unsigned: LiteX's Verilog widens single bits of signed signals.
            self.comb += bits.eq(term ^ sign)
            constant  -= sign
            for n in range(len(term)):
                columns[n].append(bits[n])
        for n, column in enumerate(columns):
            if constant >> n & 1:
                column.append(Constant(1, 1))

        # Each stage makes two bits of three, until two are left.
        heights = [2]
        while heights[-1] < max(map(len, columns)):
            heights.append(heights[-1]*3//2)
        for height in heights[-2::-1]:
            columns = self.compress(columns, height)
        rows = [Cat(*[column[n] if n < len(column) else Constant(0, 1) for column in columns]) for n in range(2)]
        self.comb += total.eq(rows[0] + rows[1])

    def compress(self, columns, height):
        """Columns of at most `height` bits after one stage of compressors, side by side in vectors."""
        # Bits too many, with those that arrive as carries: a full adder takes two of them, a half adder one.
        excess = []
        for column in columns:
            arriving = (excess[-1] + 1)//2 if excess else 0
            excess.append(max(0, len(column) + arriving - height))
        columns = [list(column) for column in columns]
        outputs = [[] for _ in range(len(columns) + 1)]
        while max(excess) > 0:
            for busy, run in groupby(list(enumerate(excess)), lambda each: each[1] > 0):
                if not busy:
                    continue
                run    = [n for n, _ in run]
                inputs = [[columns[n].pop(0) for _ in range(min(3, excess[n] + 1))] for n in run]
                a, b, c = (Cat(*[bits[i] if i < len(bits) else Constant(0, 1) for bits in inputs]) for i in range(3))
                half   = Signal(len(run), name="half")
                sums   = Signal(len(run), name="sum")
                carry  = Signal(len(run), name="carry")
                self.comb += [
                    half.eq(a ^ b),
                    sums.eq(half ^ c),
                    carry.eq((a & b) | (half & c)),
                ]
                for i, n in enumerate(run):
                    outputs[n].append(sums[i])
                    outputs[n + 1].append(carry[i])
                    excess[n] -= 2
        # What is carried out of the highest column is beyond the sum's width.
        return [column + more for column, more in zip(columns, outputs, strict=False)]
