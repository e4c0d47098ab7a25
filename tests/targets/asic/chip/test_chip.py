# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The chip's RTL, Verilated, with its firmware: boots from flash or UART, computes exactly, and shows its memories."""

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.boot_image import STARTING, WAITING, pack_image, unpack_image
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.link.boot import boot
from host.link.link import Link
from host.network.random_network import random_network
from host.runs.run import execute
from targets.asic import image as command
from targets.asic.chip.firmware import firmware_image
from targets.asic.chip.port import ChipPort
from targets.asic.chip.program import build_chip
from targets.asic.design import AsicConfig, Chip
from targets.asic.gatesim.chip_run import STATE_STEPS, run_chip
from targets.asic.rtl.generate import generate
from tests.helpers.commands import assert_one_line, call
from tests.helpers.needs import needs_compiler, needs_verilator
from tests.targets.asic.test_rtl import MACROS

pytestmark = [needs_compiler, needs_verilator]

BAUDRATE = 5_000_000
SIZES    = QCLIFConfig(neurons=8, inputs=64, contexts=0, lanes=2, outputs=4, frame_bytes=128, frame_window=2,
    uart_fifo=512)
CONFIG   = AsicConfig("soc", SIZES, frequency_mhz=50.0, chip=Chip(uart_baudrate=BAUDRATE))

# More than all that is waited for takes.
CLOCKS = 3_000_000

# LiteX's bridge: words by their addresses, highest byte first.
WRITE, READ = 1, 2

SRAM = 0x1000_0000


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build_chip(generate(CONFIG, MACROS, tmp_path_factory.mktemp("rtl")))


@pytest.fixture(scope="module")
def image():
    return firmware_image(CONFIG)


@pytest.fixture
def empty(tmp_path):
    """A flash that is erased, of 3 bytes."""
    (tmp_path/"flash").write_bytes(b"\xff"*3)
    return tmp_path/"flash"


def chip(program, flash) -> ChipPort:
    return ChipPort(program, 1e6*CONFIG.frequency_mhz, BAUDRATE, flash)


def opened(port: ChipPort) -> Link:
    """A link whose patience is the simulated chip's."""
    return Link(port, timeout=0.01, tries=2)


def recording() -> tuple:
    """A network of the chip's size, and a tenth of a second of a gesture for it."""
    encoder = Encoder(grid=(8, 8), polarities=1)
    events  = synthetic.record(0, duration_us=100_000)
    sample  = Sample("clap", events.events, None, events.label, events.sensor_size).encoded(encoder, 0)
    return random_network(SIZES, encoder, [sample.steps], rate=0.2, classes=synthetic.GESTURES[:4]), sample


def test_it_boots_from_its_flash_and_is_exact(program, image):
    network, sample = recording()
    run = run_chip(program, CONFIG, image, network, [sample])
    assert (run.mismatches, run.state_mismatches) == (0, 0)
    assert run.spikes > 10 and run.steps == 20 and run.states == 2*8*(STATE_STEPS + 1) and run.logits == 2*4
    assert run.sops > 0 and 0 < run.phases["computing"] < run.phases["streaming"] < run.phases["boot"]


def test_events_that_it_encodes_itself_and_a_reset(program, image):
    network, sample = recording()
    with chip(program, image) as port:
        for _ in range(2):
            assert port.wait_for(b"\0", CLOCKS).startswith(STARTING + b"\r\nqCLIF SoC")
            with opened(port) as link:
                run = execute(link, network, [sample], encode="device")
            assert run.mismatches == 0 and run.stats["rx_overflows"] == run.stats["rx_errors"] == 0
            port.reset()
        assert port.framing == 0


def test_a_reset_while_it_loads(program, image):
    """The flash is in the middle of its first command then, of which it must not take what follows for the rest."""
    with chip(program, image) as port:
        for clocks in (7, 20_003):
            port.run(clocks)
            assert not port.read()
            port.reset()
        assert port.wait_for(b"\0", CLOCKS).startswith(STARTING)


def test_with_an_empty_flash_it_boots_over_its_uart(program, image, empty):
    with chip(program, empty) as port:
        assert port.wait_for(WAITING, CLOCKS) == WAITING
        # Somebody else began to.
        port.write(image.read_bytes()[:100])
        told = []
        boot(port, BAUDRATE, image.read_bytes(), lambda *progress: told.append(progress), patience=0.001)
        assert told[-1][1:] == (len(image.read_bytes()), len(image.read_bytes()))
        with opened(port) as link:
            assert link.info.config == SIZES and link.stats.retries == 0
        with pytest.raises(QCLIFError, match=r"^port the simulated chip: something else than"):
            boot(port, BAUDRATE, image.read_bytes(), patience=0.001)


def test_a_chip_that_does_not_boot(program, empty, monkeypatch):
    monkeypatch.setattr("targets.asic.gatesim.chip_run.BOOT_CLOCKS", 1000)
    network, sample = recording()
    with pytest.raises(QCLIFError, match=r"^the firmware of the chip has not said a word in \d+ clocks; .* said b'\?'"):
        run_chip(program, CONFIG, empty, network, [sample])


def test_an_image_that_is_larger_than_its_ram(program, empty):
    with chip(program, empty) as port:
        port.wait_for(WAITING, CLOCKS)
        with pytest.raises(QCLIFError, match="has refused the image"):
            boot(port, BAUDRATE, pack_image(bytes(CONFIG.chip.program_bytes + 4)), patience=0.001)


def test_the_bridge_reads_and_writes_memories(program, image):
    words = [int.from_bytes(unpack_image(image.read_bytes())[at:at + 4], "little") for at in range(0, 400, 4)]
    with chip(program, image) as port:
        port.wait_for(b"\0", CLOCKS)
        port.test(1)
        port.run(10)
        assert bridged(port, READ, 0, len(words)) == words
        # Below the stack of a firmware that waits.
        unused = SRAM + 9*1024
        bridged(port, WRITE, unused, [1, 0xdeadbeef])
        assert bridged(port, READ, unused, 2) == [1, 0xdeadbeef]
        port.test(0)
        port.run(10)
        with opened(port) as link:
            assert link.info.config == SIZES


def bridged(port: ChipPort, command: int, address: int, what: int | list[int]) -> list[int]:
    """Words that the bridge reads, or [] once it has written some."""
    count = what if command == READ else len(what)
    data  = b"" if command == READ else b"".join(word.to_bytes(4, "big") for word in what)
    port.write(bytes([command, count]) + (address//4).to_bytes(4, "big") + data)
    port.run(10*11*(6 + 4*count) + 1000)
    came = port.read()
    return [int.from_bytes(came[at:at + 4], "big") for at in range(0, len(came), 4)]


def test_the_command_that_writes_an_image(image, tmp_path):
    sizes = [f"--{name.replace('_', '-')}={value}" for name, value in SIZES.to_dict().items()]
    chip  = ["--frequency=50", f"--uart-baudrate={BAUDRATE}"]
    done  = call(command.main, "--out", tmp_path/"firmware.img", *sizes, *chip)
    assert done.returncode == 0 and (tmp_path/"firmware.img").read_bytes() == image.read_bytes(), done.stderr
    assert_one_line(call(command.main, "--out", tmp_path/"no"/"firmware.img", *sizes, *chip), "--out", tmp_path/"no")
    assert_one_line(call(command.main, "--out", tmp_path/"firmware.img", "--uart-baudrate", 10**9), "uart_baudrate")


def test_a_program_that_is_too_large():
    with pytest.raises(QCLIFError, match=r"^compiling the firmware failed: .*rom.* overflowed by"):
        firmware_image(AsicConfig("soc", SIZES, 50.0, chip=Chip(8*1024)))
