# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The parts of a chip in its report."""

import pytest

from targets.asic.chip.phases import PHASES
from targets.asic.design import AsicConfig
from targets.asic.power.power import INPUTS
from targets.asic.report.chip import OTHERS, PARTS, by_part, chip_sheet
from targets.asic.report.record import describe
from targets.asic.rtl.generate import generate
from tests.targets.asic.test_rtl import MACROS


def test_every_module_of_the_chip_has_its_part(tmp_path):
    rtl   = generate(AsicConfig("soc"), MACROS, tmp_path)
    named = {module for modules in PARTS.values() for module in modules}
    assert sum(map(len, PARTS.values())) == len(named)
    # Without the clock gates and macros, which are within modules.
    written = {path.stem for path in rtl.sources} - {"VexRiscv_Min"} | {"VexRiscv", "StreamFifoLowLatency"}
    assert written - named == {"qclif_soc"} and named - written == {INPUTS}


def record(**phases: dict) -> dict:
    modules = [{"name": "VexRiscv", "area_um2": 30.0}, {"name": "qclif_program", "area_um2": 60.0},
        {"name": "qclif_soc", "area_um2": 10.0}]
    return describe(AsicConfig("soc")) | {"modules": modules, "phases": phases}


def test_parts_add_up():
    sums = by_part({"VexRiscv": 1.0, "StreamFifoLowLatency": 2.0, INPUTS: 4.0, "qclif_soc": 8.0, "another": 16.0})
    assert {part: value for part, value in sums.items() if value} == {"CPU": 3.0, "clock and pads": 4.0, OTHERS: 24.0}


def test_phases_have_columns_where_power_was_told():
    power = {"VexRiscv": 1.0, "qclif_program": 2.5, INPUTS: 0.25}
    sheet = chip_sheet(record(boot={"clocks": 5}, computing={"clocks": 7, "total": 3.75, "modules": power},
        idle={"clocks": 3, "total": 3.75, "modules": power}))
    assert sheet.columns == ("part", "area, um2", "of all", "idle, mW", "computing, mW")
    rows = {row[0]: row[1:] for row in sheet.rows}
    assert rows["program RAM"] == ("60", "60.0 %", "2.5", "2.5")
    assert rows["all"] == ("100", "100 %", "3.75", "3.75") and rows["clocks"] == ("", "", "3", "7")
    assert f"idle: {PHASES['idle']}." in sheet.notes
    assert chip_sheet(record()).columns == ("part", "area, um2", "of all") and not chip_sheet(record()).notes


@pytest.mark.parametrize("design", ("core", "neuron"))
def test_other_designs_have_none(design):
    assert not chip_sheet(record() | {"design": design}).rows
