# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Check bits of stored words: parity, which tells of one flipped bit, or a Hsiao code, which corrects one and tells of
two (SECDED). Zeros are a codeword of both: a cleared memory is a right one."""

from functools import reduce
from itertools import combinations, islice
from operator import xor

from migen import *

from litex.gen import *

# Codes --------------------------------------------------------------------------------------------

def check_bits(width, protect):
    """Check bits of a slice of `width` bits."""
    if protect != "secded":
        return int(protect == "parity")
    # Columns of an odd weight, 3 or more, are there for the data: half of all, without those of weight 1.
    return next(bits for bits in range(3, 64) if 2**(bits - 1) - bits >= width)

def columns(width, bits):
    """Columns of the code's matrix that belong to the data, as integers, those of the least weight first.

    With `bits` of 1, all are that of parity. Otherwise they are different, and of an odd weight of 3 or more, so that
    two flipped bits never look like one (M. Y. Hsiao, A class of optimal minimum odd-weight-column SEC-DED codes, IBM
    Journal of Research and Development 14, 1970).
    """
    if bits == 1:
        return [1]*width
    odd = (sum(1 << n for n in ones) for weight in range(3, bits + 1, 2) for ones in combinations(range(bits), weight))
    return list(islice(odd, width))

def encode(data, bits):
    """Check bits of a slice, a signal: an expression."""
    matrix = columns(len(data), bits)
    return Cat(*[reduce(xor, [data[n] for n, column in enumerate(matrix) if column >> row & 1], Constant(0, 1))
        for row in range(bits)])

# Decoder ------------------------------------------------------------------------------------------

class Decoder(LiteXModule):
    """A stored slice, checked, and corrected where that can be.

    Parameters
    ----------
    width : bits of the data.
    bits : check bits; one, that of parity, corrects nothing.

    Attributes
    ----------
    check, stored : as they were read.
    data : as it was written, unless `uncorrected`.
    corrected, uncorrected : one bit was flipped and is right again; something was flipped and is wrong.
    """
    def __init__(self, width, bits):
        self.check       = Signal(bits)
        self.stored      = Signal(width)
        self.data        = Signal(width)
        self.corrected   = Signal()
        self.uncorrected = Signal()

        # # #

        syndrome = Signal(bits, name="syndrome")
        self.comb += [
            syndrome.eq(encode(self.stored, bits) ^ self.check),
            self.data.eq(self.stored),
            self.uncorrected.eq(syndrome != 0),
        ]
        if bits > 1:
            odd = reduce(xor, [syndrome[n] for n in range(bits)])
            self.comb += [
                self.data.eq(self.stored ^ Cat(*[syndrome == column for column in columns(width, bits)])),
                self.corrected.eq(odd),
                self.uncorrected.eq((syndrome != 0) & ~odd),
            ]
