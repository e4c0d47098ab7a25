# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's UART with deep FIFOs and registers that spare a polling CPU most of its bus accesses."""

from migen import *

from litex.gen import *

from litex.soc.cores.uart import UART
from litex.soc.interconnect.csr import *

# Deep UART ----------------------------------------------------------------------------------------

class DeepUART(UART):
    """UART that a main loop polls, without interrupts and without losing bytes.

    All of LiteX's registers stay where its software expects them. `rxword` tells in one access whether there
    is a byte and which; `txspace` lets software fill the transmit FIFO without asking before every byte.

    Parameters
    ----------
    phy        : PHY with `source` (received bytes) and `sink` (bytes to transmit), in the sys clock domain.
    fifo_depth : bytes of each FIFO, 2 or more.

    Attributes
    ----------
    sink, source : byte streams of LiteX's UART, connected to the PHY.
    """
    def __init__(self, phy, fifo_depth=4096):
        if fifo_depth < 2:
            raise ValueError(f"fifo_depth is {fifo_depth}, a FIFO needs at least 2 bytes")
        UART.__init__(self, phy, tx_fifo_depth=fifo_depth, rx_fifo_depth=fifo_depth)

        self._rxword = CSRStatus(read_only=False, description="Next received byte. Reading shows it and changes "
            "nothing; a write of any value removes it from the receive FIFO, where there is one.", fields=[
            CSRField("data",  size=8, description="The byte, 0 when there is none."),
            CSRField("valid", size=1, values=[
                ("``0b0``", "The receive FIFO is empty."),
                ("``0b1``", "``data`` holds a byte."),
            ]),
        ])
        self._txspace = CSRStatus(description="Room in the transmit FIFO.", fields=[
            CSRField("bytes", size=bits_for(fifo_depth),
                description="Bytes that can be written to ``rxtx`` now without losing one."),
        ])
        self._rxoverflows = CSRStatus(description="Loss on the receiving side.", fields=[
            CSRField("bytes", size=32, description="Bytes received while the receive FIFO was full, and "
                "therefore lost, since reset. Stays 0 with a PHY that waits for the FIFO."),
        ])

        # # #

        # Receive: shown by a read, removed by a write.
        # ---------------------------------------------
        rx = self.rx_fifo.source
        self.comb += [
            self._rxword.fields.valid.eq(rx.valid),
            If(rx.valid, self._rxword.fields.data.eq(rx.data)),
            If(self._rxword.re, rx.ready.eq(1)),
        ]

        # Transmit: the buffered FIFO's level includes its output register, one more than its depth.
        # ------------------------------------------------------------------------------------------
        level = self.tx_fifo.level
        self.comb += If(level < fifo_depth, self._txspace.fields.bytes.eq(fifo_depth - level))

        # Overflows: a byte offered, not taken, and withdrawn.
        # ----------------------------------------------------
        offered   = Signal()
        overflows = self._rxoverflows.fields.bytes
        self.sync += [
            offered.eq(self.sink.valid & ~self.sink.ready),
            If(offered & ~self.sink.valid, overflows.eq(overflows + 1)),
        ]
