#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The core of the flow, driven like the one of targets.sim.core; and its memories alone."""

from pathlib import Path

import numpy as np

from accel.config import QCLIFConfig
from targets.sim.core import CoreSimulator
from targets.tools.verilator import execute


class BuiltCore(CoreSimulator):
    """CoreSimulator of a program that is there: RTL with macros, or a netlist.

    Parameters
    ----------
    config : sizes of the core.
    program : of targets.netlist.harness.program.verilate("core", ...).
    """
    def __init__(self, config: QCLIFConfig, program: Path) -> None:
        self.config  = config
        self.program = program


def access_memories(program: Path, accesses: np.ndarray) -> np.ndarray:
    """Write and read the memories of the core, one access a clock.

    Parameters
    ----------
    program : of targets.netlist.harness.program.verilate("memory", ...).
    accesses : integers [n, 4]: write (0 or 1), space, address, and the word to write.

    Returns
    -------
    Words that were read, int64 [reads].
    """
    return execute(program, np.concatenate([[len(accesses)], np.ravel(accesses)]))
