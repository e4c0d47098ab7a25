#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

# Sliced Memory ------------------------------------------------------------------------------------

class SlicedMemory(LiteXModule):
    """Memory of wide words, written in slices: one write port, one read port.

    The read port is the core's; software borrows it while the core is idle. One port a direction
    is what block RAMs, SRAM macros and synthesis tools infer without storing everything twice.

    Parameters
    ----------
    widths : bits of each slice, lowest first; the word is their concatenation.
    depth : words.
    name : name of the memory in the Verilog.

    Attributes
    ----------
    widths, depth : as given.
    read_adr, read_en, read_data : the word at `read_adr`, one clock after `read_en`; it stays until the next one.
    write_adr, write_en, write_data : `write_en` has one bit a slice; the data is the slice's.
    """
    def __init__(self, widths, depth, name):
        if depth < 1 or not widths or min(widths) < 1:
            raise ValueError(f"memory {name}: {depth} words of slices {widths} cannot be built")
        self.widths     = tuple(widths)
        self.depth      = depth
        self.read_adr   = Signal(max=max(2, depth))
        self.read_en    = Signal()
        self.read_data  = Signal(sum(widths))
        self.write_adr  = Signal(max=max(2, depth))
        self.write_en   = Signal(len(widths))
        self.write_data = Signal(max(widths))

        # # #

        outputs = []
        for n, width in enumerate(widths):
            memory = Memory(width, max(2, depth), name=f"{name}{n}")
            write  = memory.get_port(write_capable=True, mode=READ_FIRST)
            read   = memory.get_port(has_re=True, mode=READ_FIRST)
            self.specials += memory, write, read
            self.comb += [
                read.adr.eq(self.read_adr),
                read.re.eq(self.read_en),
                write.adr.eq(self.write_adr),
                write.we.eq(self.write_en[n]),
                write.dat_w.eq(self.write_data[:width]),
            ]
            outputs.append(read.dat_r)
        self.comb += self.read_data.eq(Cat(*outputs))
