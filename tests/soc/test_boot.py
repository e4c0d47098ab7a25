# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A chip's loader: the image in its flash, the UART where the flash has none, and what is refused."""

import random

import pytest
from migen import Module, Record

from accel.errors import QCLIFError
from firmware.boot_image import HEADER_BYTES, MAGIC, STARTING, WAITING, pack_image, unpack_image
from soc.boot import BootLoader, BootRAM
from targets.sim.soc import WAKE_SECONDS, FlashModel
from tests.helpers.simulation import run_simulation
from tests.soc.test_flash import PADS

# Bytes of the RAM, of the flash: few, as Migen's simulator takes a second for some hundred clocks.
SIZE, FLASH = 16, 32

# Hz. Up to it, half a bit of the flash takes one clock.
FREQUENCY = 50e6

PROGRAM = bytes(range(1, 1 + SIZE))

# Clocks of a whole flash, more than a loader needs.
CLOCKS = 16*(16 + FLASH) + 100


def words_of(content: bytes, size: int) -> list[int]:
    content = content.ljust(size, b"\xff")
    return [int.from_bytes(content[at:at + 4], "little") for at in range(0, size, 4)]


class Bench(Module):
    """Loader and RAM beside a flash, with a UART of bytes."""
    def __init__(self, flash: bytes, frequency: float = FREQUENCY):
        pads = Record(PADS)
        self.submodules.loader = BootLoader(pads, SIZE, frequency)
        self.submodules.ram    = BootRAM(self.loader, SIZE)
        self.submodules.model  = FlashModel(pads, 0, FLASH, int(WAKE_SECONDS*frequency))
        self.model.mem.init    = words_of(flash, FLASH)
        self.said, self.program, self.clocks = b"", b"", 0

    def listen(self, clocks: int):
        """Wait for an answer; take it some clocks after it has come."""
        loader = self.loader
        for _ in range(clocks):
            if (yield loader.source.valid):
                for _ in range(3):
                    yield
                    assert not (yield loader.done)
                self.said += bytes([(yield loader.source.data)])
                yield loader.source.ready.eq(1)
                yield
                yield loader.source.ready.eq(0)
                yield
                return
            yield
            self.clocks += 1

    def send(self, content: bytes):
        for byte in content:
            yield self.loader.sink.data.eq(byte)
            yield self.loader.sink.valid.eq(1)
            yield
            yield self.loader.sink.valid.eq(0)
            yield

    def access(self, address: int, data: int | None = None, sel: int = 0xf):
        """One access. Returns what is read."""
        bus = self.ram.bus
        for signal, value in ((bus.adr, address), (bus.sel, sel), (bus.we, data is not None), (bus.dat_w, data or 0),
                (bus.cyc, 1), (bus.stb, 1)):
            yield signal.eq(value)
        yield
        while not (yield bus.ack):
            yield
        result = yield bus.dat_r
        yield bus.cyc.eq(0)
        yield bus.stb.eq(0)
        yield
        return result

    def read(self, words: int = SIZE//4):
        for address in range(words):
            word = yield from self.access(address)
            self.program += word.to_bytes(4, "little")


def play(flash: bytes, session, **options) -> Bench:
    bench = Bench(flash, **options)
    run_simulation(bench, session(bench))
    return bench


def boot(uart: list[bytes], words: int = SIZE//4, clocks: int = CLOCKS):
    """A session: what the flash gives, then images over the UART, and what is in the RAM if it has begun."""
    def session(bench):
        yield from bench.listen(clocks)
        for image in uart:
            yield from bench.send(image)
            yield from bench.listen(20)
        if (yield bench.loader.done):
            yield from bench.read(words)
    return session

# Flash --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("frequency, clocks", [(FREQUENCY, 1), (100e6, 2), (101e6, 3)])
def test_the_flash_fills_the_ram_and_is_read_no_further_than_the_image(frequency, clocks):
    program = PROGRAM[:8]
    bench   = play(pack_image(program), boot([], 2, clocks*CLOCKS), frequency=frequency)
    assert (bench.said, bench.program) == (STARTING, program)
    assert abs(bench.clocks - 16*clocks*(16 + HEADER_BYTES + 8 + 4)) <= 2


IMAGE = pack_image(PROGRAM)


def changed(at: int, bit: int) -> bytes:
    image      = bytearray(IMAGE)
    image[at] ^= 1 << bit
    return bytes(image)


REFUSED = {
    "magic":       changed(3, 0),
    "length":      changed(4, 3),
    "length of 0": MAGIC + bytes(4) + IMAGE[HEADER_BYTES:],
    "not words":   changed(4, 1),
    "too large":   MAGIC + (SIZE + 4).to_bytes(4, "little") + IMAGE[HEADER_BYTES:],
    "first byte":  changed(HEADER_BYTES, 0),
    "last byte":   changed(HEADER_BYTES + SIZE - 1, 7),
    "CRC":         changed(len(IMAGE) - 1, 7),
    "cut":         IMAGE[:-1],
}


@pytest.mark.parametrize("flash", (b"", b"\xff" + IMAGE, REFUSED["too large"], REFUSED["last byte"], REFUSED["cut"]),
    ids=("empty", "late", "too large", "last byte", "cut"))
def test_a_flash_without_an_image_starts_nothing_and_the_uart_is_asked(flash):
    """A program as large as the RAM comes from there."""
    bench = play(flash, boot([IMAGE]))
    assert (bench.said, bench.program) == (WAITING + STARTING, PROGRAM)

# UART ---------------------------------------------------------------------------------------------

def test_damaged_images_are_refused_and_the_next_one_is_taken():
    """Without its magic or with a length of its own an image says nothing of its end: the next one tells."""
    noise = random.Random(1).randbytes(40) + MAGIC[:2]
    whole = [each for name, each in REFUSED.items() if name not in ("magic", "length", "cut")]
    sent  = [noise + REFUSED["CRC"], *whole, *(REFUSED[name] + IMAGE for name in ("length", "cut", "magic"))]
    bench = play(b"", boot(sent))
    assert bench.said == WAITING*len(sent) + STARTING
    assert bench.program == PROGRAM


def test_the_bus_is_served_before_and_while_a_program_comes():
    """What is read and written there while bytes come is right, and none of these is lost."""
    image = pack_image(PROGRAM[:8])
    def session(bench):
        yield from bench.listen(CLOCKS)
        for sel in (0x1, 0x6, 0xf):
            yield from bench.access(3, 0x44332211, sel)
        bench.early = yield from bench.access(3)
        yield from bench.send(image[:HEADER_BYTES])
        for at in range(HEADER_BYTES, len(image)):
            yield bench.loader.sink.data.eq(image[at])
            yield bench.loader.sink.valid.eq(1)
            yield bench.ram.bus.cyc.eq(1)
            yield bench.ram.bus.stb.eq(1)
            yield bench.ram.bus.we.eq(1)
            yield bench.ram.bus.sel.eq(15)
            yield bench.ram.bus.adr.eq(2)
            yield bench.ram.bus.dat_w.eq(at)
            yield
            yield bench.loader.sink.valid.eq(0)
            while not (yield bench.ram.bus.ack):
                yield
        yield bench.ram.bus.cyc.eq(0)
        yield from bench.listen(20)
        yield from bench.read()
    bench = play(b"", session)
    assert bench.early == 0x44332211 and bench.said == WAITING + STARTING
    assert bench.program == PROGRAM[:8] + (len(image) - 1).to_bytes(4, "little") + b"\x11\x22\x33\x44"

# Image --------------------------------------------------------------------------------------------

def test_an_image_and_what_is_none():
    assert unpack_image(pack_image(b"12345") + b"rest") == b"12345\0\0\0"
    for image in REFUSED.values():
        with pytest.raises(QCLIFError, match=r"^flash\.img: .*made"):
            unpack_image(image, "flash.img")
    with pytest.raises(QCLIFError, match="no bytes"):
        pack_image(b"")
