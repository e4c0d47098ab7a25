# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware's variables in SDRAM: the Verilated SoC with LiteDRAM's model of a chip."""

import re
import shutil
import subprocess

import pytest
import serial

from accel.config import QCLIFConfig
from firmware import FOLDER
from firmware.sizes import SRAM_BESIDE_SDRAM
from targets.sim.options import PINS, SimOptions
from targets.sim.simulator import SimulatedSoC
from tests.helpers.echo import compiled_rom
from tests.helpers.needs import needs_simulator
from tests.helpers.short_stream import stream_exactly

# As on a board: a CPU without data cache, and a line that does not wait.
OPTIONS = SimOptions(config=QCLIFConfig(neurons=16, inputs=64, contexts=0, lanes=4), registered=True,
    soc={"cpu_variant": "lite", "sdram": "MT48LC16M16", "uart_name": PINS, "uart_baudrate": 1_000_000})

pytestmark = needs_simulator


@pytest.fixture(scope="module")
def build():
    return SimulatedSoC(OPTIONS).build()


def symbols(build) -> dict[str, int]:
    """Addresses by name, in the firmware of a build."""
    text = subprocess.run(["riscv64-unknown-elf-nm", build.directory/"software"/"bios"/"bios.elf"], check=True,
        capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, _, name in map(str.split, text.splitlines())}


def test_variables_are_in_sdram_and_small_ones_beside_the_stack(build):
    header  = (build.directory/"software"/"include"/"generated"/"mem.h").read_text()
    region  = {name: int(value, 16) for name, value in re.findall(r"#define (\w+) (0x[0-9a-f]+)", header)}
    address = symbols(build)
    assert region["SDRAM_SIZE"] == 32*2**20 and region["SRAM_SIZE"] == SRAM_BESIDE_SDRAM
    for name in ("slots", "readout_weights"):
        assert 0 <= address[name] - region["SDRAM_BASE"] < address["_evariables"] - address["_fvariables"]
    assert 0 <= address["ordered"] - region["SRAM_BASE"] < address["_ebss"] - region["SRAM_BASE"] < 2048


def test_what_is_streamed_is_exact(build):
    stream_exactly(OPTIONS)


def test_sdram_that_holds_nothing_is_told_of_and_nothing_else_is_said(build, tmp_path):
    """The controller is never given the SDRAM: what is written to it is lost."""
    shutil.copytree(build.directory/"software"/"include", tmp_path/"include")
    header = tmp_path/"include"/"generated"/"sdram_phy.h"
    text, count = re.subn(r"(DFII_CONTROL_SEL +)0x01", r"\g<1>0x00", header.read_text())
    assert count == 1
    header.write_text(text)
    paths = tmp_path/"include"/"generated"/"variables.mak"
    paths.write_text(paths.read_text().replace(str(build.directory/"software"), str(tmp_path)))
    (tmp_path/"bios").mkdir()
    with SimulatedSoC(OPTIONS, rom_init=compiled_rom(tmp_path, "bios", FOLDER)) as soc, \
            serial.serial_for_url(soc.port, timeout=30) as port:
        said = port.read_until(b"\0")
    assert b"SDRAM does not hold what is written to it" in said and b"binary protocol" not in said
