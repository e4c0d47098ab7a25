# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How tests are shared out among processes: a file goes to one of them, so that what it builds is built once.

Builds of simulators, programs and libraries are shared by all, with locks: two processes do not make the same.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

# Each imports PyTorch and LiteX before its first test.
MOST_WORKERS = 8

# Files that take longest begin first: none of them is left alone at the end.
SLOWEST = (
    "tests/targets/asic/chip/test_gates.py",
    "tests/host/live/test_tutorial.py",
    "tests/soc/test_examples.py",
    "tests/formal/test_formal.py",
    "tests/targets/boards/test_bitstream.py",
    "tests/targets/boards/test_icebreaker.py",
    "tests/targets/asic/gatesim/test_simulate.py",
    "tests/targets/boards/test_build.py",
    "tests/targets/asic/chip/test_chip.py",
    "tests/targets/sim/test_commands.py",
    "tests/soc/test_soc.py",
    "tests/targets/asic/test_command.py",
    "tests/targets/asic/test_rtl.py",
    "tests/targets/asic/test_spatial.py",
    "tests/targets/sim/test_simulator.py",
    "tests/targets/sim/test_serial_line.py",
    "tests/test_package.py",
)

# Of these, what one test builds is of no use to the next, or is found by it on the disk.
DIVIDED = (
    "tests/soc/test_examples.py",
    "tests/formal/test_formal.py",
    "tests/targets/asic/gatesim/test_simulate.py",
    "tests/targets/boards/test_build.py",
    "tests/targets/asic/test_command.py",
    "tests/targets/asic/test_rtl.py",
    "tests/targets/asic/test_spatial.py",
)


def worker_count(named: Sequence[str]) -> int | None:
    """Processes for what pytest was asked to run: one a core and another one, as tests of what is interrupted or waits
    for a device sleep much of their time; none beside pytest's own where single files are named.

    To start them takes longer than most files do. PYTEST_XDIST_AUTO_NUM_WORKERS has the last word: then it is None.

    Parameters
    ----------
    named : files, folders and tests, as pytest's command line has them.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    if any(Path(each.partition("::")[0]).is_file() for each in named):
        return 0
    return min(len(os.sched_getaffinity(0)) + 1, MOST_WORKERS)


def slowest_first(node: str) -> int:
    """Rank of a test: files of SLOWEST in their order, then all others."""
    file = node.partition("::")[0]
    return SLOWEST.index(file) if file in SLOWEST else len(SLOWEST)


class Scheduler(LoadScopeScheduling):
    """Gives a process that is free the next file; of those that are divided, the next test with all its parameters."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        return f"{file}::{test.partition('[')[0]}" if file in DIVIDED else file
