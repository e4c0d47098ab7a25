# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""CSRs that act in the clock of the access, made of the register table.

LiteX's CSRStorage acts a clock later than the bus, so that an access right behind it would see what was before.
"""

from migen import *

from litex.soc.interconnect.csr import *

from accel.config import WORD_BITS
from accel.errors import QCLIFError

def check_width(csr_data_width):
    """Raise QCLIFError where a CSR bus has words of another size."""
    if csr_data_width != WORD_BITS:
        raise QCLIFError(f"csr_data_width is {csr_data_width}, the accelerator's registers are words of {WORD_BITS} "
            f"bits: build the SoC with csr_data_width={WORD_BITS}")

# CSR Words ----------------------------------------------------------------------------------------

class _Word:
    """One CSR of the bus: `r` is what is written in the clock of `re`; `we` tells of a read, of what stands in that
    clock."""
    def add_word(self, shown, busword):
        check_width(busword)
        word = CSR(WORD_BITS, self.name)
        self.comb += [
            word.w.eq(shown),
            self.re.eq(word.re),
            self.we.eq(word.we),
            self.written.eq(word.r),
        ]
        self.simple_csrs.append(word)

class ReadWord(_Word, CSRStatus):
    """A register that can only be read: `status`."""
    def do_finalize(self, busword, ordering):
        self.add_word(self.status, busword)

class WriteWord(_Word, CSRStorage):
    """A register that can be written: reading shows `storage`, which is its owner's to drive, and a write is `written`
    in the clock of `re`."""
    def do_finalize(self, busword, ordering):
        self.add_word(self.storage, busword)

    def bits(self, name):
        """A field of what is written."""
        field = getattr(self.fields, name)
        return self.written[field.offset:field.offset + field.size]

def csr_of(register):
    """The CSR of a register of the table."""
    fields = [CSRField(field.name, size=field.bits, offset=field.offset, reset=field.reset, pulse=field.pulse,
        description=field.description, values=[*field.values] or None) for field in register.fields]
    # The documented size of a register with fields is where the last one ends; LiteX's C code takes whole words.
    kind        = WriteWord if register.writable else ReadWord
    csr         = kind(WORD_BITS, reset=register.reset, fields=fields, name=register.name,
        description=register.description)
    csr.size    = WORD_BITS
    csr.we      = Signal()
    csr.written = Signal(WORD_BITS)
    return csr
