# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A bitstream, built with open tools for a real board: what its report says, and when it is built anew.

It takes two minutes the first time: synthesis, place and route of a whole SoC. It is kept with all builds
(build/boards/), by content: tests that follow without a change find it there.
"""

import json
import re
from pathlib import Path

import pytest

from targets import ulx3s
from targets.boards.board import BoardOptions
from targets.boards.build import build_board
from tests.helpers.needs import needs_compiler, needs_ecp5

pytestmark = needs_compiler


# The smallest that is meaningful: a network of all kinds of sources, a CPU without caches.
SMALL = ["--device", "LFE5U-25F", "--sys-clk-freq", "40e6", "--neurons", "16", "--inputs", "32", "--contexts", "2",
    "--lanes", "2", "--cpu-variant", "minimal", "--non-interactive"]

# The estimate of tables and flip-flops, which are not counted but interpolated.
TOLERANCE = 0.2


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Figures of the small bitstream, as the command writes them."""
    file = tmp_path_factory.mktemp("small")/"small.json"
    assert ulx3s.main([*SMALL, "--build", "--json", str(file)]) == 0
    return json.loads(file.read_text())


@needs_ecp5
def test_the_estimate_is_what_is_used(small):
    for name in ("bram", "dsp"):
        assert small[name] == small["estimate"][name]
    for name in ("lut", "ff"):
        assert small[name] == pytest.approx(small["estimate"][name], rel=TOLERANCE)
    assert small["available"] == {"lut": 24288, "ff": 24288, "bram": 56, "dsp": 28}


@needs_ecp5
def test_the_clock_is_reached_and_the_accelerator_is_not_in_its_way(small):
    assert small["fmax_mhz"] >= small["sys_clk_mhz"] == 40
    assert not re.search("qclif|core|pipeline|walker", small["critical_path"]["from"] + small["critical_path"]["to"])


@needs_ecp5
def test_the_bitstream_is_compressed_and_there(small):
    bitstream = Path(small["bitstream"])
    # An uncompressed one of this FPGA has 582 kB.
    assert 50_000 < bitstream.stat().st_size < 400_000
    assert small["build_seconds"] > 0


@needs_ecp5
def test_what_has_not_changed_is_not_built_again(small):
    options = json.loads((Path(small["directory"])/"options.json").read_text())
    before  = Path(small["bitstream"]).stat().st_mtime_ns
    stages  = []
    build   = build_board(ulx3s.BOARD, BoardOptions.from_json(options), progress=stages.append)
    assert stages == ["generating the SoC and its firmware"]
    assert build.bitstream.stat().st_mtime_ns == before and build.build_seconds == small["build_seconds"]
