# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core alone under Verilator: no CPU, no link, for benchmarks and tests over many builds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accel.config import CORE_COUNTERS, QCLIFConfig
from accel.image import memory_writes
from accel.verilog import core_verilog
from host.common.folders import build_root
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from targets.tools.builds import digest, made_once, source_digest
from targets.tools.verilator import PROGRAM, execute, gateware_versions, verilate

HARNESS = Path(__file__).with_name("main.cpp")
TOP     = "qclif_core"


@dataclass(frozen=True, eq=False)
class CoreRun:
    """Spikes, states V_a and V_s [T, N] where asked for, and the counters of a run; latency [T, 2], where it is known:
    clocks from a step's last beat in to its first and to its last beat out."""
    spikes:   SpikeTrain
    v_a:      np.ndarray | None
    v_s:      np.ndarray | None
    counters: dict[str, int]
    latency:  np.ndarray | None = None


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
    # Variables that the program is started with.
    environment: Mapping[str, str] | None = None

    def __init__(self, config: QCLIFConfig, registered: bool = False) -> None:
        self.config  = config
        # Not of the Verilog: the order of its processes differs from one generation to the next.
        key          = digest("\n".join([source_digest("accel.verilog"), HARNESS.read_text(), repr(config),
            str(registered), *gateware_versions()]))
        self.program = made_once(build_root()/"core"/key, lambda folder: self._build(folder, registered))/PROGRAM

    def _build(self, folder: Path, registered: bool) -> None:
        source = folder/f"{TOP}.v"
        source.write_text(core_verilog(self.config, TOP, registered))
        verilate(folder, TOP, [source, HARNESS])

    def run(self, network: Network, inputs: SpikeTrain, states: bool = False, source_gap: int = 0) -> CoreRun:
        """Run one recording from reset.

        Parameters
        ----------
        network : at most as large as the build.
        inputs : of each step, as the network numbers its sources.
        states : also read V_a and V_s after each step.
        source_gap : clocks that the receiver of the spikes lets pass between two of them.
        """
        config  = self.config
        network.check_fits(config)
        writes  = list(memory_writes(network, config))
        sources = np.where(inputs.sources < network.inputs, inputs.sources,
            inputs.sources + config.inputs - network.inputs)
        beats   = np.insert(sources, inputs.offsets[:-1], np.diff(inputs.offsets))
        head    = [network.neurons, network.apical_shift, network.product_shift, int(states), len(inputs)]
        words   = np.concatenate([[len(writes)], np.ravel(writes), head, beats])
        after   = execute(self.program, words, source_gap, environment=self.environment)
        return self._decode(after, len(inputs), network.neurons if states else 0)

    @staticmethod
    def _decode(words: np.ndarray, steps: int, neurons: int) -> CoreRun:
        spikes, states, at = [], [], 0
        for _ in range(steps):
            end = at + 1 + words[at]
            spikes.append(words[at + 1:end])
            states.append(words[end:end + neurons])
            at = end + neurons
        counters = dict(zip(CORE_COUNTERS, words[at:at + len(CORE_COUNTERS)].tolist(), strict=True))
        latency  = words[at + len(CORE_COUNTERS):].reshape(steps, 2)
        both     = np.array(states).reshape(steps, neurons)
        v_a, v_s = (both & 0xffff, both >> 16) if neurons else (None, None)
        return CoreRun(SpikeTrain.from_lists(spikes), v_a, v_s, counters, latency)
