#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The core alone under Verilator: no CPU, no link, for benchmarks and tests over many builds."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from accel.config import SPACE_PARAMETERS, QCLIFConfig
from accel.core import core_counters
from accel.errors import QCLIFError
from accel.image import image
from accel.verilog import core_verilog
from host.common.folders import build_root
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from targets.sim.build import PACKAGES
from targets.tools.builds import tree_digest
from targets.tools.programs import tool_version

HARNESS = Path(__file__).with_name("main.cpp")
TOP     = "qclif_core"


@dataclass(frozen=True, eq=False)
class CoreRun:
    """Spikes, states V_a and V_s [T, N] where asked for, and the counters of a run."""
    spikes:   SpikeTrain
    v_a:      np.ndarray | None
    v_s:      np.ndarray | None
    counters: dict[str, int]


def addresses(space: int, address: int, words: int, config: QCLIFConfig) -> Iterator[int]:
    """Addresses of consecutive words, as the address register advances."""
    slices, bits = (config.slices, config.slice_bits) if space < SPACE_PARAMETERS else (1, 0)
    first = (address >> bits)*slices + (address & (2**bits - 1))
    for n in range(first, first + words):
        yield n//slices << bits | n % slices


class CoreSimulator:
    """A build of the core as a program, cached by its sizes and the sources that it is made of.

    Parameters
    ----------
    config : sizes of the core.
    registered : with the registers of FPGAs behind the weight memories.

    Raises
    ------
    QCLIFError : Verilator or the compiler is missing or fails.
    """
    def __init__(self, config: QCLIFConfig, registered: bool = False) -> None:
        self.config  = config
        # Not of the Verilog: the order of its processes differs from one generation to the next.
        versions     = [tool_version("verilator"), *(f"{name} {metadata.version(name)}" for name in PACKAGES)]
        key          = tree_digest(("accel", "targets/sim/core"), [repr(config), str(registered), *versions])
        self.program = build_root()/"core"/key
        if not self.program.exists():
            self._build(core_verilog(config, TOP, registered))

    def _build(self, verilog: str) -> None:
        self.program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.program.parent) as directory:
            source = Path(directory)/f"{TOP}.v"
            source.write_text(verilog)
            command = ["verilator", "--cc", "--exe", "--build", "-O3", "-CFLAGS", "-O2", "--Mdir", directory,
                "-o", "core", str(source), str(HARNESS)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except FileNotFoundError as error:
                raise QCLIFError("verilator is missing: apt-get install verilator") from error
            if done.returncode:
                raise QCLIFError(f"verilator fails on the core: {done.stderr.strip().splitlines()[-1]}")
            # Another process may have built the same: both programs are alike.
            os.replace(Path(directory)/"core", self.program)

    def run(self, network: Network, steps: SpikeTrain, states: bool = False, source_gap: int = 0) -> CoreRun:
        """Run steps from reset, one recording.

        Parameters
        ----------
        network : at most as large as the build.
        steps : sources in the network's numbers.
        states : also read V_a and V_s after each step.
        source_gap : clocks that the receiver of the spikes lets pass between two of them.
        """
        config  = self.config
        network.check_fits(config)
        writes  = [(space, at, word) for space, address, words in image(network, config)
            for at, word in zip(addresses(space, address, len(words), config), words.tolist(), strict=True)]
        sources = np.where(steps.sources < network.inputs, steps.sources,
            steps.sources + config.inputs - network.inputs)
        beats   = np.insert(sources, steps.offsets[:-1], np.diff(steps.offsets))
        head    = [network.neurons, network.apical_shift, network.product_shift, int(states), len(steps)]
        words   = np.concatenate([[len(writes)], np.ravel(writes), head, beats]).astype("<u4")
        command = [self.program, str(source_gap)]
        done    = subprocess.run(command, input=words.tobytes(), capture_output=True, check=True)
        return self._decode(np.frombuffer(done.stdout, "<u4").astype(np.int64), len(steps),
            network.neurons if states else 0)

    @staticmethod
    def _decode(words: np.ndarray, steps: int, neurons: int) -> CoreRun:
        spikes, states, at = [], [], 0
        for _ in range(steps):
            end = at + 1 + words[at]
            spikes.append(words[at + 1:end])
            states.append(words[end:end + neurons])
            at = end + neurons
        counters = dict(zip(core_counters, words[at:].tolist(), strict=True))
        both     = np.array(states).reshape(steps, neurons)
        v_a, v_s = (both & 0xffff, both >> 16) if neurons else (None, None)
        return CoreRun(SpikeTrain.from_lists(spikes), v_a, v_s, counters)
