# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The smallest chip, gate by gate: it boots its firmware from a flash, and is exact; its power, part by part."""

import gzip
import json

import numpy as np
import pytest

from firmware.boot_image import unpack_image
from targets.asic.chip.phases import PHASES, WHOLE
from targets.asic.gatesim.chip_run import STATE_STEPS
from targets.asic.report.chip import OTHERS, PARTS, by_part
from targets.asic_freepdk45 import main
from tests.helpers.needs import needs_asic, needs_compiler
from tests.targets.netlist.test_saif import read_saif

SMALL = ["--design", "soc", "--neurons", "8", "--inputs", "64", "--contexts", "0", "--lanes", "4", "--outputs", "4",
    "--frame-bytes", "128", "--frame-window", "2", "--uart-fifo", "512", "--frequency", "50",
    "--uart-baudrate", "5000000"]

STEPS = 12


@needs_asic
@needs_compiler
def test_it_boots_computes_exactly_and_tells_its_power(pdk, qclif_data, tmp_path, capsys):
    recording = qclif_data/"dvs128_gesture"/"00_hand_clapping.npz"
    code = main([*SMALL, "--until", "power", "--network", "random", "--rate", "0.2", "--events", str(recording),
        "--steps", str(STEPS), "--output-dir", str(tmp_path)])
    told = capsys.readouterr()
    assert code == 0, told.err
    record = json.loads((tmp_path/"report.json").read_text())
    run    = record["gatesim"]
    assert run["mismatches"] == run["state_mismatches"] == 0
    assert run["steps"] == STEPS and run["spikes"] > 0 and run["sops"] > 0 and run["logits"] == 2*4
    # After each of the first steps, and after the last one.
    assert run["states"] == 2*8*(STATE_STEPS + 1)
    phases = record["phases"]
    assert list(phases) == list(PHASES) and all(phase["clocks"] > 0 for phase in phases.values())
    assert run["clocks"] == sum(phases[name]["clocks"] for name in WHOLE)
    # Shown while it ran, and in the report.
    for text in (PHASES["boot"], PHASES["computing"].split(",")[0]):
        assert text in told.err + told.out
    assert "a second" in (tmp_path/"report.md").read_text()

    powers = {name: by_part(phase["modules"]) for name, phase in phases.items()}
    for name, phase in phases.items():
        assert sum(powers[name].values()) == pytest.approx(phase["total"])
        assert powers[name].keys() == {*PARTS, OTHERS} and min(powers[name].values()) > 0
    assert powers["computing"]["core"] > 1.2*powers["idle"]["core"]
    assert powers["loading"]["UART and frames"] > powers["idle"]["UART and frames"]
    # In most of its boot the CPU is in reset.
    assert powers["idle"]["CPU"] > powers["boot"]["CPU"]
    # The whole recording is what it is made of.
    mean = np.average([phases[name]["total"] for name in WHOLE], weights=[phases[name]["clocks"] for name in WHOLE])
    assert record["power_mw"]["total"] == pytest.approx(mean, rel=0.01)

    name, *header, instance = read_saif(gzip.open(tmp_path/"activity.saif.gz", "rt").read())
    assert ["DURATION", str(20_000*run["clocks"])] in header and instance[1] == "qclif_soc"
    clock, = [net for part in instance[2:] if part[0] == "NET" for net in part[1:] if net[0] == "sys_clk"]
    assert ["TC", str(2*run["clocks"])] in clock
    assert "-period 20 " in (tmp_path/"constraint.sdc").read_text()
    assert len(unpack_image((tmp_path/"firmware.img").read_bytes())) > 8192
