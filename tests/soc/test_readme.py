# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC of soc/README.md is one that can be built."""

import re
from pathlib import Path

from migen import ClockDomain

import soc
from soc.soc import Platform


def test_the_example_of_the_readme():
    example, = re.findall(r"```python\n(.*?)```", Path(soc.__file__).with_name("README.md").read_text(), re.DOTALL)
    names: dict = {}
    exec(example, names)
    built = names["MySoC"](Platform(), int(50e6), integrated_rom_size=1024, integrated_sram_size=1024)
    built.cd_sys = ClockDomain()
    built.finalize()
    assert "qclif" in built.csr.regions and "qclif" in built.irq.locs
    assert built.constants["CONFIG_QCLIF_NEURONS"] == 64
