# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""An SPI flash to be simulated beside the SoC."""

from migen import *

from litex.gen import *

from soc.flash import READ, WAKE

# Flash Model --------------------------------------------------------------------------------------

class FlashModel(LiteXModule):
    """SPI flash (mode 0) that is asleep at first: it takes WAKE and READ, and drives 1 where it has no data.

    Parameters
    ----------
    pads        : cs_n, clk, mosi, miso, of the system's clock domain.
    offset      : first byte that it holds.
    size        : bytes that it holds.
    wake_clocks : clocks between the end of WAKE and the first command that it hears.

    Attributes
    ----------
    mem : its words of 4 bytes, lowest first.
    """
    def __init__(self, pads, offset, size, wake_clocks):
        self.mem = mem = Memory(32, size//4, name="rom")
        port     = mem.get_port(async_read=True)
        self.specials += mem, port

        # # #

        # Bits arrive with the rising edge; what they change is seen as the falling one.
        # ------------------------------------------------------------------------------
        clk      = Signal()
        shift    = Signal(32)
        received = Signal(max=33)
        command  = Signal(8)
        position = Signal(24 + 3) # Bit of the flash.
        self.sync += [
            clk.eq(pads.clk),
            If(pads.cs_n,
                received.eq(0),
                command.eq(0),
            ).Elif(pads.clk & ~clk,
                shift.eq(Cat(pads.mosi, shift)),
                If(received == 32,
                    position.eq(position + 1),
                ).Else(
                    received.eq(received + 1),
                ),
                If(received == 7,  command.eq(Cat(pads.mosi, shift[:7]))),
                If(received == 31, position.eq(Cat(Constant(0, 3), pads.mosi, shift[:23]))),
            ),
        ]

        # Sleep.
        # ------
        called = Signal()
        rest   = Signal(max=wake_clocks + 1, reset=wake_clocks)
        self.sync += [
            If((command == WAKE) & (received == 8), called.eq(1)),
            If(called & pads.cs_n & (rest != 0), rest.eq(rest - 1)),
        ]

        # Data.
        # -----
        relative = Signal(len(position))
        heard    = Signal() # This command began after it was awake.
        self.comb += [
            relative.eq(position - 8*offset),
            port.adr.eq(relative[5:]),
            pads.miso.eq(1),
            If(heard & (command == READ) & (received == 32) & (relative < 8*size),
                pads.miso.eq(Array(port.dat_r)[Cat(~relative[:3], relative[3:5])]),
            ),
        ]
        self.sync += If(pads.cs_n, heard.eq(rest == 0))
