# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The register document: it comes from the gateware, and alone to standard output."""

import re
import subprocess
import sys

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from soc.registers import documented_soc, registers_markdown
from soc.soc import Platform, QCLIFSoC


def test_every_register_is_described():
    soc  = documented_soc(QCLIFConfig(neurons=12, inputs=10, contexts=3, lanes=5))
    text = registers_markdown(soc, ("qclif", "frames"))
    assert re.findall(r"^\| (\w+) \| `0x", text, re.MULTILINE) == ["rom", "sram", "main_ram",
        "frames_received", "frames_to_send", "csr"]
    registers = dict(re.findall(r"^### (\w+) \(`(0x\w+)`\)$", text, re.MULTILINE))
    assert list(registers) == [f"{name}_{csr.name.removesuffix('0')}" for name in ("frames", "qclif")
        for csr in getattr(soc, name).get_csrs()]
    assert len(set(registers.values())) == len(registers)
    assert "sensory source j is row j, neuron m row 10 + m" in text
    assert all(csr.description for csr in soc.qclif.get_csrs())
    assert "### qclif_data" in text and "signed, lowest lane first" in text


def test_a_csr_bus_of_bytes_is_refused_in_one_line():
    with pytest.raises(QCLIFError, match=r"^csr_data_width is 8, [^\n]*: build the SoC with csr_data_width=32$"):
        QCLIFSoC(Platform(), 50e6, QCLIFConfig(), csr_data_width=8)


def test_an_encoder_without_dma_is_refused_in_one_line():
    with pytest.raises(QCLIFError, match=r"^with_camera is set without with_dma[^\n]*: set with_dma, too$"):
        QCLIFSoC(Platform(), 50e6, QCLIFConfig(), with_dma=False, with_camera=True)


def test_the_command_prints_the_document_alone():
    done = subprocess.run([sys.executable, "-m", "soc.registers", "--neurons", "37"], capture_output=True, text=True,
        check=True)
    assert done.stdout.startswith("# Registers\n") and "1 to 37" in done.stdout
