# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A chip without a ROM: its program comes from the SPI flash after reset, and from the UART where the flash has none.

Images and answers are those of firmware/boot_image.py; soc/README.md has the protocol.
"""

from math import ceil

from migen import *

from litex.gen import *

from litex.soc.cores.uart import UARTInterface
from litex.soc.interconnect import stream, wishbone

from firmware.boot_image import HEADER_BYTES, MAGIC, STARTING, WAITING, WORD_BYTES
from firmware.protocol import CRC
from soc.flash import FlashReader
from soc.frames.common import RESIDUE, START, crc32_next

# Hz of halves of a bit: every flash is read at 25 MHz, and has woken up in the reader's rest.
FLASH_RATE = 50e6

# Boot Loader --------------------------------------------------------------------------------------

class BootLoader(LiteXModule):
    """Takes an image from the SPI flash; where it is none or damaged, from bytes, as often as it takes.

    Bytes before an image do not matter. Of an image that was cut short the rest is awaited: the next one is taken for
    it, and is refused.

    Parameters
    ----------
    pads         : SPI flash, with the image at its first byte.
    size         : bytes of the RAM to fill: longer programs are refused.
    sys_clk_freq : Hz.

    Attributes
    ----------
    sink    : bytes of the UART, taken when they come.
    source  : what is said over the UART: WAITING or STARTING.
    write   : `data` is byte `address` of the program, for this clock.
    done    : the program is in the RAM, and whole.
    """
    def __init__(self, pads, size, sys_clk_freq):
        self.sink    = sink   = stream.Endpoint([("data", 8)])
        self.source  = source = stream.Endpoint([("data", 8)])
        self.write   = Signal()
        self.data    = Signal(8)
        self.address = Signal(max=size)
        self.done    = Signal()

        # # #

        # Bytes, of one or of the other.
        # ------------------------------
        listening = Signal(name="listening") # To the UART: the flash has no image.
        finished  = Signal() # All of an image came, and it is whole.
        valid     = Signal()
        self.reader = reader = FlashReader(pads, 0, HEADER_BYTES + size + CRC.size,
            divide = ceil(sys_clk_freq/FLASH_RATE),
            stop   = listening | finished)
        self.comb += [
            sink.ready.eq(1),
            If(listening,
                valid.eq(sink.valid),
                self.data.eq(sink.data),
            ).Else(
                valid.eq(reader.valid),
                self.data.eq(reader.data),
            ),
        ]

        # The image: its header a word at a time, the CRC over all that is behind the magic.
        # ----------------------------------------------------------------------------------
        word   = Signal(32) # The last four bytes.
        fresh  = Signal(32) # The same with the one that comes.
        crc    = Signal(32)
        after  = Signal(32)
        length = Signal(bits_for(size))
        count  = Signal(bits_for(size + CRC.size)) # Of the bytes of a part of the image.
        self.comb += [
            fresh.eq(Cat(word[8:], self.data)),
            after.eq(crc32_next(crc, self.data)),
            self.address.eq(count),
        ]
        self.sync += If(valid,
            word.eq(fresh),
            crc.eq(after),
            count.eq(count + 1),
        )

        def refuse():
            return [NextValue(listening, 1), NextState("ANSWER")]

        self.fsm = fsm = FSM(reset_state="MAGIC")
        fsm.act("MAGIC",
            If(valid,
                If(fresh == int.from_bytes(MAGIC, "little"),
                    NextValue(count, 0),
                    NextValue(crc, START),
                    NextState("LENGTH"),
                ).Elif(~listening & (count == len(MAGIC) - 1),
                    *refuse(),
                ),
            ),
        )
        fsm.act("LENGTH",
            If(valid & (count == WORD_BYTES - 1),
                NextValue(count, 0),
                NextValue(length, fresh),
                NextState("PROGRAM"),
                If((fresh == 0) | (fresh > size) | (fresh[:2] != 0), *refuse()),
            ),
        )
        fsm.act("PROGRAM",
            self.write.eq(valid & (count < length)),
            If(valid & (count == length + CRC.size - 1),
                If(after == RESIDUE,
                    NextValue(finished, 1),
                    NextState("ANSWER"),
                ).Else(
                    *refuse(),
                ),
            ),
        )
        # The UART is not given away before its byte is on the line.
        fsm.act("ANSWER",
            source.valid.eq(1),
            source.data.eq(Mux(finished, ord(STARTING), ord(WAITING))),
            If(source.ready,
                NextState("MAGIC"),
                If(finished,
                    NextValue(self.done, 1),
                    NextState("DONE"),
                ),
            ),
        )
        fsm.act("DONE")

# UART Switch --------------------------------------------------------------------------------------

class UARTSwitch(LiteXModule):
    """One UART for several users, of whom one has it. What the others say is lost, so that none of them waits.

    Parameters
    ----------
    phy   : PHY of the UART.
    count : of users.

    Attributes
    ----------
    users  : PHYs, as each of them sees it.
    chosen : one signal a user, one of which is 1.
    """
    def __init__(self, phy, count):
        self.users  = [UARTInterface() for _ in range(count)]
        self.chosen = [Signal(name=f"chosen{n}") for n in range(count)]

        # # #

        def either(name):
            return Reduce("OR", [Replicate(chosen, len(getattr(user.sink, name))) & getattr(user.sink, name)
                for user, chosen in zip(self.users, self.chosen, strict=True)])

        self.comb += [
            phy.source.ready.eq(1),
            phy.sink.valid.eq(either("valid")),
            phy.sink.data.eq(either("data")),
        ]
        for user, chosen in zip(self.users, self.chosen, strict=True):
            self.comb += [
                user.source.valid.eq(phy.source.valid & chosen),
                user.source.data.eq(phy.source.data),
                user.sink.ready.eq(phy.sink.ready | ~chosen),
            ]

# Boot RAM -----------------------------------------------------------------------------------------

class BootRAM(LiteXModule):
    """RAM of one port on the bus, whose bytes the loader writes first. The bus waits for a byte of it, not for all.

    Parameters
    ----------
    loader : a BootLoader.
    size   : bytes.

    Attributes
    ----------
    bus : Wishbone slave.
    """
    def __init__(self, loader, size):
        self.bus = bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")

        # # #

        # Words, with a read enable, so that they rest when nobody asks.
        # ---------------------------------------------------------------
        # No attribute of the module, of which LiteX would make a second port, on the bus of registers.
        memory = Memory(32, size//WORD_BYTES, name="program")
        port   = memory.get_port(write_capable=True, we_granularity=8, has_re=True, mode=NO_CHANGE)
        self.specials += memory, port

        # A clock for an access, a clock for its answer.
        # ----------------------------------------------
        access = Signal()
        self.comb += [
            access.eq(bus.cyc & bus.stb & ~bus.ack & ~loader.write),
            bus.dat_r.eq(port.dat_r),
            port.re.eq(access & ~bus.we),
            If(loader.write,
                port.adr.eq(loader.address[2:]),
                port.dat_w.eq(Replicate(loader.data, WORD_BYTES)),
                port.we.eq(1 << loader.address[:2]),
            ).Else(
                port.adr.eq(bus.adr),
                port.dat_w.eq(bus.dat_w),
                port.we.eq(Replicate(access & bus.we, WORD_BYTES) & bus.sel),
            ),
        ]
        self.sync += bus.ack.eq(access)
