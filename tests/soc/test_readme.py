# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The page of accel/README.md for who builds a SoC of his own: its code runs, and it names every flag.

Its Python over a bridge is in tests/soc/test_examples.py.
"""

import ctypes
import re
import subprocess
from pathlib import Path

from migen import ClockDomain

import accel
from accel.config import QCLIFConfig
from accel.registers import EVENTS, registers
from firmware import FOLDER
from firmware.header import write_headers
from host import c_network
from soc.soc import Platform
from tests.helpers.commands import call
from tests.helpers.firmware_port import ACCEL_BASE, FLAGS, LIBRARY, RegisterBus
from tests.helpers.register_model import RegisterModel

README = Path(accel.__file__).with_name("README.md").read_text()
PAGE   = README[README.index("## In a SoC of your own"):]

THE_SOC, THE_NETWORK, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
THE_PROGRAM, = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)


def test_the_soc():
    names: dict = {}
    exec(THE_SOC, names)
    built = names["MySoC"](Platform(), int(50e6), integrated_rom_size=1024, integrated_sram_size=1024)
    built.cd_sys = ClockDomain()
    built.finalize()
    assert "qclif" in built.csr.regions and "qclif" in built.irq.locs
    assert built.constants["CONFIG_QCLIF_NEURONS"] == 16


def test_the_network_and_the_program(tmp_path, monkeypatch):
    """The C of the page, compiled, on the model of the registers: what it returns is what the page says."""
    monkeypatch.chdir(tmp_path)
    exec(THE_NETWORK, {})
    config  = QCLIFConfig(neurons=16, inputs=32, contexts=0, lanes=4)
    command = re.search(r"python -m host\.c_network (.*) > network\.h", PAGE)[1]
    write_headers(config, tmp_path/"generated")
    (tmp_path/"generated"/"csr.h").write_text(f"#define CSR_QCLIF_BASE {ACCEL_BASE:#x}\n")
    (tmp_path/"network.h").write_text(call(c_network.main, *command.split()).stdout)
    (tmp_path/"program.c").write_text("#include <stdint.h>\nuint32_t first_spikes(uint16_t neurons[16]);\n" +
        THE_PROGRAM)
    subprocess.run(["gcc", *FLAGS, "-DLIBRARY_WITH_ACCEL", "-include", LIBRARY/"registers.h", f"-I{tmp_path}",
        f"-iquote{FOLDER}", f"-iquote{LIBRARY}", tmp_path/"program.c", FOLDER/"qclif.c", LIBRARY/"registers.c", "-o",
        tmp_path/"program.so"], check=True)
    library = ctypes.CDLL(str(tmp_path/"program.so"))
    model   = RegisterModel(config)
    bus     = RegisterBus(library, {ACCEL_BASE: model})
    neurons = (ctypes.c_uint16*16)()
    count   = library.first_spikes(neurons)
    assert f"0 {list(neurons)[:count]}\n" in PAGE and count == 2
    assert not bus.failed and not model.flags


def test_every_flag_and_event():
    errors, = (register for register in registers(QCLIFConfig()) if register.name == "errors")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", PAGE[PAGE.index("### Errors"):], re.MULTILINE)
    assert rows == [field.name for field in errors.fields]
    interrupts, = (line for line in PAGE.splitlines() if line.startswith("Interrupts "))
    assert all(f"`{name}`" in interrupts for name in EVENTS)
