# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *
from migen.genlib.io import CRG

from litex.gen import *

from litex.build.generic_platform import Pins, Subsignal
from litex.build.sim import SimPlatform

from litedram import modules as litedram_modules
from litedram.phy.model import SDRAMPHYModel

from firmware.protocol import DEFAULT_BAUDRATE
from firmware.sizes import ROM_BYTES, SRAM_BESIDE_SDRAM, main_ram_bytes
from soc.flash import READ, WAKE
from soc.sdram import add_sdram
from soc.soc import QCLIFSoC
from targets.sim.options import PINS, STREAM

# IOs ----------------------------------------------------------------------------------------------

_io = [
    ("sys_clk",    0, Pins(1)),
    ("sys_rst",    0, Pins(1)),
    ("sim_finish", 0, Pins(1)),
]

# The UART of LiteX's name: byte streams of its model of a PHY, or the pins of a real one.
_serial = {
    STREAM: ("serial", 0,
        Subsignal("source_valid", Pins(1)),
        Subsignal("source_ready", Pins(1)),
        Subsignal("source_data",  Pins(8)),
        Subsignal("sink_valid",   Pins(1)),
        Subsignal("sink_ready",   Pins(1)),
        Subsignal("sink_data",    Pins(8)),
    ),
    PINS: ("serial", 0,
        Subsignal("tx", Pins(1)),
        Subsignal("rx", Pins(1)),
    ),
}

# Of the simulated SPI flash, and what it takes to wake up.
_flash       = [("cs_n", 1), ("clk", 1), ("mosi", 1), ("miso", 1)]
WAKE_SECONDS = 3e-6

# Data bits of the simulated SDRAM.
SDRAM_BITS = 16

# Flash Model --------------------------------------------------------------------------------------

class FlashModel(LiteXModule):
    """SPI flash (mode 0) that is asleep at first: it takes WAKE and READ, and drives 1 where it has no data.

    Parameters
    ----------
    pads        : cs_n, clk, mosi, miso, of the system's clock domain; a half of `clk` is one clock of it or more.
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

        # Bits arrive with the rising edge; what they change is seen with the falling one.
        # --------------------------------------------------------------------------------
        clk      = Signal()
        shift    = Signal(32)
        received = Signal(max=33)
        command  = Signal(8)
        position = Signal(24 + 3) # Bit of the flash.
        before   = Signal(24 + 3)
        shown    = Signal(24 + 3)
        self.comb += shown.eq(Mux(pads.clk, before, position))
        self.sync += [
            clk.eq(pads.clk),
            If(~pads.clk, before.eq(position)),
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
            relative.eq(shown - 8*offset),
            port.adr.eq(relative[5:]),
            pads.miso.eq(1),
            If(heard & (command == READ) & (received == 32) & (relative < 8*size),
                pads.miso.eq(Array(port.dat_r)[Cat(~relative[:3], relative[3:5])]),
            ),
        ]
        self.sync += If(pads.cs_n, heard.eq(rest == 0))

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(QCLIFSoC):
    """The SoC of every target, with main RAM for the CPU engine's network.

    Parameters
    ----------
    uart_name    : STREAM, on which bytes go at the speed of the CPU, or PINS of LiteX's RS232 PHY.
    flash_offset : place of the firmware in a simulated SPI flash, from which it is copied to single-port RAMs as
                   on the iCEBreaker; 0: there is no flash, the firmware is in ROM.
    sdram        : LiteDRAM's name of a chip whose model holds the firmware's variables, "": SRAM does.
    kwargs       : QCLIFSoC's parameters and LiteX's SoCCore options.
    """
    def __init__(self, config, sys_clk_freq=50e6, uart_name=STREAM, flash_offset=0, sdram="", **kwargs):
        platform  = SimPlatform("SIM", [*_io, _serial[uart_name]])
        rom_bytes = kwargs.setdefault("integrated_rom_size", ROM_BYTES)
        flash     = Record(_flash) if flash_offset else None
        kwargs.setdefault("integrated_main_ram_size", 0 if flash_offset else main_ram_bytes(config))
        kwargs.setdefault("uart_baudrate", DEFAULT_BAUDRATE)
        if sdram:
            kwargs.setdefault("integrated_sram_size", SRAM_BESIDE_SDRAM)
        reset     = Signal()
        self.crg  = CRG(platform.request("sys_clk"), platform.request("sys_rst") | reset)
        # What the SoC's controller resets.
        self.crg.rst = reset
        QCLIFSoC.__init__(self, platform, sys_clk_freq, config, flash=flash, flash_offset=flash_offset,
            uart_name=uart_name, **kwargs)

        if sdram:
            module = getattr(litedram_modules, sdram)(sys_clk_freq, "1:1")
            add_sdram(self, SDRAMPHYModel(module, data_width=SDRAM_BITS, clk_freq=sys_clk_freq), module)

        # LiteX's builder puts the firmware where the ROM is.
        if flash is not None:
            self.rom = FlashModel(flash, flash_offset, rom_bytes, int(WAKE_SECONDS*sys_clk_freq))
            self.integrated_rom_size = rom_bytes

        # The simulator is traced, where it was built so, and ended by a pad.
        self.comb += platform.trace.eq(1)
        self.sync += If(platform.request("sim_finish"), Finish())
