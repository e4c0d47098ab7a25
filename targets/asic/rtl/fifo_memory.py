# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.memory import SlicedMemory

# FIFO Memory --------------------------------------------------------------------------------------

class FIFOMemory(LiteXModule):
    """Memory of a FIFO in two single-port halves: words of even and of odd addresses.

    Reads go through consecutive addresses, and writes do. Where both want the same half, the write
    waits in a register. While it waits, the next read is of the other half; of a write that waits and
    one that arrives, one can always be done, and what waits is never what is read.

    Parameters
    ----------
    width, depth : of the FIFO; an even depth, 4 or more.
    name : of its halves in the Verilog.

    Attributes
    ----------
    read_adr, read_en, read_data : read port, as a SlicedMemory's.
    write_adr, write_en, write_data : write port.
    halves : the memory; the highest bit of its addresses is the FIFO's lowest.
    """
    def __init__(self, width, depth, name):
        if depth < 4 or depth % 2:
            raise ValueError(f"FIFO memory {name} has {depth} words: an even number from 4 up is needed")
        self.read_adr   = Signal(max=depth)
        self.read_en    = Signal()
        self.read_data  = Signal(width)
        self.write_adr  = Signal(max=depth)
        self.write_en   = Signal()
        self.write_data = Signal(width)
        self.halves     = halves = SlicedMemory([width], 2**len(self.read_adr), name)

        # # #

        def place(address):
            """Address in the halves."""
            return Cat(address[1:], address[0])

        waits    = Signal()
        adr      = Signal(len(self.write_adr))
        data     = Signal(width)
        blocked  = Signal() # What waits.
        conflict = Signal() # What arrives.
        self.comb += [
            blocked.eq(self.read_en & (self.read_adr[0] == adr[0])),
            conflict.eq(self.read_en & (self.read_adr[0] == self.write_adr[0])),
            halves.read_adr.eq(place(self.read_adr)),
            halves.read_en.eq(self.read_en),
            self.read_data.eq(halves.read_data),
            If(waits & ~blocked,
                halves.write_adr.eq(place(adr)),
                halves.write_data.eq(data),
                halves.write_en.eq(1),
            ).Else(
                halves.write_adr.eq(place(self.write_adr)),
                halves.write_data.eq(self.write_data),
                halves.write_en.eq(self.write_en & ~conflict),
            ),
        ]
        self.sync += If(~waits | ~blocked,
            waits.eq(self.write_en & (waits | conflict)),
            adr.eq(self.write_adr),
            data.eq(self.write_data),
        )
