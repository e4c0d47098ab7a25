# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The register document: it comes from the gateware, and alone to standard output."""

import re
import subprocess
import sys

from accel.config import QCLIFConfig
from soc.registers import documented_soc, registers_markdown


def test_every_register_is_described():
    soc  = documented_soc(QCLIFConfig(neurons=12, inputs=10, contexts=3, lanes=5))
    text = registers_markdown(soc, ("qclif", "uart"))
    assert re.findall(r"^\| (\w+) \| `0x", text, re.MULTILINE) == ["rom", "sram", "main_ram", "csr"]
    registers = dict(re.findall(r"^### (\w+) \(`(0x\w+)`\)$", text, re.MULTILINE))
    assert list(registers) == [f"{name}_{csr.name.removesuffix('0')}" for name in ("qclif", "uart")
        for csr in getattr(soc, name).get_csrs()]
    assert len(set(registers.values())) == len(registers)
    assert "sensory source j is row j, neuron m row 10 + m" in text


def test_the_command_prints_the_document_alone():
    done = subprocess.run([sys.executable, "-m", "soc.registers", "--neurons", "37"], capture_output=True, text=True,
        check=True)
    assert done.stdout.startswith("# Registers\n") and "1 to 37" in done.stdout
