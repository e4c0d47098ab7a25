# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The accelerator alone on an ECP5: a small one, placed and routed."""

import json
import sys

import pytest

from targets.fpga import alone
from tests.helpers.needs import needs_ecp5

SIZES = ("--neurons", "2", "--inputs", "3", "--contexts", "0", "--lanes", "1", "--weight-bits", "2", "--state-bits",
    "4")


@needs_ecp5
@pytest.mark.parametrize("options", [(), ("--registers",)], ids=["core", "registers"])
def test_cells_and_clock(options, tmp_path, monkeypatch):
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"build"))
    monkeypatch.setattr(sys, "argv", ["alone", *SIZES, *options, "--json", str(tmp_path/"rows.json")])
    assert alone.main() == 0
    row, = json.loads((tmp_path/"rows.json").read_text())
    # Weights and lists are memories, and nothing is gone for want of a port that uses it.
    assert row["seed"] == 1 and row["lut"] > 300 and row["ff"] > 200 and row["MHz"] > 50 and row["from"] and row["to"]
