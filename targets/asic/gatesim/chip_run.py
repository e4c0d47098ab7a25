# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The whole chip, gate by gate: it loads its firmware from a flash, takes a network and recordings bit by bit over its
UART from the host's own link, and gives the golden model's spikes, states and logits.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.config import LIMITS
from accel.errors import QCLIFError
from firmware.boot_image import WAITING
from host.events.sample import Sample
from host.link.device import Device
from host.link.link import Link
from host.network.network import Network
from host.runs.run import Run, execute
from targets.asic.chip.firmware import firmware_image
from targets.asic.chip.phases import PHASES, WHOLE
from targets.asic.chip.port import ChipPort
from targets.asic.chip.program import HARNESS
from targets.asic.design import AsicConfig
from targets.asic.gatesim.simulate import ACTIVITY, Inputs, memory_models
from targets.asic.platform.pdk import Pdk
from targets.netlist.comparison import NetlistRun
from targets.netlist.gates import build_netlist
from targets.netlist.reader import read_netlist
from targets.netlist.toggles import probes, read_activity
from targets.tools.progress import StageProgress, no_stage

# Clocks until the firmware's first words, and until it answers a request, at most, beside those that the line takes for
# LINE_BYTES, more than any frame has; how often a host asks; clocks in which the idle chip is looked at.
BOOT_CLOCKS   = 5_000_000
ANSWER_CLOCKS = 500_000
LINE_BYTES    = 2*LIMITS["frame_bytes"][1]
TRIES         = 2
IDLE_CLOCKS   = 5_000

# First steps of each recording after each of which states are compared.
STATE_STEPS = 5

# Seconds after which somebody is told how far it is; from then on it takes longer each time.
TOLD_SECONDS, LONGER = 20, 1.5


@dataclass(frozen=True, eq=False)
class ChipRun(NetlistRun):
    """What a chip did; `clocks` and `activity` are those of whole recordings, streamed and computed.

    Attributes
    ----------
    logits : that were compared; those that differ are among the mismatches.
    phases : clocks of each of PHASES.
    seconds : that the simulation took.
    """
    logits:  int
    phases:  dict[str, int]
    seconds: float

    @property
    def clocks_per_second(self) -> float:
        """Speed of the simulation."""
        return sum(self.phases.values())/self.seconds


def activity_file(phase: str) -> str:
    """File of a phase's activity in the folder of the stage."""
    return f"activity-{phase}.npz"


def simulate_chip(config: AsicConfig, netlist: Path, pdk: Pdk, inputs: Inputs, folder: Path, seed: int = 1,
        progress: StageProgress = no_stage) -> ChipRun:
    """Run the netlist of a chip and compare it.

    Parameters
    ----------
    netlist : Verilog of the stage synth, module qclif_soc.
    folder : for the activity's files: ACTIVITY, and one a phase.
    seed : of the values that registers and memories start with.
    progress : told what is being waited for, and how fast it goes.

    Raises
    ------
    QCLIFError : a tool, a cell or a memory is missing, the network does not fit, or the chip does not answer.
    """
    inputs.network.check_fits(config.sizes)
    parsed  = read_netlist(netlist, f"qclif_{config.design}")
    library = pdk.corner(config.corner).library
    image   = firmware_image(config, progress)
    progress("compiling the netlist with Verilator")
    program = build_netlist(HARNESS, parsed, library, memory_models(pdk.macros), probes(parsed))
    raw     = folder/"activity.bin"
    samples = [Sample(name, steps=steps) for name, steps in zip(inputs.recordings, inputs.samples, strict=True)]
    environment = {"QCLIF_SEED": str(seed), "QCLIF_ACTIVITY": str(raw)}
    run     = run_chip(program, config, image, inputs.network, samples, environment, progress)
    whole   = None
    for number, name in enumerate(PHASES):
        file = Path(f"{raw}.{number}") if number else raw
        if run.phases[name]:
            activity = read_activity(file, parsed, library)
            activity.save(folder/activity_file(name))
            if name in WHOLE:
                whole = activity if whole is None else whole + activity
        file.unlink(missing_ok=True)
    whole.save(folder/ACTIVITY)
    return run


def run_chip(program: Path, config: AsicConfig, image: Path, network: Network, samples: Sequence[Sample],
        environment: dict[str, str] | None = None, progress: StageProgress = no_stage) -> ChipRun:
    """Boot a chip, RTL or netlist, from its flash, and run recordings on it; see simulate_chip()."""
    meter = _Meter(progress)
    line  = round(LINE_BYTES*10*1e6*config.frequency_mhz/config.chip.uart_baudrate)
    with ChipPort(program, 1e6*config.frequency_mhz, config.chip.uart_baudrate, image, environment, meter) as port:
        meter.port = port
        meter.enter("boot")
        if not port.wait_for(b"\0", BOOT_CLOCKS + line):
            raise QCLIFError(f"the firmware of the chip has not said a word in {port.clocks} clocks; its UART said "
                f"{port.read()!r}, where {WAITING!r} is a flash without an image: report this")
        meter.enter("loading")
        with Link(port, timeout=(ANSWER_CLOCKS + line)/port.frequency_hz, tries=TRIES) as link:
            meter.enter("idle")
            port.run(IDLE_CLOCKS)
            meter.enter("loading")
            Device(link).load(network, "accel", None, meter.tell)
            meter.enter("states")
            first = [Sample(each.name, steps=each.steps.slice(0, min(STATE_STEPS, len(each.steps))))
                for each in samples]
            runs  = [execute(link, network, first, lockstep=True, progress=meter.tell)]
            meter.enter(*WHOLE)
            runs.append(execute(link, network, samples, progress=meter.tell))
            meter.end()
    return _summed(runs, meter)


def _summed(runs: Sequence[Run], meter: "_Meter") -> ChipRun:
    """Spikes, steps and operations of the last run; what was compared, and what differs, of all."""
    compared = [each for run in runs for each in run.compared]
    whole    = runs[-1].compared
    steps    = sum(len(each.golden.spikes) for each in whole)
    return ChipRun(
        spikes           = sum(len(each.run.spikes.sources) for each in whole),
        mismatches       = sum(each.mismatches for each in compared),
        states           = sum(each.states for each in compared),
        state_mismatches = sum(each.state_mismatches for each in compared),
        clocks           = sum(meter.clocks[name] for name in WHOLE),
        steps            = steps,
        neuron_updates   = steps*runs[-1].network.neurons,
        sops             = sum(each.run.counters["sops"] for each in whole),
        activity         = None,
        logits           = sum(len(each.golden.logits) for each in compared),
        phases           = meter.clocks,
        seconds          = meter.seconds)


class _Meter:
    """Counts the clocks of each phase, and tells now and then how far the simulation is: a ChipPort's progress.

    Attributes
    ----------
    port : whose clocks are counted.
    clocks : by phase.
    seconds : since the beginning.
    """
    port: ChipPort

    def __init__(self, progress: StageProgress) -> None:
        self.clocks    = dict.fromkeys(PHASES, 0)
        self._progress = progress
        self._start    = self._told = time.monotonic()
        self._phases: tuple[str, str] | None = None
        self._before   = (0, 0)
        self._far      = ""
        self._patience = TOLD_SECONDS

    def enter(self, idle: str, busy: str | None = None) -> None:
        """Begin with a phase, and another one in which the core computes."""
        self.end()
        self._phases = (idle, busy or idle)
        self.port.phase(*map(list(PHASES).index, self._phases))
        self._far = ""
        self._progress(f"the chip: {PHASES[idle]}")

    def end(self) -> None:
        """End with the phase."""
        clocks, busy = self.port.clocks - self._before[0], self.port.busy_clocks - self._before[1]
        if self._phases:
            self.clocks[self._phases[0]] += clocks - busy
            self.clocks[self._phases[1]] += busy
        self._before = (self.port.clocks, self.port.busy_clocks)
        self.seconds = time.monotonic() - self._start

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """How far the host is, as its own commands are told."""
        self._far = f", {stage} {done:,} of {total:,}"

    def __call__(self, clocks: int) -> None:
        now = time.monotonic()
        if now >= self._told + self._patience:
            self._told      = now
            self._patience *= LONGER
            self._progress(f"the chip{self._far}: {clocks:,} clocks, {clocks/(now - self._start):,.0f} a second")
